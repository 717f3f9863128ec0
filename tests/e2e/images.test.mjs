// SPDX-License-Identifier: MIT
// Pictures of streams and recordings: what they show, their real sizes and formats, how long they may be
// kept, and what a bad or a greedy request gets.
import Mux from '@mux/mux-node';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { request } from './lib/http.mjs';
import { encode } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { program, run, startServer, tempDir, until } from './lib/server.mjs';

// One colour a second, a white bar at the left edge; a key frame every two seconds, and B-frames, so that most
// seconds begin in the middle of a segment.
const COLOURS = ['red', 'lime', 'blue', 'yellow', 'magenta', 'cyan'];
const RGB = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255]];
const bar = 'drawbox=x=0:y=0:w=40:h=ih:color=white:t=fill';
const colours = () => encode([
  ...COLOURS.flatMap((c) => ['-f', 'lavfi', '-i', `color=${c}:s=320x180:r=25:d=1`]),
  '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=6',
  '-filter_complex', `${COLOURS.map((_, i) => `[${i}:v]`).join('')}concat=n=6:v=1:a=0,${bar}[v]`,
  '-map', '[v]', '-map', '6:a', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-preset', 'veryfast', '-bf', '2',
  '-g', '50', '-keyint_min', '50', '-sc_threshold', '0', '-b:v', '300k', '-c:a', 'aac', '-ac', '2',
], 'mp4');

const dir = tempDir({ after: (fn) => test.after(fn) }, 'images');
let files = 0;

// What ffmpeg makes of the bytes: format, size, and the pixels of each picture.
function look(bytes, { frames = false } = {}) {
  const file = path.join(dir, `${++files}.bin`);
  fs.writeFileSync(file, bytes);
  const probe = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-show_format', ...(frames ? ['-count_frames'] : []), '-of', 'json', file]));
  const { width, height, codec_name: codec, nb_read_frames: n, avg_frame_rate: rate } = probe.streams[0];
  const rgb = () => execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-frames:v', '1', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'], { maxBuffer: 1 << 28 });
  const at = (x, y, all = rgb()) => [...all.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
  return { width, height, codec, frames: Number(n), rate, at, rgb };
}

function isColour(got, want, what) {
  const off = Math.max(...got.map((v, i) => Math.abs(v - want[i])));
  assert.ok(off < 60, `${what}: ${got} is not ${want}`);
}

const get = (server, target, headers = {}) => request(server.http + target, { headers, timeout: 60_000 });

async function image(server, target, type) {
  const answer = await get(server, target);
  assert.equal(answer.status, 200, `${target}: ${answer.text.slice(0, 300)}`);
  assert.equal(answer.headers['content-type'], type);
  assert.equal(answer.headers['access-control-allow-origin'], '*');
  return answer;
}

async function refused(server, target, status, code, headers) {
  const answer = await get(server, target, headers);
  assert.equal(answer.status, status, `${target}: ${answer.text.slice(0, 300)}`);
  if (code) assert.equal(answer.json.error.code, code, target);
  assert.ok(answer.json.error.message, target);
  assert.equal(answer.headers['access-control-allow-origin'], '*');
  return answer;
}

test('images of a stream and of its recording', async (t) => {
  const server = await startServer(t, { args: ['--trust-proxy', 'true', '--image-cache-size', '2m'] });
  const ada = await newUser(server);
  const stream = await ada.createStream({ title: 'Colours' });
  const live = stream.playback.playbackId;
  const file = await colours();

  await t.test('before it is live: 412; an id nobody has: 404', async () => {
    await refused(server, `/${live}/thumbnail.jpg`, 412, 'not_ready');
    await refused(server, '/nobodyhasthisone/thumbnail.jpg', 404, 'not_found');
    await refused(server, `/${live}/thumbnail.bmp`, 404);
    await refused(server, `/${live}/storyboard.gif`, 404);
    await refused(server, `/${live}/animated.jpg`, 404);
  });

  const publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: file });
  await ada.untilLive(stream.id);

  await t.test('live: the newest picture, shared and fresh for ten seconds', async () => {
    const first = await until('there is a live thumbnail', async () => {
      const answer = await get(server, `/${live}/thumbnail.jpg`);
      return answer.status === 200 && answer;
    }, 30_000);
    const seen = look(first.body);
    assert.deepEqual([seen.codec, seen.width, seen.height], ['mjpeg', 320, 180]);
    isColour(seen.at(10, 90), [255, 255, 255], 'the bar');
    assert.match(first.headers['cache-control'], /^public, max-age=([1-9]|10)$/);
    const again = await image(server, `/${live}/thumbnail.png?latest=true&width=160`, 'image/png');
    assert.deepEqual([look(again.body).width, look(again.body).height], [160, 90]);
    const many = await Promise.all(Array.from({ length: 20 }, () => image(server, `/${live}/thumbnail.webp?width=96`, 'image/webp')));
    assert.equal(new Set(many.map((a) => a.headers.etag)).size, 1, 'one image for all who ask at once');
    await refused(server, `/${live}/storyboard.vtt`, 412, 'not_ready');
    await refused(server, `/${live}/storyboard.jpg`, 412, 'not_ready');
  });

  await until('seven seconds are recorded', async () => (await get(server, `/${live}/thumbnail.jpg?time=7`)).status === 200, 40_000, 500);
  await t.test('live: a time that has been, and what moves', async () => {
    const picture = look((await image(server, `/${live}/thumbnail.png?time=1.5`, 'image/png')).body);
    isColour(picture.at(160, 90), RGB[1], 'second 1');
    const moving = look((await image(server, `/${live}/animated.gif?width=160&fps=5`, 'image/gif')).body, { frames: true });
    assert.deepEqual([moving.width, moving.height, moving.frames], [160, 90, 25], 'the last five seconds');
  });

  await publisher.stop();
  await ada.end(stream.id);
  const ready = await ada.untilReady(stream.id, 30_000);
  const id = ready.playback.playbackId;
  const board = `/${id}/storyboard`;

  await t.test('the picture of a time is the picture of that time', async () => {
    for (const time of [0, 0.5, 1.5, 2.2, 3.5, 4.9, 5.1]) {
      const picture = look((await image(server, `/${id}/thumbnail.png?time=${time}`, 'image/png')).body);
      isColour(picture.at(160, 90), RGB[Math.floor(time)], `second ${time}`);
    }
    const list = (await get(server, new URL(ready.recordingUrl).pathname)).text;
    const media = list.split('\n').find((l) => l && !l.startsWith('#'));
    const wall = Date.parse(/PROGRAM-DATE-TIME:(\S+)/.exec((await get(server, new URL(media, ready.recordingUrl).pathname)).text)[1]) / 1000;
    const then = look((await image(server, `/${id}/thumbnail.png?program_time=${(wall + 3.5).toFixed(3)}`, 'image/png')).body);
    isColour(then.at(160, 90), RGB[3], 'by the clock');
  });

  await t.test('sizes, shapes and directions', async () => {
    const cases = [
      ['thumbnail.jpg', 320, 180, 'mjpeg'], ['thumbnail.jpeg?width=160', 160, 90, 'mjpeg'],
      ['thumbnail.webp?height=90', 160, 90, 'webp'], ['thumbnail.png?width=100&height=100', 100, 56, 'png'],
      ['thumbnail.png?width=100&height=100&fit_mode=pad', 100, 100, 'png'], ['thumbnail.png?width=100&height=100&fit_mode=crop', 100, 100, 'png'],
      ['thumbnail.jpg?width=101&height=77&fit_mode=stretch', 101, 77, 'mjpeg'], ['thumbnail.png?width=90&height=120&fit_mode=smartcrop', 90, 120, 'png'],
      ['thumbnail.png?rotate=90', 180, 320, 'png'], ['thumbnail.png?rotate=270&width=90', 90, 160, 'png'],
    ];
    for (const [name, width, height, codec] of cases) {
      const { body } = await get(server, `/${id}/${name}`);
      const seen = look(body);
      assert.deepEqual([seen.width, seen.height, seen.codec], [width, height, codec], name);
    }
    const white = [255, 255, 255], lime = RGB[1], black = [0, 0, 0];
    const show = async (query) => look((await image(server, `/${id}/thumbnail.png?time=1.5&${query}`, 'image/png')).body);
    const flipped = await show('flip_h=true');
    isColour(flipped.at(310, 90), white, 'the bar is at the right');
    isColour(flipped.at(10, 90), lime, 'and not at the left');
    isColour((await show('rotate=90')).at(90, 10), white, 'turned clockwise, the left edge is above');
    isColour((await show('rotate=270')).at(90, 310), white, 'and the other way below');
    isColour((await show('rotate=180')).at(310, 90), white, 'upside down');
    const padded = await show('width=100&height=100&fit_mode=pad');
    isColour(padded.at(50, 5), black, 'black above');
    isColour(padded.at(50, 50), lime, 'and the picture');
    isColour((await show('width=100&height=100&fit_mode=crop')).at(5, 50), lime, 'the bar is cut off');
    isColour((await show('width=100&height=100&fit_mode=smartcrop')).at(50, 5), lime, 'no border');
  });

  await t.test('what moves: as long, as large, as many pictures as was asked for', async () => {
    const usual = look((await image(server, `/${id}/animated.gif`, 'image/gif')).body, { frames: true });
    assert.deepEqual([usual.codec, usual.width, usual.height, usual.frames], ['gif', 320, 180, 75]);
    const gif = await image(server, `/${id}/animated.gif?start=1&end=3&width=160&fps=10`, 'image/gif');
    const seen = look(gif.body, { frames: true });
    assert.deepEqual([seen.width, seen.height, seen.frames], [160, 90, 20]);
    isColour(seen.at(80, 45), RGB[1], 'it begins with second 1');
    const webp = (await image(server, `/${id}/animated.webp?start=0.5&end=1.5&height=90&fps=8`, 'image/webp')).body;
    assert.equal(webp.toString('latin1', 0, 4) + webp.toString('latin1', 8, 16), 'RIFFWEBPVP8X');
    assert.deepEqual([1 + webp.readUIntLE(24, 3), 1 + webp.readUIntLE(27, 3)], [160, 90]);
    assert.equal(webp.toString('latin1').split('ANMF').length - 1 >= 2, true, 'two colours at least');
    for (const bad of ['start=1&end=1.1', 'end=11', 'fps=31', 'width=641', 'height=0', 'start=x', 'start=1000'])
      await refused(server, `/${id}/animated.gif?${bad}`, 400, 'invalid_parameters');
  });

  await t.test('the storyboard, and cues that lie in it', async () => {
    const sheet = look((await image(server, `${board}.jpg`, 'image/jpeg')).body);
    assert.deepEqual([sheet.width, sheet.height], [5 * 256, 10 * 144]);
    const vtt = (await image(server, `${board}.vtt?format=webp`, 'text/vtt; charset=utf-8')).text;
    assert.ok(vtt.startsWith('WEBVTT\n'));
    const cues = [...vtt.matchAll(/^([\d:.]+) --> ([\d:.]+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm)];
    assert.equal(cues.length, 50);
    const seconds = (s) => s.split(':').reduce((all, v) => 60 * all + Number(v), 0);
    const pixels = sheet.rgb();
    let end = 0;
    for (const [, from, to, url, x, y, w, h] of cues) {
      assert.equal(url, `${server.http}${board}.webp`);
      assert.equal(seconds(from), end, 'without a hole');
      assert.ok(Number(x) + Number(w) <= sheet.width && Number(y) + Number(h) <= sheet.height, `${x},${y}`);
      end = seconds(to);
      assert.ok(end > seconds(from));
      const second = seconds(from) % 1;
      if (second > 0.1 && second < 0.9) isColour(sheet.at(Number(x) + 128, Number(y) + 72, pixels), RGB[Math.floor(seconds(from)) % 6], `the tile of ${from}`);
    }
    const json = (await image(server, `${board}.json`, 'application/json')).json;
    assert.deepEqual([json.url, json.tile_width, json.tile_height, json.tiles.length], [`${server.http}${board}.jpg`, 256, 144, 50]);
    assert.ok(Math.abs(json.duration - end) < 0.01);
    assert.deepEqual([json.tiles[6].x, json.tiles[6].y], [256, 144]);
    assert.equal(look((await image(server, `${board}.webp`, 'image/webp')).body).width, 1280);
    assert.equal(look((await image(server, `${board}.png`, 'image/png')).body).codec, 'png');
  });

  await t.test('bad parameters are 400 with words, unknown ones are nothing', async () => {
    for (const bad of ['time=-1', 'time=1e3', 'time=', 'time=999', 'width=0', 'width=4097', 'height=1.5', 'fit_mode=zoom', 'rotate=45', 'flip_h=maybe',
      'latest=true', 'time=1&program_time=5', 'program_time=5', 'time=%zz', `time=${'9'.repeat(300)}`])
      await refused(server, `/${id}/thumbnail.jpg?${bad}`, 400, 'invalid_parameters');
    await refused(server, `${board}.vtt?format=gif`, 400, 'invalid_parameters');
    await image(server, `/${id}/thumbnail.jpg?colour=blue&_=1&=&&time=1`, 'image/jpeg');
    const thin = look((await image(server, `/${id}/thumbnail.png?width=1&height=4096&fit_mode=stretch&time=1`, 'image/png')).body);
    assert.deepEqual([thin.width, thin.height], [1, 4096]);
  });

  await t.test('a client keeps it: ETag, 304, immutable; HEAD; and the cache on disk keeps its bound', async () => {
    const url = `/${id}/thumbnail.jpg?time=2`;
    const one = await image(server, url, 'image/jpeg');
    assert.match(one.headers['cache-control'], /immutable/);
    const same = await get(server, url, { 'If-None-Match': `"other", ${one.headers.etag}` });
    assert.deepEqual([same.status, same.body.length], [304, 0]);
    const head = await request(server.http + url, { method: 'HEAD' });
    assert.deepEqual([head.status, Number(head.headers['content-length'])], [200, one.body.length]);
    const kept = path.join(server.dir ?? server.dataDir, 'cache/images');
    for (let i = 0; i < 12; i++) await image(server, `/${id}/thumbnail.png?time=${i / 4}&width=700`, 'image/png');
    // It is written to after the answer, so a file that was listed may be gone by now.
    const size = (f) => fs.statSync(path.join(kept, f), { throwIfNoEntry: false })?.size ?? 0;
    const onDisk = () => fs.readdirSync(kept).reduce((all, f) => all + size(f), 0);
    const bytes = await until('the cache is within its bound', () => onDisk() > 0 && onDisk() <= 2 * 2 ** 20 && onDisk());
    assert.ok(bytes > 0);
  });

  await t.test('one client who floods is told to wait, others are served', async () => {
    const flood = await Promise.all(Array.from({ length: 230 }, (_, i) => get(server, `/${id}/thumbnail.jpg?width=${32 + i}`, { 'X-Forwarded-For': '203.0.113.9' })));
    const by = (status) => flood.filter((a) => a.status === status).length;
    assert.ok(by(429) >= 100, `${by(200)} served, ${by(429)} refused`);
    assert.ok(by(200) >= 30 && by(200) + by(429) + by(503) === flood.length);
    assert.ok(Number(flood.find((a) => a.status === 429).headers['retry-after']) >= 1);
    const other = await get(server, `/${id}/thumbnail.jpg?width=77`, { 'X-Forwarded-For': '198.51.100.7' });
    assert.equal(other.status, 200);
  });

  await t.test("the owner's time, and a signed id's tokens", async () => {
    const made = JSON.parse((await run(['token', 'create', '--data', server.dataDir, '--email', ada.email, '--json'])).stdout);
    const mux = new Mux({ tokenId: made.TOKEN_ID, tokenSecret: made.TOKEN_SECRET, baseURL: server.http, webhookSecret: null });
    const [asset] = (await mux.video.assets.list()).data;
    isColour(look((await image(server, `/${id}/thumbnail.png?width=32`, 'image/png')).body).at(16, 9), RGB[Math.floor(asset.duration / 2) % 6], 'the middle');
    await mux.video.assets.update(asset.id, { thumbnail_time: 1.5 });
    isColour(look((await image(server, `/${id}/thumbnail.png?width=32`, 'image/png')).body).at(16, 9), RGB[1], 'the time that was chosen');
    const key = await mux.system.signingKeys.create();
    const secret = (await mux.video.assets.createPlaybackId(asset.id, { policy: 'signed' })).id;
    const token = (type, params) => mux.jwt.signPlaybackId(secret, { keyId: key.id, keySecret: key.private_key, type, params, expiration: '1h' });
    await refused(server, `/${secret}/thumbnail.png`, 403, 'forbidden');
    await refused(server, `/${secret}/thumbnail.png?token=${await token('gif')}`, 403, 'forbidden');
    const answer = await image(server, `/${secret}/thumbnail.png?width=64&token=${await token('thumbnail', { time: 2.5, width: '96' })}`, 'image/png');
    assert.match(answer.headers['cache-control'], /^private/);
    assert.equal(look(answer.body).width, 96, "the token's width");
    isColour(look(answer.body).at(48, 27), RGB[2], "the token's time");
    const vtt = (await image(server, `/${secret}/storyboard.vtt?token=${await token('storyboard')}`, 'text/vtt; charset=utf-8')).text;
    const sheet = /^(http\S+)#xywh/m.exec(vtt)[1];
    assert.equal((await request(sheet)).status, 200, 'the text points at a sheet that can be had');
  });

  await t.test('the pages show them', async () => {
    const { page, problems } = await launchBrowser(t, { expected: [/401 .*\/api\/me/] });
    page.setDefaultTimeout(20_000);
    await page.goto(server.http);
    const card = page.getByRole('article').filter({ hasText: 'Colours' });
    await card.locator('img:not(.poster-hidden)').waitFor({ timeout: 20_000 });
    assert.equal(await card.locator('img').evaluate((i) => i.naturalWidth), 640);
    await page.goto(`${server.http}/stream/${stream.id}`);
    const player = page.locator('mux-player');
    await player.waitFor({ timeout: 20_000 });
    assert.equal(await player.getAttribute('poster'), `/${id}/thumbnail.webp?width=1280`);
    const cues = () => player.evaluate((p) => [...(p.media?.textTracks ?? [])].find((x) => x.kind === 'metadata' && x.label === 'thumbnails')?.cues?.length ?? 0);
    await until('the time line has its pictures', async () => (await cues()) === 50, 20_000);
    assert.deepEqual(problems, []);
  });

  await t.test('the pages are told of it', async () => {
    const seen = await new Client(server).expect(200, 'GET', `/api/streams/${stream.id}`);
    assert.equal((await fetch(seen.playback.thumbnailUrl)).status, 200);
    assert.equal((await fetch(seen.playback.storyboardUrl)).status, 200);
  });
});

test('images of other codecs, and of sound alone', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const port = new URL(server.rtmp.replace('rtmp', 'http')).port;
  for (const [name, ...media] of [['HEVC', 'h265.mp4', 'opus.mp4'], ['AV1', 'av1.mp4', 'opus.mp4'], ['VP9', 'vp9.mp4', 'opus.mp4']]) {
    await t.test(name, async () => {
      const stream = await ada.createStream({ title: name });
      const sender = spawn(path.join(path.dirname(program), 'tests/e2e/bsp-rtmp-send'), [port, stream.ingest.streamKey, ...media, '60'], { stdio: 'ignore' });
      t.after(() => sender.kill('SIGKILL'));
      await ada.untilLive(stream.id);
      const target = `/${stream.playback.playbackId}/thumbnail.jpg`;
      const answer = await until(`a thumbnail of ${name}`, async () => {
        const got = await get(server, target);
        assert.ok([200, 412].includes(got.status), got.text);
        return got.status === 200 && got;
      }, 30_000, 500);
      const seen = look(answer.body);
      assert.deepEqual([seen.width, seen.height], [160, 90]);
      const pixels = seen.rgb();
      assert.ok(new Set(pixels).size > 50, 'there is something on it');
      sender.kill('SIGKILL');
    });
  }
  await t.test('sound', async () => {
    const stream = await ada.createStream({ title: 'sound' });
    const file = await encode(['-f', 'lavfi', '-i', 'sine=d=3:sample_rate=48000', '-c:a', 'aac'], 'mp4');
    await publishFfmpeg(t, publishUrl(server, stream), { media: file });
    await ada.untilLive(stream.id);
    const answer = await until('it says that there is no picture', async () => {
      const got = await get(server, `/${stream.playback.playbackId}/thumbnail.jpg`);
      return got.status !== 412 && got;
    }, 30_000, 500);
    assert.equal(answer.status, 404);
    assert.match(answer.json.error.message, /no pictures/);
  });
});
