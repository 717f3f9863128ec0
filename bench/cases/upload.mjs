// SPDX-License-Identifier: MIT
// Uploads: one PUT of a large file by curl, beside nginx's own PUT (dav module) of the same file to the same
// disk. nginx does not sync what it has stored, and bspnode does before it answers: so both are also measured
// with a sync after. Rounds take turns, and the median counts.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { aim, cost, freePort, makeStream, makeToken, median, output, prime, ratio, startBspnode, startNginx, syncFile, table, tempDir } from '../lib.mjs';

export const title = 'Uploads: one PUT of a large file';
const ROUNDS = 5;
const SIZE = Number(process.env.BENCH_MB ?? 256) << 20;

// Passes for Matroska at first sight and is none: its import ends at once and disturbs nobody.
function makeFile() {
  const file = path.join(tempDir(), 'film.webm');
  const block = randomBytes(1 << 20);
  const fd = fs.openSync(file, 'w');
  for (let at = 0; at < SIZE; at += block.length) fs.writeSync(fd, block);
  fs.writeSync(fd, Buffer.from([0x1a, 0x45, 0xdf, 0xa3]), 0, 4, 0);
  fs.closeSync(fd);
  return file;
}

async function put(pid, file, url, after = () => {}) {
  prime(file);
  const before = cost(pid).cpuNs;
  const began = process.hrtime.bigint();
  const [code, sent] = (await output('curl', ['-sS', '-T', file, '-o', '/dev/null', '-w', '%{http_code} %{size_upload}', url])).split(' ').map(Number);
  if (code >= 300 || sent !== SIZE) throw new Error(`${url}: ${code} after ${sent} bytes`);
  after();
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  return { rate: SIZE / 1e6 / seconds, cpu: (cost(pid).cpuNs - before) / 1e3 / (SIZE / 1e6) };
}

export async function run() {
  const file = makeFile();
  const port = await freePort();
  const nginx = await startNginx(`http { access_log off; client_max_body_size 0; client_body_temp_path @DIR@/temp;
  server { listen 127.0.0.1:${port}; root @DIR@; location /up/ { dav_methods PUT; create_full_put_path on; } } }`, port);
  const server = await startBspnode(['--loops', '1']);
  await makeStream(server); // an account
  const mux = await makeToken(server);
  const newUpload = async () => (await mux('/video/v1/uploads', { cors_origin: '*' })).url;
  const seen = { ours: [], nginx: [], synced: [] };
  for (let i = 0; i < ROUNDS; i++) {
    seen.ours.push(await put(server.child.pid, file, await newUpload()));
    seen.nginx.push(await put(nginx.child.pid, file, `http://127.0.0.1:${port}/up/a${i}`));
    const kept = path.join(nginx.dir, 'up', `b${i}`);
    seen.synced.push(await put(nginx.child.pid, file, `http://127.0.0.1:${port}/up/b${i}`, () => syncFile(kept)));
    for (const f of fs.readdirSync(path.join(nginx.dir, 'up'))) fs.rmSync(path.join(nginx.dir, 'up', f));
  }
  const mid = (list, key) => median(list.map((x) => x[key]));
  const row = (name, list) => [name, `${mid(list, 'rate').toFixed(0)} MB/s`, `${mid(list, 'cpu').toFixed(0)} µs`];
  table([['', 'throughput', 'CPU of the server a MB'], row('bspnode, synced', seen.ours), row('nginx', seen.nginx), row('nginx, synced', seen.synced)]);
  const against = mid(seen.ours, 'rate') / mid(seen.synced, 'rate');
  console.log(`\n  throughput ${ratio(mid(seen.ours, 'rate'), mid(seen.synced, 'rate'))} of nginx with a sync, ${ratio(mid(seen.ours, 'rate'), mid(seen.nginx, 'rate'))} without: aim 0.9 with it, ${aim(against >= 0.9)}`);
  return true;
}
