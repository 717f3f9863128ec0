// SPDX-License-Identifier: MIT
// Encoders other than the plain case: long and short GOPs, B-frames, one track only, wrong keys.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser, publishUrl } from './lib/api.mjs';
import { throughAll } from './lib/journey.mjs';
import { decode } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer } from './lib/server.mjs';

test('OBS-like: B-frames and key frames 8.3 seconds apart', async (t) => {
  const server = await startServer(t);
  const { url, followed } = await throughAll(
    t, server, (to) => publishFfmpeg(t, to, { media: { seconds: 25, gop: 250 / 30, bframes: 2 } }), { seconds: 14 });
  assert.ok(followed[0].last.segments.some((s) => s.duration > 8), 'a segment is a GOP');
  const got = await decode(url);
  assert.ok(got.video.frames > 300, JSON.stringify(got));
});

test('sound only', async (t) => {
  const server = await startServer(t);
  const { url, master, probe } = await throughAll(t, server, (to) => publishFfmpeg(t, to, { media: { video: false, seconds: 20 } }));
  assert.match(master.variants[0].CODECS, /^mp4a\.40\.2$/);
  assert.deepEqual(probe.streams.map((s) => s.codec_name), ['aac']);
  assert.ok(url);
});

test('picture only, at 25 frames a second', async (t) => {
  const server = await startServer(t);
  const { master, probe } = await throughAll(t, server, (to) => publishFfmpeg(t, to, { media: { audio: false, seconds: 20, fps: 25 } }));
  assert.match(master.variants[0].CODECS, /^avc1\.[0-9a-f]{6}$/i);
  assert.equal(Number(master.variants[0]['FRAME-RATE']), 25);
  assert.deepEqual(probe.streams.map((s) => s.codec_name), ['h264']);
});

test('44.1 kHz sound', async (t) => {
  const server = await startServer(t);
  const { probe } = await throughAll(t, server, (to) => publishFfmpeg(t, to, { media: { rate: 44100, seconds: 20 } }));
  assert.equal(probe.streams.find((s) => s.codec_type === 'audio').sample_rate, '44100');
});

test('a wrong key is refused', async (t) => {
  const server = await startServer(t);
  const publisher = await publishFfmpeg(t, `${server.rtmp}/live/nobodyhasthiskey`);
  assert.notEqual((await publisher.exited).code, 0);
  assert.ok(!server.log.includes('nobodyhasthiskey'), 'a key is never logged');
});

test('an old key stops working when it is reset', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const first = await publishFfmpeg(t, publishUrl(server, stream));
  await ada.untilLive(stream.id);
  const renewed = await ada.expect(200, 'POST', `/api/streams/${stream.id}/reset-key`);
  assert.notEqual(renewed.ingest.streamKey, stream.ingest.streamKey);
  await first.exited; // sent away at once
  const old = await publishFfmpeg(t, publishUrl(server, stream));
  assert.notEqual((await old.exited).code, 0);
  const fresh = await publishFfmpeg(t, publishUrl(server, renewed));
  await ada.untilLive(stream.id);
  assert.ok(fresh.running);
});
