// SPDX-License-Identifier: MIT
// The main job, whole: sign up, create a stream, publish, watch live, end, watch the recording.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { boxes, follow, hlsUrl, load, open } from './lib/hls.mjs';
import { request } from './lib/http.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { decode, ffprobe, packets } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer } from './lib/server.mjs';

test('from an account to a recording', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream({ title: 'Tea at five' });
  assert.equal(stream.status, 'CREATED');
  assert.equal(stream.recordingStatus, 'NONE');
  assert.ok(stream.ingest.streamKey && stream.ingest.rtmpUrl, 'the owner sees where to publish');
  const live = hlsUrl(server, stream.playback.playbackId);

  await t.test('a stranger sees the stream, and not its key', async () => {
    const seen = await new Client(server).expect(200, 'GET', `/api/streams/${stream.id}`);
    assert.equal(seen.title, 'Tea at five');
    assert.equal(seen.ingest, undefined);
    assert.ok(!JSON.stringify(seen).includes(stream.ingest.streamKey));
  });

  await t.test('before it is live its playlist is 412, an unknown one 404, both JSON with CORS', async () => {
    for (const [url, status] of [[live, 412], [hlsUrl(server, 'nobodyhasthisone'), 404]]) {
      const answer = await request(url, { headers: { Origin: 'https://elsewhere.example' } });
      assert.equal(answer.status, status);
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      assert.ok(answer.json.error, answer.text);
    }
  });

  const events = await ada.events(stream.id);
  t.after(() => events.close());
  const publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 20, bframes: 2, profile: 'high' } });

  await t.test('it goes live, and the page is told', async () => {
    await events.wait('stream', (s) => s?.status === 'LIVE');
    const now = await ada.stream(stream.id);
    assert.equal(now.status, 'LIVE');
    assert.equal(now.recordingStatus, 'RECORDING');
    assert.ok(Date.now() - Date.parse(now.startedAt) < 30_000, `startedAt ${now.startedAt}`);
    const lobby = await new Client(server).expect(200, 'GET', '/api/streams?status=LIVE');
    assert.ok(lobby.streams.some((s) => s.id === stream.id), 'the lobby shows it');
  });

  await t.test('the live playlists keep the rules while they move', async () => {
    const { all, master } = await open(live);
    assert.match(master.variants[0].CODECS, /^avc1\.[0-9a-f]{6},mp4a\.40\.2$/i);
    assert.equal(master.variants[0].RESOLUTION, '640x360');
    const followed = await Promise.all(all.map((url) => follow(url, { seconds: 8 })));
    for (const { loads, last, fetched } of followed) {
      assert.equal(last.type, '', 'a live playlist has no type');
      assert.ok(last.partTarget, 'low latency');
      assert.ok(loads.length >= 8, `${loads.length} loads in 8 s: blocking reload answers with each part`);
      assert.ok(last.msn + last.segments.length > loads[0].msn + loads[0].segments.length, 'it moves');
      for (const [uri, bytes] of fetched) {
        const types = boxes(bytes).map((b) => b.type);
        if (types.includes('moov')) assert.equal(types[0], 'ftyp', uri);
        else assert.ok(types.includes('moof') && types.includes('mdat'), `${uri}: ${types}`);
      }
    }
  });

  await t.test('ffprobe reads it without a warning', async () => {
    const { streams } = await ffprobe(live, ['-read_intervals', '%+2']);
    const kinds = Object.fromEntries(streams.map((s) => [s.codec_type, s]));
    assert.equal(kinds.video.codec_name, 'h264');
    assert.equal(kinds.video.width, 640);
    assert.equal(kinds.audio.codec_name, 'aac');
    assert.equal(kinds.audio.sample_rate, '48000');
  });

  await t.test('the owner sees the health of the encoder', async () => {
    const health = await ada.expect(200, 'GET', `/api/streams/${stream.id}/health`);
    assert.equal(health.connected, true);
    assert.ok(health.video.fps > 20 && health.video.fps < 40, JSON.stringify(health.video));
  });

  let ended;
  await t.test('the end: the recording is ready within a second', async () => {
    const began = Date.now();
    await ada.end(stream.id);
    ended = await ada.untilReady(stream.id);
    assert.ok(Date.now() - began < 5000, 'soon, under sanitizers on a small machine');
    assert.ok(ended.duration >= 8, `duration ${ended.duration}`);
    assert.ok(ended.endedAt && ended.recordingUrl && ended.recordingId);
    await publisher.exited; // it was sent away
    await events.wait('stream', (s) => s?.status === 'ENDED');
  });

  await t.test('the recording is VOD, and plays from the first frame to the last', async () => {
    const url = new URL(ended.recordingUrl, server.http).href;
    const { all, video } = await open(url);
    for (const media of all) {
      const p = parseMedia(await load(media));
      assert.equal(p.type, 'VOD');
      assert.ok(p.ended);
      const length = p.segments.reduce((n, s) => n + s.duration, 0);
      assert.ok(Math.abs(length - ended.duration) < 2.5, `${length} s of segments, duration ${ended.duration}`);
    }
    await ffprobe(url);
    const times = (await packets(video)).filter((p) => p.codec_type === 'video').map((p) => Number(p.dts_time));
    for (let i = 1; i < times.length; i++)
      assert.ok(times[i] - times[i - 1] > 0.02 && times[i] - times[i - 1] < 0.05, `a hole of ${times[i] - times[i - 1]} s at ${times[i]}`);
    const got = await decode(url);
    assert.ok(got.video.frames >= 8 * 30 - 5, `${got.video.frames} frames`);
    assert.ok(got.video.distinct > 100, 'the picture moves');
    assert.ok(got.audio.frames > 8 * 40, `${got.audio.frames} audio frames`);
  });

  await t.test('its own playback id is not live any more', async () => {
    assert.equal((await request(live)).status, 412);
  });

  await t.test('ended streams take no publisher', async () => {
    const again = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 20, bframes: 2 } });
    const { code } = await again.exited;
    assert.notEqual(code, 0);
    assert.equal((await ada.stream(stream.id)).status, 'ENDED');
  });
});

test('an encoder that goes for good leaves a recording, and may come back later', async (t) => {
  const server = await startServer(t, { args: ['--reconnect-window', '1s'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const publisher = await publishFfmpeg(t, publishUrl(server, stream));
  await ada.untilLive(stream.id);
  await publisher.stop();
  const ended = await ada.untilReady(stream.id);
  await ffprobe(new URL(ended.recordingUrl, server.http).href);
  const again = await publishFfmpeg(t, publishUrl(server, stream));
  await ada.untilLive(stream.id);
  await again.stop();
  const second = await ada.untilReady(stream.id);
  assert.notEqual(second.recordingId, ended.recordingId, 'a second broadcast has a recording of its own');
});
