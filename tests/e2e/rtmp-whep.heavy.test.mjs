// SPDX-License-Identifier: MIT
// What comes by RTMP, watched by WebRTC: Chromium and aiortc.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { request } from './lib/http.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { program, startServer, until } from './lib/server.mjs';
import { aiortc, rtcPage } from './lib/webrtc.mjs';

const whep = (server, stream) => `${server.http}/whep/${stream.playback.playbackId}`;

async function begin(t, args = []) {
  const server = await startServer(t, { args });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  return { server, ada, stream, rtmp: `${server.rtmp}/live/${stream.ingest.streamKey}` };
}

// Asks until there is something to watch.
async function watch(page, url) {
  return until('there is something to watch', async () => {
    const made = await page.evaluate((u) => window.watch(u), url);
    return made.status !== 409 && made;
  }, 30_000, 500);
}

// Files of tests/golden/media by Enhanced RTMP.
function publishFile(t, server, stream, video, audio, seconds = 60) {
  const port = new URL(server.rtmp.replace('rtmp', 'http')).port;
  const sender = spawn(path.join(path.dirname(program), 'tests/e2e/bsp-rtmp-send'), [port, stream.ingest.streamKey, video, audio, String(seconds)], { stdio: 'ignore' });
  t.after(() => sender.kill('SIGKILL'));
}

// Waits until `frames` more pictures are decoded.
async function untilPictures(page, frames) {
  let last = {};
  let from;
  return until(`${frames} pictures`, async () => {
    last = await page.evaluate('stats(viewer)');
    from ??= last.inbound.framesDecoded ?? 0;
    return last.inbound.framesDecoded >= from + frames && last;
  }, 60_000).catch((e) => {
    throw new Error(`${e.message}; ${JSON.stringify(last)}`);
  });
}

// Waits for a sound that is heard.
async function untilSound(page) {
  let sound = {};
  await page.evaluate("document.querySelectorAll('video').forEach((v) => (v.muted = false))"); // muted has no level
  return until('a sound', async () => {
    ({ sound } = await page.evaluate('stats(viewer)'));
    return sound.audioLevel > 0.01 && sound;
  }, 30_000).catch((e) => {
    throw new Error(`${e.message}; ${JSON.stringify(sound)}`);
  });
}

for (const gop of [2, 10])
  test(`picture and sound from key frames ${gop} s apart`, async (t) => {
    const { server, stream, rtmp } = await begin(t);
    const { context } = await launchBrowser(t);
    const page = await rtcPage(context, server);
    await publishFfmpeg(t, rtmp, { media: { gop, seconds: 20 } });
    const made = await watch(page, whep(server, stream));
    assert.equal(made.status, 201, made.text);
    const seen = await untilPictures(page, 60);
    assert.deepEqual([seen.inbound.frameWidth, seen.inbound.frameHeight], [640, 360]);
    const sound = await untilSound(page);
    t.diagnostic(JSON.stringify({ level: sound.audioLevel, concealed: sound.concealedSamples, of: sound.totalSamplesReceived }));
    if (gop === 2) return;
    const other = await aiortc(t, 'aiortc_whep.py', whep(server, stream), 50).ended();
    assert.ok(other.video >= 50 && other.audio >= 50 && other.peak > 100, JSON.stringify(other));
  });

test('AV1, VP9 and Opus by Enhanced RTMP go through as they are', async (t) => {
  const { server, ada } = await begin(t);
  const { context } = await launchBrowser(t);
  for (const [video, codec] of [['av1.mp4', 'AV1'], ['vp9.mp4', 'VP9']]) {
    const stream = await ada.createStream();
    const page = await rtcPage(context, server);
    publishFile(t, server, stream, video, 'opus.mp4');
    const made = await watch(page, whep(server, stream));
    assert.equal(made.status, 201, made.text);
    await untilPictures(page, 40);
    assert.match(made.text, new RegExp(`a=rtpmap:\\d+ ${codec}/90000`));
    await untilSound(page);
    await page.close();
  }
});

test('sound alone, and a picture alone', async (t) => {
  const { server, ada, stream, rtmp } = await begin(t);
  const { context } = await launchBrowser(t);
  const page = await rtcPage(context, server);
  const first = await publishFfmpeg(t, rtmp, { media: { video: false } });
  assert.equal((await watch(page, whep(server, stream))).status, 201);
  await untilSound(page);
  await first.stop();
  const other = await ada.createStream();
  await publishFfmpeg(t, `${server.rtmp}/live/${other.ingest.streamKey}`, { media: { audio: false } });
  assert.equal((await watch(page, whep(server, other))).status, 201);
  await untilPictures(page, 20);
});

test('the publisher leaves, and comes back with another picture', async (t) => {
  const { server, stream, rtmp } = await begin(t);
  const { context } = await launchBrowser(t);
  const page = await rtcPage(context, server);
  const early = await page.evaluate((u) => window.watch(u), whep(server, stream));
  assert.equal(early.status, 409);
  assert.equal(JSON.parse(early.text).error.code, 'not_live');
  assert.ok(Number(early.retryAfter) > 0);
  const first = await publishFfmpeg(t, rtmp);
  const made = await watch(page, whep(server, stream));
  assert.equal(made.status, 201, made.text);
  await untilPictures(page, 20);
  await first.stop();
  await publishFfmpeg(t, rtmp, { media: { size: '320x180', bitrate: '300k' } });
  await until('the other picture', async () => (await page.evaluate('stats(viewer)')).inbound.frameWidth === 320, 30_000);
  await untilPictures(page, 20);
});

test('B-frames are transcoded, and the picture is steady', async (t) => {
  const { server, stream, rtmp } = await begin(t, ['--webrtc-transcodes', '1']);
  const { context } = await launchBrowser(t);
  const page = await rtcPage(context, server);
  await publishFfmpeg(t, rtmp, { media: { bframes: 2, gop: 8, seconds: 16, size: '640x360' } });
  const made = await watch(page, whep(server, stream));
  assert.equal(made.status, 201, made.text);
  await untilPictures(page, 30);
  const before = (await page.evaluate('stats(viewer)')).inbound;
  const { inbound } = await untilPictures(page, 120);
  await untilSound(page);
  const seen = { decoded: inbound.framesDecoded, received: inbound.framesReceived, dropped: inbound.framesDropped, pli: inbound.pliCount - before.pliCount, freezes: inbound.freezeCount };
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.pli <= 2, 'no storm of requests for key frames');
  assert.ok(seen.dropped < seen.received / 4, JSON.stringify(seen));
  // A worker that dies is replaced: a glitch, not eight seconds without a picture.
  const worker = Number(/worker-ready pid=(\d+) video=h264/.exec(server.log)[1]);
  process.kill(worker, 'SIGKILL');
  await until('another worker', () => [...server.log.matchAll(/worker-ready pid=(\d+) video=h264/g)].length === 2, 20_000);
  await untilPictures(page, 60);
  const other = await aiortc(t, 'aiortc_whep.py', whep(server, stream), 50).ended();
  assert.ok(other.video >= 50 && other.audio >= 50 && other.peak > 100, JSON.stringify(other));
});

test('B-frames begin in the middle; HEVC', async (t) => {
  const { server, ada, stream } = await begin(t, ['--webrtc-transcodes', '2']);
  const { context } = await launchBrowser(t);
  const page = await rtcPage(context, server);
  publishFile(t, server, stream, 'h264-baseline.mp4+h264-bframes.mp4', 'aac-48000.mp4');
  await watch(page, whep(server, stream));
  await until('they are transcoded', () => /outward channel=\S+ video=h264 transcoded/.test(server.log), 30_000);
  await untilPictures(page, 40);
  const other = await ada.createStream();
  publishFile(t, server, other, 'h265.mp4', 'aac-48000.mp4');
  const made = await watch(page, whep(server, other));
  assert.equal(made.status, 201, made.text);
  await untilPictures(page, 40);
});

test('B-frames that nobody can transcode', async (t) => {
  const { server, stream, rtmp } = await begin(t, ['--webrtc-transcodes', '0']);
  await publishFfmpeg(t, rtmp, { media: { bframes: 2 } });
  const post = () => request(whep(server, stream), { method: 'POST', headers: { 'Content-Type': 'application/sdp', 'Content-Length': 5 }, body: 'v=0\r\n' });
  const answer = await until('an answer that is not of the beginning', async () => {
    const got = await post();
    return (got.status !== 409 || got.json.error.code !== 'not_live') && got;
  }, 30_000, 500);
  assert.equal(answer.status, 409);
  assert.equal(answer.json.error.code, 'no_webrtc');
  assert.match(answer.json.error.message, /bframes=0/);
});
