// SPDX-License-Identifier: MIT
// Nobody else's stream stutters while somebody misbehaves: idle crowds, random bytes, trickled handshakes and
// heads, viewers that stop reading.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import test from 'node:test';
import { newUser, publishUrl } from './lib/api.mjs';
import { follow, hlsUrl, open } from './lib/hls.mjs';
import { decode, packets } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { sleep, startServer } from './lib/server.mjs';

function connect(url) {
  const { hostname, port } = new URL(url.replace('rtmp:', 'http:'));
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {});
  return socket;
}

// Each returns a function that ends it.
const nuisances = {
  'a thousand idle connections': (server) => {
    const sockets = Array.from({ length: 1000 }, (_, i) => connect(i % 2 ? server.http : server.rtmp));
    return () => sockets.forEach((s) => s.destroy());
  },
  'random bytes at both doors': (server) => {
    const timer = setInterval(() => {
      for (const url of [server.http, server.rtmp]) {
        const socket = connect(url);
        socket.write(randomBytes(5000), () => setTimeout(() => socket.destroy(), 300));
      }
    }, 50);
    return () => clearInterval(timer);
  },
  'RTMP handshakes and HTTP heads, a byte at a time': (server) => {
    const sockets = [];
    for (let i = 0; i < 20; i++) {
      sockets.push([connect(server.rtmp), Buffer.concat([Buffer.from([3]), Buffer.alloc(1536)])]);
      sockets.push([connect(server.http), Buffer.from(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(2000)}`)]);
    }
    let at = 0;
    const timer = setInterval(() => {
      for (const [s, bytes] of sockets) if (!s.destroyed) s.write(bytes.subarray(at, at + 1));
      at++;
    }, 200);
    return () => (clearInterval(timer), sockets.forEach(([s]) => s.destroy()));
  },
  'viewers that stop reading': (server, stream) => {
    const rtmp = Array.from({ length: 3 }, () => {
      const child = spawn('ffmpeg', ['-nostdin', '-v', 'quiet', '-i', `${server.rtmp}/live/${stream.playback.playbackId}`, '-c', 'copy', '-f', 'null', '-'], { stdio: 'ignore' });
      setTimeout(() => child.kill('SIGSTOP'), 1500);
      return child;
    });
    const http = Array.from({ length: 50 }, () => {
      const s = connect(server.http);
      s.write('GET /assets/none HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200));
      s.pause();
      return s;
    });
    return () => (rtmp.forEach((c) => c.kill('SIGKILL')), http.forEach((s) => s.destroy()));
  },
};

test('a stream goes on, whoever misbehaves', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 60, size: '320x180', bitrate: '300k' } });
  await ada.untilLive(stream.id);
  const { video } = await open(hlsUrl(server, stream.playback.playbackId));

  for (const [name, begin] of Object.entries(nuisances))
    await t.test(name, async () => {
      const stop = begin(server, stream);
      try {
        const { loads } = await follow(video, { seconds: 5 });
        assert.ok(loads.length >= 5, `${loads.length} loads in 5 s`);
        for (let i = 1; i < loads.length; i++)
          assert.ok(loads[i].at - loads[i - 1].at < 2500, `nothing new for ${loads[i].at - loads[i - 1].at} ms`);
        assert.equal((await server.get('/readyz')).status, 200);
      } finally {
        stop();
      }
    });

  await t.test('an RTMP viewer gets every frame', async () => {
    const got = await packets(`${server.rtmp}/live/${stream.playback.playbackId}`, ['-select_streams', 'v', '-read_intervals', '%+3']);
    const times = got.map((p) => Number(p.dts_time));
    assert.ok(times.length > 60, `${times.length} frames`);
    for (let i = 1; i < times.length; i++) assert.ok(times[i] - times[i - 1] < 0.05, `a hole of ${times[i] - times[i - 1]} s`);
  });

  await t.test('and the recording has no hole', async () => {
    await sleep(100);
    await ada.end(stream.id);
    const ended = await ada.untilReady(stream.id);
    const url = new URL(ended.recordingUrl, server.http).href;
    const times = (await packets((await open(url)).video)).map((p) => Number(p.dts_time));
    for (let i = 1; i < times.length; i++) assert.ok(times[i] - times[i - 1] < 0.05, `a hole of ${times[i] - times[i - 1]} s at ${times[i]}`);
    assert.ok((await decode(url)).video.frames > 15 * 30);
  });
});
