// SPDX-License-Identifier: MIT
// What the product says and does about a stream while it is live: viewers, health, the lobby, a key
// that is changed, an encoder that is away, a stream that is deleted under its viewers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { follow, hlsUrl, open } from './lib/hls.mjs';
import { request } from './lib/http.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, until } from './lib/server.mjs';

// Every file below a folder, with its size.
function filesBelow(dir) {
  return fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => path.join(e.parentPath ?? e.path, e.name));
}

test('viewers are counted by page, by HLS and by RTMP, and the peak stays', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  await ada.untilLive(stream.id);
  const count = async () => (await ada.stream(stream.id)).viewerCount;
  assert.equal(await count(), 0);

  const pages = await Promise.all([0, 1, 2].map(() => new Client(server).events(stream.id, { 'User-Agent': 'a page' })));
  await pages[0].wait('viewers', (v) => v.count === 3);
  pages[2].close();
  await pages[0].wait('viewers', (v) => v.count === 2);
  const { video } = await open(hlsUrl(server, stream.playback.playbackId));
  const watching = follow(video, { seconds: 5 });
  await until('an HLS client is not counted on top of the pages', async () => (await count()) === 2);
  await watching;
  for (const p of pages) p.close();
  await until('the HLS client is still there', async () => (await count()) === 1);

  const player = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-i', `${server.rtmp}/live/${stream.playback.playbackId}`, '-t', '8', '-f', 'null', '-'], { stdio: 'ignore' });
  t.after(() => player.kill('SIGKILL'));
  await until('an RTMP player counts', async () => (await count()) === 2);
  player.kill('SIGKILL');

  await ada.end(stream.id);
  const ended = await ada.untilReady(stream.id);
  assert.equal(ended.peakViewers, 3);
  await until('nobody is left', async () => (await count()) === 0, 60_000, 500);
});

test('health: what comes in, and what to change', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const health = () => ada.expect(200, 'GET', `/api/streams/${stream.id}/health`);
  assert.deepEqual((await health()).advice.map((a) => a.code), ['not_connected']);
  const encoder = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 20, gop: 250 / 30, bframes: 2, profile: 'high' } });
  await ada.untilLive(stream.id);
  const now = await until('a key-frame interval has been seen', async () => {
    const h = await health();
    return h.video?.keyFrameInterval && h.video.bitrate && h;
  }, 30_000, 500);
  assert.equal(now.connected, true);
  assert.equal(now.video.codec, 'h264');
  assert.equal(now.video.width, 640);
  assert.equal(now.video.height, 360);
  assert.equal(now.video.bFrames, true);
  assert.ok(Math.abs(now.video.keyFrameInterval - 250 / 30) < 0.1, `${now.video.keyFrameInterval} s`);
  assert.ok(now.video.fps > 25 && now.video.fps < 35, `${now.video.fps} frames a second`);
  assert.ok(now.video.bitrate > 50_000 && now.video.bitrate < 5_000_000, `${now.video.bitrate} bit/s`);
  assert.deepEqual([now.audio.codec, now.audio.sampleRate], ['aac', 48000]);
  const codes = now.advice.map((a) => a.code);
  assert.ok(codes.includes('keyframes_rare') && codes.includes('b_frames'), codes.join());
  assert.match(now.advice.find((a) => a.code === 'keyframes_rare').setting, /^ffmpeg: -g /);
  assert.deepEqual([now.protocol, now.encoder.split(',')[0], now.address, now.video.profile.split(' ')[0]], ['rtmp', 'ffmpeg', '127.0.0.1', 'Main']);
  await encoder.kill();
  await until('the advice is about the encoder that is away', async () => (await health()).advice.some((a) => a.code === 'encoder_away'));
});

test('the encoder away and back is told to the pages', async (t) => {
  const server = await startServer(t, { args: ['--reconnect-window', '30s'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const events = await new Client(server).events(stream.id);
  t.after(() => events.close());
  const first = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  const live = await events.wait('stream', (s) => s.status === 'LIVE' && s.connected);
  assert.ok(live.json.recordingUrl, 'the recording can be played from the start while it grows');
  await first.kill();
  await events.wait('stream', (s) => s.status === 'LIVE' && s.connected === false);
  const seen = events.seen.length;
  await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  await until('it is back', () => events.seen.slice(seen).some((e) => e.event === 'stream' && e.json.connected));
});

test('a live stream: in the lobby, changed, not made another kind, deleted with all it has', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream({ title: 'Before' });
  const kept = await ada.createStream({ title: 'Kept' });
  const encoder = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  await ada.untilLive(stream.id);
  const stranger = new Client(server);
  const events = await stranger.events(stream.id);
  t.after(() => events.close());
  const at = `/api/streams/${stream.id}`;
  await ada.expect(200, 'PATCH', at, { title: 'After' });
  await events.wait('stream', (s) => s.title === 'After' && s.status === 'LIVE');
  const lobby = await stranger.expect(200, 'GET', '/api/streams');
  assert.deepEqual(lobby.streams.map((s) => [s.title, s.ingest]), [['After', undefined]]);
  assert.equal((await ada.call('PATCH', at, { streamType: 'BROWSER' })).status, 409);
  await until('media is on the disk', () => filesBelow(server.dataDir).some((f) => /recordings/.test(f) && fs.statSync(f).size > 10_000));

  await ada.expect(204, 'DELETE', at);
  await events.wait('stream', (s) => s.deleted === true);
  await encoder.exited;
  assert.equal((await ada.call('GET', at)).status, 404);
  await until('nobody can play it', async () => (await request(hlsUrl(server, stream.playback.playbackId))).status === 404);
  await until('its files are gone', () => !filesBelow(server.dataDir).some((f) => /recordings/.test(f)));
  assert.equal((await ada.stream(kept.id)).title, 'Kept');
});

test('a recording that is deleted is gone, from the disk too', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  await ada.untilLive(stream.id);
  await until('it can be played', async () => (await request(hlsUrl(server, stream.playback.playbackId))).status === 200);
  await ada.end(stream.id);
  const ended = await ada.untilReady(stream.id);
  assert.equal(ended.endedReason, 'owner');
  assert.equal(ended.playback.hlsUrl, ended.recordingUrl, 'the page plays the recording now');
  assert.equal((await request(ended.recordingUrl)).status, 200);
  await ada.expect(204, 'DELETE', `/api/streams/${stream.id}`);
  await until('nobody can play it', async () => (await request(ended.recordingUrl)).status === 404);
  await until('its files are gone', () => !filesBelow(server.dataDir).some((f) => /recordings/.test(f)));
});

test('a key that is changed sends its user away, and the new one continues', async (t) => {
  const server = await startServer(t, { args: ['--reconnect-window', '30s'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const first = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  const live = await ada.untilLive(stream.id);
  const reset = await ada.expect(200, 'POST', `/api/streams/${stream.id}/reset-key`);
  await first.exited;
  const refused = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  assert.notEqual((await refused.exited).code, 0);
  await publishFfmpeg(t, publishUrl(server, reset), { media: { seconds: 10 } });
  const back = await ada.untilStream(stream.id, 'the new key continues', (s) => s.status === 'LIVE' && s.connected);
  assert.equal(back.startedAt, live.startedAt);
});
