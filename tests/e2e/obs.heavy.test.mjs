// SPDX-License-Identifier: MIT
// OBS itself, with its default settings: B-frames, key frames 8.3 seconds apart, pipelined commands, and a
// connection that is closed without a word.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { hlsUrl, load, open } from './lib/hls.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { decode, ffprobe } from './lib/media.mjs';
import { publishObs } from './lib/publish.mjs';
import { startServer, until } from './lib/server.mjs';
import { aiortc } from './lib/webrtc.mjs';

test('OBS publishes', async (t) => {
  const server = await startServer(t, { args: ['--reconnect-window', '1s', '--webrtc-transcodes', '1'] });
  const ada = await newUser(server);
  const stream = await ada.createStream({ title: 'From OBS' });
  const obs = await publishObs(t, `${server.rtmp}/live`, stream.ingest.streamKey);
  await ada.untilLive(stream.id, 60_000).catch((e) => assert.fail(`${e.message}\nOBS: ${obs.log.slice(-3000)}`));
  const { video, master } = await open(hlsUrl(server, stream.playback.playbackId), { ms: 30_000 });
  assert.match(master.variants[0].CODECS, /^avc1\.64[0-9a-f]{4},mp4a\.40\.2$/i, 'High profile and AAC');
  assert.equal(master.variants[0].RESOLUTION, '1280x720');
  await until('a whole segment', async () => parseMedia(await load(video)).segments.length >= 1, 30_000, 500);
  const health = await ada.expect(200, 'GET', `/api/streams/${stream.id}/health`);
  assert.equal(health.connected, true);
  assert.ok(health.advice.some((a) => /key ?frame/i.test(a.message)), `advice on 8.3 s key frames: ${JSON.stringify(health.advice)}`);
  // By WebRTC too, with sound, and with a picture although there are B-frames.
  // A machine that is busy with OBS may take a while to start the transcoder: 409 says to ask again.
  const seen = await until('a viewer by WebRTC', () => aiortc(t, 'aiortc_whep.py', `${server.http}/whep/${stream.playback.playbackId}`, 20).ended(), 90_000, 1000);
  assert.ok(seen.video >= 20 && seen.audio >= 20 && seen.peak > 100, JSON.stringify(seen));
  assert.match(server.log, /outward channel=\S+ video=h264 transcoded audio=opus transcoded/);
  await obs.stop();
  const ended = await ada.untilReady(stream.id);
  assert.ok(ended.duration >= 5, `duration ${ended.duration}`);
  const url = new URL(ended.recordingUrl, server.http).href;
  const probe = await ffprobe(url);
  assert.ok(probe.streams.find((s) => s.codec_type === 'video').has_b_frames > 0, 'B-frames are kept');
  const got = await decode(url);
  assert.ok(got.video.frames > 100 && got.audio.frames > 200, JSON.stringify(got));
});

test('OBS is told in words why it may not publish', async (t) => {
  const server = await startServer(t);
  const obs = await publishObs(t, `${server.rtmp}/live`, 'nobodyhasthiskey');
  await until('OBS shows the reason', () => /NetStream\.Publish\.BadName \(.*key.*\)/.test(obs.log), 60_000, 500)
    .catch((e) => assert.fail(`${e.message}\nOBS: ${obs.log.slice(-3000)}`));
  await obs.stop();
  assert.ok(!server.log.includes('nobodyhasthiskey'), 'a key is never logged');
});
