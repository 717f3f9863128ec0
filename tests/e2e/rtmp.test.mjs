// SPDX-License-Identifier: MIT
// RTMP itself: play by playback id, frame by frame; RTMPS; refusals in words; keys in odd places; Enhanced RTMP.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { newUser, publishUrl } from './lib/api.mjs';
import { follow, hlsUrl, open } from './lib/hls.mjs';
import { encode, ffprobe, sample } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { program, startServer, until } from './lib/server.mjs';

const execute = promisify(execFile);

// MD5 of each packet of one kind ('v' or 'a'), as they come.
async function hashes(args, kind, seconds) {
  const { stdout } = await execute('ffmpeg', ['-hide_banner', '-nostdin', '-v', 'error', ...(seconds ? ['-t', String(seconds)] : []), ...args, '-map', `0:${kind}`, '-c', 'copy', '-f', 'framemd5', '-'], {
    timeout: 60_000,
    maxBuffer: 64 << 20,
  });
  return stdout.split('\n').filter((l) => l && !l.startsWith('#')).map((l) => l.split(',').pop().trim());
}

// The published file is looped: what a viewer gets must be a run of it.
function assertRun(got, all, what) {
  const from = all.indexOf(got[0]);
  assert.ok(from >= 0, `${what}: the first frame is not in the source`);
  got.forEach((h, i) => assert.equal(h, all[(from + i) % all.length], `${what}: frame ${i} of ${got.length}`));
}

// What of a sample an encoder sends: all of its packets, those before time 0 too.
const sent = async (media, kind) => hashes(['-i', await encode(['-i', await sample(media), '-c', 'copy'], 'flv')], kind);

const playUrl = (server, stream) => `${server.rtmp}/live/${stream.playback.playbackId}`;

async function goLive(t, server, options) {
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const publisher = await publishFfmpeg(t, publishUrl(server, stream), options);
  await ada.untilLive(stream.id);
  return { ada, stream, publisher };
}

for (const [name, args] of [['a write a frame', []], ['a write in 100 ms', ['--rtmp-write-ms', '100']]])
  test(`viewers get every frame, beginning with a key frame: ${name}`, async (t) => {
    const server = await startServer(t, { args });
    const media = { seconds: 12, bframes: 2 };
    const { stream } = await goLive(t, server, { media });
    const [v, a] = [await sent(media, 'v'), await sent(media, 'a')];
    const url = playUrl(server, stream);
    const played = await Promise.all([hashes(['-i', url], 'v', 4), hashes(['-i', url], 'v', 4), hashes(['-i', url], 'a', 4)]);
    assert.ok(played[0].length > 90 && played[2].length > 150, `${played.map((p) => p.length)}`);
    assertRun(played[0], v, 'video');
    assertRun(played[1], v, 'video');
    assertRun(played[2], a, 'audio');
    const { streams } = await ffprobe(url);
    assert.deepEqual(streams.map((s) => s.codec_name).sort(), ['aac', 'h264']);
  });

test('RTMPS, both ways', async (t) => {
  const server = await startServer(t, { tls: true });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const key = stream.ingest.streamKey;
  await publishFfmpeg(t, `${server.rtmps}/live/${key}`, { media: { seconds: 12 } });
  await ada.untilLive(stream.id);
  const got = await hashes(['-i', `${server.rtmps}/live/${stream.playback.playbackId}`], 'v', 3);
  assertRun(got, await sent({ seconds: 12 }, 'v'), 'video');
  assert.ok(!server.log.includes(key), 'a key is never logged');
});

test('refusals are in words that encoders show', async (t) => {
  const server = await startServer(t);
  const { ada, stream, publisher } = await goLive(t, server);
  const told = async (url) => {
    const p = await publishFfmpeg(t, url);
    assert.notEqual((await p.exited).code, 0);
    return /Server error: (.*)/.exec(p.log)?.[1] ?? assert.fail(`no words in: ${p.log.slice(-1500)}`);
  };
  assert.match(await told(`${server.rtmp}/live/nobodyhasthiskey`), /key/i);
  assert.match(await told(publishUrl(server, stream)), /already|another|publish/i);
  await ada.end(stream.id);
  await publisher.exited;
  assert.match(await told(publishUrl(server, stream)), /end/i);
  const played = await execute('ffprobe', ['-v', 'error', playUrl(server, { playback: { playbackId: 'nosuchid' } })]).catch((e) => e);
  assert.match(played.stderr, /Server error: |not found/i);
});

test('a key is found wherever encoders put it', async (t) => {
  const server = await startServer(t, { args: ['--reconnect-window', '60s'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const key = stream.ingest.streamKey;
  const connected = () => ada.expect(200, 'GET', `/api/streams/${stream.id}/health`).then((h) => h.connected);
  for (const [url, output] of [
    [`${server.rtmp}/app/${key}`],
    [`${server.rtmp}/live/${key}?token=x`],
    [`${server.rtmp}/live?x=1`, ['-rtmp_playpath', key]],
    [`${server.rtmp}/live/${key}`, ['-rtmp_app', `live/${key}`, '-rtmp_playpath', '']],
    [`${server.rtmp}/live/${key}`, ['-rtmp_tcurl', `'${server.rtmp}/live'`]],
  ]) {
    const p = await publishFfmpeg(t, url, { output: output ?? [] });
    await until(`${url} ${output ?? ''} is taken`, connected).catch((e) => assert.fail(`${e.message}\n${p.log.slice(-1500)}`));
    await p.stop();
    await until('it has gone', async () => !(await connected()));
  }
  assert.ok(!server.log.includes(key), 'a key is never logged');
});

test('a viewer stays while the encoder is away, and goes on with it', async (t) => {
  const server = await startServer(t, { args: ['--reconnect-window', '30s'] });
  const { ada, stream, publisher } = await goLive(t, server, { media: { seconds: 12 } });
  const got = hashes(['-i', playUrl(server, stream)], 'v', 10);
  await until('the viewer is there', async () => /event|rtmp-play/.test(server.log) && server.log.includes('rtmp-play'));
  await new Promise((r) => setTimeout(r, 2000));
  await publisher.kill();
  await until('the owner is told', async () => !(await ada.expect(200, 'GET', `/api/streams/${stream.id}/health`)).connected);
  await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 12 } });
  const frames = await got;
  assert.ok(frames.length > 150, `${frames.length} frames, some of each encoder`);
});

test('the end reaches viewers', async (t) => {
  const server = await startServer(t);
  const { ada, stream } = await goLive(t, server);
  const player = spawn('ffmpeg', ['-nostdin', '-v', 'error', '-i', playUrl(server, stream), '-c', 'copy', '-f', 'null', '-'], { stdio: 'ignore' });
  const ended = new Promise((r) => player.on('close', r));
  t.after(() => player.kill('SIGKILL'));
  await until('the viewer is there', () => server.log.includes('rtmp-play'));
  await ada.end(stream.id);
  assert.equal(await Promise.race([ended, new Promise((r) => setTimeout(r, 15_000, 'still there'))]), 0);
});

for (const [name, video, audio, codecs] of [
  ['HEVC and Opus', 'h265.mp4', 'opus.mp4', /hvc1\.[^"]*opus|opus[^"]*hvc1\./i],
  ['AV1 and AAC', 'av1.mp4', 'aac-48000.mp4', /av01\.[^"]*mp4a|mp4a[^"]*av01\./],
  ['VP9 and Opus', 'vp9.mp4', 'opus.mp4', /vp09\.[^"]*opus|opus[^"]*vp09\./i],
])
  test(`Enhanced RTMP: ${name}`, async (t) => {
    const server = await startServer(t);
    const ada = await newUser(server);
    const stream = await ada.createStream();
    const sender = spawn(path.join(path.dirname(program), 'tests/e2e/bsp-rtmp-send'),
      [new URL(server.rtmp.replace('rtmp', 'http')).port, stream.ingest.streamKey, video, audio, '10'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    sender.stdout.on('data', (b) => (said += b));
    const done = new Promise((r) => sender.on('close', r));
    t.after(() => sender.kill('SIGKILL'));
    await ada.untilLive(stream.id).catch((e) => assert.fail(`${e.message}; the server told the encoder: ${said}`));
    const { all, master } = await open(hlsUrl(server, stream.playback.playbackId));
    assert.match(master.variants[0].CODECS, codecs);
    await Promise.all(all.map((url) => follow(url, { seconds: 3 })));
    assert.equal(await done, 0, said);
    await ada.end(stream.id);
    const ended = await ada.untilReady(stream.id);
    const { streams } = await ffprobe(new URL(ended.recordingUrl, server.http).href);
    assert.equal(streams.length, 2);
  });
