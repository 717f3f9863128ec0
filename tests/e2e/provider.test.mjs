// SPDX-License-Identifier: MIT
// --media-provider mux, with a second bspnode standing in for Mux: what an encoder streams goes there, and the
// states of the first one follow by signed webhooks, whichever of the two is away for a while.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import { sample } from './lib/media.mjs';
import { MS, startPair } from './lib/provider.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run, tempDir, until } from './lib/server.mjs';
import { put } from './lib/uploads.mjs';

test('Mux as the provider', async (t) => {
  const pair = await startPair(t);
  const { api, hook, mux, ada, token, secret, remote, keyed, sign, deliver } = pair;
  let { here, there } = pair;

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
    api.clear();
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
    here = await pair.startHere();
    const over = await ada.untilStream(stream.id, 'READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY', MS);
    assert.equal(over.endedReason, 'encoder');
    assert.ok(over.duration >= 0);
    assert.ok(over.recordingUrl.startsWith(there.http));
    const list = await (await fetch(over.recordingUrl)).text();
    const variant = list.split('\n').find((l) => l && !l.startsWith('#'));
    const media = await (await fetch(new URL(variant, over.recordingUrl))).text();
    assert.match(media, /#EXTINF:[\s\S]*#EXT-X-ENDLIST/);

    // A recording of a browser's: until it is whole, and when it never is, the broadcast's stays.
    const upload = (key) => ada.expect(201, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/mp4', key });
    const first = await upload('first');
    const during = await ada.untilStream(stream.id, 'UPLOADING', (s) => s.recordingStatus === 'UPLOADING', MS);
    assert.equal(during.recordingUrl, over.recordingUrl);
    await mux.video.uploads.cancel(first.uploadId);
    const kept = await ada.untilReady(stream.id, MS);
    assert.equal(kept.recordingUrl, over.recordingUrl);
    const second = await upload('second');
    assert.equal((await put(second.uploadUrl, fs.readFileSync(await sample({ seconds: 10 })))).status, 200);
    const better = await ada.untilStream(stream.id, 'the other recording', (s) => s.recordingStatus === 'READY' && s.recordingUrl !== over.recordingUrl, MS);
    assert.equal(better.duration, 10);
    assert.equal(better.playback.hlsUrl, better.recordingUrl);

    // Both are in the list; which of them viewers see is the owner's choice.
    const all = `/api/streams/${stream.id}/recordings`;
    const { recordings } = await ada.expect(200, 'GET', all);
    const [uploaded, broadcast] = recordings;
    assert.deepEqual(recordings.map((r) => [r.source, r.own, r.status, r.remote, r.hlsUrl]), [
      ['BROWSER', true, 'READY', true, better.recordingUrl],
      ['SERVER', false, 'READY', true, over.recordingUrl],
    ]);
    assert.equal(uploaded.duration, 10);
    await ada.expect(200, 'POST', `${all}/${broadcast.id}/own`);
    assert.equal((await ada.stream(stream.id)).recordingUrl, over.recordingUrl);
    await ada.expect(200, 'POST', `${all}/${uploaded.id}/own`);
    assert.equal((await ada.stream(stream.id)).recordingUrl, better.recordingUrl);
    await ada.expect(409, 'POST', `${all}/${uploaded.id}/download`);
    await ada.expect(409, 'DELETE', `${all}/${broadcast.id}`);
    await ada.expect(204, 'DELETE', `${all}/${uploaded.id}`);
    const left = await ada.stream(stream.id);
    assert.deepEqual([left.recordingUrl, left.recordingStatus], [over.recordingUrl, 'READY']);
    await until('gone at Mux too', async () => (await mux.video.assets.list({ upload_id: second.uploadId })).data.length === 0, MS);

    // The other one is away when its owner ends it.
    await there.stop();
    api.target = '';
    assert.equal((await ada.end(stream.id)).endedReason, 'owner');
    there = await pair.startThere();
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
