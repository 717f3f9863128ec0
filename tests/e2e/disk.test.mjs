// SPDX-License-Identifier: MIT
// A disk that fills up stops the recording, in words, and never the live stream.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { hlsUrl, load, open } from './lib/hls.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { decode } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { smallDisk, startServer, until } from './lib/server.mjs';

async function edgeMoves(video) {
  const edge = async () => {
    const p = parseMedia(await load(video));
    return p.msn + p.segments.length;
  };
  const before = await edge();
  await until('the live edge moves', async () => (await edge()) > before + 1, 30_000);
}

test('a disk that fills in the middle of a stream', async (t) => {
  const dataDir = smallDisk(t, '12m');
  if (!dataDir) return t.skip('mounting is not allowed here');
  const server = await startServer(null, { dataDir, args: ['--min-free-disk', '3m'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const events = await new Client(server).events(stream.id);
  t.after(() => events.close());
  const encoder = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 60, bitrate: '6000k' }, once: true });
  const live = await ada.untilLive(stream.id);
  assert.equal(live.recordingStatus, 'RECORDING');
  const { video } = await open(hlsUrl(server, stream.playback.playbackId));

  await events.wait('stream', (s) => s.recordingStatus === 'FAILED', 60_000);
  const failed = await ada.stream(stream.id);
  assert.equal(failed.status, 'LIVE');
  assert.match(failed.recordingProblem, /disk|space/i);
  assert.equal((await new Client(server).stream(stream.id)).recordingProblem, undefined, 'not for strangers');
  await edgeMoves(video);
  assert.ok(encoder.running, 'the encoder notices nothing');

  await ada.end(stream.id);
  const ended = await ada.untilStream(stream.id, 'its beginning was kept', (s) => s.status === 'ENDED' && s.recordingUrl);
  assert.equal(ended.recordingStatus, 'FAILED');
  const kept = await decode(ended.recordingUrl);
  assert.ok(kept.video.frames > 60, `${kept.video.frames} frames`);
  // The database still takes what is small, and what is deleted is room at once, watched or not.
  await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { title: 'After the flood' });
  await ada.expect(204, 'DELETE', `/api/streams/${stream.id}`);
  const again = await ada.createStream();
  await publishFfmpeg(t, publishUrl(server, again), { media: { seconds: 10 } });
  assert.equal((await ada.untilLive(again.id)).recordingStatus, 'RECORDING', 'with room again, it records again');
});

test('a disk that is full from the beginning', async (t) => {
  const server = await startServer(t, { args: ['--min-free-disk', '1t'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10 } });
  const live = await ada.untilStream(stream.id, 'live, not recorded', (s) => s.status === 'LIVE' && s.recordingStatus === 'FAILED');
  assert.equal(live.recordingUrl, null);
  await edgeMoves((await open(hlsUrl(server, stream.playback.playbackId))).video);
  await ada.end(stream.id);
  const ended = await ada.untilStream(stream.id, 'it is ENDED', (s) => s.status === 'ENDED');
  assert.equal(ended.recordingUrl, null);
});
