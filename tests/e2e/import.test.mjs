// SPDX-License-Identifier: MIT
// Files that become recordings: codecs and containers by ffmpeg, files that are broken or made to harm, clips, and
// a server or a worker that is killed in the middle.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import Mux from '@mux/mux-node';
import { newUser, publishUrl } from './lib/api.mjs';
import { encode, ffprobe } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run, startServer, tempDir, until } from './lib/server.mjs';

const execute = promisify(execFile);
const ARGS = ['--fetch-allow-private'];
const SECONDS = 2;
const picture = (size = '320x180') => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30:duration=${SECONDS}`];
const tone = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${SECONDS}`];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'];
const HEVC = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'];

// Serves files by name, as slowly as is asked for.
async function fileServer(t) {
  const files = new Map();
  const hits = new Map();
  const server = http.createServer(async (request, answer) => {
    const name = new URL(request.url, 'http://x').pathname.slice(1);
    hits.set(name, (hits.get(name) ?? 0) + 1);
    const file = files.get(name);
    if (typeof file === 'number') return answer.writeHead(file).end('no');
    if (!file) return answer.writeHead(404).end('none');
    answer.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.bytes.length });
    if (file.slow && hits.get(name) === 1) return answer.write(file.bytes.subarray(0, 1000)); // and no more
    return answer.end(file.bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${server.address().port}/`;
  return {
    hits,
    add(name, bytes, more = {}) {
      files.set(name, typeof bytes === 'number' ? bytes : { bytes, ...more });
      return base + name;
    },
  };
}

async function client(server) {
  const ada = await newUser(server, 'Ada');
  const made = await run(['token', 'create', '--json', '--data', server.dataDir, '--email', ada.email]);
  assert.equal(made.code, 0, made.stderr);
  const { TOKEN_ID, TOKEN_SECRET } = JSON.parse(made.stdout);
  const mux = (at) => new Mux({ baseURL: at.http, tokenId: TOKEN_ID, tokenSecret: TOKEN_SECRET }).video.assets;
  return { ada, mux, assets: mux(server) };
}

// Decodes all of it, without a complaint; the number of pictures.
async function pictures(url) {
  const { stdout, stderr } = await execute('ffmpeg', ['-nostdin', '-v', 'repeat+warning', '-i', url, '-f', 'framemd5', '-'], { timeout: 60_000, maxBuffer: 64 << 20 });
  assert.equal(stderr, '', url);
  const video = /^#media_type (\d): video/m.exec(stdout)?.[1] ?? 'none';
  return stdout.split('\n').filter((l) => l.startsWith(`${video},`)).length;
}

const make = (assets, url, more = {}) => assets.create({ inputs: [{ url }], playback_policies: ['public'], ...more });
const settled = (assets, asset, ms = 90_000) =>
  until(`asset ${asset.id} is settled`, async () => {
    const now = await assets.retrieve(asset.id);
    return now.status !== 'preparing' && now;
  }, ms, 200);
const hls = (server, asset) => `${server.http}/${asset.playback_ids[0].id}.m3u8`;

test('files of all kinds', async (t) => {
  const server = await startServer(t, { args: ARGS });
  const web = await fileServer(t);
  const { assets } = await client(server);

  // name: [ffmpeg's arguments, extension, what comes out]
  const KINDS = {
    'H.264 AAC MP4': [[...picture(), ...tone, ...H264, '-c:a', 'aac'], 'mp4', { v: 'h264', a: 'aac' }],
    'H.264 Opus fragmented MP4': [[...picture(), ...tone, ...H264, '-c:a', 'libopus', '-movflags', 'frag_keyframe+empty_moov'], 'mp4', { v: 'h264', a: 'opus' }],
    'HEVC AAC MP4': [[...picture(), ...tone, ...HEVC, '-tag:v', 'hvc1', '-c:a', 'aac'], 'mp4', { v: 'hevc', a: 'aac' }],
    'HEVC TS': [[...picture(), ...HEVC], 'ts', { v: 'h264' }],
    'VP9 Opus WebM': [[...picture(), ...tone, ...VP9, '-c:a', 'libopus'], 'webm', { v: 'vp9', a: 'opus' }],
    'VP8 Vorbis WebM': [[...picture(), ...tone, ...VP8, '-c:a', 'libvorbis'], 'webm', { v: 'h264', a: 'aac' }],
    'VP8 Opus WebM without duration and cues': [[...picture(), ...tone, ...VP8, '-c:a', 'libopus', '-f', 'webm', '-live', '1'], 'webm', { v: 'h264', a: 'opus' }],
    'AV1 Opus Matroska': [[...picture(), ...tone, '-c:v', 'libaom-av1', '-cpu-used', '8', '-usage', 'realtime', '-c:a', 'libopus'], 'mkv', { v: 'av1', a: 'opus' }],
    'H.264 AAC TS': [[...picture(), ...tone, ...H264, '-c:a', 'aac'], 'ts', { v: 'h264', a: 'aac' }],
    'MPEG-2 MP2 TS': [[...picture(), ...tone, '-c:v', 'mpeg2video', '-c:a', 'mp2'], 'ts', { v: 'h264', a: 'aac' }],
    'H.264 AAC FLV': [[...picture(), ...tone, ...H264, '-c:a', 'aac'], 'flv', { v: 'h264', a: 'aac' }],
    'MPEG-4 MP3 AVI': [[...picture(), ...tone, '-c:v', 'mpeg4', '-c:a', 'libmp3lame'], 'avi', { v: 'h264', a: 'aac' }],
    'ProRes PCM MOV': [[...picture(), ...tone, '-c:v', 'prores', '-c:a', 'pcm_s16le'], 'mov', { v: 'h264', a: 'aac' }],
    'Theora Vorbis Ogg': [[...picture(), ...tone, '-c:v', 'libtheora', '-c:a', 'libvorbis'], 'ogv', { v: 'h264', a: 'aac' }],
    'H.264, ten bits, odd': [[...picture('321x181'), '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv444p'], 'mkv', { v: 'h264', width: 320, height: 180 }],
    '5.1 sound': [[...picture(), '-f', 'lavfi', '-i', `anoisesrc=d=${SECONDS}`, ...H264, '-c:a', 'aac', '-ac', '6'], 'mp4', { v: 'h264', a: 'aac' }],
    'variable frame rate': [[...picture(), ...tone, '-vf', "select='not(eq(mod(n,7),3))'", '-vsync', 'vfr', ...H264, '-c:a', 'aac'], 'mp4', { v: 'h264', a: 'aac', frames: [45, 55] }],
    'only MP3': [[...tone, '-c:a', 'libmp3lame'], 'mp3', { a: 'aac' }],
    'only FLAC': [[...tone, '-c:a', 'flac'], 'flac', { a: 'aac' }],
    'only WAV': [[...tone], 'wav', { a: 'aac' }],
  };
  const upright = await encode([...picture(), ...tone, ...H264, '-c:a', 'aac']);
  const files = await Promise.all(Object.entries(KINDS).map(async ([name, [args, ext, out]]) => [name, await encode(args, ext), out]));
  files.push(['turned', await encode(['-i', upright, '-c', 'copy', '-metadata:s:v', 'rotate=90']), { v: 'h264', a: 'aac', width: 180, height: 320 }]);

  const made = await Promise.all(files.map(([, file], i) => make(assets, web.add(`${i}`, fs.readFileSync(file)))));
  assert.ok(made.every((a) => a.status === 'preparing' && a.ingest_type === 'on_demand_url'));

  for (const [i, [name, , want]] of files.entries())
    await t.test(name, async () => {
      const asset = await settled(assets, made[i]);
      assert.equal(asset.status, 'ready', JSON.stringify(asset.errors));
      assert.ok(Math.abs(asset.duration - SECONDS) < 0.25, `${asset.duration}`);
      assert.deepEqual(asset.tracks.map((x) => x.type), [want.v && 'video', want.a && 'audio'].filter(Boolean));
      const got = await ffprobe(hls(server, asset));
      const v = got.streams.find((s) => s.codec_type === 'video');
      const a = got.streams.find((s) => s.codec_type === 'audio');
      assert.equal(v?.codec_name, want.v);
      assert.equal(a?.codec_name, want.a);
      if (a) assert.ok(a.channels <= 2);
      if (v) {
        assert.deepEqual([v.width, v.height], [want.width ?? 320, want.height ?? 180]);
        assert.equal(asset.aspect_ratio, v.width > v.height ? '16:9' : '9:16');
      }
      const n = await pictures(hls(server, asset));
      const [low, high] = want.frames ?? [SECONDS * 30 - 2, SECONDS * 30];
      if (v) assert.ok(n >= low && n <= high, `${n} pictures`);
    });

  await t.test('events come in order, and the source is gone', () => {
    const rows = JSON.parse(execFileSync('sqlite3', ['-readonly', '-json', path.join(server.dataDir, 'bspnode.db'),
      `SELECT type FROM media_events WHERE object_id = '${made[0].id}' ORDER BY created_at, rowid`], { encoding: 'utf8' }));
    assert.deepEqual(rows.map((r) => r.type), ['video.asset.created', 'video.asset.ready']);
    assert.deepEqual(fs.readdirSync(path.join(server.dataDir, 'recordings', made[0].id)).sort(), ['a0.mp4', 'index.log', 'v0.mp4']);
  });

  await t.test('input-info says what it was', async () => {
    const [info] = await assets.retrieveInputInfo(made[5].id);
    assert.match(info.settings.url, /^http:/);
    assert.match(info.file.container_format, /webm/);
    assert.deepEqual(info.file.tracks.map((x) => [x.type, x.encoding]), [['video', 'vp8'], ['audio', 'vorbis']]);
  });

  await t.test('a clip', async () => {
    const clip = await assets.create({ inputs: [{ url: `mux://assets/${made[0].id}`, start_time: 0.5, end_time: 1.5 }], playback_policies: ['public'] });
    assert.equal(clip.source_asset_id, made[0].id);
    const asset = await settled(assets, clip);
    assert.equal(asset.status, 'ready', JSON.stringify(asset.errors));
    assert.equal(asset.ingest_type, 'on_demand_clip');
    assert.ok(Math.abs(asset.duration - 1) < 0.1, `${asset.duration}`);
    const n = await pictures(hls(server, asset));
    assert.ok(n >= 29 && n <= 31, `${n} pictures`);
  });

  await t.test('what cannot be asked for', async () => {
    const refused = async (params, words) =>
      assert.rejects(assets.create(params), (e) => e instanceof Mux.BadRequestError && words.test(JSON.stringify(e.error)));
    await refused({}, /input/);
    await refused({ inputs: [{ url: 'file:///etc/passwd' }] }, /url/);
    await refused({ inputs: [{ url: 'gopher://x/' }] }, /url/);
    await refused({ inputs: [{ url: 'mux://assets/none' }] }, /no such asset/);
    await refused({ inputs: [{ url: `mux://assets/${made[0].id}`, start_time: 99 }] }, /behind the end/);
    await refused({ inputs: [{ url: `mux://assets/${made[0].id}`, start_time: 2, end_time: 1 }] }, /end_time/);
    await refused({ inputs: [{ url: 'http://127.0.0.1/x', start_time: 1 }] }, /start_time/);
    const gone = await settled(assets, await make(assets, web.add('gone', 404)));
    assert.equal(gone.status, 'errored');
    assert.match(gone.errors.messages[0], /404/);
  });
});

// --- what is broken, and what is made to harm ---

const box = (type, body) => {
  const b = Buffer.alloc(8);
  b.writeUInt32BE(8 + body.length);
  b.write(type, 4, 'latin1');
  return Buffer.concat([b, body]);
};
// A copy with bytes written behind a mark.
const changed = (file, mark, offset, bytes) => {
  const copy = Buffer.from(file);
  const at = copy.indexOf(mark);
  assert.ok(at > 0, `${mark} is there`);
  Buffer.from(bytes).copy(copy, at + offset);
  return copy;
};

async function hostileFiles() {
  const mp4 = fs.readFileSync(await encode([...picture(), ...tone, ...H264, '-c:a', 'aac', '-movflags', '+faststart']));
  const webm = fs.readFileSync(await encode([...picture(), ...tone, ...VP8, '-c:a', 'libvorbis'], 'webm'));
  const tenHours = fs.readFileSync(await encode(['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=1/3600:duration=36000', ...H264]));
  const huge = fs.readFileSync(await encode(['-f', 'lavfi', '-i', 'color=black:size=4096x4096:rate=10:duration=1', ...VP9, '-b:v', '10k'], 'webm'));
  const files = { tenHours, huge, empty: Buffer.alloc(0), zeros: Buffer.alloc(1 << 20), text: Buffer.from('hello\n'.repeat(999)) };
  for (let i = 1; i < 16; i++) {
    files[`mp4 ${i}/16`] = mp4.subarray(0, (mp4.length * i) / 16);
    files[`webm ${i}/16`] = webm.subarray(0, (webm.length * i) / 16);
  }
  const ftyp = box('ftyp', Buffer.from('isom\0\0\x02\0isomiso2', 'latin1'));
  const free = Buffer.alloc(8_000_000);
  for (let i = 0; i < free.length; i += 8) free.write('\0\0\0\x08free', i, 'latin1');
  files['a million boxes'] = Buffer.concat([ftyp, free]);
  files['a million boxes within moov'] = Buffer.concat([ftyp, box('moov', free)]);
  let deep = Buffer.alloc(0);
  for (let i = 0; i < 2000; i++) deep = box(i % 2 ? 'moov' : 'trak', deep);
  files.nested = Buffer.concat([ftyp, deep]);
  files['stts: 2^31 entries'] = changed(mp4, 'stts', 8, [0x7f, 255, 255, 255]);
  files['stts: hours'] = changed(mp4, 'stts', 12, [1, 0x6e, 0, 0]);
  files['stsz: a gigabyte each'] = changed(mp4, 'stsz', 8, [0x3f, 255, 255, 255, 0x0f, 255, 255, 255]);
  files['stsc: samples without end'] = changed(mp4, 'stsc', 12, [0x0f, 255, 255, 255, 0x0f, 255, 255, 255]);
  files['cluster: a lying size'] = changed(webm, Buffer.from([0x1f, 0x43, 0xb6, 0x75]), 4, [1, 0x7f, 255, 255, 255, 255, 255, 0xfe]);
  files['tracks: a lying size'] = changed(webm, Buffer.from([0x16, 0x54, 0xae, 0x6b]), 4, [1, 0, 0, 0, 255, 255, 255, 255]);
  files['HTML before WebM'] = Buffer.concat([Buffer.from('<!doctype html><script>alert(1)</script>'), webm]);
  files['WebM before HTML'] = Buffer.concat([webm, Buffer.from('<!doctype html><script>alert(1)</script>')]);
  files['a playlist of local files'] = Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n');
  files['a list of local files'] = Buffer.from("ffconcat version 1.0\nfile /etc/passwd\n");
  return files;
}

test('files that are broken or made to harm', async (t) => {
  const server = await startServer(t, { args: ARGS });
  const web = await fileServer(t);
  const { assets } = await client(server);
  const files = await hostileFiles();
  const made = await Promise.all(Object.entries(files).map(([name, bytes], i) => make(assets, web.add(`h${i}`, bytes)).then((a) => [name, a])));
  let ready = 0;
  for (const [name, asset] of made) {
    const got = await settled(assets, asset);
    if (got.status === 'ready') {
      ready++;
      assert.ok(got.duration > 0 && got.duration < 4 * 3600, `${name}: ${got.duration}`);
      continue;
    }
    assert.equal(got.status, 'errored', name);
    assert.match(got.errors.messages[0], /^[A-Z].{10,}[.]/, name);
    assert.ok(!fs.existsSync(path.join(server.dataDir, 'recordings', asset.id)), `${name}: nothing is left on the disk`);
  }
  assert.ok(ready >= 15, `${ready} files had something to show`);
  assert.equal((await server.get('/readyz')).status, 200);
  const bytes = Number(execFileSync('du', ['-sb', path.join(server.dataDir, 'recordings')], { encoding: 'utf8' }).split('\t')[0]);
  assert.ok(bytes < 64 << 20, `${bytes} bytes on the disk`);
});

// --- an upload that becomes the stream's recording ---

test('the recording of a stream, uploaded', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server, 'Ada');
  const upload = async (stream, bytes) => {
    const { uploadUrl } = await ada.expect(201, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/webm' });
    assert.equal((await fetch(uploadUrl, { method: 'PUT', body: bytes })).status, 200);
  };
  const width = async (url) => (await ffprobe(url)).streams.find((s) => s.codec_type === 'video').width;
  const webm = fs.readFileSync(await encode([...picture(), ...tone, ...VP8, '-c:a', 'libvorbis'], 'webm'));

  await t.test('replaces the server’s own under its address; both are kept', async (t) => {
    const stream = await ada.createStream();
    const encoder = await publishFfmpeg(t, publishUrl(server, stream));
    await ada.untilLive(stream.id);
    await until('some of it is recorded', async () => (await fetch(`${server.http}/${(await ada.stream(stream.id)).playback.playbackId}.m3u8`)).ok);
    await ada.end(stream.id);
    await encoder.exited;
    const own = await ada.untilReady(stream.id);
    assert.equal(await width(own.recordingUrl), 640);

    await upload(stream, Buffer.concat([Buffer.from([0x1a, 0x45, 0xdf, 0xa3]), Buffer.alloc(5000)]));
    const stayed = await ada.untilStream(stream.id, 'the failure is over', (s) => s.recordingStatus === 'READY');
    assert.equal(stayed.recordingId, own.recordingId, 'a file that will not do changes nothing');

    await upload(stream, webm);
    const now = await ada.untilStream(stream.id, 'another recording', (s) => s.recordingStatus === 'READY' && s.recordingId !== own.recordingId, 60_000);
    assert.equal(now.recordingUrl, own.recordingUrl);
    assert.equal(now.duration, SECONDS);
    await until('its address leads to it', async () => (await width(own.recordingUrl)) === 320);
    assert.ok(fs.existsSync(path.join(server.dataDir, 'recordings', own.recordingId, 'index.log')), 'the old one is kept');
  });

  await t.test('of a stream that was never live', async () => {
    const stream = await ada.createStream({ streamType: 'BROWSER' });
    await upload(stream, webm);
    const now = await ada.untilStream(stream.id, 'READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY', 60_000);
    assert.equal(await width(now.recordingUrl), 320);
  });
});

// --- what dies in the middle ---

const children = (pid) => {
  const out = [];
  for (const task of fs.readdirSync(`/proc/${pid}/task`))
    out.push(...fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
  return out;
};
const isImport = (pid) => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] === 'import';
  } catch {
    return false; // it has ended
  }
};

test('killed in the middle', async (t) => {
  const dataDir = tempDir(t);
  const first = await startServer(t, { args: ARGS, dataDir });
  const web = await fileServer(t);
  const { assets, mux } = await client(first);
  const long = fs.readFileSync(await encode(['-f', 'lavfi', '-i', 'testsrc2=size=960x540:rate=30:duration=6', '-c:v', 'mpeg2video', '-q:v', '8'], 'ts'));

  await t.test('a worker that dies is started once more', async () => {
    const asset = await make(assets, web.add('worker', long));
    const pid = await until('a worker runs', () => children(first.child.pid).find(isImport), 30_000, 20);
    process.kill(pid, 'SIGKILL');
    const got = await settled(assets, asset, 120_000);
    assert.equal(got.status, 'ready', JSON.stringify(got.errors));
    assert.match(first.log, /attempt=2 result=ok/);
  });

  const fetching = await make(assets, web.add('slow', long, { slow: true }));
  await until('it is being fetched', () => web.hits.get('slow') === 1);
  const converting = await make(assets, web.add('convert', long));
  await until('another is being converted', async () => {
    const a = await assets.retrieve(converting.id);
    return a.status === 'preparing' && a.progress.state === 'transcoding';
  }, 60_000, 50);
  first.expectClean = false;
  first.child.kill('SIGKILL');
  await first.exited;

  const second = await startServer(t, { args: ARGS, dataDir });
  for (const asset of [fetching, converting]) {
    const got = await settled(mux(second), asset, 120_000);
    assert.equal(got.status, 'ready', JSON.stringify(got.errors));
    assert.ok(Math.abs(got.duration - 6) < 0.2, `${got.duration}`);
  }
  const n = await pictures(hls(second, converting));
  assert.ok(n >= 179 && n <= 181, `${n} pictures`);
});
