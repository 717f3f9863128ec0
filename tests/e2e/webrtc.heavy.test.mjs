// SPDX-License-Identifier: MIT
// WHIP in, WHEP and HLS out, with Chromium and with aiortc at either end.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { request } from './lib/http.mjs';
import { ffprobe, sample } from './lib/media.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES, aiortc, badLine, rtcPage, untilDecoding } from './lib/webrtc.mjs';

const whip = (server, stream) => `${server.http}/whip/${stream.ingest.streamKey}`;
const whep = (server, stream) => `${server.http}/whep/${stream.playback.playbackId}`;

async function begin(t) {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  return { server, ada, stream };
}

test('Chromium publishes H.264; Chromium and aiortc watch; it is recorded', async (t) => {
  const { server, ada, stream } = await begin(t);
  const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
  const from = await rtcPage(context, server);
  const to = await rtcPage(context, server);
  const early = await to.evaluate((url) => window.watch(url), whep(server, stream));
  assert.equal(early.status, 409);
  assert.ok(Number(early.retryAfter) > 0);
  const made = await from.evaluate(([url, key]) => window.publish(url, key), [`${server.http}/whip`, stream.ingest.streamKey]);
  assert.equal(made.status, 201, made.text);
  assert.match(made.etag, /^"\w+"$/);
  await until('the publisher is connected', async () => (await from.evaluate('stats(publisher)')).state === 'connected');
  assert.equal((await to.evaluate((url) => window.watch(url), whep(server, stream))).status, 201);
  const seen = await untilDecoding(to, 60);
  assert.ok(seen.inbound.frameWidth >= 320, JSON.stringify(seen.inbound));
  const other = await aiortc(t, 'aiortc_whep.py', whep(server, stream), 50).ended();
  assert.ok(other.video >= 50 && other.audio >= 50 && other.deleted === 200, JSON.stringify(other));
  await ada.untilLive(stream.id);
  const gone = await from.evaluate(async () => (await fetch(publisher.session, { method: 'DELETE' })).status);
  assert.equal(gone, 200);
  await ada.end(stream.id);
  const ended = await ada.untilReady(stream.id);
  const probe = await ffprobe(new URL(ended.recordingUrl, server.http).href);
  assert.deepEqual(probe.streams.map((s) => s.codec_name).sort(), ['aac', 'h264']);
});

test('aiortc publishes and the page of another loop watches', async (t) => {
  const { server, ada, stream } = await begin(t);
  const file = await sample({ seconds: 6, gop: 2, bframes: 0 });
  const publisher = aiortc(t, 'aiortc_whip.py', whip(server, stream), file);
  await publisher.connected();
  await ada.untilLive(stream.id);
  const viewers = [1, 2, 3].map(() => aiortc(t, 'aiortc_whep.py', whep(server, stream), 50));
  for (const v of viewers) {
    const seen = await v.ended();
    assert.ok(seen.video >= 50 && seen.audio >= 50 && seen.peak > 100, JSON.stringify(seen));
  }
  publisher.stop();
  assert.equal((await publisher.ended()).deleted, 200);
});

test('simulcast, VP8, VP9 and AV1 from Chromium', async (t) => {
  const { server, ada } = await begin(t);
  const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
  for (const options of [{ layers: 3 }, { codec: 'video/VP8' }, { codec: 'video/VP9' }, { codec: 'video/AV1' }]) {
    const stream = await ada.createStream();
    const from = await rtcPage(context, server);
    const to = await rtcPage(context, server);
    const made = await from.evaluate(([url, o]) => window.publish(url, '', { width: 640, height: 360, ...o }), [whip(server, stream), options]);
    assert.equal(made.status, 201, made.text);
    if (options.layers) assert.match(made.text, /a=simulcast:recv h;m;l/);
    await until('connected', async () => (await from.evaluate('stats(publisher)')).state === 'connected');
    assert.equal((await to.evaluate((url) => window.watch(url), whep(server, stream))).status, 201);
    await untilDecoding(to, 20).catch((e) => assert.fail(`${JSON.stringify(options)}: ${e.message}`));
    await from.close();
    await to.close();
  }
});

for (const loss of [0.02, 0.05, 0.1])
  test(`a line that loses ${loss * 100} % between the server and both`, async (t) => {
    const { server, stream } = await begin(t);
    const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
    const [up, down] = [await badLine(t, server.webrtcPort, { loss, delayMs: 10, jitterMs: 10 }), await badLine(t, server.webrtcPort, { loss, delayMs: 10, jitterMs: 10, seed: 7 })];
    const from = await rtcPage(context, server);
    const to = await rtcPage(context, server);
    const made = await from.evaluate(([url, via]) => window.publish(url, '', { width: 640, height: 360, via }), [whip(server, stream), up.port]);
    assert.equal(made.status, 201, made.text);
    await until('connected', async () => (await from.evaluate('stats(publisher)')).state === 'connected', 30_000);
    assert.equal((await to.evaluate(([url, via]) => window.watch(url, via), [whep(server, stream), down.port])).status, 201);
    const seen = await untilDecoding(to, 200, 90_000);
    assert.ok(up.lost > 10 && down.lost > 10, 'the lines lose');
    const { inbound } = seen;
    t.diagnostic(JSON.stringify({ decoded: inbound.framesDecoded, dropped: inbound.framesDropped, lost: inbound.packetsLost, rtx: inbound.retransmittedPacketsReceived, nack: inbound.nackCount, pli: inbound.pliCount, freezes: inbound.freezeCount }));
    assert.ok(inbound.retransmittedPacketsReceived > 0, 'what is lost comes again');
  });

test('what is refused, and how', async (t) => {
  const { server, stream } = await begin(t);
  const sdp = { 'Content-Type': 'application/sdp' };
  const post = (target, body, headers = sdp) => request(server.http + target, { method: 'POST', headers: { ...headers, 'Content-Length': body.length }, body });
  assert.equal((await post('/whip/x', 'v=0', { 'Content-Type': 'text/plain' })).status, 415);
  assert.equal((await post('/whip/x', 'hello')).status, 400);
  assert.equal((await post('/whip/x', 'v=0\r\n')).status, 400);
  assert.equal((await post('/whip', 'v=0\r\n')).status, 401);
  assert.equal((await post('/whip/x', `v=0\r\n${'a=x\r\n'.repeat(20000)}`)).status, 413);
  assert.equal((await post(`/whep/${stream.playback.playbackId}`, 'v=0\r\n')).status, 409);
  assert.equal((await post('/whep/nothing', 'v=0\r\n')).status, 404);
  for (const id of ['00aaaaaaaaaaaaaaaaaaaaaa', 'ffaaaaaaaaaaaaaaaaaaaaaa', 'x'])
    assert.equal((await request(`${server.http}/rtc/${id}`, { method: 'DELETE' })).status, 404);
  const options = await request(`${server.http}/whip`, { method: 'OPTIONS' });
  assert.equal(options.status, 204);
  assert.equal(options.headers['accept-post'], 'application/sdp');
  assert.match(options.headers['access-control-expose-headers'], /Location/);
});
