// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { newUser, publishUrl } from './api.mjs';
import { follow, hlsUrl, open } from './hls.mjs';
import { ffprobe } from './media.mjs';

// Publishes, follows the live playlists, ends, and returns what the recording decodes to.
export async function throughAll(t, server, publish, { seconds = 6 } = {}) {
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const publisher = await publish(publishUrl(server, stream));
  await ada.untilLive(stream.id, 30_000).catch((e) => assert.fail(`${e.message}\npublisher: ${publisher.log.slice(-2000)}`));
  const { all, master } = await open(hlsUrl(server, stream.playback.playbackId));
  const followed = await Promise.all(all.map((url) => follow(url, { seconds })));
  await publisher.stop();
  await ada.end(stream.id);
  const ended = await ada.untilReady(stream.id);
  const url = new URL(ended.recordingUrl, server.http).href;
  return { master, followed, url, ended, probe: await ffprobe(url) };
}
