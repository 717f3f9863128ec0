// SPDX-License-Identifier: MIT
// The reconnect window: an encoder that drops and returns continues the same stream and recording.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser, publishUrl } from './lib/api.mjs';
import { hlsUrl, load, open } from './lib/hls.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { decode } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { sleep, startServer, until } from './lib/server.mjs';

test('a dropped encoder returns: one stream, one recording, a discontinuity', async (t) => {
  const server = await startServer(t, { args: ['--reconnect-window', '20s'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const first = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  await ada.untilLive(stream.id);
  const before = await ada.stream(stream.id);
  const { video } = await open(hlsUrl(server, stream.playback.playbackId));
  await until('two segments', async () => parseMedia(await load(video)).segments.length >= 2);
  await first.kill(); // the cable, not the button
  await until('the owner is told', async () => !(await ada.expect(200, 'GET', `/api/streams/${stream.id}/health`)).connected);
  assert.equal((await ada.stream(stream.id)).status, 'LIVE', 'the window is open');
  await sleep(1500); // the encoder's own wait
  const second = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  const after = await until('segments after the break', async () => {
    const p = parseMedia(await load(video));
    const at = p.segments.findIndex((s) => s.discontinuity);
    return at >= 0 && p.segments.length > at + 1 && p;
  });
  const at = after.segments.findIndex((s) => s.discontinuity);
  const gap = after.segments[at].pdt - after.segments[at - 1].pdt - after.segments[at - 1].duration * 1000;
  assert.ok(gap > 500, `real time passed between them: ${gap} ms`);
  const now = await ada.stream(stream.id);
  assert.equal(now.status, 'LIVE');
  assert.equal(now.startedAt, before.startedAt, 'the same broadcast');
  await ada.end(stream.id);
  await second.exited;
  const ended = await ada.untilReady(stream.id);
  const url = new URL(ended.recordingUrl, server.http).href;
  const recorded = parseMedia(await load((await open(url)).video));
  assert.equal(recorded.segments.filter((s) => s.discontinuity).length, 1);
  assert.ok((await decode(url)).video.frames > 5 * 30);
});

test('a second publisher is refused in words while the first goes on', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const first = await publishFfmpeg(t, publishUrl(server, stream));
  await ada.untilLive(stream.id);
  const second = await publishFfmpeg(t, publishUrl(server, stream));
  assert.notEqual((await second.exited).code, 0);
  assert.ok(first.running, 'the first is not disturbed');
  assert.equal((await ada.stream(stream.id)).status, 'LIVE');
});
