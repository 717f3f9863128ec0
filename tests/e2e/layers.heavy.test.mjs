// SPDX-License-Identifier: MIT
// Simulcast layers at a viewer: by request, and by what its line carries.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { request } from './lib/http.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { sleep, startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES, badLine, rtcPage, untilDecoding } from './lib/webrtc.mjs';

const REL = 'urn:ietf:params:whep:ext:core:layer';

async function begin(t, options) {
  const server = await startServer(t, { args: ['--log-level', 'debug'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
  const from = await rtcPage(context, server);
  const to = await rtcPage(context, server);
  const made = await from.evaluate(([url, o]) => window.publish(url, '', o), [
    `${server.http}/whip/${stream.ingest.streamKey}`, { layers: 3, width: 960, height: 540, ...options }]);
  assert.equal(made.status, 201, made.text);
  await until('the publisher is connected', async () => (await from.evaluate('stats(publisher)')).state === 'connected', 30_000);
  return { server, from, to, whep: `${server.http}/whep/${stream.playback.playbackId}` };
}

async function layerOf(session, wish) {
  const body = wish && JSON.stringify(wish);
  const r = await request(`${session}/layer`, body ? { method: 'POST', headers: { 'Content-Type': 'application/json', 'Content-Length': body.length }, body } : {});
  return { status: r.status, ...JSON.parse(r.body.toString()) };
}

const untilThree = (session) =>
  until('there are three layers with a size', async () => {
    const l = await layerOf(session);
    return l.layers?.length === 3 && l.layers.every((x) => x.width && x.bitrate) && l;
  }, 60_000);

// What is decoded has that width, and more frames of it come.
async function untilWidth(page, width, ms = 60_000) {
  await until(`pictures are ${width} wide`, async () => (await page.evaluate('stats(viewer)')).inbound.frameWidth === width, ms);
  return untilDecoding(page, 15, ms);
}

for (const codec of ['video/H264', 'video/VP8'])
  test(`a layer by request, ${codec}`, async (t) => {
    const { to, whep } = await begin(t, { codec });
    const watching = await to.evaluate((url) => window.watch(url), whep);
    assert.equal(watching.status, 201);
    await untilDecoding(to, 5);
    const { layers, automatic } = await untilThree(watching.session);
    assert.equal(automatic, true);
    assert.deepEqual(layers.map((l) => l.encodingId), ['h', 'm', 'l'], JSON.stringify(layers));
    for (const wish of ['l', 'h', 'm']) {
      assert.equal((await layerOf(watching.session, { mediaId: '0', encodingId: wish })).automatic, false);
      await until(`${wish} is sent`, async () => (await layerOf(watching.session)).current === wish, 30_000);
      const { width } = (await layerOf(watching.session)).layers.find((l) => l.encodingId === wish);
      await untilWidth(to, width);
    }
    const seen = await to.evaluate('stats(viewer)');
    t.diagnostic(JSON.stringify({ layers, freezes: seen.inbound.freezeCount, nacks: seen.inbound.nackCount, plis: seen.inbound.pliCount }));
    assert.equal((await layerOf(watching.session, {})).automatic, true);
    assert.equal((await layerOf(watching.session, { encodingId: 'x' })).status, 400);
    const none = await request(`${watching.session}/layer`, { method: 'POST', headers: { 'Content-Length': 2 }, body: '[]' });
    assert.equal(none.status, 400);
    assert.equal((await layerOf(watching.session.slice(0, -4) + 'zzzz')).status, 404);
  });

test('a line that narrows gets a lower layer, and a higher one when it widens', async (t) => {
  const { server, to, whep } = await begin(t);
  const line = await badLine(t, server.webrtcPort, { delayMs: 10 });
  const watching = await to.evaluate(([url, via]) => window.watch(url, via), [whep, line.port]);
  assert.equal(watching.status, 201);
  await untilThree(watching.session);
  await until('the best is sent', async () => (await layerOf(watching.session)).current === 'h', 60_000);
  await untilDecoding(to, 30);
  const { layers } = await layerOf(watching.session);
  line.bps = layers[1].bitrate * 1.2 + 80_000;
  const from = Date.now();
  await until('a lower one is sent', async () => /^[ml]$/.test((await layerOf(watching.session)).current), 60_000);
  const down = Date.now() - from;
  await untilDecoding(to, 30);
  line.bps = 0;
  const lifted = Date.now();
  await until('the best is sent again', async () => (await layerOf(watching.session)).current === 'h', 60_000);
  const up = Date.now() - lifted;
  await untilDecoding(to, 30);
  t.diagnostic(JSON.stringify({ layers, down, up, lost: line.lost, log: server.log.split('\n').filter((l) => /whep-layer/.test(l)) }));
});

// The source makes a key frame every ten seconds and none when asked. Who comes in the middle sees, before
// the next one, what the others see: the timestamps of what is shown are the source's.
test('a viewer of an encoder joins in the middle of a long group of pictures', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const media = { seconds: 20, gop: 10, bitrate: '1500k', profile: 'baseline' };
  await publishFfmpeg(t, `${server.rtmp}/live/${stream.ingest.streamKey}`, { media });
  await ada.untilLive(stream.id);
  const { context } = await launchBrowser(t);
  const page = await rtcPage(context, server);
  const url = `${server.http}/whep/${stream.playback.playbackId}`;
  await until('WebRTC has the stream', async () => (await page.evaluate((u) => window.watch(u), url)).status === 201);
  await untilDecoding(page, 30);
  await page.evaluate(() => {
    window.tap = (video) => {
      const at = {};
      const on = (now, m) => {
        Object.assign(at, { rtp: m.rtpTimestamp, ms: performance.now() });
        video.requestVideoFrameCallback(on);
      };
      video.requestVideoFrameCallback(on);
      return at;
    };
    window.first = { peer: viewer, shown: tap(document.querySelector('video:last-of-type')) };
  });
  const keys = async () => (await page.evaluate('stats(first.peer)')).inbound.keyFramesDecoded;
  const before = await keys();
  await until('a key frame', async () => (await keys()) > before, 30_000);
  await sleep(4000); // into the group
  const at = await keys();
  assert.equal((await page.evaluate((u) => window.watch(u), url)).status, 201);
  // What was before the join comes with timestamps of about then: what counts is a picture of after it.
  await page.evaluate(() => {
    window.late = tap(document.querySelector('video:last-of-type'));
    window.after = first.shown.rtp + 45_000;
  });
  const lag = await until('the late one sees what the first one sees', () => page.evaluate(() => {
    if (!late.rtp || ((late.rtp - after) | 0) < 0) return undefined;
    const ms = ((first.shown.rtp - late.rtp) | 0) / 90 - (first.shown.ms - late.ms);
    return ms < 500 ? { ms } : undefined;
  }), 30_000);
  assert.equal(await keys(), at, 'no key frame came meanwhile');
  const seen = await untilDecoding(page, 30);
  t.diagnostic(JSON.stringify({ lag: lag.ms, decoded: seen.inbound.framesDecoded, dropped: seen.inbound.framesDropped, plis: seen.inbound.pliCount }));
});

test('the answer says where layers are chosen', async (t) => {
  const { to, whep } = await begin(t, { layers: 1 });
  const link = await to.evaluate(async (url) => {
    const peer = new RTCPeerConnection();
    peer.addTransceiver('video', { direction: 'recvonly' });
    await peer.setLocalDescription(await peer.createOffer());
    const r = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: peer.localDescription.sdp });
    return { link: r.headers.get('Link'), location: r.headers.get('Location'), text: await r.text() };
  }, whep);
  assert.ok(link.link.includes(`<${link.location}/layer>; rel="${REL}"`), JSON.stringify(link));
  assert.match(link.text, /transport-cc/);
  assert.match(link.text, /playout-delay/);
});
