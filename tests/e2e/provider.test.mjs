// SPDX-License-Identifier: MIT
// --media-provider mux, with a second bspnode standing in for Mux: what an encoder streams goes there, and the
// states of the first one follow by signed webhooks, whichever of the two is away for a while.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import http from 'node:http';
import test from 'node:test';
import Mux from '@mux/mux-node';
import { newUser } from './lib/api.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run, startServer, tempDir, until } from './lib/server.mjs';

const MS = 60_000;

// The address stays when the server behind it comes and goes, and answers can be lost on the way.
async function door(t) {
  const d = { target: '', lose: () => false, asked: [] };
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (b) => chunks.push(b));
    req.on('end', () => {
      d.asked.push(`${req.method} ${req.url}`);
      const refused = d.refuse?.(req);
      if (refused) return res.writeHead(refused.status, refused.headers).end();
      if (!d.target) return req.socket.destroy();
      const out = http.request(d.target + req.url, { method: req.method, headers: req.headers }, (answer) => {
        if (d.lose(req)) {
          answer.resume();
          answer.on('end', () => req.socket.destroy());
          return;
        }
        res.writeHead(answer.statusCode, answer.headers);
        answer.pipe(res);
      });
      out.on('error', () => req.socket.destroy());
      out.end(Buffer.concat(chunks));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  d.url = `http://127.0.0.1:${server.address().port}`;
  return d;
}

test('Mux as the provider', async (t) => {
  // What stands in for Mux, behind a door.
  const muxDir = tempDir(t);
  let there = await startServer(t, { dataDir: muxDir, args: ['--webhook-allow-private'] });
  const api = await door(t);
  const hook = await door(t);
  api.target = there.http;
  const owner = await newUser(there, 'Mux');
  const made = await run(['token', 'create', '--json', '--data', muxDir, '--email', owner.email]);
  assert.equal(made.code, 0, made.stderr);
  const token = JSON.parse(made.stdout);
  const mux = new Mux({ baseURL: api.url, tokenId: token.TOKEN_ID, tokenSecret: token.TOKEN_SECRET, maxRetries: 0 });
  const webhook = await mux.post('/system/v1/webhooks', { body: { address: `${hook.url}/api/mux/webhook`, enabled: true } });
  const secret = webhook.data.signing_secret;
  assert.ok(secret);

  const dataDir = tempDir(t);
  const args = [
    '--media-provider', 'mux', '--mux-base-url', api.url, '--mux-rtmp-url', `${there.rtmp}/app`,
    '--mux-stream-url', there.http, '--reconnect-window', '2s',
  ];
  const env = {
    BSPNODE_MUX_TOKEN_ID: token.TOKEN_ID, BSPNODE_MUX_TOKEN_SECRET: token.TOKEN_SECRET, BSPNODE_MUX_WEBHOOK_SECRET: secret,
  };
  const start = async () => {
    const s = await startServer(t, { dataDir, args, env });
    hook.target = s.http;
    return s;
  };
  let here = await start();
  const ada = await newUser(here, 'Ada');
  const remote = async () => (await mux.video.liveStreams.list({ limit: 100 })).data;
  const keyed = (id) => until('the key of Mux', async () => {
    const s = await ada.stream(id);
    return s.ingest.streamKey && s;
  }, MS);
  const deliver = (body, header) =>
    fetch(`${here.http}/api/mux/webhook`, { method: 'POST', body, headers: { 'mux-signature': header } });
  const sign = (body, at = Math.floor(Date.now() / 1000), key = secret) =>
    `t=${at},v1=${createHmac('sha256', key).update(`${at}.${body}`).digest('hex')}`;

  await t.test('without a token it does not start', async () => {
    const bad = await run(['serve', '--data', tempDir(t), '--media-provider', 'mux', '--http', '127.0.0.1:0', '--rtmp', '127.0.0.1:0', '--webrtc', '']);
    assert.notEqual(bad.code, 0);
    assert.match(bad.stderr, /--mux-token-id/);
  });

  let stream, live;
  await t.test('a stream is made there, and its encoder is sent there', async () => {
    const { id } = await ada.createStream({ title: 'Tea' });
    stream = await keyed(id);
    [live] = await remote();
    assert.equal(live.passthrough, id);
    assert.equal(stream.ingest.rtmpUrl, `${there.rtmp}/app`);
    assert.equal(stream.ingest.streamKey, live.stream_key);
    assert.equal(stream.playback.hlsUrl, `${there.http}/${live.playback_ids[0].id}.m3u8`);
    assert.equal(stream.playback.whepUrl, null);
    assert.equal(stream.status, 'CREATED');
  });

  await t.test('a stream of a browser stays here', async () => {
    const s = await ada.createStream({ title: 'Mine', streamType: 'BROWSER' });
    assert.ok(s.ingest.whipUrl && s.playback.hlsUrl.startsWith(here.http));
    assert.equal((await remote()).length, 1);
  });

  await t.test('nothing is made twice: an answer is lost, and one is 429', async () => {
    let lost = 0;
    const creates = (req) => req.method === 'POST' && req.url === '/video/v1/live-streams';
    api.lose = (req) => creates(req) && lost++ === 0;
    const a = await keyed((await ada.createStream({ title: 'Lost' })).id);
    assert.equal(lost, 1);
    let refused = 0;
    api.refuse = (req) => creates(req) && refused++ === 0 && { status: 429, headers: { 'Retry-After': '2' } };
    const since = Date.now();
    const b = await keyed((await ada.createStream({ title: 'Too often' })).id);
    assert.equal(refused, 2);
    assert.ok(Date.now() - since >= 1900, 'Retry-After is kept to');
    const all = await remote();
    for (const s of [a, b]) assert.equal(all.filter((l) => l.passthrough === s.id).length, 1, s.title);
    api.lose = () => false;
    api.refuse = undefined;
  });

  await t.test('LIVE, ENDED, a recording that plays; each of the two restarts meanwhile', async () => {
    const publisher = await publishFfmpeg(t, `${stream.ingest.rtmpUrl}/${stream.ingest.streamKey}`, { media: { seconds: 10 } });
    const on = await ada.untilStream(stream.id, 'LIVE', (s) => s.status === 'LIVE', MS);
    assert.equal(on.recordingStatus, 'RECORDING');
    await until('it plays', async () => (await fetch(on.playback.hlsUrl)).status === 200, MS);

    // The first one is away when the broadcast ends there.
    await here.stop();
    hook.target = '';
    await publisher.stop();
    await until('idle at Mux', async () => (await mux.video.liveStreams.retrieve(live.id)).status === 'idle', MS);
    here = await start();
    ada.server = here;
    const over = await ada.untilStream(stream.id, 'READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY', MS);
    assert.equal(over.endedReason, 'encoder');
    assert.ok(over.duration >= 0);
    assert.ok(over.recordingUrl.startsWith(there.http));
    const list = await (await fetch(over.recordingUrl)).text();
    const variant = list.split('\n').find((l) => l && !l.startsWith('#'));
    const media = await (await fetch(new URL(variant, over.recordingUrl))).text();
    assert.match(media, /#EXTINF:[\s\S]*#EXT-X-ENDLIST/);

    // The other one is away when its owner ends it.
    await there.stop();
    api.target = '';
    assert.equal((await ada.end(stream.id)).endedReason, 'owner');
    there = await startServer(t, { dataDir: muxDir, args: ['--webhook-allow-private'] });
    api.target = there.http;
    await until('disabled at Mux', async () => (await mux.video.liveStreams.retrieve(live.id)).status === 'disabled', MS);
  });

  await t.test('webhooks: wrong, old, of another secret, twice', async () => {
    const event = (id = randomUUID()) => JSON.stringify({ id, type: 'video.live_stream.idle', object: { type: 'live', id: live.id }, data: {} });
    const body = event();
    const now = Math.floor(Date.now() / 1000);
    for (const header of ['', 'nonsense', `t=${now},v1=`, sign(body, now - 301), sign(body, now, 'other'), sign(`${body} `), sign(body).toUpperCase()])
      assert.equal((await deliver(body, header)).status, 401, header);
    const looks = () => api.asked.filter((a) => a === `GET /video/v1/live-streams/${live.id}`).length;
    await until('nothing is under way', async () => {
      const before = looks();
      await new Promise((r) => setTimeout(r, 500));
      return looks() === before;
    });
    const before = looks();
    assert.equal((await deliver(body, sign(body))).status, 204);
    await until('it is looked at', () => looks() === before + 1);
    assert.equal((await deliver(body, sign(body))).status, 204);
    assert.equal((await deliver(body, sign(body, now - 100))).status, 204);
    const foreign = JSON.stringify({ id: randomUUID(), type: 'video.live_stream.idle', object: { type: 'live', id: 'somebody-elses' }, data: {} });
    assert.equal((await deliver(foreign, sign(foreign))).status, 204);
    const next = event();
    assert.equal((await deliver(next, `v1=${'0'.repeat(64)},${sign(next)}`)).status, 204);
    await until('the next one is looked at', () => looks() >= before + 2);
    assert.equal(looks(), before + 2, 'the second and third were duplicates');
    assert.ok(!api.asked.some((a) => a.includes('somebody-elses')));
    const broken = '{"id": 1}';
    assert.equal((await deliver(broken, sign(broken))).status, 400);
  });

  await t.test('a new key, and the end of it all', async () => {
    const s = await ada.createStream({ title: 'Short' });
    const first = (await keyed(s.id)).ingest.streamKey;
    await ada.expect(200, 'POST', `/api/streams/${s.id}/reset-key`);
    assert.notEqual((await keyed(s.id)).ingest.streamKey, first);
    for (const { id } of (await ada.expect(200, 'GET', '/api/streams?mine=1')).streams) await ada.expect(204, 'DELETE', `/api/streams/${id}`);
    await until('nothing is left at Mux', async () => {
      const assets = (await mux.video.assets.list({ limit: 100 })).data;
      return (await remote()).length === 0 && assets.length === 0;
    }, MS);
    for (const word of [token.TOKEN_SECRET, secret, first]) assert.ok(!here.log.includes(word), 'a secret is in the log');
  });
});
