// SPDX-License-Identifier: MIT
// Avatars: made anew by the worker, served for ever at an address that changes, gone when they are replaced; and files
// that are not what they seem.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { Client, newUser } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { startServer, tempDir, until } from './lib/server.mjs';

const TYPES = { png: 'image/png', jpg: 'image/jpeg', webp: 'image/webp', gif: 'image/gif' };

// A PNG of that size, red on the left and blue on the right, or with holes; of any height, since a line is deflated well.
function png(width, height, { alpha = false } = {}) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const bytes = alpha ? 4 : 3;
  const line = Buffer.alloc(1 + width * bytes);
  for (let x = 0; x < width; x++) Buffer.from(alpha ? [255, 0, 255, 0] : x < width / 2 ? [255, 0, 0] : [0, 0, 255]).copy(line, 1 + x * bytes);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, alpha ? 6 : 2, 0, 0, 0], 8);
  const lines = Buffer.alloc(line.length * Math.min(height, 400));
  for (let y = 0; y * line.length < lines.length; y++) line.copy(lines, y * line.length);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', zlib.deflateSync(lines)), chunk('IEND', Buffer.alloc(0))]);
}

function crc(bytes) {
  let c = ~0;
  for (const b of bytes) {
    c ^= b;
    for (let i = 0; i < 8; i++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}

// The colour of a JPEG at those places, as ffmpeg reads it.
function colours(file, side, ...places) {
  const raw = execFileSync('ffmpeg', ['-v', 'error', '-i', 'pipe:0', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'], { input: file, maxBuffer: 1 << 26 });
  assert.equal(raw.length, side * side * 3, `${side} x ${side}`);
  return places.map(([x, y]) => [...raw.subarray((y * side + x) * 3, (y * side + x) * 3 + 3)].map((v) => Math.round(v / 85)).join(''));
}

const convert = (input, ...args) => execFileSync('ffmpeg', ['-v', 'error', '-i', 'pipe:0', ...args, 'pipe:1'], { input, maxBuffer: 1 << 26 });

describe('avatars', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server, ada;

  before(async () => {
    server = await startServer(t);
    ada = await newUser(server, 'Ada');
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  const put = (user, file, type) => user.call('PUT', '/api/me/avatar', file, { 'Content-Type': type });
  const files = () => (fs.existsSync(path.join(server.dataDir, 'avatars')) ? fs.readdirSync(path.join(server.dataDir, 'avatars')).sort() : []);

  async function kept(file, type, what) {
    const answer = await put(ada, file, type);
    assert.equal(answer.status, 200, `${what}: ${answer.text}`);
    const { image } = answer.json.user;
    assert.match(image, /^\/avatars\/[0-9A-Za-z]{20}\/256\.jpg$/);
    return image;
  }

  test('each format becomes two squares; the old ones go; everybody is shown them', async () => {
    const picture = png(300, 200);
    const gif = convert(picture, '-f', 'gif');
    const made = { png: picture, jpg: convert(picture, '-f', 'mjpeg'), gif, webp: convert(picture, '-c:v', 'libwebp', '-f', 'webp') };
    let image;
    for (const [kind, file] of Object.entries(made)) {
      image = await kept(file, TYPES[kind], kind);
      for (const side of [256, 64]) {
        const answer = await server.get(image.replace('256', side));
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-type'], 'image/jpeg');
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
        assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable');
        assert.match(answer.headers['content-security-policy'], /default-src 'none'; sandbox/);
        assert.deepEqual(colours(answer.body, side, [side / 4, side / 2], [(side * 3) / 4, side / 2]), ['300', '003'], `${kind} ${side}`);
      }
      assert.deepEqual(files(), [`${image.split('/')[2]}-256.jpg`, `${image.split('/')[2]}-64.jpg`], 'the one before is gone');
    }
    assert.equal((await ada.expect(200, 'GET', '/api/me')).user.image, image);
    const stream = await ada.createStream();
    assert.equal((await new Client(server).stream(stream.id)).user.image, image);
    // Held on its side, the camera says: 6 is a quarter clockwise.
    const jpeg = convert(picture, '-f', 'mjpeg');
    const exif = Buffer.from('ffe1002245786966000049492a0008000000010012010300010000000600000000000000', 'hex');
    const turned = await server.get(await kept(Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]), TYPES.jpg, 'turned'));
    assert.deepEqual(colours(turned.body, 256, [128, 40], [128, 216]), ['300', '003'], 'upright: what was left is on top');
    // What a hole hides is not shown.
    const holes = await server.get(await kept(png(90, 90, { alpha: true }), TYPES.png, 'holes'));
    assert.deepEqual(colours(holes.body, 256, [10, 10], [128, 128]), ['333', '333']);

    await ada.expect(204, 'DELETE', '/api/me/avatar');
    assert.deepEqual(files(), []);
    assert.equal((await server.get(image)).status, 404);
    assert.equal((await ada.expect(200, 'GET', '/api/me')).user.image, null);
    await ada.expect(204, 'DELETE', '/api/me/avatar');
    for (const bad of ['/avatars/x/256.jpg', '/avatars/..%2f..%2fsecret/256.jpg', `${image.replace('256', '128')}`, '/avatars/AAAAAAAAAAAAAAAAAAAA/256.jpg', '/avatars/']) assert.ok([400, 404].includes((await server.get(bad)).status), bad);
  });

  test('polyglots come out clean; what is no picture is refused in words', async () => {
    const script = '<script>alert(1)</script>';
    const jpeg = convert(png(64, 64), '-f', 'mjpeg');
    const gif = convert(png(64, 64), '-f', 'gif');
    const inExif = Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1, 0, script.length + 8]), Buffer.from(`Exif\0\0${script}`), Buffer.from([0xff, 0xfe, 0, script.length + 2]), Buffer.from(script), jpeg.subarray(2), Buffer.from(script)]);
    for (const [what, file, type] of [['PNG and HTML', Buffer.concat([png(64, 64), Buffer.from(`<html>${script}`)]), TYPES.png], ['JPEG with a script beside the picture', inExif, TYPES.jpg],
      ['GIF and JavaScript', Buffer.concat([gif, Buffer.from(`/*${script}*/=1;`)]), TYPES.gif], ['a JPEG said to be a PNG', jpeg, TYPES.png]]) {
      const answer = await server.get(await kept(file, type, what));
      assert.ok(!answer.text.includes('script') && !answer.text.includes('<html') && !answer.text.includes('Exif'), what);
      assert.equal(answer.headers['content-type'], 'image/jpeg');
      assert.equal(colours(answer.body, 256, [10, 10])[0], '300', what);
    }
    const before_ = files();
    const broken = png(64, 64);
    broken.fill(0xff, 45, 60);
    const bomb = png(30000, 30000);
    const gifBomb = Buffer.from(gif);
    gifBomb.writeUInt16LE(65535, 6);
    gifBomb.writeUInt16LE(65535, 8);
    const cases = [
      ['SVG', `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, 'image/svg+xml', 415, /PNG, JPEG, WebP or GIF/], ['SVG said to be a PNG', '<svg xmlns="http://www.w3.org/2000/svg"/>', TYPES.png, 415, /PNG, JPEG/],
      ['HTML', '<!doctype html><script>', TYPES.jpg, 415, /PNG, JPEG/], ['JavaScript that begins as a GIF', 'GIF89a/*', TYPES.gif, 422, /./], ['no type', jpeg, 'application/octet-stream', 415, /PNG/], ['JSON', { image: 'http://127.0.0.1/' }, 'application/json', 415, /PNG/],
      ['nothing', '', TYPES.png, 415, /PNG/], ['only the head of a PNG', png(64, 64).subarray(0, 30), TYPES.png, 422, /./], ['only the head of a JPEG', jpeg.subarray(0, 40), TYPES.jpg, 422, /./], ['a broken one', broken, TYPES.png, 422, /broken/],
      ['30000 x 30000', bomb, TYPES.png, 422, /30000 x 30000 pixels; at most 50 million/], ['a GIF of 65535 x 65535', gifBomb, TYPES.gif, 422, /65535 x 65535/], ['1 x 16000', png(1, 16000), TYPES.png, 422, /shape|broken/],
      ['10 MB', Buffer.alloc(10 << 20, 1), TYPES.png, 413, /at most 5 MiB/], ['a picture with an audio file\'s head', Buffer.from('RIFF\0\0\0\0WAVEfmt '), TYPES.webp, 415, /PNG/],
    ];
    for (const [what, file, type, status, words] of cases) {
      const answer = await put(ada, file, type);
      assert.equal(answer.status, status, `${what}: ${answer.text.slice(0, 300)}`);
      assert.match(answer.json.error.message, words, what);
    }
    assert.deepEqual(files(), before_, 'nothing was kept, and nothing lost');
    assert.equal((await put(new Client(server), jpeg, TYPES.jpg)).status, 401);
    assert.equal((await ada.call('PUT', '/api/me/avatar', jpeg, { 'Content-Type': TYPES.jpg, Origin: 'https://evil.example' })).status, 403);
    assert.equal((await ada.call('DELETE', '/api/me/avatar', undefined, { Origin: 'https://evil.example' })).status, 403);
  });

  test('what a crash has left is removed at the next start', async (ctx) => {
    const dataDir = tempDir(ctx);
    const first = await startServer(ctx, { dataDir });
    const bob = await newUser(first, 'Bob');
    const answer = await bob.call('PUT', '/api/me/avatar', png(64, 64), { 'Content-Type': TYPES.png });
    const dir = path.join(dataDir, 'avatars');
    const mine = fs.readdirSync(dir);
    fs.writeFileSync(path.join(dir, 'ABCDEFGHIJKLMNOPQRST-256.jpg'), 'x');
    await first.stop();
    const second = await startServer(ctx, { dataDir });
    assert.deepEqual(fs.readdirSync(dir).sort(), mine.sort());
    assert.equal((await second.get(answer.json.user.image)).status, 200);
  });

  test('in a browser: a picture instead of the initials', async (ctx) => {
    const image = await kept(png(200, 200), TYPES.png, 'for the header');
    const { page, context, problems } = await launchBrowser(ctx);
    const [name, value] = ada.cookie.split('=');
    await context.addCookies([{ name, value, url: server.http }]);
    await page.goto(`${server.http}/dashboard`);
    const img = page.locator('.header-user img.avatar');
    await img.waitFor();
    assert.equal(await img.getAttribute('src'), image.replace('256', '64'));
    await until('it is drawn', () => img.evaluate((i) => i.complete && i.naturalWidth === 64));
    assert.deepEqual(problems, []);
  });
});
