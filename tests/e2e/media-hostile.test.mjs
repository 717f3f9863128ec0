// SPDX-License-Identifier: MIT
// Media made to harm: bombs, lies and ruins, to the worker itself and through the server; and what shuts the worker in.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import Mux from '@mux/mux-node';
import { newUser } from './lib/api.mjs';
import { request } from './lib/http.mjs';
import { encode } from './lib/media.mjs';
import { program, run, startServer, tempDir, until } from './lib/server.mjs';
import { put } from './lib/uploads.mjs';

const execute = promisify(execFile);
const worker = `${program}-worker`;
const SANITIZER = /Sanitizer|runtime error:/;
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'];
const film = (seconds = 1, size = '96x64') => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=15:duration=${seconds}`, '-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`];

// --- files ---

const FAILED = 7;
const FRAME = 3;
const END = 11;
// The worker, given a file as the server does: what it said, and how it ended.
function judge(bytes, { cpu = 20, dir }) {
  const file = path.join(dir, `${Math.random()}`);
  fs.writeFileSync(file, bytes);
  const fd = fs.openSync(file, 'r');
  const child = spawn(worker, ['import', `${cpu}`, '0', '-', '1', '0', 'keep'], { stdio: ['ignore', 'ignore', 'pipe', 'pipe', fd], env: { ASAN_OPTIONS: 'exitcode=99:detect_leaks=0', UBSAN_OPTIONS: 'halt_on_error=1' } });
  fs.closeSync(fd);
  fs.unlinkSync(file);
  const out = { bytes: 0, frames: 0, ended: false, words: '', stderr: '' };
  let rest = Buffer.alloc(0);
  child.stderr.on('data', (b) => (out.stderr += b));
  child.stdio[3].on('error', () => {});
  child.stdio[3].on('data', (b) => {
    out.bytes += b.length;
    rest = Buffer.concat([rest, b]);
    for (let n; rest.length >= 5 && rest.length >= 4 + (n = rest.readUInt32BE(0)); rest = rest.subarray(4 + n)) {
      if (rest[4] === FRAME) out.frames++;
      if (rest[4] === END) out.ended = true;
      if (rest[4] === FAILED) out.words = rest.subarray(6, 4 + n).toString('latin1');
    }
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ ...out, code, signal })));
}

const box = (type, ...bodies) => {
  const body = Buffer.concat(bodies);
  const b = Buffer.alloc(8);
  b.writeUInt32BE(8 + body.length);
  b.write(type, 4, 'latin1');
  return Buffer.concat([b, body]);
};
// EBML: an element of an id and a body; its size as it is, or another one, or unknown.
const size8 = (n) => {
  const b = Buffer.alloc(8);
  b.writeBigUInt64BE(BigInt(n) | (1n << 56n));
  return b;
};
const UNKNOWN = Buffer.from([0x01, 255, 255, 255, 255, 255, 255, 255]);
const el = (id, body, size = size8(body.length)) => Buffer.concat([Buffer.from(id, 'hex'), size, body]);
const all = (...parts) => Buffer.concat(parts);
const text = (id, s) => el(id, Buffer.from(s));
const uint = (id, n) => el(id, Buffer.from([n >> 24, n >> 16, n >> 8, n].map((x) => x & 255)));
const double = (x) => {
  const b = Buffer.alloc(8);
  b.writeDoubleBE(x);
  return b;
};
const HEAD = el('1a45dfa3', text('4282', 'matroska'));
const track = (codec, more) => el('1654ae6b', el('ae', all(uint('d7', 1), uint('73c5', 1), more, text('86', codec))));
const pcm = (more = Buffer.alloc(0)) => track('A_PCM/INT/LIT', all(uint('83', 2), el('e1', all(el('b5', double(48000)), uint('9f', 1), uint('6264', 16))), more));
const block = (at, flags, payload) => el('a3', all(Buffer.from([0x81, at >> 8, at & 255, flags]), payload));
const cluster = (...blocks) => el('1f43b675', all(uint('e7', 0), ...blocks));

// Everywhere that `mark` is: bits from that bit on.
function bitsAfter(file, mark, bit, width, value) {
  const copy = Buffer.from(file);
  let n = 0;
  for (let at = copy.indexOf(mark); at >= 0; at = copy.indexOf(mark, at + 1), n++)
    for (let i = 0; i < width; i++) {
      const k = at * 8 + bit + i;
      if ((value >> (width - 1 - i)) & 1) copy[k >> 3] |= 0x80 >> (k & 7);
      else copy[k >> 3] &= ~(0x80 >> (k & 7));
    }
  assert.ok(n > 0, 'the mark is there');
  return copy;
}

// A PNG of so many pixels, one bit each, all black: 33 kB for 16k × 16k.
function blackPng(side) {
  const chunk = (type, body) => {
    const b = Buffer.alloc(12 + body.length);
    b.writeUInt32BE(body.length);
    b.write(type, 4, 'latin1');
    body.copy(b, 8);
    b.writeUInt32BE(zlib.crc32(b.subarray(4, 8 + body.length)), 8 + body.length);
    return b;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side);
  head.writeUInt32BE(side, 4);
  head[8] = 1;
  return all(Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', zlib.deflateSync(Buffer.alloc((side / 8 + 1) * side), { level: 9 })), chunk('IEND', Buffer.alloc(0)));
}

async function pngFilm(dir, side) {
  const [png, mov] = [path.join(dir, 'black.png'), path.join(dir, 'black.mov')];
  fs.writeFileSync(png, blackPng(side));
  await execute('ffmpeg', ['-v', 'error', '-y', '-i', png, '-c', 'copy', mov]);
  return fs.readFileSync(mov);
}

// The data reference of an MP4 leads to another file.
function elsewhere(mp4) {
  const parents = ['moov', 'trak', 'mdia', 'minf', 'dinf'];
  const alias = Buffer.alloc(150);
  alias.writeUInt16BE(150, 4);
  alias.writeUInt16BE(2, 6);
  const target = Buffer.from('/etc/passwd');
  const named = all(alias, Buffer.from([0, 2, 0, target.length]), target, Buffer.from([0, 0, 18, 0, target.length]), target, Buffer.from([0, 255, 255, 0, 0]));
  const dref = box('dref', Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), box('alis', Buffer.from([0, 0, 0, 0]), named));
  const walk = (bytes) => {
    const out = [];
    for (let at = 0; at + 8 <= bytes.length; ) {
      const n = bytes.readUInt32BE(at);
      const type = bytes.toString('latin1', at + 4, at + 8);
      const body = bytes.subarray(at + 8, at + n);
      out.push(parents.includes(type) ? box(type, walk(body)) : type === 'dref' ? dref : bytes.subarray(at, at + n));
      at += n;
    }
    return all(...out);
  };
  return walk(mp4);
}

const PAGE = 'a page that is a film';
let files; // made once, for both tests
async function hostileFiles(dir) {
  const mp4 = fs.readFileSync(await encode([...film(), ...H264, '-c:a', 'aac']));
  const vp8 = fs.readFileSync(await encode([...film(), ...VP8, '-c:a', 'libopus'], 'webm'));
  const vp9 = fs.readFileSync(await encode([...film(), ...VP9, '-g', '1', '-c:a', 'libopus'], 'webm'));
  let tags = Buffer.alloc(0);
  for (let i = 0; i < 3000; i++) tags = el('67c8', tags);

  const masters = Buffer.concat(Array(20_000).fill(all(Buffer.from('1f43b675', 'hex'), UNKNOWN)));
  const zipped = el('6d80', el('6240', all(uint('5031', 0), uint('5032', 1), uint('5033', 0), el('5034', uint('4254', 0)))));
  const bomb = zlib.deflateSync(Buffer.alloc(4_000_000), { level: 9 });
  const segment = (...parts) => all(HEAD, el('18538067', all(...parts)));
  const info = (duration) => el('1549a966', all(uint('2ad7b1', 1_000_000), el('4489', double(duration))));
  const sound = cluster(...Array.from({ length: 20 }, (_, i) => block(i * 20, 0x80, Buffer.alloc(1920))));
  const webm = all(HEAD, el('18538067', all(info(3.6e7), pcm(), sound)));
  return {
    'a VP9 that says 16k × 16k': bitsAfter(bitsAfter(vp9, Buffer.from([0x49, 0x83, 0x42]), 28, 16, 0x3fff), Buffer.from([0x49, 0x83, 0x42]), 44, 16, 0x3fff),
    'a VP8 that says 16k × 16k': bitsAfter(vp8, Buffer.from([0x9d, 0x01, 0x2a]), 24, 32, 0xff3fff3f | 0),
    'a PNG of 16k × 16k': await pngFilm(dir, 16_000),
    'a PNG of 30k × 30k': bitsAfter(await pngFilm(dir, 16_000), Buffer.from('IHDR'), 32, 32, 30_000),
    'blocks that unpack to 8 MB': segment(pcm(zipped), cluster(...Array.from({ length: 2 }, (_, i) => block(i * 1000, 0x80, bomb)))),
    'a block that unpacks to 400 MB': segment(pcm(zipped), cluster(block(0, 0x80, zlib.deflateSync(Buffer.alloc(400_000_000), { level: 1 })))),
    'ten hours, it says': webm,
    'a duration without end': segment(info(Infinity), pcm(), sound),
    'a duration that is no number': segment(info(NaN), pcm(), sound),
    'a duration before the beginning': segment(info(-1e300), pcm(), sound),
    'a time scale of nothing': segment(el('1549a966', uint('2ad7b1', 0)), pcm(), sound),
    'a time scale of years': segment(el('1549a966', el('2ad7b1', Buffer.alloc(8, 0xff))), pcm(), sound),
    'a million elements': segment(Buffer.alloc(2_000_000, Buffer.from([0xec, 0x80])), pcm(), sound),
    'tags within tags': segment(el('1254c367', el('7373', tags)), pcm(), sound),
    'clusters of unknown size within each other': all(HEAD, Buffer.from('18538067', 'hex'), UNKNOWN, pcm(), masters),
    'laces of 256 that are longer than the block': segment(pcm(), cluster(block(0, 0x82, Buffer.alloc(400, 0xff)), block(20, 0x84, Buffer.from([255])), block(40, 0x86, Buffer.alloc(300, 0x01)))),
    'a track of 2^63 channels': segment(track('A_PCM/INT/LIT', all(uint('83', 2), el('e1', all(el('b5', double(1e300)), el('9f', Buffer.alloc(8, 0x7f)), uint('6264', 16))))), sound),
    'an attachment of all memory': segment(el('1941a469', el('61a7', all(text('466e', 'x'), el('465c', Buffer.alloc(10), UNKNOWN)))), pcm(), sound),
    [PAGE]: all(el('1a45dfa3', all(text('4282', 'matroska'), el('ec', Buffer.from('<!doctype html><script>alert(document.domain)</script>')))), webm.subarray(HEAD.length)),
    'an MP4 whose media are in /etc/passwd': elsewhere(mp4),
    'a session that leads elsewhere': Buffer.from('v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n'),
    'a reference movie': all(box('ftyp', Buffer.from('qt  \0\0\0\0qt  ')), box('moov', box('rmra', box('rmda', box('rdrf', Buffer.from('\0\0\0\0url \0\0\0\x11file:///etc/passwd\0')))))),
  };
}

const inWords = /^[A-Z].{10,}\.$/;

test('the worker itself: whatever the file is, it ends by itself, in time, with frames or words', async (t) => {
  const dir = tempDir(t, 'hostile');
  files = await hostileFiles(dir);
  const jobs = Object.entries(files);
  // Cut at every sixteenth: with the index at the end, in fragments, and without any.
  const base = {
    'MP4 with its index at the end': fs.readFileSync(await encode([...film(), ...H264, '-c:a', 'aac'])),
    'fragmented MP4': fs.readFileSync(await encode([...film(), ...H264, '-c:a', 'libopus', '-movflags', 'frag_keyframe+empty_moov'])),
    WebM: fs.readFileSync(await encode([...film(), ...VP8, '-c:a', 'libopus'], 'webm')),
    'transport stream': fs.readFileSync(await encode([...film(), ...H264, '-c:a', 'aac'], 'ts')),
  };
  for (const [name, file] of Object.entries(base)) for (let i = 1; i < 16; i += 2) jobs.push([`${name}, ${i}/16`, file.subarray(0, (file.length * i) / 16)]);
  // Sizes of elements that lie: the largest, none, and one too many, at each of the first ones.
  const { WebM } = base;
  const ids = ['18538067', '1549a966', '1654ae6b', 'ae', 'e0', 'e1', '1f43b675', 'a3', '63a2', '86', '114d9b74'];
  for (const id of ids) {
    const at = WebM.indexOf(Buffer.from(id, 'hex'), 40);
    if (at < 0) continue;
    const width = Math.clz32(WebM[at + id.length / 2]) - 23;
    for (const fill of [0xff, 0x00, 0x7e]) {
      const copy = Buffer.from(WebM);
      for (let i = 0; i < width; i++) copy[at + id.length / 2 + i] = i ? fill : (0x80 >> (width - 1)) | (fill & (0xff >> width));
      jobs.push([`WebM, the size of ${id} is ${fill.toString(16)}`, copy]);
    }
  }
  // Bytes that have changed, the same in each run.
  let seed = 7;
  const random = (n) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
  for (const [name, file] of Object.entries(base))
    for (let i = 0; i < 12; i++) {
      const copy = Buffer.from(file);
      const reach = i % 2 ? copy.length : Math.min(copy.length, 2000);
      for (let k = 0; k < 1 + random(20); k++) copy[random(reach)] = random(256);
      jobs.push([`${name}, changed ${i}`, copy]);
    }
  let shown = 0;
  let at = 0;
  const work = async () => {
    for (let job; (job = jobs[at++]); ) {
      const [name, bytes] = job;
      const got = await judge(bytes, { dir });
      const what = `${name}: ${JSON.stringify({ ...got, stderr: got.stderr.slice(0, 3000) })}`;
      assert.doesNotMatch(got.stderr, SANITIZER, what);
      assert.equal(got.signal, null, what);
      assert.ok(got.ended || inWords.test(got.words), what);
      assert.ok(got.bytes < (32 << 20), what);
      if (got.frames) shown++;
    }
  };
  await Promise.all([work(), work(), work()]);
  assert.ok(shown > 40 && shown < jobs.length, `${shown} of ${jobs.length} had something to show`);
});

test('through the server: each ends in words or plays, its pictures too, and the disk keeps its bound', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const made = JSON.parse((await run(['token', 'create', '--json', '--data', server.dataDir, '--email', ada.email])).stdout);
  const { video } = new Mux({ baseURL: server.http, tokenId: made.TOKEN_ID, tokenSecret: made.TOKEN_SECRET });
  const send = async (name) => {
    const up = await video.uploads.create({ cors_origin: '*', new_asset_settings: { playback_policies: ['public'], master_access: name === PAGE ? 'temporary' : 'none' } });
    const answer = await put(up.url, files[name]);
    if (answer.status === 200) return [name, (await video.uploads.retrieve(up.id)).asset_id];
    assert.equal(answer.status, 415, `${name}: ${answer.text}`);
    assert.match(answer.json.error.message, /^This is no video or sound file/);
    return [name];
  };
  const sent = await Promise.all(Object.keys(files).map(send));
  assert.deepEqual(sent.filter(([, id]) => !id).map(([name]) => name), ['a session that leads elsewhere']);
  for (const [name, id] of sent.filter(([, asset]) => asset)) {
    const asset = await until(`${name} is settled`, async () => {
      const a = await video.assets.retrieve(id);
      return a.status !== 'preparing' && a;
    }, 90_000, 200);
    if (asset.status === 'errored') {
      assert.match(asset.errors.messages[0], inWords, name);
      assert.ok(!fs.existsSync(path.join(server.dataDir, 'recordings', id)), `${name}: nothing is left on the disk`);
      continue;
    }
    assert.ok(asset.duration > 0 && asset.duration < 3600, `${name}: ${asset.duration}`);
    const at = `${server.http}/${asset.playback_ids[0].id}`;
    const pictures = asset.tracks.some((x) => x.type === 'video');
    for (const image of ['thumbnail.jpg?width=64', 'storyboard.vtt', 'animated.gif']) {
      const answer = await request(`${at}/${image}`, { timeout: 60_000 });
      assert.ok((pictures ? [200, 422] : [404]).includes(answer.status), `${name}, ${image}: ${answer.status} ${answer.text.slice(0, 200)} ${server.tail(3)}`);
      if (answer.status !== 200) assert.match(answer.json.error.message, inWords, name);
    }
    if (name !== PAGE) continue;
    // What is served of it is what was packed anew, and is never taken for a page.
    const list = (await request(`${at}.m3u8`)).text;
    const media = new URL(/^[^#\s].*$/m.exec(list) ? /URI="([^"]+)"/.exec(list)?.[1] ?? /^[^#\s].*$/m.exec(list)[0] : '', `${at}.m3u8`);
    const playlist = (await request(media.href)).text;
    for (const uri of [/URI="([^"]+)"/.exec(playlist)[1], /^[^#\s].*$/m.exec(playlist)[0]]) {
      const part = await request(new URL(uri, media).href);
      assert.equal(part.status, 200);
      assert.match(part.headers['content-type'], /^(video|audio)\/mp4/);
      assert.equal(part.headers['x-content-type-options'], 'nosniff', uri);
      assert.ok(!part.body.includes('<script>'), uri);
    }
    // The file itself can be had back, as a download and nothing else.
    const { master } = await until('the file is there', async () => {
      const a = await video.assets.retrieve(id);
      return a.master?.status === 'ready' && a;
    }, 30_000);
    const whole = await request(master.url);
    assert.ok(whole.body.equals(files[name]));
    assert.match(whole.headers['content-type'], /^video\//);
    assert.equal(whole.headers['x-content-type-options'], 'nosniff');
    assert.match(whole.headers['content-disposition'], /^attachment/);
    for (const wrong of [master.url.replace(/[^/]*$/, 'master.html'), master.url.replace(/[^/]*$/, 'index.log'), master.url.replace(/[^/]*$/, '..%2fbspnode.db'), master.url.replace(/\/master\/./, '/master/_')])
      assert.ok([400, 404].includes((await request(wrong)).status), wrong);
  }
  const { stdout } = await execute('du', ['-sb', path.join(server.dataDir, 'recordings')]);
  assert.ok(Number(stdout.split('\t')[0]) < 64 << 20, stdout);
  assert.equal((await server.get('/readyz')).status, 200);
});

// --- what shuts it in ---

test('the worker is shut in, and its time is limited', async (t) => {
  const { stdout } = await execute(worker, ['self-test']);
  assert.match(stdout, /shut in\n$/);
  assert.ok(stdout.split('\n').filter((l) => /refused$/.test(l)).length >= 20, stdout);
  const long = fs.readFileSync(await encode(['-f', 'lavfi', '-i', 'testsrc2=size=960x540:rate=30:duration=12', '-c:v', 'mpeg2video', '-q:v', '8'], 'ts'));
  const dir = tempDir(t, 'hostile');
  const late = await judge(long, { cpu: 1, dir });
  assert.equal(late.signal, 'SIGXCPU', 'so that the server can say why');

  // One at work, looked at from outside.
  const server = await startServer(t, { env: { BSPNODE_MUX_TOKEN_SECRET: 'not-for-workers' } });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const answer = await ada.call('POST', `/api/streams/${stream.id}/upload-recording`, long, { 'Content-Type': 'video/mp2t' });
  assert.equal(answer.status, 202, answer.text);
  const seen = await until('a worker is at work', () => {
    for (const task of fs.readdirSync(`/proc/${server.child.pid}/task`))
      for (const pid of fs.readFileSync(`/proc/${server.child.pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean)) {
        const at = (name) => fs.readFileSync(`/proc/${pid}/${name}`, 'utf8');
        if (!at('cmdline').startsWith(`${worker}\0import`) || !/^Seccomp:\s+2$/m.test(at('status'))) continue;
        return { status: at('status'), limits: at('limits'), environ: at('environ'), fds: Object.fromEntries(fs.readdirSync(`/proc/${pid}/fd`).map((n) => [n, fs.readlinkSync(`/proc/${pid}/fd/${n}`)])) };
      }
    return false;
  }, 30_000, 5);
  assert.match(seen.status, /^NoNewPrivs:\s+1$/m);
  assert.doesNotMatch(seen.environ, /BSPNODE|HOME|PATH=\//);
  assert.deepEqual(Object.keys(seen.fds).sort(), ['0', '1', '2', '3', '4'], JSON.stringify(seen.fds));
  assert.deepEqual([seen.fds[0], seen.fds[1]], ['/dev/null', '/dev/null']);
  assert.match(seen.fds[3], /^socket:/);
  assert.match(seen.fds[4], /\/recordings\/[^/]+\/source$/);
  const limit = (name) => Number(new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(seen.limits)[1]);
  assert.ok(limit('Max cpu time') >= 300 && limit('Max cpu time') < 300 + long.length / 5000 + 1);
  assert.equal(limit('Max open files'), 5);
  assert.equal(limit('Max core file size'), 0);
  await ada.untilStream(stream.id, 'READY', (s) => s.recordingStatus === 'READY', 60_000);
});
