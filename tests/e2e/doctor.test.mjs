// SPDX-License-Identifier: MIT
// The ingest doctor against encoders that do something wrong: real ones, each on a stream of its own, all at
// the same time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { request } from './lib/http.mjs';
import { encode, sample } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, until } from './lib/server.mjs';

// A picture with a sound of this expression, as a file.
const withSound = (expression, { rate = 48000, bitrate = '128k' } = {}) =>
  encode([
    '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=10',
    '-f', 'lavfi', '-i', `aevalsrc='${expression}|${expression}':s=${rate}:d=10`,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '60', '-bf', '0', '-b:v', '400k', '-sc_threshold', '0',
    '-c:a', 'aac', '-b:a', bitrate,
  ]);
const tone = (db) => `pow(10,-${db}/20)*sin(2*PI*1000*t)`;

const small = { seconds: 10, size: '320x180', bitrate: '400k' };

// What each does wrong, and the advice that must come of it. `says` looks closer.
const PATIENTS = {
  'no sound track': { media: { ...small, audio: false }, code: 'no_audio', setting: /^ffmpeg: / },
  'a sound track and silence': { media: () => withSound('0'), code: 'audio_silent', says: (h) => assert.equal(h.audio.level, -127) },
  'too loud': { media: () => withSound('1.2*sin(2*PI*700*t)'), code: 'audio_clipping' },
  'very quiet': { media: () => withSound(tone(55)), code: 'audio_quiet' },
  'a key frame every ten seconds': { media: { ...small, seconds: 30, gop: 10 }, code: 'keyframes_very_rare', setting: /-g / },
  'B-frames': { media: { ...small, bframes: 2 }, code: 'b_frames', setting: /-bf 0/, says: (h) => assert.equal(h.video.bFrames, true) },
  '22.05 kHz': { media: { ...small, rate: 22050 }, code: 'sample_rate', setting: /-ar 48000/, says: (h) => assert.equal(h.audio.sampleRate, 22050) },
  'the sound half a second late': {
    // Stamped so on the way out. A muxer that waits for the other track would hide it, hence the 1.
    media: { ...small },
    output: ['-bsf:a', 'setts=pts=PTS+500:dts=DTS+500', '-max_interleave_delta', '1'],
    code: 'av_offset',
    setting: /-itsoffset/,
    says: (h) => assert.ok(h.avOffset < -400 && h.avOffset > -650, `${h.avOffset} ms`),
  },
  'the sound half a second late by -itsoffset': {
    // Held back until its time, so that only the beginning tells.
    media: { ...small },
    itsoffset: 0.5,
    code: 'av_start',
    setting: /-itsoffset/,
    says: (h) => assert.ok(h.avStart > 400 && h.avStart < 650 && Math.abs(h.avOffset ?? 0) < 100, `${h.avStart} ms, ${h.avOffset} ms`),
  },
  'slower than real time': { media: { ...small }, input: ['-readrate', '0.8'], code: 'source_slow', says: (h) => assert.ok(h.network.speed < 0.97 && h.network.behind > 0.9) },
  'upright': { media: { ...small, size: '180x320' }, code: 'upright' },
};

async function publish(t, server, stream, p) {
  const file = typeof p.media === 'function' ? await p.media() : await sample(p.media);
  // The same file twice: the picture of one, the sound of the other.
  const twice = p.itsoffset ? { input: ['-i', file, '-stream_loop', '-1', '-re', '-itsoffset', String(p.itsoffset)], output: ['-map', '0:v', '-map', '1:a'] } : p;
  return publishFfmpeg(t, publishUrl(server, stream), { media: file, input: twice.input, output: twice.output });
}

test('each encoder that does something wrong is told so, in the words of its own settings', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  await Promise.all(Object.entries(PATIENTS).map(async ([name, p]) => {
    const stream = await ada.createStream({ title: name });
    const encoder = await publish(t, server, stream, p);
    let last;
    const found = await until(`${name}: ${p.code}`, async () => {
      last = await ada.expect(200, 'GET', `/api/streams/${stream.id}/health`);
      return last.encoder && last.advice.find((a) => a.code === p.code);
    }, 60_000, 500).catch((e) => assert.fail(`${e.message}; ${JSON.stringify(last)}\n${encoder.log.slice(-600)}`));
    assert.ok(found.message.length > 10);
    assert.match(found.setting, p.setting ?? /./, name);
    p.says?.(last);
    await encoder.kill();
  }));
});

test('how loud it is, and what is well is called so', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  await Promise.all([6, 20, 40].map(async (db) => {
    const stream = await ada.createStream({ title: `${db} dB below full scale` });
    const encoder = await publishFfmpeg(t, publishUrl(server, stream), { media: await withSound(tone(db)) });
    const h = await until('there is a level', async () => {
      const now = await ada.expect(200, 'GET', `/api/streams/${stream.id}/health`);
      return now.audio?.level !== undefined && now.network.speed && now;
    }, 30_000, 300);
    assert.ok(Math.abs(h.audio.level + db + 3) < 1, `a tone of -${db} dB has ${h.audio.level}`); // its mean square is half its peak's
    if (db === 20) assert.deepEqual(h.advice.map((a) => a.code), ['ok'], JSON.stringify(h));
    assert.ok(Math.abs(h.avOffset ?? 0) < 100 && h.network.behind < 1, JSON.stringify(h));
    assert.match(h.encoder, /^ffmpeg, Lavf/);
    assert.ok(Date.parse(h.connectedAt) <= Date.now() + 1000);
    await encoder.kill();
  }));
});

test('B-frames and no transcoding slot: the owner is told why viewers are sent to HLS', async (t) => {
  const server = await startServer(t, { args: ['--webrtc-transcodes', '0'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  await publishFfmpeg(t, publishUrl(server, stream), { media: { ...small, bframes: 2 } });
  await ada.untilLive(stream.id);
  const health = () => ada.expect(200, 'GET', `/api/streams/${stream.id}/health`);
  const before = await until('the frames have been looked at', async () => {
    const h = await health();
    return h.advice.some((a) => a.code === 'b_frames') && h;
  });
  assert.equal(before.webrtc, undefined, 'nobody has asked yet');
  const body = fs.readFileSync(new URL('../golden/sdp/chromium-viewer-recvonly.sdp', import.meta.url));
  const answer = await request(`${server.http}/whep/${stream.playback.playbackId}`, { method: 'POST', headers: { 'Content-Type': 'application/sdp', 'Content-Length': body.length }, body });
  assert.equal(answer.status, 409, answer.text);
  const after = await until('the owner is told', async () => {
    const h = await health();
    return h.webrtc?.state === 'refused' && h;
  });
  assert.ok(after.webrtc.message.length > 10);
  const codes = after.advice.map((a) => a.code);
  assert.ok(codes.includes('b_frames_no_slot') && !codes.includes('b_frames'), codes.join());
});

test('health is for the owner only', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const at = `/api/streams/${stream.id}/health`;
  assert.equal((await new Client(server).call('GET', at)).status, 401);
  assert.equal((await (await newUser(server, 'Eve')).call('GET', at)).status, 403);
  assert.equal((await ada.call('GET', '/api/streams/none/health')).status, 404);
});
