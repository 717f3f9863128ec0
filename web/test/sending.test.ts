// SPDX-License-Identifier: MIT
// What is to be sent, what is being sent, where the pieces stand.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createTabs, type Channel } from '../src/rtc/tabs';
import { fit, insetBox } from '../src/rtc/layout';
import { BITRATES, DEFAULT_QUALITY, HEIGHTS, PRESETS, RATES, encodingsFor, preferCodecs, readQuality, uploadNeeded, widthOf, withStereo } from '../src/rtc/plan';
import { meterLevel } from '../src/rtc/sound';
import { networkWords, readStats, type Sending } from '../src/rtc/stats';
import { NOT_SENDING, situationOf, type Broadcast } from '../src/store/broadcast';
import type { SendPhase } from '../src/rtc/whip';
import { aStream } from './fixtures';

test('layers, from small to large', () => {
  const three = encodingsFor(DEFAULT_QUALITY);
  assert.deepEqual(three.map((e) => [e.rid, e.scaleResolutionDownBy]), [['l', 4], ['m', 2], ['h', 1]]);
  const rates = three.map((e) => e.maxBitrate ?? 0);
  assert.deepEqual(rates, [250_000, 750_000, 2_500_000]);
  assert.equal(encodingsFor({ ...DEFAULT_QUALITY, height: 360 }).length, 1);
  assert.deepEqual(encodingsFor({ ...DEFAULT_QUALITY, simulcast: false, bitrate: 800_000 }), [{ maxBitrate: 800_000, maxFramerate: 30 }]);
  for (const height of HEIGHTS)
    for (const fps of RATES)
      for (const bitrate of [null, ...BITRATES]) {
        const q = { ...DEFAULT_QUALITY, height, fps, bitrate };
        const all = encodingsFor(q).map((e) => e.maxBitrate ?? 0);
        assert.deepEqual(all, [...all].sort((a, b) => a - b), JSON.stringify(q));
        assert.ok(uploadNeeded(q) > (all.at(-1) ?? 0));
      }
  assert.deepEqual(HEIGHTS.map(widthOf), [640, 960, 1280, 1920]);
  for (const p of PRESETS) assert.ok(p.words.includes(`${p.height}p`));
});

test('H.264 first, plain before others, helpers last', () => {
  const codec = (mimeType: string, sdpFmtpLine = '') => ({ mimeType, sdpFmtpLine });
  const sorted = preferCodecs([
    codec('video/VP8'),
    codec('video/rtx'),
    codec('video/H264', 'packetization-mode=0;profile-level-id=42e01f'),
    codec('video/H264', 'packetization-mode=1;profile-level-id=4d001f'),
    codec('video/AV1'),
    codec('video/H264', 'packetization-mode=1;profile-level-id=42e01f'),
    codec('video/red'),
  ]);
  assert.deepEqual(
    sorted.map((c) => `${c.mimeType.slice(6)}${c.sdpFmtpLine.includes('mode=1') ? '+' : ''}${c.sdpFmtpLine.slice(-6, -2)}`),
    ['H264+42e0', 'H264+4d00', 'H26442e0', 'VP8', 'AV1', 'rtx', 'red'],
  );
});

test('stereo is asked for in the answer', () => {
  const answer = 'm=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n';
  assert.match(withStereo(answer), /a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n/);
  assert.equal(withStereo(withStereo(answer)), withStereo(answer));
  assert.match(withStereo('a=rtpmap:63 opus/48000/2\r\n'), /^a=rtpmap:63 opus\/48000\/2\r\na=fmtp:63 stereo=1\r\n$/);
  assert.equal(withStereo('m=video'), 'm=video');
});

test('a kept quality is read as far as it makes sense', () => {
  assert.deepEqual(readQuality(null), DEFAULT_QUALITY);
  assert.deepEqual(readQuality('{"height":9999,"fps":"x","bitrate":1,"simulcast":0}'), DEFAULT_QUALITY);
  assert.deepEqual(readQuality('[]'), DEFAULT_QUALITY);
  assert.equal(readQuality('{"height":1080}').height, 1080);
});

const report = (at: number) => [
  { type: 'outbound-rtp', id: 'v1', kind: 'video', rid: 'h', codecId: 'c1', frameWidth: 1280, frameHeight: 720, framesPerSecond: 29.6, bytesSent: at * 200_000, qualityLimitationReason: 'none' },
  { type: 'outbound-rtp', id: 'v2', kind: 'video', rid: 'l', codecId: 'c1', frameWidth: 320, frameHeight: 180, framesPerSecond: 30, bytesSent: at * 20_000, qualityLimitationReason: 'bandwidth' },
  { type: 'outbound-rtp', id: 'v3', kind: 'video', rid: 'm', codecId: 'c1', active: false, frameWidth: 640, frameHeight: 360 },
  { type: 'outbound-rtp', id: 'a1', kind: 'audio', codecId: 'c2', bytesSent: at * 8000 },
  { type: 'codec', id: 'c1', mimeType: 'video/H264' },
  { type: 'codec', id: 'c2', mimeType: 'audio/opus' },
  { type: 'transport', id: 't', selectedCandidatePairId: 'p' },
  { type: 'candidate-pair', id: 'p', currentRoundTripTime: 0.042, localCandidateId: 'lc' },
  { type: 'local-candidate', id: 'lc', candidateType: 'host', protocol: 'udp' },
  { type: 'remote-inbound-rtp', id: 'r', kind: 'video', fractionLost: 0.02 },
];

test('what is being sent, from two looks', () => {
  const first = readStats(report(1), 1000, null);
  assert.equal(first.sending.bitrate, 0, 'one look tells no rate');
  const { sending } = readStats(report(3), 3000, first.sample);
  assert.equal(sending.codec, 'H.264');
  assert.equal(sending.audioCodec, 'Opus');
  assert.deepEqual(sending.layers.map((l) => [l.rid, l.height, l.fps, l.bitrate]), [['h', 720, 30, 1_600_000], ['l', 180, 30, 160_000]]);
  assert.equal(sending.audioBitrate, 64_000);
  assert.equal(sending.bitrate, 1_824_000);
  assert.deepEqual([sending.limited, sending.rttMs, sending.loss, sending.relayed, sending.tcp], ['bandwidth', 42, 0.02, false, false]);
  assert.deepEqual(readStats([], 0, null).sending.layers, []);
});

test('the network in words', () => {
  const good: Sending = {
    codec: 'H.264',
    layers: [{ rid: 'h', width: 1280, height: 720, fps: 30, bitrate: 2_000_000 }],
    audioCodec: 'Opus',
    audioBitrate: 64_000,
    bitrate: 2_064_000,
    limited: 'none',
    rttMs: 30,
    loss: 0,
    relayed: false,
    tcp: false,
  };
  const small = [{ rid: 'm', width: 640, height: 360, fps: 30, bitrate: 500_000 }];
  const wanted = { height: 720, fps: 30, uploadNeeded: 4_500_000, composed: false };
  const say = (part: Partial<Sending>, ms = 60_000) => networkWords({ ...good, ...part }, wanted, ms);
  const cases: [Partial<Sending>, number, string, RegExp][] = [
    [{}, 60_000, 'ok', /carries everything/],
    [{ layers: small }, 5000, 'info', /begins with 360p/],
    [{ layers: small, limited: 'bandwidth' }, 60_000, 'warning', /too slow for 720p.*360p is being sent/],
    [{ layers: small, limited: 'cpu' }, 60_000, 'warning', /too busy/],
    [{ loss: 0.2 }, 60_000, 'error', /20 % .* lost/],
    [{ loss: 0.05 }, 60_000, 'warning', /5 %/],
    [{ rttMs: 600 }, 60_000, 'warning', /600 ms/],
    [{ layers: [], bitrate: 0 }, 60_000, 'error', /No picture/],
    [{ layers: [], bitrate: 0 }, 1000, 'ok', /./],
    [{ layers: [{ ...good.layers[0]!, fps: 15 }] }, 60_000, 'info', /15 frames/],
    [{ tcp: true }, 60_000, 'info', /TCP/],
    [{ relayed: true }, 60_000, 'info', /relay/],
  ];
  for (const [part, ms, level, text] of cases) {
    const words = say(part, ms);
    assert.equal(words.level, level, words.text);
    assert.match(words.text, text);
  }
  const screen = networkWords({ ...good, layers: [{ ...good.layers[0]!, fps: 12 }] }, { ...wanted, composed: true }, 60_000);
  assert.match(screen.text, /busy putting the picture together/);
});

test('where the pieces stand', () => {
  const whole = { x: 0, y: 0, width: 1280, height: 720 };
  assert.deepEqual(fit({ width: 1000, height: 1000 }, whole), { x: 280, y: 0, width: 720, height: 720 });
  assert.deepEqual(fit({ width: 2560, height: 1440 }, whole), whole);
  assert.deepEqual(fit({ width: 0, height: 0 }, whole), whole);
  assert.deepEqual(insetBox({ width: 1920, height: 1080 }, whole, 'bottom-right'), { x: 928, y: 508, width: 320, height: 180 });
  assert.deepEqual(insetBox({ width: 1920, height: 1080 }, whole, 'top-left'), { x: 32, y: 32, width: 320, height: 180 });
  const tall = insetBox({ width: 720, height: 1280 }, whole, 'bottom-left');
  assert.deepEqual([tall.height, tall.x, tall.y + tall.height], [360, 32, 688], 'a telephone held upright');
});

test('loudness as a meter shows it', () => {
  assert.deepEqual([meterLevel(1), meterLevel(0), meterLevel(0.001)].map((v) => Math.round(v * 100)), [100, 0, 0]);
  assert.ok(meterLevel(0.1) > 0.6 && meterLevel(0.1) < 0.7);
});

test('what the stream and the sender mean together', () => {
  const b = (phase: SendPhase, part: Partial<Broadcast> = {}): Broadcast => ({ send: { ...NOT_SENDING, phase }, otherTab: false, yielded: false, sinceMs: null, ...part });
  const conflict = { send: { ...NOT_SENDING, phase: 'refused' as const, problem: { ok: false as const, status: 409, code: 'conflict', message: '', retryAfter: 2 } } };
  const cases: [Parameters<typeof aStream>[0], Broadcast, boolean, string][] = [
    [{ status: 'CREATED' }, b('idle'), false, 'prepare'],
    [{ status: 'CREATED' }, b('idle'), true, 'ready'],
    [{ status: 'CREATED' }, b('connecting'), true, 'starting'],
    [{ status: 'CREATED' }, b('live'), true, 'starting'],
    [{ status: 'LIVE' }, b('live'), true, 'live'],
    [{ status: 'LIVE', connected: false }, b('recovering'), true, 'recovering'],
    [{ status: 'LIVE', connected: false }, b('idle'), true, 'resumable'],
    [{ status: 'LIVE', connected: true }, b('idle'), true, 'elsewhere'],
    [{ status: 'LIVE', connected: true }, b('refused', conflict), true, 'elsewhere'],
    [{ status: 'LIVE' }, b('refused'), true, 'refused'],
    [{ status: 'LIVE', connected: true }, b('idle', { yielded: true }), true, 'yielded'],
    [{ status: 'ENDED', endedReason: 'owner' }, b('live'), true, 'over'],
    [{ status: 'ENDED', endedReason: 'limit' }, b('idle'), true, 'over'],
    [{ status: 'ENDED', endedReason: 'encoder' }, b('recovering'), true, 'recovering'],
    [{ status: 'ENDED', endedReason: 'restart' }, b('idle'), true, 'ready'],
  ];
  for (const [stream, broadcast, canSend, situation] of cases)
    assert.equal(situationOf(aStream(stream), broadcast, canSend), situation, JSON.stringify([stream, broadcast.send.phase]));
});

test('one tab hands over to another', async () => {
  const ends: Channel[] = [];
  const open = () => {
    const end: Channel = {
      onmessage: null,
      postMessage: (data: unknown) => ends.filter((e) => e !== end).forEach((e) => e.onmessage?.({ data } as MessageEvent)),
      close: () => {},
    };
    ends.push(end);
    return end;
  };
  let sending = true;
  let other = 0;
  createTabs('s', { sending: () => sending, onOther: () => {}, letGo: async () => void (sending = false) }, open);
  const here = createTabs('s', { sending: () => false, onOther: () => other++, letGo: async () => {} }, open);
  here.ask();
  assert.equal(other, 1);
  await here.takeOver();
  assert.equal(sending, false);
  here.ask();
  assert.equal(other, 1, 'nobody sends now');
});
