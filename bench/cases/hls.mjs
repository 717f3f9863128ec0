// SPDX-License-Identifier: MIT
// HLS delivery: playlists and segments of a live stream and of its recording, over HTTP/1.1 keep-alive by
// wrk, beside nginx serving the same bytes from files (sendfile, open_file_cache). One thread each; rounds
// take turns, and the median counts. What the live stream itself costs is measured and taken off.
import fs from 'node:fs';
import path from 'node:path';
import { aim, cost, freePort, makeStream, median, output, publish, ratio, sleep, startBspnode, startNginx, table, tempDir } from '../lib.mjs';

export const title = 'HLS delivery';
const ROUNDS = 7; // many and short: on a busy machine the median of few says little
const SECONDS = 2;
const CONNECTIONS = 32;
const SEGMENTS = 5;

async function get(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

async function until(what, probe, ms = 60_000) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(250)) {
    const got = await probe().catch(() => undefined);
    if (got) return got;
  }
  throw new Error(`not within ${ms} ms: ${what}`);
}

// The first rendition's media playlist: { url, text, segments: [url] }.
async function mediaPlaylist(multi) {
  const lines = (await get(multi)).toString().split('\n');
  const url = new URL(lines.find((l) => l && !l.startsWith('#')), multi).href;
  const text = (await get(url)).toString();
  const segments = text.split('\n').filter((l) => l && !l.startsWith('#')).map((l) => new URL(l, url).href);
  return { url, text, segments };
}

// wrk goes round the paths; { requests, bytes } and nothing but 200.
async function load(base, paths) {
  const script = path.join(tempDir(), 'paths.lua');
  fs.writeFileSync(script, `local paths = {${paths.map((p) => JSON.stringify(p)).join(', ')}}
local n = 0
request = function() n = n + 1; return wrk.format('GET', paths[n % #paths + 1]) end
done = function(s) local e = s.errors; print('RESULT ' .. s.requests .. ' ' .. s.bytes .. ' ' .. (e.status + e.read + e.write + e.timeout + e.connect)) end
`);
  const text = await output('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, '-s', script, base]);
  const [, requests, bytes, errors] = /RESULT (\d+) (\d+) (\d+)/.exec(text).map(Number);
  if (errors) throw new Error(`${errors} errors from ${base}`);
  return { requests, bytes };
}

// Microseconds of the server's CPU per request and per megabyte.
async function measure(server, paths, restNsPerS) {
  const before = cost(server.pid).cpuNs;
  const began = Date.now();
  const { requests, bytes } = await load(server.base, paths);
  const ns = cost(server.pid).cpuNs - before - restNsPerS * ((Date.now() - began) / 1000);
  return { perRequest: ns / 1000 / requests, perMb: ns / 1000 / (bytes / 1e6) };
}

async function rest(pid) {
  const before = cost(pid).cpuNs;
  await sleep(2000);
  return (cost(pid).cpuNs - before) / 2;
}

// The same bytes in nginx's folder, under short names.
function copyTo(dir, name, bodies) {
  return bodies.map((b, i) => {
    fs.writeFileSync(path.join(dir, `${name}-${i}`), b);
    return `/${name}-${i}`;
  });
}

async function compare(ours, nginx, name, urls) {
  const bodies = await Promise.all(urls.map(get));
  const theirPaths = copyTo(nginx.root, name, bodies);
  const ourPaths = urls.map((u) => new URL(u).pathname + new URL(u).search);
  const background = await rest(ours.pid);
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++)
    rounds.push({ theirs: await measure(nginx, theirPaths, 0), ours: await measure(ours, ourPaths, background) });
  const of = (who, what) => median(rounds.map((r) => r[who][what]));
  return {
    bytes: Math.round(bodies.reduce((n, b) => n + b.length, 0) / bodies.length),
    request: [of('theirs', 'perRequest'), of('ours', 'perRequest')],
    mb: [of('theirs', 'perMb'), of('ours', 'perMb')],
  };
}

export async function run() {
  const root = tempDir();
  const port = await freePort();
  const nginx = await startNginx(`worker_rlimit_core 0;
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=1000 inactive=60s;
  default_type application/octet-stream; server { listen 127.0.0.1:${port}; root ${root}; } }`, port);
  const peer = { pid: nginx.child.pid, base: `http://127.0.0.1:${port}`, root };
  const server = await startBspnode(['--loops', '1', '--reconnect-window', '1s']);
  const ours = { pid: server.child.pid, base: server.http };
  const stream = await makeStream(server);
  const publisher = publish(`${stream.ingest.rtmpUrl}/${stream.ingest.streamKey}`);
  const local = (url) => new URL(new URL(url).pathname, server.http).href;
  const live = local(stream.playback.hlsUrl);
  await until('six live segments', async () => (await mediaPlaylist(live)).segments.length > SEGMENTS);

  const rows = [['', 'bytes', 'nginx', 'bspnode', 'ratio']];
  const found = {};
  const row = (name, r, what, unit) => {
    rows.push([name, r.bytes, `${r[what][0].toFixed(1)} ${unit}`, `${r[what][1].toFixed(1)} ${unit}`, ratio(r[what][1], r[what][0])]);
    found[name] = r[what];
  };
  row('live playlist', await compare(ours, peer, 'live-list', [(await mediaPlaylist(live)).url]), 'request', 'µs a request');
  const at = await mediaPlaylist(live);
  row('live segments', await compare(ours, peer, 'live-seg', at.segments.slice(-SEGMENTS)), 'mb', 'µs a MB');
  await publisher.end();
  const recording = await until('the recording', async () => {
    const answer = await fetch(`${server.http}/api/streams/${stream.id}`);
    const it = await answer.json();
    return it.recordingStatus === 'READY' && it.recordingUrl;
  });
  const recorded = await mediaPlaylist(local(recording));
  row('recorded playlist', await compare(ours, peer, 'vod-list', [recorded.url]), 'request', 'µs a request');
  row('recorded segments', await compare(ours, peer, 'vod-seg', recorded.segments.slice(0, SEGMENTS)), 'mb', 'µs a MB');
  await server.child.end();
  await nginx.child.end();

  table(rows);
  const [list, seg, vod] = [found['live playlist'], found['live segments'], found['recorded segments']];
  console.log(`
  aim: a playlist in 12 µs of CPU       ${aim(list[1] <= 12)}
  aim: segments at nginx's CPU a MB     live ${aim(seg[1] <= seg[0] * 1.05)}, recorded ${aim(vod[1] <= vod[0] * 1.05)}`);
  return true;
}
