// SPDX-License-Identifier: MIT
// WHIP and WHEP from a page of Chromium's, and from aiortc: publishers and viewers that we did not write,
// driven by as little code of ours as there can be.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './server.mjs';

const peers = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../peers');

export const FAKE_DEVICES = ['--use-fake-device-for-media-stream=fps=30', '--use-fake-ui-for-media-stream'];

// Runs in the page: window.publish(url, key, options) and window.watch(url), each leaving a `peer`.
function install() {
  // `via`: the port of a line between us and the server; 'tcp': its candidates for UDP are not there;
  // 'tcp:PORT': both.
  const exchange = async (peer, url, headers, via) => {
    await peer.setLocalDescription(await peer.createOffer());
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...headers },
      body: peer.localDescription.sdp,
    });
    const text = await answer.text();
    if (answer.status !== 201) return { status: answer.status, text, retryAfter: answer.headers.get('Retry-After') };
    peer.session = new URL(answer.headers.get('Location'), url).href;
    peer.etag = answer.headers.get('ETag');
    const tcp = /^tcp:?(\d*)$/.exec(via);
    const sdp = tcp ? text.replace(/^a=candidate:\S+ 1 udp .*\r\n/gm, '').replace(/^(a=candidate:\S+ 1 tcp \d+ \S+) (\d+)/gm, (all, start, port) => `${start} ${tcp[1] || port}`) : via ? text.replace(/^(a=candidate:\S+ 1 udp \d+ \S+) \d+/gm, `$1 ${via}`) : text;
    await peer.setRemoteDescription({ type: 'answer', sdp });
    return { status: 201, session: peer.session, etag: peer.etag, text };
  };
  window.publish = async (url, key, { codec = 'video/H264', layers = 1, rids = ['h', 'm', 'l'], scalabilityMode, width = 1280, height = 720, via } = {}) => {
    const media = await navigator.mediaDevices.getUserMedia({ video: { width, height, frameRate: 30 }, audio: true });
    const peer = (window.publisher = new RTCPeerConnection({ bundlePolicy: 'max-bundle' }));
    const encodings = layers === 1 ? [{ maxBitrate: 1_500_000 }]
      : rids.slice(0, layers).map((rid, i) => ({ rid, scaleResolutionDownBy: 2 ** i, maxBitrate: 1_200_000 >> (2 * i), ...(scalabilityMode && { scalabilityMode }) }));
    const video = peer.addTransceiver(media.getVideoTracks()[0], { direction: 'sendonly', sendEncodings: encodings });
    const all = RTCRtpSender.getCapabilities('video').codecs;
    const helpers = all.filter((c) => /rtx|red|ulpfec/i.test(c.mimeType));
    video.setCodecPreferences([...all.filter((c) => c.mimeType.toLowerCase() === codec.toLowerCase()), ...helpers]);
    peer.addTransceiver(media.getAudioTracks()[0], { direction: 'sendonly' });
    return exchange(peer, url, key ? { Authorization: `Bearer ${key}` } : {}, via);
  };
  // Changes one encoding of the picture while it is sent.
  window.setEncoding = async (i, change) => {
    const sender = publisher.getSenders().find((s) => s.track?.kind === 'video');
    const parameters = sender.getParameters();
    Object.assign(parameters.encodings[i], change);
    await sender.setParameters(parameters);
  };
  window.watch = async (url, via) => {
    const peer = (window.viewer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' }));
    for (const kind of ['video', 'audio']) peer.addTransceiver(kind, { direction: 'recvonly' });
    const video = document.createElement('video');
    Object.assign(video, { autoplay: true, muted: true, playsInline: true, srcObject: new MediaStream() });
    peer.ontrack = (e) => video.srcObject.addTrack(e.track);
    document.body.append(video);
    return exchange(peer, url, {}, via);
  };
  window.stats = async (peer) => {
    const all = [...(await peer.getStats()).values()];
    const pick = (type, kind) => all.filter((s) => s.type === type && s.kind === kind);
    return {
      state: peer.connectionState,
      inbound: pick('inbound-rtp', 'video')[0] ?? {},
      sound: pick('inbound-rtp', 'audio')[0] ?? {},
      outbound: pick('outbound-rtp', 'video'),
      paths: all.filter((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded')
        .map((s) => all.find((c) => c.id === s.localCandidateId)?.protocol),
    };
  };
}

// A page on the server's own origin where publish() and watch() are there.
export async function rtcPage(context, server) {
  const page = await context.newPage();
  await page.goto(`${server.http}/healthz`);
  await page.evaluate(`(${install.toString()})()`);
  return page;
}

// Waits until the viewer of this page decodes `frames` more video frames and has had sound.
export async function untilDecoding(page, frames = 30, ms = 60_000) {
  let last = {};
  let from;
  return until(`${frames} frames are decoded`, async () => {
    last = await page.evaluate('stats(viewer)');
    from ??= last.inbound.framesDecoded ?? 0;
    return last.inbound.framesDecoded >= from + frames && last.sound.packetsReceived > 0 && last;
  }, ms).catch((e) => {
    throw new Error(`${e.message}; ${JSON.stringify(last)}`);
  });
}

// An aiortc peer: { exited, out } once it has ended; `out` are its JSON lines.
export function aiortc(t, script, ...args) {
  const child = spawn('/usr/bin/python3', [path.join(peers, script), ...args.map(String)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const peer = { lines: [], log: '', stop: () => child.stdin.end() };
  let rest = '';
  child.stdout.on('data', (b) => {
    rest += b;
    const lines = rest.split('\n');
    rest = lines.pop();
    for (const line of lines) peer.lines.push(JSON.parse(line));
  });
  child.stderr.on('data', (b) => (peer.log += b));
  peer.exited = new Promise((resolve) => child.once('close', resolve));
  t?.after(() => child.kill());
  peer.ended = async () => {
    const code = await peer.exited;
    assert.equal(code, 0, `${script}: ${JSON.stringify(peer.lines)}\n${peer.log.slice(-2000)}`);
    return peer.lines.at(-1);
  };
  peer.connected = () => until('aiortc is connected', () => peer.lines.some((l) => l.connected), 30_000);
  return peer;
}

// A TCP line between a peer and the server that can be made to take nothing more: { port, stop() }.
export async function tcpLine(t, toPort) {
  const child = spawn('/usr/bin/python3', [path.join(peers, 'tcp_line.py'), String(toPort)], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const [port] = await once(child.stdout, 'data');
  return { port: Number(port), stop: () => child.stdin.write('\n') };
}

// A UDP line between a peer and the server that loses, delays, reorders and (`bps`, which may change) holds back: { port, lost, passed, loss }, and
// `loss` may be changed. Each peer's datagrams leave from a socket of their own, so that the server sees as many
// addresses as there are; rebind() gives each a new one, as a router does that forgot.
export async function badLine(t, toPort, { loss = 0, delayMs = 0, jitterMs = 0, seed = 1, bps = 0, queueBytes = 60_000 } = {}) {
  let state = seed;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  const line = { lost: 0, passed: 0, loss, bps };
  const front = dgram.createSocket('udp4');
  const backs = new Map();
  const free = [0, 0]; // when each direction has sent all that waits
  const carry = (send, way, bytes) => {
    const now = performance.now();
    const queued = line.bps ? Math.max(0, free[way] - now) : 0;
    if (random() < line.loss || (queued * line.bps) / 8000 > queueBytes) return void line.lost++;
    line.passed++;
    const took = line.bps ? (bytes * 8000) / line.bps : 0;
    free[way] = now + queued + took;
    const wait = delayMs + random() * jitterMs + queued + took;
    if (wait < 1) send();
    else setTimeout(() => line.port && send(), wait);
  };
  const backOf = (peer) => {
    const key = `${peer.address}:${peer.port}`;
    let back = backs.get(key);
    if (back) return back;
    back = dgram.createSocket('udp4');
    back.on('message', (b) => carry(() => front.send(b, peer.port, peer.address, () => {}), 0, b.length));
    backs.set(key, back);
    return back;
  };
  front.on('message', (b, peer) => carry(() => backOf(peer).send(b, toPort, '127.0.0.1', () => {}), 1, b.length));
  await new Promise((resolve) => front.bind(0, '127.0.0.1', resolve));
  line.port = front.address().port;
  line.rebind = () => {
    for (const back of backs.values()) back.close();
    backs.clear();
  };
  t.after(() => {
    line.port = 0; // what is still on its way is lost
    [front, ...backs.values()].forEach((s) => s.close());
  });
  return line;
}
