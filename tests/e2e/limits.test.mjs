// SPDX-License-Identifier: MIT
// The longest stream: its owner is told before, then it is ended and its recording closed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser, publishUrl } from './lib/api.mjs';
import { ffprobe } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer } from './lib/server.mjs';

test('--max-stream-duration ends a stream, after a warning', async (t) => {
  const server = await startServer(t, { args: ['--max-stream-duration', '12s'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const events = await ada.events(stream.id);
  t.after(() => events.close());
  const publisher = await publishFfmpeg(t, publishUrl(server, stream));
  await ada.untilLive(stream.id);
  const warning = await events.wait('warning', (w) => w.code === 'limit_near', 20_000);
  assert.equal((await ada.stream(stream.id)).status, 'LIVE', 'the warning comes before the end');
  assert.match(warning.json.message, /\d+ (second|minute)/);
  await events.wait('stream', (s) => s?.status === 'ENDED', 20_000);
  await publisher.exited;
  const ended = await ada.untilReady(stream.id);
  assert.ok(ended.duration >= 9 && ended.duration <= 14, `duration ${ended.duration}`);
  await ffprobe(new URL(ended.recordingUrl, server.http).href);
  const again = await publishFfmpeg(t, publishUrl(server, stream));
  assert.notEqual((await again.exited).code, 0, 'it is over');
});
