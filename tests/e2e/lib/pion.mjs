// SPDX-License-Identifier: MIT
// pion as publisher and viewer (peers/pion, built from Debian's sources of it), and coturn.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encode, sample } from './media.mjs';
import { root, tempDir, until } from './server.mjs';

const execute = promisify(execFile);
const sources = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../peers/pion');

// Debian has pion as sources; a folder with a go.mod below a GOPATH is how Go finds its third version
// without a network.
async function build() {
  const files = fs.readdirSync(sources).sort();
  const name = createHash('sha256').update(files.map((f) => fs.readFileSync(path.join(sources, f), 'utf8')).join('\0')).digest('hex').slice(0, 16);
  const gopath = path.join(root, 'build-asan/e2e-go');
  const program = path.join(gopath, `pion-peer-${name}`);
  if (fs.existsSync(program)) return program;
  const dir = path.join(gopath, `src/${process.pid}/pion-peer`); // two test files may build at once
  fs.cpSync(sources, dir, { recursive: true });
  const env = { ...process.env, GO111MODULE: 'off', GOFLAGS: '', GOPATH: `${gopath}:/usr/share/gocode`, GOCACHE: path.join(gopath, 'cache') };
  await execute('go', ['build', '-o', path.join(dir, 'program'), '.'], { cwd: dir, env }).catch((e) => {
    throw new Error(e.code === 'ENOENT' ? 'Go is not installed: tools/install-packages test (golang-go, golang-github-pion-webrtc.v3-dev)' : `pion-peer cannot be built: ${e.stderr}`);
  });
  fs.renameSync(path.join(dir, 'program'), program);
  fs.rmSync(path.dirname(dir), { recursive: true });
  return program;
}

let program;

class Pion {
  constructor(child) {
    Object.assign(this, { child, lines: [], log: '' });
    let rest = '';
    child.stdout.on('data', (b) => {
      const lines = (rest + b).split('\n');
      rest = lines.pop();
      this.lines.push(...lines.map((l) => JSON.parse(l)));
    });
    child.stderr.on('data', (b) => (this.log += b));
    child.stdin.on('error', () => {});
    this.exited = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
  }

  // The first line, from the `from`th on, that has this field.
  has(field, from = 0) {
    return this.lines.slice(from).find((l) => field in l);
  }

  async line(field, { ms = 30_000, from = 0 } = {}) {
    return until(`pion says ${field}`, () => this.has(field, from), ms, 20).catch((e) => {
      throw new Error(`${e.message}: ${JSON.stringify(this.lines)}\n${this.log.slice(-2000)}`);
    });
  }

  // Says a word and returns the answer to it.
  async say(word, field, ms) {
    const from = this.lines.length;
    this.child.stdin.write(`${word}\n`);
    return this.line(field, { from, ms });
  }

  count() {
    return this.say('count', 'video');
  }

  async connected() {
    assert.equal((await this.line('status')).status, 201, JSON.stringify(this.lines));
    await this.line('connected');
    return this;
  }

  // Until so many more packets of video have come, and sound too; the last count.
  async untilWatching(packets = 200, ms = 60_000) {
    const from = (await this.count()).video;
    return until(`${packets} packets more`, async () => {
      const now = await this.count();
      return now.video >= from + packets && now.audio > 0 && now;
    }, ms).catch((e) => {
      throw new Error(`${e.message}: ${JSON.stringify(this.lines.slice(-5))}`);
    });
  }

  // Ends it by DELETE; the status of that.
  async close() {
    const { deleted } = await this.say('close', 'deleted');
    await this.exited;
    return deleted;
  }
}

async function start(t, args) {
  program ??= build();
  const child = spawn(await program, args.map(String), { stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  return new Pion(child);
}

// flags: '-via', port; '-servers', JSON; '-relay'; '-six'.
export async function pionPublish(t, url, ...flags) {
  const file = await sample({ seconds: 6, gop: 1, bframes: 0, profile: 'baseline' });
  const video = await encode(['-i', file, '-map', '0:v', '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', '-f', 'h264'], 'h264');
  const audio = await encode(['-i', file, '-map', '0:a', '-c:a', 'libopus', '-b:a', '64k', '-page_duration', '20000'], 'ogg');
  return start(t, ['publish', url, video, audio, ...flags]);
}

export const pionWatch = (t, url, ...flags) => start(t, ['watch', url, ...flags]);
export const pionSwarm = (t, url, n, seconds) => start(t, ['swarm', url, n, seconds]);

// A port on loopback that is free for UDP now.
async function freeUdpPort() {
  const socket = dgram.createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

// coturn with a secret that it shares with us: { url, log }.
export async function coturn(t, secret) {
  const port = await freeUdpPort();
  const dir = tempDir(t, 'turn');
  const child = spawn('turnserver', ['-n', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`,
    '--allow-loopback-peers', '--no-tls', '--no-dtls', '--use-auth-secret', `--static-auth-secret=${secret}`, '--realm=bspnode.test',
    '--no-cli', '--verbose', `--pidfile=${dir}/pid`, `--userdb=${dir}/db`, '--log-file=stdout', '--simple-log'], { cwd: dir });
  const turn = { url: `turn:127.0.0.1:${port}?transport=udp`, log: '' };
  child.stdout.on('data', (b) => (turn.log += b));
  child.stderr.on('data', (b) => (turn.log += b));
  let problem;
  child.once('error', (e) => (problem = e));
  child.once('exit', (code) => (problem ??= new Error(`turnserver ended with ${code}: ${turn.log.slice(-1000)}`)));
  t.after(() => child.kill());
  // Its port answers when it is ready: a STUN binding request.
  const socket = dgram.createSocket('udp4');
  let answered = false;
  socket.on('message', () => (answered = true));
  const request = Buffer.from('000100002112a442aaaaaaaaaaaaaaaaaaaaaaaa', 'hex');
  await until('coturn answers', () => {
    if (problem) throw problem;
    socket.send(request, port, '127.0.0.1', () => {});
    return answered;
  });
  socket.close();
  return turn;
}

// ICE servers out of the Link headers of an answer, as RTCPeerConnection takes them.
export function iceServers(link) {
  return [...(link ?? '').matchAll(/<([^>]+)>; rel="ice-server"(?:; username="([^"]+)"; credential="([^"]+)"; credential-type="password")?/g)]
    .map(([, url, username, credential]) => ({ urls: [url], ...(username && { username, credential }) }));
}
