// SPDX-License-Identifier: MIT
// What browsers send becomes what players of segments take: VP8 and Opus by WHIP, H.264 and AAC by HLS and in
// the recording, through bspnode-worker; and what happens when that one is killed, or not to be had.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { hlsUrl, open } from './lib/hls.mjs';
import { decode, ffprobe } from './lib/media.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES, rtcPage, untilDecoding } from './lib/webrtc.mjs';

async function begin(t, args = []) {
  const server = await startServer(t, { args });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
  const page = await rtcPage(context, server);
  const made = await page.evaluate(([url, o]) => window.publish(url, '', o), [`${server.http}/whip/${stream.ingest.streamKey}`, { codec: 'video/VP8', width: 320, height: 180 }]);
  assert.equal(made.status, 201, made.text);
  await until('the publisher is connected', async () => (await page.evaluate('stats(publisher)')).state === 'connected', 30_000);
  return { server, ada, stream, page, context };
}

// The workers of a server, by process id.
function workers(server) {
  return fs.readdirSync('/proc').filter((d) => /^\d+$/.test(d)).filter((pid) => {
    try {
      const m = /\((.*)\) (\S) (\d+)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
      return m[1].startsWith('bspnode-worker') && m[2] !== 'Z' && Number(m[3]) === server.child.pid;
    } catch {
      return false; // it has ended meanwhile
    }
  }).map(Number);
}

const metric = async (server, name) => Number(new RegExp(`^${name}(?:\\{\\})? (\\d+)$`, 'm').exec((await server.get('/metrics')).text)?.[1]);

// The newest segment's number.
async function edge(url) {
  const text = await (await fetch(url)).text();
  return Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)[1]) + text.split('#EXTINF').length - 1;
}

test('VP8 and Opus from Chromium: H.264 and AAC by HLS and in the recording', async (t) => {
  const { server, ada, stream, page } = await begin(t);
  await ada.untilLive(stream.id);
  const live = hlsUrl(server, stream.playback.playbackId);
  const { master, all } = await open(live, { ms: 60_000 });
  assert.match(master.variants[0].CODECS, /avc1\.42c0\w\w/);
  assert.match(master.variants[0].CODECS, /mp4a\.40\.2/);
  await until('three segments', async () => (await edge(all[0])) >= 3, 60_000);
  assert.equal(workers(server).length, 2, 'one for the sound, one for the picture');
  assert.equal(await metric(server, 'bspnode_workers'), 2);
  assert.equal(await metric(server, 'bspnode_workers_video'), 1);

  // Killed, they are replaced, and the stream goes on.
  const killed = workers(server);
  for (const pid of killed) process.kill(pid, 'SIGKILL');
  const at = await edge(all[0]);
  await until('the stream goes on', async () => (await edge(all[0])) >= at + 3, 60_000);
  const others = workers(server);
  assert.equal(others.length, 2);
  assert.ok(others.every((pid) => !killed.includes(pid)));
  assert.equal(await metric(server, 'bspnode_worker_deaths_total'), 2);

  assert.equal(await page.evaluate(async () => (await fetch(publisher.session, { method: 'DELETE' })).status), 200);
  await until('no worker is left', () => workers(server).length === 0);
  await ada.end(stream.id);
  const ended = await ada.untilReady(stream.id);
  const url = new URL(ended.recordingUrl, server.http).href;
  const probe = await ffprobe(url);
  assert.deepEqual(probe.streams.map((s) => s.codec_name).sort(), ['aac', 'h264']);
  const seen = await decode(url);
  assert.ok(seen.video.frames > 100 && seen.audio.frames > 200, JSON.stringify(seen));
  assert.ok(seen.video.distinct > 80, JSON.stringify(seen));
  // Sound and picture cover the same time.
  const times = { video: [], audio: [] };
  for (const p of (await ffprobe(url, ['-show_entries', 'packet=codec_type,pts_time'], { quiet: false })).packets) times[p.codec_type].push(Number(p.pts_time));
  for (const end of [Math.min, Math.max]) {
    const [v, a] = [times.video.reduce((x, y) => end(x, y)), times.audio.reduce((x, y) => end(x, y))];
    assert.ok(Math.abs(v - a) < 1.5, `${end.name}: video ${v}, audio ${a}`);
  }
});

test('without a slot, VP8 is live by WebRTC alone, and the log says why', async (t) => {
  const { server, ada, stream, context } = await begin(t, ['--webrtc-transcodes', '0']);
  const viewer = await rtcPage(context, server);
  const made = await until('there is something to watch', async () => {
    const answer = await viewer.evaluate((url) => window.watch(url), `${server.http}/whep/${stream.playback.playbackId}`);
    return answer.status === 201 && answer;
  });
  assert.equal(made.status, 201);
  await untilDecoding(viewer, 20);
  assert.match(server.log, /warn whip-frames .*codec=vp8 recorded=0 reason=/);
  assert.equal(workers(server).length, 0);
  void ada;
});

test('without the program, sound goes through as it came', async (t) => {
  const server = await startServer(t, { args: ['--worker', '/nowhere/bspnode-worker'] });
  assert.match(server.log, /warn worker-missing path=\/nowhere\/bspnode-worker/);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
  const page = await rtcPage(context, server);
  const made = await page.evaluate(([url, o]) => window.publish(url, '', o), [`${server.http}/whip/${stream.ingest.streamKey}`, { width: 640, height: 360 }]);
  assert.equal(made.status, 201, made.text);
  const { master } = await open(hlsUrl(server, stream.playback.playbackId), { ms: 60_000 });
  assert.match(master.variants[0].CODECS, /opus/i);
});

test('a server that is killed leaves no worker behind', async (t) => {
  const { server } = await begin(t);
  const left = await until('the workers', () => workers(server).length === 2 && workers(server), 60_000);
  await server.kill();
  const runs = (pid) => {
    try {
      return !/\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return false;
    }
  };
  await until('they are gone', () => !left.some(runs));
});
