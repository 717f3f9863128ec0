// SPDX-License-Identifier: MIT
// kill -9 in the middle of a stream: after the restart the stream is ended, and its recording is READY
// and playable up to the last part that was written.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser, publishUrl } from './lib/api.mjs';
import { hlsUrl, load, open } from './lib/hls.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { decode, ffprobe } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, tempDir, until } from './lib/server.mjs';

const length = (p) => p.segments.reduce((n, s) => n + s.duration, 0);

test('kill -9 and restart', async (t) => {
  const dataDir = tempDir(t);
  const first = await startServer(t, { dataDir });
  const ada = await newUser(first);
  const stream = await ada.createStream({ title: 'Until the lights go out' });
  const publisher = await publishFfmpeg(t, publishUrl(first, stream), { media: { seconds: 10, bframes: 2 } });
  await ada.untilLive(stream.id);
  const { video } = await open(hlsUrl(first, stream.playback.playbackId));
  const seen = await until('three segments and a part', async () => {
    const p = parseMedia(await load(video));
    return p.segments.length >= 3 && p.tailParts.length >= 2 && p;
  });
  await first.kill();
  await publisher.exited;

  const second = await startServer(t, { dataDir });
  ada.server = second; // the session is in the database
  const ended = await ada.untilReady(stream.id, 5000);
  assert.equal(ended.status, 'ENDED');
  assert.ok(ended.endedAt, 'it has an end');
  const url = new URL(new URL(ended.recordingUrl, second.http).pathname, second.http).href;
  const recorded = parseMedia(await load((await open(url)).video));
  assert.equal(recorded.type, 'VOD');
  // A viewer saw these parts before the kill; at most the part being written may be lost.
  assert.ok(length(recorded) >= length(seen) - 0.01, `${length(recorded)} s recorded, ${length(seen)} s of segments were seen`);
  await ffprobe(url);
  const got = await decode(url);
  assert.ok(got.video.frames >= Math.floor(length(recorded) * 30) - 3, `${got.video.frames} frames in ${length(recorded)} s`);

  const other = await ada.createStream({ title: 'The next one' });
  await publishFfmpeg(t, publishUrl(second, other));
  await ada.untilLive(other.id);
});
