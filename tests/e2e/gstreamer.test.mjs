// SPDX-License-Identifier: MIT
// GStreamer's own RTMP. Alone, because its live source leaves frames out when it gets no CPU, and then a
// frame lasts longer than any part may.
import assert from 'node:assert/strict';
import test from 'node:test';
import { throughAll } from './lib/journey.mjs';
import { decode } from './lib/media.mjs';
import { publishGstreamer } from './lib/publish.mjs';
import { startServer } from './lib/server.mjs';

test('GStreamer rtmp2sink', async (t) => {
  const server = await startServer(t);
  const { url, probe } = await throughAll(t, server, (to) => publishGstreamer(t, to));
  assert.deepEqual(probe.streams.map((s) => s.codec_name).sort(), ['aac', 'h264']);
  const got = await decode(url);
  assert.ok(got.video.frames > 100 && got.audio.frames > 100, JSON.stringify(got));
});
