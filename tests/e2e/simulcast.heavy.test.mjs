// SPDX-License-Identifier: MIT
// Layers of a browser's picture as renditions of HLS: aligned, switched between, recorded. And the
// codecs and sizes that a browser sends, as hls.js takes them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { follow, hlsUrl, load, open } from './lib/hls.mjs';
import { request } from './lib/http.mjs';
import { hlsPlay, hlsState, untilPlayed } from './lib/hls_js.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { decode, ffprobe } from './lib/media.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES, rtcPage } from './lib/webrtc.mjs';

const whip = (server, stream) => `${server.http}/whip/${stream.ingest.streamKey}`;

async function begin(t) {
  const server = await startServer(t);
  const ada = await newUser(server);
  const { context, problems } = await launchBrowser(t, { args: FAKE_DEVICES, expected: [/404.*(favicon|m4s|m3u8)/] });
  const from = await rtcPage(context, server);
  const to = await rtcPage(context, server);
  return { server, ada, stream: await ada.createStream(), from, to, problems };
}

async function publish({ from, server, ada, stream }, options) {
  const made = await from.evaluate(([u, o]) => window.publish(u, '', o), [whip(server, stream), options]);
  assert.equal(made.status, 201, made.text);
  await until('connected', async () => (await from.evaluate('stats(publisher)')).state === 'connected');
  await ada.untilLive(stream.id);
  return made;
}

async function stop({ from, ada, stream }) {
  await from.evaluate(async () => (await fetch(publisher.session, { method: 'DELETE' })).status);
  await ada.end(stream.id);
  return ada.untilReady(stream.id);
}

// Segments of the same number begin at the same time in every rendition, the first of all aside: a layer may
// begin some frames after the others.
function assertAligned(playlists) {
  const [first, ...others] = playlists;
  let n = 0;
  for (const s of first.segments.slice(1))
    for (const other of others) {
      const twin = other.segments.find((o) => o.msn === s.msn);
      if (!twin) continue;
      assert.ok(Math.abs(twin.pdt - s.pdt) <= 12, `segment ${s.msn}: ${twin.pdt - s.pdt} ms apart`);
      assert.equal(twin.discNumber, s.discNumber);
      n++;
    }
  assert.ok(n >= 3, 'there are segments to compare');
}

test('three layers of H.264 are three renditions', async (t) => {
  const all = await begin(t);
  const { server, stream, from, to, problems } = all;
  const made = await publish(all, { layers: 3, rids: ['0', '1', 'low'] });
  assert.match(made.text, /a=simulcast:recv 0;1;low/);
  const url = `${hlsUrl(server, stream.playback.playbackId)}?rendition_order=desc`;
  const hls = await open(url);
  assert.deepEqual(hls.master.variants.map((v) => v.RESOLUTION), ['1280x720', '640x360', '320x180']);
  const usual = await open(hlsUrl(server, stream.playback.playbackId));
  assert.deepEqual(usual.master.variants.map((v) => v.RESOLUTION), ['640x360', '1280x720', '320x180'], 'the one in the middle first');
  for (const v of hls.master.variants) {
    assert.match(v.CODECS, /^avc1\.42[0-9a-f]{4},(mp4a\.40\.2|Opus)$/);
    assert.equal(Number(v['FRAME-RATE']), 30);
  }
  assert.ok(Number(hls.master.variants[0].BANDWIDTH) > Number(hls.master.variants[2].BANDWIDTH));

  await hlsPlay(to, url);
  const followed = await Promise.all(hls.all.map((u) => follow(u, { seconds: 5 })));
  assertAligned(followed.map((f) => f.last));
  for (const f of followed) assert.equal(f.last.reports.length, 3, 'a report of each other rendition');
  for (const [level, width] of [[0, 320], [1, 640]]) {
    await to.evaluate((n) => (hls.nextLevel = n), level);
    const at = await untilPlayed(to, 1, (s) => s.width === width);
    assert.deepEqual(at.fatal, [], JSON.stringify(at));
  }

  // The top layer, which the player chooses by itself, stops, and comes back.
  await to.evaluate(() => (hls.nextLevel = -1));
  await untilPlayed(to, 1, (s) => s.width === 1280);
  await from.evaluate(() => setEncoding(0, { active: false }));
  const top = hls.all[0];
  await until('its rendition has stopped', async () => (await request(top)).status === 404, 20_000);
  const below = parseMedia(await load(hls.all[1]));
  assert.ok(!below.segments.some((s) => s.gap), 'the others have none');
  const stepped = await untilPlayed(to, 3, (s) => s.width < 1280);
  assert.deepEqual(stepped.fatal, [], JSON.stringify(stepped));
  assert.deepEqual((await open(url)).master.variants.map((v) => v.RESOLUTION), ['640x360', '320x180']);
  await from.evaluate(() => setEncoding(0, { active: true }));
  await until('it goes on', async () => (await request(top)).status === 200, 20_000);
  const again = parseMedia(await load(top));
  assert.ok(again.segments.some((s) => s.gap) && !again.segments.some((s) => s.discontinuity), 'a gap, and no discontinuity');
  const after = await untilPlayed(to, 2);
  t.diagnostic(JSON.stringify(after));
  assert.deepEqual(after.fatal, []);
  assert.deepEqual(problems, []);

  const ended = await stop(all);
  const recording = `${new URL(ended.recordingUrl, server.http).href}?rendition_order=desc`;
  const probe = await ffprobe(recording, [], { quiet: false });
  const sizes = probe.streams.filter((s) => s.codec_type === 'video').map((s) => s.width);
  assert.deepEqual(sizes, [1280, 640, 320]);
  for (const variant of (await open(recording)).all.slice(1, 3)) assert.ok((await ffprobe(variant)).streams.length === 1);
});

for (const [codec, layers, named] of [['video/VP9', 1, /^vp09\.00\./], ['video/AV1', 1, /^av01\.0\./], ['video/VP9', 2, /^vp09\.00\./], ['video/AV1', 2, /^av01\.0\./]])
  test(`${codec.slice(6)} in ${layers} layer${layers > 1 ? 's' : ''} plays and is recorded`, async (t) => {
    const all = await begin(t);
    const { server, stream, to, problems } = all;
    await publish(all, { codec, layers, width: 640, height: 360, ...(layers > 1 && { scalabilityMode: 'L1T1' }) });
    const url = hlsUrl(server, stream.playback.playbackId);
    const hls = await open(url);
    assert.equal(hls.master.variants.length, layers);
    assert.match(hls.master.variants[0].CODECS, named);
    await hlsPlay(to, url);
    const played = await untilPlayed(to, 3);
    assert.deepEqual(played.fatal, [], JSON.stringify(played));
    assert.deepEqual(problems, []);
    const ended = await stop(all);
    const recording = new URL(ended.recordingUrl, server.http).href;
    await ffprobe(recording);
    const { video } = await decode(recording);
    assert.ok(video.frames > 30, `${video.frames} pictures`);
  });

test('a picture that grows while it is sent plays through', async (t) => {
  const all = await begin(t);
  const { server, stream, from, to, problems } = all;
  await publish(all, { width: 1280, height: 720 });
  await from.evaluate(() => setEncoding(0, { scaleResolutionDownBy: 4 }));
  const url = hlsUrl(server, stream.playback.playbackId);
  await open(url);
  await hlsPlay(to, url);
  await untilPlayed(to, 2);
  const { waits } = await hlsState(to);
  for (const by of [2, 1]) {
    await from.evaluate((n) => setEncoding(0, { scaleResolutionDownBy: n }), by);
    await untilPlayed(to, 2);
  }
  const last = await untilPlayed(to, 1, (s) => s.sizes.length >= 2);
  t.diagnostic(JSON.stringify({ ...last, before: waits }));
  assert.deepEqual(last.fatal, []);
  assert.deepEqual(problems, []);
  const ended = await stop(all);
  const { video } = await decode(new URL(ended.recordingUrl, server.http).href);
  assert.ok(video.frames > 60);
});
