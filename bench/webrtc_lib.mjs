// SPDX-License-Identifier: MIT
// What the WebRTC case needs besides: the load program, its source, and Janus.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build, freePort, output, root, source, start, tempDir, untilListening } from './lib.mjs';

// Debian has pion as sources; a folder with a go.mod below a GOPATH is how Go finds its third version without
// a network.
export function buildLoad() {
  const gopath = path.join(build, 'bench-go');
  const dir = path.join(gopath, 'src/rtc-load');
  const program = path.join(gopath, 'rtc-load');
  fs.mkdirSync(dir, { recursive: true });
  fs.cpSync(path.join(root, 'bench/pion'), dir, { recursive: true });
  console.log('building the load program');
  execFileSync('go', ['build', '-o', program, '.'], { cwd: dir, stdio: 'inherit', env: { ...process.env, GO111MODULE: 'off', GOFLAGS: '', GOPATH: `${gopath}:/usr/share/gocode`, GOCACHE: path.join(gopath, 'cache') } });
  return program;
}

// { video, audio }: the source as pictures with delimiters, and as Opus at a constant 240 bytes a packet.
export function streams() {
  const from = source();
  const video = from.replace(/\.mp4$/, '.h264');
  const audio = from.replace(/\.mp4$/, '.ogg');
  const ffmpeg = (...args) => execFileSync('ffmpeg', ['-hide_banner', '-v', 'error', '-nostdin', '-y', '-i', from, ...args], { stdio: 'inherit' });
  if (!fs.existsSync(video)) ffmpeg('-map', '0:v', '-c', 'copy', '-bsf:v', 'h264_mp4toannexb,h264_metadata=aud=insert', '-f', 'h264', video);
  if (!fs.existsSync(audio)) ffmpeg('-map', '0:a', '-ac', '2', '-c:a', 'libopus', '-b:a', '96k', '-vbr', 'off', '-page_duration', '20000', audio);
  return { video, audio };
}

// The last line is the result; pion's own log goes to the same place.
export async function load(program, ...args) {
  const lines = (await output(program, args.map(String))).trim().split('\n');
  for (const line of lines.slice(0, -1)) console.error(`  ${line}`);
  return JSON.parse(lines.at(-1));
}

// A publisher that is connected: { end }.
export async function publishRtc(program, target, { video, audio }) {
  const child = start(program, ['publish', target, video, audio], { stdio: ['pipe', 'pipe', 'pipe'] });
  await new Promise((resolve, reject) => {
    child.stdout.on('data', () => child.text.includes('connected') && resolve());
    child.exited.then((how) => reject(new Error(`the publisher ended (${how}): ${child.text}`)));
  });
  return child;
}

// Debian's Janus with one video room and two event loops, which is where it is at its best.
export async function startJanus() {
  const dir = tempDir();
  const port = await freePort();
  const lib = fs.readdirSync('/usr/lib').map((f) => `/usr/lib/${f}/janus`).find((f) => fs.existsSync(f));
  fs.mkdirSync(path.join(dir, 'recordings'));
  const write = (name, text) => fs.writeFileSync(path.join(dir, name), text);
  write('janus.jcfg', `general: { configs_folder = "${dir}", plugins_folder = "${lib}/plugins", transports_folder = "${lib}/transports", events_folder = "${dir}", loggers_folder = "${dir}", debug_level = 2, session_timeout = 0, event_loops = 2, admin_secret = "bench" }\n` +
    `media: { rtp_port_range = "20000-40000", no_media_timer = 60 }\nplugins: { disable = "${['audiobridge', 'duktape', 'echotest', 'lua', 'nosip', 'recordplay', 'sip', 'streaming', 'textroom', 'videocall', 'voicemail'].map((p) => `libjanus_${p}.so`).join(',')}" }\n` +
    `transports: { disable = "${['mqtt', 'nanomsg', 'pfunix', 'rabbitmq', 'websockets'].map((p) => `libjanus_${p}.so`).join(',')}" }\n`);
  write('janus.transport.http.jcfg', `general: { json = "compact", base_path = "/janus", http = true, ip = "127.0.0.1", port = ${port}, https = false }\nadmin: { admin_http = false, admin_https = false }\n`);
  write('janus.plugin.videoroom.jcfg', 'room-1234: { description = "bench", publishers = 2, bitrate = 0, fir_freq = 0, audiocodec = "opus", videocodec = "h264", h264_profile = "42e01f", transport_wide_cc_ext = false }\n');
  const child = start('janus', ['-F', dir], { cwd: dir });
  await Promise.race([untilListening(port), child.exited.then((how) => Promise.reject(new Error(`janus ended (${how}): ${child.text}`)))]);
  return { child, target: `janus+http://127.0.0.1:${port}/janus` };
}
