// SPDX-License-Identifier: MIT
// Starts the real server on free ports with a data folder of its own, and ends it.
//
//   const server = await startServer(t, { args: ['--reconnect-window', '5s'] });
//   server.http, server.rtmp, server.rtmps   base URLs, read from the ready line
//
// `t` is anything with `after(fn)`: a test's context, or { after } of node:test inside a describe.
// The end is checked too: exit status 0 after SIGTERM, and no word of a sanitizer in the log.
import assert from 'node:assert/strict';
import { spawn, spawnSync, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from './http.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const program = path.resolve(process.env.BSPNODE ?? path.join(root, 'build-asan/bspnode'));

const READY_MS = 30_000;
const STOP_MS = 30_000;
const READY = /^bspnode ready http=(https?:\/\/\S+) rtmp=(rtmp:\/\/\S+)(?: rtmps=(rtmps:\/\/\S+))?(?: webrtc=udp:\/\/\S+:(\d+))?$/;
const SANITIZER = /(ERROR: (Address|Leak|Thread|UndefinedBehavior)Sanitizer|WARNING: ThreadSanitizer|runtime error:)/;

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

// No test is about how fast a loaded machine is: what is awaited gets this long at least.
const PATIENCE_MS = 45_000;

// Asks until `probe` gives something true, and returns that; fails with `what` after `ms`.
export async function until(what, probe, ms = 15_000, every = 100) {
  ms = Math.max(ms, PATIENCE_MS);
  const end = Date.now() + ms;
  let problem;
  for (;;) {
    try {
      const got = await probe();
      if (got) return got;
      problem = undefined;
    } catch (e) {
      problem = e;
    }
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}${problem ? ` (${problem.message})` : ''}`);
    await sleep(every);
  }
}

const servers = new Set();

// A new folder, removed after the test. The hooks of a test run in the order in which they were made, and
// the folder's is older than the server's: whoever still lives in it is ended first.
export function tempDir(t, name = 'data') {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), `bspnode-${name}-`));
  t?.after(async () => {
    try {
      for (const server of servers) if (server.dataDir === dir) await server.stop();
    } finally {
      fs.rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  });
  return dir;
}

// A folder on a disk of its own of that size ("12m"), which only root may have; undefined without. The servers
// that live in it are ended before it goes.
export function smallDisk(t, size) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bspnode-small-'));
  t.after(async () => {
    try {
      for (const server of servers) if (server.dataDir === dir) await server.stop();
    } finally {
      spawnSync('umount', ['-l', dir]);
      fs.rmdirSync(dir);
    }
  });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir]).status === 0 ? dir : undefined;
}

// A self-signed certificate for localhost: { cert, key } are paths, `ca` the certificate's text.
export function certificate(t) {
  const dir = tempDir(t, 'tls');
  const [cert, key] = [path.join(dir, 'cert.pem'), path.join(dir, 'key.pem')];
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout', key, '-out', cert,
  ], { stdio: 'ignore' });
  return { cert, key, ca: fs.readFileSync(cert, 'utf8') };
}

// The program's settings from the tester's own environment must not leak in.
function cleanEnv(extra) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('BSPNODE')));
  return {
    ASAN_OPTIONS: 'exitcode=99:detect_stack_use_after_return=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    ...env,
    ...extra,
  };
}

// Runs the program to its end: { code, signal, stdout, stderr }.
export function run(args, { input = '', env = {}, cwd, timeout = 30_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: cleanEnv(env), cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (b) => (stdout += b));
    child.stderr.on('data', (b) => (stderr += b));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(input);
  });
}

class Server {
  constructor(child, dataDir, ca) {
    Object.assign(this, { child, dataDir, ca, stdout: '', log: '', http: '', rtmp: '', rtmps: '', expectClean: true });
    child.stdout.on('data', (b) => (this.stdout += b));
    child.stderr.on('data', (b) => (this.log += b));
    this.exited = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
    this.exited.then((how) => (this.end = how));
  }

  async ready() {
    const line = await until('the ready line', () => {
      if (this.end) throw Object.assign(new Error('ended'), { ended: true });
      return this.stdout.includes('\n') && this.stdout.split('\n')[0];
    }, READY_MS, 10).catch((e) => {
      this.child.kill('SIGKILL');
      throw new Error(`the server is not ready: ${e.message}\n${this.tail()}`);
    });
    const m = READY.exec(line);
    assert.ok(m, `the ready line is ${JSON.stringify(line)}`);
    [, this.http, this.rtmp, this.rtmps, this.webrtcPort] = m;
    const answer = await this.get('/readyz');
    assert.equal(answer.status, 200, '/readyz after the ready line');
    return this;
  }

  // GET on the server, for what needs no account; see api.mjs for the rest.
  get(target, options = {}) {
    return request(this.http + target, { ca: this.ca, ...options });
  }

  tail(lines = 40) {
    return this.log.split('\n').slice(-lines).join('\n');
  }

  assertClean() {
    const m = SANITIZER.exec(this.log);
    if (m) assert.fail(`the server's log has a sanitizer report:\n${this.log.slice(Math.max(0, m.index - 200), m.index + 4000)}`);
  }

  // SIGTERM, and what must be true of the end.
  async stop() {
    if (!this.end) this.child.kill('SIGTERM');
    const timer = setTimeout(() => {
      this.log += '\n(killed by the test: it did not end)\n';
      this.child.kill('SIGKILL');
    }, STOP_MS);
    const { code, signal } = await this.exited;
    clearTimeout(timer);
    this.assertClean();
    if (this.expectClean)
      assert.equal(signal ?? code, 0, `the server ended with ${signal ?? code}\n${this.tail()}`);
    return { code, signal };
  }

  // What a power cut does.
  async kill() {
    this.expectClean = false;
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

// Options: dataDir (kept; else a new one), args, env, tls (true: a certificate of its own, HTTPS and
// RTMPS), ready (false: do not wait).
export async function startServer(t, { dataDir, args = [], env = {}, tls = false, ready = true } = {}) {
  const dir = dataDir ?? tempDir(t);
  const all = ['serve', '--data', dir, '--http', '127.0.0.1:0', '--rtmp', '127.0.0.1:0', '--webrtc', '127.0.0.1:0'];
  let ca;
  if (tls) {
    const pair = certificate(t);
    ca = pair.ca;
    all.push('--tls-cert', pair.cert, '--tls-key', pair.key, '--rtmps', '127.0.0.1:0');
  }
  const child = spawn(program, [...all, ...args], { env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] });
  const server = new Server(child, dir, ca);
  servers.add(server);
  t?.after(() => server.stop());
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (e) => reject(new Error(`${program}: ${e.message}`)));
  });
  return ready ? server.ready() : server;
}
