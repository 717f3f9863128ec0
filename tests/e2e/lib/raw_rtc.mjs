// SPDX-License-Identifier: MIT
// The lower half of a WebRTC client by hand: offers, STUN checks and DTLS's first flight, for what no real
// client would send.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import { request } from './http.mjs';
import { sleep } from './server.mjs';

export const SDP = { 'Content-Type': 'application/sdp' };
export const UFRAG = 'peer';

// An offer to publish VP8 with Opus, or with `receive` to watch what there is.
export function offer({ receive = false, setup = 'actpass', fingerprint = '9C:23:99:C8:88:52:23:7A:26:12:0E:75:C8:46:18:F2:6F:3D:2E:A1:A5:07:AD:30:92:4E:7D:36:BB:5F:1D:60', extra = '' } = {}) {
  const media = (kind, mid, lines) => [`m=${kind} 9 UDP/TLS/RTP/SAVPF ${lines[0].split(/[: ]/)[1]}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, 'a=rtcp-mux', receive ? 'a=recvonly' : 'a=sendonly', ...lines];
  return ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1', `a=ice-ufrag:${UFRAG}`, 'a=ice-pwd:passwordpasswordpassword',
    ...(fingerprint ? [`a=fingerprint:sha-256 ${fingerprint}`] : []), ...(setup ? [`a=setup:${setup}`] : []),
    ...media('video', 0, receive ? ['a=rtpmap:102 H264/90000', 'a=fmtp:102 packetization-mode=1;profile-level-id=42e01f'] : ['a=rtpmap:96 VP8/90000']),
    ...media('audio', 1, ['a=rtpmap:111 opus/48000/2']), extra].filter(Boolean).join('\r\n') + '\r\n';
}

// POSTs an offer: { status, session, etag, ufrag, pwd, text, headers }.
export async function post(url, body = offer(), headers = {}) {
  const { status, headers: got, text } = await request(url, { method: 'POST', headers: { ...SDP, ...headers, 'Content-Length': Buffer.byteLength(body) }, body });
  const find = (name) => new RegExp(`^a=${name}:(\\S+)`, 'm').exec(text)?.[1];
  return { status, headers: got, text, session: got.location && new URL(got.location, url).href, etag: got.etag, ufrag: find('ice-ufrag'), pwd: find('ice-pwd') };
}

const attribute = (type, value) => {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc(-value.length & 3)]);
};

// A check for the session of that answer.
export function check({ ufrag, pwd }, { nominate = true, theirs = UFRAG } = {}) {
  const tid = randomBytes(12);
  const attributes = [attribute(6, Buffer.from(`${ufrag}:${theirs}`)), attribute(0x802a, randomBytes(8)), attribute(0x24, Buffer.from([110, 0, 1, 255]))];
  if (nominate) attributes.push(attribute(0x25, Buffer.alloc(0)));
  const body = Buffer.concat(attributes);
  const head = Buffer.alloc(8);
  head.writeUInt16BE(1);
  head.writeUInt16BE(body.length + 24, 2);
  head.writeUInt32BE(0x2112a442, 4);
  const signed = Buffer.concat([head, tid, body]);
  return Buffer.concat([signed, attribute(8, createHmac('sha1', pwd).update(signed).digest())]);
}

export const isSuccess = (b) => b.length > 20 && b.readUInt16BE(0) === 0x0101;
export const isDtls = (b) => b[0] >= 20 && b[0] <= 63;

// A ClientHello that offers SRTP; `only`: cut into a first fragment of so many bytes.
export function clientHello(only) {
  const list = (b, bytes) => {
    const n = Buffer.alloc(bytes);
    n.writeUIntBE(b.length, 0, bytes);
    return Buffer.concat([n, b]);
  };
  const u16 = (...v) => Buffer.from(v.flatMap((x) => [x >> 8, x & 255]));
  const extension = (type, b) => Buffer.concat([u16(type), list(b, 2)]);
  const extensions = Buffer.concat([extension(10, list(u16(23, 24), 2)), extension(11, list(Buffer.from([0]), 1)), extension(13, list(u16(0x0403, 0x0401), 2)),
    extension(14, Buffer.concat([list(u16(7, 1), 2), Buffer.from([0])])), extension(23, Buffer.alloc(0)), u16(0xff01, 1), Buffer.from([0])]);
  const body = Buffer.concat([u16(0xfefd), randomBytes(32), Buffer.from([0, 0]), list(u16(0xc02b, 0xc02f), 2), list(Buffer.from([0]), 1), list(extensions, 2)]);
  const part = body.subarray(0, only ?? body.length);
  const u24 = (v) => Buffer.from([v >> 16, (v >> 8) & 255, v & 255]);
  const handshake = Buffer.concat([Buffer.from([1]), u24(body.length), u16(0), u24(0), u24(part.length), part]);
  return Buffer.concat([Buffer.from([22]), u16(0xfefd), Buffer.alloc(8), list(handshake, 2)]);
}

// A UDP socket that talks to the server and hears nobody else: { send, got (what came), next(is) }.
export async function udp(t, port, address = '127.0.0.1') {
  const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4');
  await new Promise((resolve) => socket.connect(Number(port), address, resolve));
  t.after(() => socket.close());
  const it = { got: [], send: (b) => new Promise((resolve) => socket.send(b, resolve)) };
  socket.on('message', (b) => it.got.push(b));
  it.next = async (is, ms = 10_000) => {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(5)) {
      const at = it.got.findIndex(is);
      if (at >= 0) return it.got.splice(at, 1)[0];
    }
    assert.fail(`nothing of that kind came: ${it.got.map((b) => b.subarray(0, 8).toString('hex'))}`);
  };
  return it;
}

export const frame = (b) => Buffer.concat([Buffer.from([b.length >> 8, b.length & 255]), b]);

// A TCP connection to the server: { write, got (frames), closed }.
export async function tcp(t, port, address = '127.0.0.1') {
  const socket = net.connect(Number(port), address);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  t.after(() => socket.destroy());
  const it = { got: [], closed: false, write: (b) => socket.write(b), socket };
  let rest = Buffer.alloc(0);
  socket.on('data', (b) => {
    rest = Buffer.concat([rest, b]);
    for (let n; rest.length >= 2 && rest.length >= 2 + (n = rest.readUInt16BE(0)); rest = rest.subarray(2 + n)) it.got.push(rest.subarray(2, 2 + n));
  });
  socket.on('error', () => {});
  socket.on('close', () => (it.closed = true));
  return it;
}
