// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { chooseLayer, layerUrl, readLayers } from '../src/rtc/layers';
import { summary } from '../src/rtc/viewer-stats';
import type { Refusal } from '../src/rtc/signalling';
import { createWhep, inStereo } from '../src/rtc/whep';
import { afterRefusal, createPulse } from '../src/rtc/whep-rules';
import { settle } from './fixtures';
import { FakeWorld } from './fake-webrtc';

const no = (status: number, code = '', retryAfter: number | null = null): Refusal => ({ ok: false, status, code, message: '', retryAfter });
const surely = () => 0;

test('what follows a refusal', () => {
  assert.deepEqual(afterRefusal(no(409, 'not_live', 3), 0, surely), { waitMs: 3000, notLive: true });
  assert.deepEqual(afterRefusal(no(409, 'not_live'), 50, surely), { waitMs: 2000, notLive: true });
  assert.deepEqual(afterRefusal(no(409, 'no_webrtc'), 0, surely), { giveUp: 'no-webrtc' });
  assert.deepEqual(afterRefusal(no(404), 0, surely), { giveUp: 'missing' });
  assert.deepEqual(afterRefusal(no(422), 0, surely), { giveUp: 'refused' });
  assert.deepEqual(afterRefusal(no(406), 0, surely), { giveUp: 'refused' });
  assert.deepEqual(afterRefusal(no(503, 'busy', 1), 0, surely), { waitMs: 1000, notLive: false });
  assert.deepEqual(afterRefusal(no(503, 'busy', 1), 2, surely), { giveUp: 'refused' });
  // A server that cannot be reached cannot be reached by HLS either.
  assert.deepEqual([0, 1, 2, 9].map((n) => afterRefusal(no(0), n, surely)), [1000, 2000, 4000, 15000].map((waitMs) => ({ waitMs, notLive: false })));
  assert.ok('waitMs' in afterRefusal(no(409, 'not_live', 4), 0, () => 1));
});

test('silence: a new way first, then a new session', () => {
  const pulse = createPulse(0);
  const at = (now: number, packets: number, connected = true) =>
    pulse.sample({ now, connected, packets, videoPackets: packets, framesDecoded: packets, hidden: false });
  assert.equal(at(500, 10), 'fine');
  assert.equal(pulse.began, true);
  assert.equal(at(2000, 10), 'fine');
  assert.equal(at(3100, 10), 'fine', 'the way is there: the streamer may be away');
  assert.equal(at(3200, 10, false), 'restart');
  assert.equal(at(3700, 10, false), 'fine', 'once');
  assert.equal(at(4000, 20), 'fine');
  assert.equal(at(8900, 20), 'fine');
  assert.equal(at(9000, 20), 'renew');
});

test('packets without a picture are told from a camera that is off and a tab that is hidden', () => {
  const pulse = createPulse(0);
  let last = 'fine';
  for (let now = 500; now <= 12_500 && last === 'fine'; now += 500)
    last = pulse.sample({ now, connected: true, packets: now, videoPackets: now, framesDecoded: 0, hidden: false });
  assert.equal(last, 'undecodable');
  const off = createPulse(0);
  const hidden = createPulse(0);
  for (let now = 500; now <= 30_000; now += 500) {
    assert.equal(off.sample({ now, connected: true, packets: now, videoPackets: 0, framesDecoded: 0, hidden: false }), 'fine');
    assert.equal(hidden.sample({ now, connected: true, packets: now, videoPackets: now, framesDecoded: 0, hidden: true }), 'fine');
  }
});

function watching(world: FakeWorld) {
  const seen: string[] = [];
  const whep = createWhep('/whep/p1', {
    onState: (s) => seen.push(s),
    onTrouble: (t) => seen.push(`trouble: ${t}`),
    onSession: () => {},
    onTracks: () => {},
  }, world);
  return { whep, seen };
}

test('it waits for a stream that is not live, plays, and ends its session', async () => {
  const world = new FakeWorld();
  world.answers.push(no(409, 'not_live', 2));
  const { whep, seen } = watching(world);
  await settle();
  assert.deepEqual(seen, ['connecting', 'waiting']);
  await world.pass(3000);
  assert.equal(world.peers.length, 2);
  world.flow();
  await world.pass(1000);
  assert.deepEqual(seen, ['connecting', 'waiting', 'playing']);
  whep.close();
  assert.deepEqual(world.ended, ['/rtc/1']);
  assert.ok(world.peers.every((p) => p.closed));
  await world.pass(60_000);
  assert.equal(world.peers.length, 2, 'and does nothing more');
});

test('no way through within seconds: blocked', async () => {
  const world = new FakeWorld();
  const { seen } = watching(world);
  await world.pass(5000);
  assert.deepEqual(seen, ['connecting']);
  await world.pass(2000);
  assert.deepEqual(seen, ['connecting', 'closed', 'trouble: blocked']);
  assert.deepEqual(world.ended, ['/rtc/1']);
});

test('a way that is lost is restarted; a silence that goes on gets a new session; one without a way is the end', async () => {
  const world = new FakeWorld();
  const { seen } = watching(world);
  await settle();
  world.flow();
  await world.pass(2000);
  world.stop('disconnected');
  await world.pass(3500);
  assert.equal(world.restarts, 1);
  assert.deepEqual(seen, ['connecting', 'playing', 'reconnecting']);
  world.flow();
  await world.pass(1000);
  assert.equal(world.peers.length, 1, 'the same session goes on');
  assert.equal(seen.at(-1), 'playing');
  world.stop('disconnected');
  await world.pass(6500);
  assert.equal(world.peers.length, 2);
  assert.equal(world.peers[0]?.closed, false, 'its last picture stays');
  await world.pass(6500);
  assert.equal(seen.at(-1), 'trouble: stalled');
  assert.equal(world.peers.length, 2);
  assert.ok(world.peers.every((p) => p.closed));
});

test('two sessions in a row that bring nothing are the end', async () => {
  const world = new FakeWorld();
  const { seen } = watching(world);
  await settle();
  world.flow();
  await world.pass(2000);
  for (let i = 0; i < 40; i++) {
    world.stop('connected');
    await world.pass(500);
  }
  assert.equal(seen.at(-1), 'trouble: stalled');
  assert.equal(world.peers.length, 3);
});

test('a streamer who goes away and comes back', async () => {
  const world = new FakeWorld();
  const { seen } = watching(world);
  await settle();
  world.flow();
  await world.pass(1000);
  world.stop('connected');
  world.answers.push(no(409, 'not_live', 2), no(409, 'not_live', 2), no(409, 'not_live', 2));
  await world.pass(12_000);
  assert.deepEqual(seen, ['connecting', 'playing', 'reconnecting', 'waiting', 'reconnecting', 'waiting', 'reconnecting', 'waiting', 'reconnecting'].slice(0, seen.length));
  world.flow();
  await world.pass(1500);
  assert.equal(seen.at(-1), 'playing');
  assert.equal(world.tracks, 2, "the new session's, and no others");
});

test('a lost network is waited for, however long; a nudge asks at once', async () => {
  const world = new FakeWorld();
  for (let i = 0; i < 30; i++) world.answers.push(no(0));
  const { whep, seen } = watching(world);
  await world.pass(120_000);
  assert.deepEqual(seen, ['connecting']);
  const before = world.peers.length;
  whep.nudge();
  await settle();
  assert.equal(world.peers.length, before + 1);
});

test('ICE servers of the answer are there before anything is gathered', async () => {
  const world = new FakeWorld();
  world.iceServers = [{ urls: 'turn:t.example', username: 'u', credential: 'c' }];
  watching(world);
  await settle();
  assert.deepEqual(world.peers[0]?.log, ['createOffer', 'setConfiguration', 'setLocalDescription', 'setRemoteDescription']);
});

test('two channels are asked for, once, and of Opus alone', () => {
  const sdp = 'a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:96 VP8/90000\r\na=fmtp:97 apt=96\r\n';
  const stereo = inStereo(sdp);
  assert.ok(stereo.includes('a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n'));
  assert.ok(stereo.includes('a=fmtp:97 apt=96\r\n'));
  assert.equal(inStereo(stereo), stereo);
  assert.equal(inStereo('v=0\r\n'), 'v=0\r\n');
});

test('layers', async () => {
  const layers = [{ encodingId: 'l', width: 320, height: 180, bitrate: 1e5 }, { encodingId: 'h', width: 1280, height: 720 }, { width: 3 }];
  const read = readLayers({ current: 'h', automatic: false, layers });
  assert.deepEqual(read?.all.map((l) => l.id), ['h', 'l']);
  assert.deepEqual([read?.current, read?.automatic], ['h', false]);
  for (const bad of [null, 3, {}, { layers: 'x' }]) assert.equal(readLayers(bad), null);
  const link = { target: 'http://s/rtc/1/layer', rel: 'urn:ietf:params:whep:ext:core:layer', params: {} };
  assert.equal(layerUrl([{ target: 'turn:x', rel: 'ice-server', params: {} }, link]), link.target);
  const sent: unknown[] = [];
  const fetcher = async (_: string, init: RequestInit) => (sent.push(JSON.parse(String(init.body))), new Response('{}'));
  assert.ok(await chooseLayer('/x', '0', 'h', fetcher));
  assert.ok(await chooseLayer('/x', '0', null, fetcher));
  assert.deepEqual(sent, [{ mediaId: '0', encodingId: 'h' }, {}]);
});

test('how far behind, from what the browser counts', () => {
  const at = (s: number) => [
    { type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.04 },
    { id: 'c', type: 'codec', mimeType: 'video/H264' },
    {
      type: 'inbound-rtp', kind: 'video', codecId: 'c', timestamp: s * 1000, bytesReceived: 250_000 * s, packetsReceived: 200 * s, packetsLost: 2 * s,
      jitterBufferDelay: 3 * s, jitterBufferEmittedCount: 30 * s, totalDecodeTime: 0.3 * s, framesDecoded: 30 * s, frameWidth: 1280, frameHeight: 720, framesPerSecond: 30,
    },
  ];
  const first = summary(at(1), null);
  const n = summary(at(2), first);
  assert.ok(n?.delay && Math.abs(n.delay - 0.13) < 1e-6, `${n?.delay}`);
  assert.equal(n.bitrate, 2_000_000);
  assert.equal(n.codec, 'H264');
  assert.ok(n.loss && Math.abs(n.loss - 2 / 202) < 1e-6);
  assert.equal(summary([], null), null);
});
