// SPDX-License-Identifier: MIT
// Import: a large H.264 and AAC file is uploaded, and the time counts from its last byte until it can be
// played; beside `ffmpeg -c copy` of the same file into HLS with fMP4 segments, and into MP4. bspnode has its
// files synced before it says that they are ready, so ffmpeg's are synced too. Rounds take turns, and the
// median counts.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { aim, build, cpuWithChildrenMs, makeStream, makeToken, median, output, prime, ratio, sleep, startBspnode, syncFile, table, tempDir } from '../lib.mjs';

export const title = 'Import of a large file';
const ROUNDS = 5;
const SECONDS = 24; // encoded once
const TIMES = Number(process.env.BENCH_TIMES ?? 10); // so often, one after the other

// 1080p30 with B-frames at 12 Mbit/s, AAC; some 370 MB.
function source() {
  const dir = path.join(build, 'bench-media');
  const once = path.join(dir, 'film-once.mp4');
  const file = path.join(dir, `film-${TIMES}.mp4`);
  const ffmpeg = (args) => execFileSync('ffmpeg', ['-hide_banner', '-v', 'error', '-nostdin', '-y', ...args], { stdio: 'inherit' });
  fs.mkdirSync(dir, { recursive: true });
  if (!fs.existsSync(once)) {
    console.log('encoding the source (once)');
    ffmpeg(['-f', 'lavfi', '-i', `testsrc2=size=1920x1080:rate=30:duration=${SECONDS},noise=alls=20:allf=t`,
      '-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${SECONDS}`,
      '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-b:v', '12M', '-maxrate', '12M', '-bufsize', '12M',
      '-g', '60', '-keyint_min', '60', '-sc_threshold', '0', '-bf', '2', '-c:a', 'aac', '-b:a', '128k', `${once}.part.mp4`]);
    fs.renameSync(`${once}.part.mp4`, once);
  }
  if (!fs.existsSync(file)) {
    ffmpeg(['-stream_loop', `${TIMES - 1}`, '-i', once, '-c', 'copy', `${file}.part.mp4`]);
    fs.renameSync(`${file}.part.mp4`, file);
  }
  return file;
}

// { ms, cpuMs } of ffmpeg, and of the sync of what it wrote.
async function copyBy(file, format) {
  const dir = tempDir();
  prime(file);
  const began = performance.now();
  const text = await output('bash', ['-c', `TIMEFORMAT='%U %S'; { time ffmpeg -hide_banner -v error -nostdin -y -i "$0" -c copy ${format} >/dev/null; } 2>&1`, file, dir]);
  for (const f of fs.readdirSync(dir)) syncFile(path.join(dir, f));
  const ms = performance.now() - began;
  const [user, system] = text.trim().split(' ').map(Number);
  if (!(user >= 0) || !fs.readdirSync(dir).length) throw new Error(`ffmpeg: ${text}`);
  fs.rmSync(dir, { recursive: true });
  return { ms, cpuMs: (user + system) * 1000 };
}

// Resolves with the time at which the last byte had been handed to the system, when the answer is there.
function put(url, file) {
  return new Promise((resolve, reject) => {
    let lastByte = 0;
    const request = http.request(url, { method: 'PUT', headers: { 'Content-Length': fs.statSync(file).size } }, (answer) => {
      answer.resume();
      answer.on('end', () => (answer.statusCode < 300 ? resolve(lastByte) : reject(new Error(`${url}: ${answer.statusCode}`))));
    });
    request.on('finish', () => (lastByte = performance.now()));
    request.on('error', reject);
    fs.createReadStream(file, { highWaterMark: 1 << 20 }).pipe(request);
  });
}

async function until(what, probe, everyMs = 20) {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(everyMs)) {
    const got = await probe();
    if (got) return got;
  }
  throw new Error(`not in two minutes: ${what}`);
}

const lines = (text) => text.split('\n').filter((l) => l && !l.startsWith('#'));

// Both playlists and the first segment.
async function play(server, id) {
  let url = `${server.http}/${id}.m3u8`;
  for (const kind of ['multivariant playlist', 'media playlist', 'segment']) {
    const answer = await fetch(url);
    const body = Buffer.from(await answer.arrayBuffer());
    if (!answer.ok) throw new Error(`${kind}: ${answer.status}`);
    if (kind !== 'segment') url = new URL(lines(body.toString())[0], url).href;
  }
}

// { answerMs, readyMs, playMs, cpuMs }: from the last byte to the upload's answer, to `ready`, to the first
// segment in hand; and the computing time of the import, worker and all.
async function importBy(server, mux, file) {
  prime(file);
  const upload = await mux('/video/v1/uploads', { cors_origin: '*', new_asset_settings: { playback_policies: ['public'] } });
  const lastByte = await put(upload.url, file);
  const answerMs = performance.now() - lastByte;
  const before = cpuWithChildrenMs(server.child.pid);
  const assetId = await until('an asset', async () => (await mux(`/video/v1/uploads/${upload.id}`)).asset_id);
  const asset = await until('a ready asset', async () => {
    const it = await mux(`/video/v1/assets/${assetId}`);
    if (it.status === 'errored') throw new Error(JSON.stringify(it.errors));
    return it.status === 'ready' && it;
  });
  const readyMs = performance.now() - lastByte;
  await play(server, asset.playback_ids[0].id);
  const playMs = performance.now() - lastByte;
  const cpuMs = cpuWithChildrenMs(server.child.pid) - before;
  await mux(`/video/v1/assets/${assetId}`, undefined, 'DELETE');
  return { answerMs, readyMs, playMs, cpuMs };
}

export async function run() {
  const file = source();
  const mb = fs.statSync(file).size / 1e6;
  const server = await startBspnode(['--loops', '1']);
  await makeStream(server); // an account
  const mux = await makeToken(server);
  const seen = { hls: [], mp4: [], ours: [] };
  for (let i = 0; i < ROUNDS; i++) {
    seen.hls.push(await copyBy(file, '-f hls -hls_time 4 -hls_playlist_type vod -hls_segment_type fmp4 "$1/film.m3u8"'));
    seen.ours.push(await importBy(server, mux, file));
    seen.mp4.push(await copyBy(file, '"$1/film.mp4"'));
  }
  const of = (list, key) => median(list.map((x) => x[key]));
  const importMs = of(seen.ours.map((x) => ({ ms: x.readyMs - x.answerMs })), 'ms');
  const row = (name, ms, cpuMs) => [name, `${ms.toFixed(0)} ms`, `${(mb / ms * 1000).toFixed(0)} MB/s`, `${cpuMs.toFixed(0)} ms`];
  console.log(`  ${mb.toFixed(0)} MB, ${SECONDS * TIMES} s of 1080p30 H.264 and AAC\n`);
  table([['', 'time', 'speed', 'CPU'],
    row('bspnode, answer to ready', importMs, of(seen.ours, 'cpuMs')),
    row('ffmpeg -c copy to HLS fMP4, synced', of(seen.hls, 'ms'), of(seen.hls, 'cpuMs')),
    row('ffmpeg -c copy to MP4, synced', of(seen.mp4, 'ms'), of(seen.mp4, 'cpuMs'))]);
  const against = importMs / of(seen.hls, 'ms');
  console.log(`
  from the last byte: stored and answered ${of(seen.ours, 'answerMs').toFixed(0)} ms, ready ${of(seen.ours, 'readyMs').toFixed(0)} ms, played ${of(seen.ours, 'playMs').toFixed(0)} ms
  aim: within 1.2 times ffmpeg's HLS    ${against.toFixed(2)}×, ${aim(against <= 1.2)} (MP4: ${ratio(importMs, of(seen.mp4, 'ms'))})`);
  await server.child.end();
  return true;
}
