// SPDX-License-Identifier: MIT
// What the cases share: the two servers on free ports, a publisher, and what a process costs.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const build = path.resolve(process.env.BUILD ?? path.join(root, 'build'));
export const program = path.join(build, 'bspnode');
export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
export const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

const children = new Set();
const folders = new Set();

export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  child.text = '';
  child.stdout?.on('data', (b) => (child.text += b));
  child.stderr?.on('data', (b) => (child.text = (child.text + b).slice(-100_000)));
  child.exited = new Promise((resolve) => {
    child.on('close', (code, signal) => (children.delete(child), resolve(signal ?? code)));
    child.on('error', (e) => (children.delete(child), resolve(e.message)));
  });
  child.end = async (signal = 'SIGTERM') => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await child.exited;
    clearTimeout(timer);
  };
  children.add(child);
  return child;
}

export function tempDir() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bspnode-bench-'));
  folders.add(dir);
  return dir;
}

export async function cleanUp() {
  for (const child of [...children]) await child.end();
  for (const dir of folders) fs.rmSync(dir, { recursive: true, force: true });
}

// Runs to the end and returns standard output.
export async function output(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(Object.assign(child, { end: async () => child.kill(), exited: Promise.resolve() }));
  let text = '';
  child.stdout.on('data', (b) => (text += b));
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  children.delete(child);
  return text;
}

export function freePort() {
  return new Promise((resolve) => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

export async function untilListening(port, ms = 10_000) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(1)) {
    const ok = await new Promise((resolve) => {
      const s = net.connect(port, '127.0.0.1', () => (s.destroy(), resolve(true)));
      s.on('error', () => resolve(false));
    });
    if (ok) return;
  }
  throw new Error(`nobody listens on port ${port}`);
}

// { child, http, rtmp, dataDir, startMs }
export async function startBspnode(args = []) {
  const dataDir = tempDir();
  const began = process.hrtime.bigint();
  const child = start(program, ['serve', '--data', dataDir, '--http', '127.0.0.1:0', '--rtmp', '127.0.0.1:0', '--webrtc', '127.0.0.1:0', ...args], {
    env: Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('BSPNODE'))),
  });
  const m = await new Promise((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = /^bspnode ready http=(\S+) rtmp=(\S+)/m.exec(child.text);
      if (found) resolve(found);
    });
    child.exited.then((how) => reject(new Error(`bspnode ended (${how}): ${child.text}`)));
  });
  return { child, http: m[1], rtmp: m[2], dataDir, startMs: Number(process.hrtime.bigint() - began) / 1e6 };
}

// An account and a stream; server.cookie is the account's session.
export async function makeStream(server, streamType = 'RTMP') {
  const headers = { 'Content-Type': 'application/json', Origin: server.http };
  const post = async (target, body) => {
    const answer = await fetch(server.http + target, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${target}: ${answer.status} ${await answer.text()}`);
    headers.Cookie ??= answer.headers.get('set-cookie')?.split(';')[0];
    return answer.json();
  };
  await post('/api/auth/register', { name: 'Bench', email: 'bench@example.org', password: 'a long enough password' });
  server.cookie = headers.Cookie;
  return post('/api/streams', { title: 'Bench', streamType });
}

// An access token of that account, as a function: the data of a call to the media API. A body makes it a POST.
export async function makeToken(server) {
  const made = JSON.parse(await output(program, ['token', 'create', '--json', '--data', server.dataDir, '--email', 'bench@example.org']));
  const headers = { authorization: `Basic ${Buffer.from(`${made.TOKEN_ID}:${made.TOKEN_SECRET}`).toString('base64')}`, 'Content-Type': 'application/json' };
  const call = async (target, body, method = body ? 'POST' : 'GET') => {
    const answer = await fetch(server.http + target, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${target}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : (await answer.json()).data;
  };
  return Object.assign(call, { headers });
}

// Debian's nginx in one process. `conf` is what goes beside the events block. { child, startMs }
export async function startNginx(conf, port, module = 'ngx_rtmp_module.so') {
  const dir = tempDir();
  const file = path.join(dir, 'nginx.conf');
  fs.writeFileSync(file, `load_module /usr/lib/nginx/modules/${module};\ndaemon off;\nmaster_process off;\npid ${dir}/pid;\nerror_log ${dir}/error.log crit;\n` +
    `worker_rlimit_nofile 20000;\nevents { worker_connections 10000; }\n${conf.replaceAll('@DIR@', dir)}\n`);
  const began = process.hrtime.bigint();
  const child = start('/usr/sbin/nginx', ['-p', dir, '-c', file, '-e', path.join(dir, 'error.log')]);
  await Promise.race([untilListening(port), child.exited.then((how) => Promise.reject(new Error(`nginx ended (${how}): ${child.text}`)))]);
  return { child, dir, port, startMs: Number(process.hrtime.bigint() - began) / 1e6 };
}

// 2 Mbit/s, 720p30, a key frame each 2 s, no B-frames, AAC; made once.
export function source(seconds = 120) {
  const dir = path.join(build, 'bench-media');
  const file = path.join(dir, `720p30-2m-${seconds}s.mp4`);
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(dir, { recursive: true });
  console.log('encoding the source (once)');
  execFileSync('ffmpeg', ['-hide_banner', '-v', 'error', '-nostdin', '-y',
    '-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=30:duration=${seconds},noise=alls=12:allf=t`,
    '-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`,
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-b:v', '1900k', '-maxrate', '1900k', '-bufsize', '1900k',
    '-g', '60', '-keyint_min', '60', '-sc_threshold', '0', '-bf', '0', '-c:a', 'aac', '-b:a', '96k', `${file}.part.mp4`], { stdio: 'inherit' });
  fs.renameSync(`${file}.part.mp4`, file);
  return file;
}

export function publish(url) {
  return start('ffmpeg', ['-hide_banner', '-nostdin', '-v', 'error', '-re', '-stream_loop', '-1', '-i', source(), '-c', 'copy', '-f', 'flv', '-flvflags', 'no_duration_filesize', url]);
}

// Nanoseconds on a CPU since the start, all threads; proportional memory in KB.
export function cost(pid) {
  let cpuNs = 0;
  for (const task of fs.readdirSync(`/proc/${pid}/task`))
    cpuNs += Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  const pssKb = Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
  return { cpuNs, pssKb };
}

// Milliseconds on a CPU since the start, with the children that have ended.
export function cpuWithChildrenMs(pid) {
  const after = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').map(Number);
  return (after[11] + after[12] + after[13] + after[14]) * 10; // ticks of 1/100 s
}

// A virtual machine gets memory that it has not used for some seconds anew from its host, at several times
// the cost of a copy: so that who writes `file` finds memory that has just been in use.
export function prime(file) {
  const copy = path.join(tempDir(), 'prime');
  fs.copyFileSync(file, copy);
  fs.rmSync(copy);
}

export function syncFile(file) {
  const fd = fs.openSync(file, 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

// Prints a table of strings; the first row is its head.
export function table(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => String(r[i]).length)));
  rows.forEach((r, n) => {
    console.log(`  ${r.map((c, i) => (i ? String(c).padStart(widths[i]) : String(c).padEnd(widths[i]))).join('   ')}`);
    if (n === 0) console.log(`  ${widths.map((w) => '-'.repeat(w)).join('   ')}`);
  });
}

export const ratio = (ours, theirs) => (theirs > 0 ? `${(ours / theirs).toFixed(2)}×` : '-');
export const aim = (ok) => (ok ? 'met' : 'missed');
