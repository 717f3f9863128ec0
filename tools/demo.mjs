// SPDX-License-Identifier: MIT
// The demo: a server on an empty ./demo-data, an account, a stream, and ffmpeg publishing a moving picture
// with a clock and a tone. Everything goes through the program's own API, as a person's browser would.
// Ctrl-C ends it all.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const program = path.resolve(process.argv[2] ?? 'build/bspnode');
const data = path.resolve('demo-data');
const MARK = path.join(data, '.demo'); // the folder is ours to empty
const account = { name: 'Demo', email: 'demo@example.org', password: 'demo-stream-please' };
const children = [];
let ending = false;

const fail = (message) => {
  console.error(`demo: ${message}`);
  end(1);
};

function emptyFolder() {
  if (fs.existsSync(data) && fs.readdirSync(data).length && !fs.existsSync(MARK))
    throw new Error(`${data} holds something that is not the demo's: move it away`);
  fs.rmSync(data, { recursive: true, force: true });
  fs.mkdirSync(data);
  fs.writeFileSync(MARK, 'make demo empties this folder when it starts\n');
}

// The usual port, or one the system chooses when somebody has it.
function address(port, what) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => {
      console.log(`Port ${port} is taken, so ${what} gets a free one.`);
      resolve('127.0.0.1:0');
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(`127.0.0.1:${port}`)));
  });
}

// Children are in groups of their own: Ctrl-C reaches only this program, which ends them in order.
function start(command, args, log) {
  const out = fs.openSync(path.join(data, log), 'w');
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', out] });
  fs.closeSync(out);
  child.exited = new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve(signal ?? code));
    child.on('error', (e) => resolve(e.message));
  });
  children.push(child);
  return child;
}

function readyLine(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (b) => {
      text += b;
      const m = /^bspnode ready http=(\S+) rtmp=(\S+)/m.exec(text);
      if (m) resolve({ http: m[1], rtmp: m[2] });
    });
    child.exited.then((how) => {
      const log = fs.readFileSync(path.join(data, 'server.log'), 'utf8');
      reject(new Error(`the server ended (${how}):\n${log}${text}`));
    });
  });
}

async function call(base, method, target, body, cookie) {
  const answer = await fetch(base + target, {
    method,
    headers: { Origin: base, ...(body && { 'Content-Type': 'application/json' }), ...(cookie && { Cookie: cookie }) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${target}: ${answer.status} ${text}`);
  return { json: text && JSON.parse(text), cookie: answer.headers.get('set-cookie')?.split(';')[0] };
}

function publish(url) {
  const font = '/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf';
  const clock = fs.existsSync(font)
    ? `,drawtext=fontfile=${font}:text='%{localtime\\:%T}':fontsize=72:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=16:x=(w-tw)/2:y=h-th-60`
    : '';
  return start('ffmpeg', [
    '-hide_banner', '-nostdin', '-v', 'warning',
    '-re', '-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=30${clock}`,
    '-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:beep_factor=4',
    '-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-profile:v', 'main',
    '-b:v', '2500k', '-maxrate', '2500k', '-bufsize', '2500k', '-g', '60', '-keyint_min', '60', '-sc_threshold', '0',
    '-c:a', 'aac', '-b:a', '128k', '-ac', '2',
    '-f', 'flv', '-flvflags', 'no_duration_filesize', url,
  ], 'ffmpeg.log');
}

async function untilLive(base, id, cookie) {
  for (let i = 0; i < 150 && !ending; i++) {
    const { json } = await call(base, 'GET', `/api/streams/${id}`, undefined, cookie);
    if (json.status === 'LIVE') return;
    await new Promise((r) => setTimeout(r, 200));
  }
  if (!ending) throw new Error(`the stream did not go live: see ${path.join(data, 'server.log')} and ffmpeg.log`);
}

async function end(status) {
  if (ending) return;
  ending = true;
  // The publisher first, so that the recording is closed; then the server.
  for (const [child, signal] of children.map((c) => [c, c.spawnfile === 'ffmpeg' ? 'SIGINT' : 'SIGTERM']).reverse()) {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 12_000);
    await child.exited;
    clearTimeout(timer);
  }
  process.exit(status);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    console.log('\nEnding the demo.');
    end(0);
  });

async function main() {
  emptyFolder();
  const server = start(program, [
    'serve', '--data', data, '--max-stream-duration', '0',
    '--http', await address(8080, 'the web'), '--rtmp', await address(1935, 'RTMP'),
  ], 'server.log');
  const { http, rtmp } = await readyLine(server);
  const { cookie } = await call(http, 'POST', '/api/auth/register', account);
  const { json: stream } = await call(http, 'POST', '/api/streams', {
    title: 'A test picture, live',
    description: 'Made by ffmpeg on this machine: colours, a clock and a tone.',
    streamType: 'RTMP',
  }, cookie);
  const { json: spare } = await call(http, 'POST', '/api/streams', { title: 'Yours: publish to it from OBS', streamType: 'RTMP' }, cookie);
  publish(`${rtmp}/live/${stream.ingest.streamKey}`).exited.then((how) => ending || fail(`ffmpeg ended (${how}): see ${path.join(data, 'ffmpeg.log')}`));
  server.exited.then((how) => ending || fail(`the server ended (${how}): see ${path.join(data, 'server.log')}`));
  await untilLive(http, stream.id, cookie);
  if (ending) return;
  console.log(`
  bspnode is live.

    Watch         ${http}/stream/${stream.id}
    Lobby         ${http}/
    Log in        ${http}/login   ${account.email}   ${account.password}

    Publish your own picture, from OBS (Settings, Stream, Custom):
    Server        ${rtmp}/live
    Stream key    ${spare.ingest.streamKey}
    Its page      ${http}/stream/${spare.id}

    The test picture's own key is ${stream.ingest.streamKey}
    Logs and recordings are in ${path.relative(process.cwd(), data) || data}${path.sep}

  Ctrl-C ends everything.
`);
}

main().catch((e) => fail(e.message));
