// SPDX-License-Identifier: MIT
// --media-provider mux: recordings that browsers upload to Mux, and what goes wrong between the two: answers that are
// lost, late, too large or errors, and a kill in the middle. Whatever happens, nothing is made twice.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import { sample } from './lib/media.mjs';
import { MS, startPair } from './lib/provider.mjs';
import { until } from './lib/server.mjs';
import { GRAIN, offset, piece, put, sql, uploadId } from './lib/uploads.mjs';

const recording = (key, more = {}) => ({ mimeType: 'video/mp4', ...(key && { key }), ...more });
const path = (id) => `/api/streams/${id}/upload-recording`;

test('Mux as the provider: recordings of browsers', async (t) => {
  const pair = await startPair(t, { args: ['--max-upload-size', '100m'] });
  const { api, hook, mux, ada, token, secret, remote, uploads, keyed, sign, deliver } = pair;
  const file = fs.readFileSync(await sample({ seconds: 4, bitrate: '2500k' }));
  assert.ok(file.length > 3 * GRAIN);
  const browser = (title) => ada.createStream({ title, streamType: 'BROWSER' });

  await t.test('the browser gets an address of Mux’s; asked again with its key, the same', async () => {
    const { id } = await browser('Asked');
    const answer = await ada.call('POST', path(id), recording('first'));
    assert.equal(answer.status, 201, answer.text);
    const { uploadUrl, uploadId: mine, remote: there } = answer.json;
    assert.ok(uploadUrl.startsWith(`${api.url}/upload/`));
    assert.equal(there, true);
    for (const word of [token.TOKEN_ID, token.TOKEN_SECRET, secret]) assert.ok(!answer.text.includes(word));
    const [made] = await uploads();
    assert.equal(made.id, mine);
    assert.equal(made.status, 'waiting');
    assert.equal(made.cors_origin, pair.here.http);
    assert.equal((await ada.expect(201, 'POST', path(id), recording('first'))).uploadUrl, uploadUrl);
    assert.equal((await uploads()).length, 1);
    assert.equal((await ada.stream(id)).recordingStatus, 'RECORDING', 'it was never live');
    const other = await ada.expect(201, 'POST', path(id), recording('second'));
    assert.notEqual(other.uploadUrl, uploadUrl);

    for (const key of ['', 'k'.repeat(200), 7]) await ada.expect(422, 'POST', path(id), { mimeType: 'video/mp4', key });
    await ada.expect(413, 'POST', path(id), recording('third', { size: 200 << 20 }));
    const whole = await ada.call('POST', path(id), file, { 'Content-Type': 'video/mp4' });
    assert.equal(whole.status, 409);
    assert.match(whole.json.error.message, /ask with JSON/);
    assert.equal((await uploads()).length, 2);

    // Thrown away by the browser: by Mux's id.
    await ada.expect(204, 'DELETE', `${path(id)}/${mine}`);
    await ada.expect(409, 'DELETE', `${path(id)}/${mine}`);
    await ada.expect(404, 'DELETE', `${path(id)}/${'x'.repeat(24)}`);
    await until('cancelled at Mux', async () => (await mux.video.uploads.retrieve(mine)).status === 'cancelled', MS);
    await ada.expect(204, 'DELETE', `/api/streams/${id}`);
    await until('the other one too', async () => (await mux.video.uploads.retrieve(uploadId(other.uploadUrl))).status === 'cancelled', MS);
  });

  await t.test('pieces, a break, a kill in between; then the recording plays from Mux', async () => {
    const { id } = await browser('In pieces');
    const { uploadUrl } = await ada.expect(201, 'POST', path(id), recording('r'));
    const preflight = await fetch(uploadUrl, { method: 'OPTIONS', headers: { Origin: pair.here.http, 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'content-range' } });
    assert.equal(preflight.headers.get('access-control-allow-origin'), pair.here.http);
    assert.equal((await piece(uploadUrl, file, 0, GRAIN, '*')).status, 308);
    await pair.here.kill();
    await pair.startHere();
    assert.equal((await ada.expect(201, 'POST', path(id), recording('r'))).uploadUrl, uploadUrl);
    assert.equal(await offset(uploadUrl), GRAIN);
    assert.equal((await piece(uploadUrl, file, GRAIN, file.length)).status, 200);
    const ready = await ada.untilStream(id, 'READY', (s) => s.recordingStatus === 'READY', MS);
    assert.equal(ready.status, 'ENDED', 'it was only recorded');
    assert.equal(ready.duration, 4);
    assert.equal(ready.playback.remote, true);
    assert.equal(ready.recordingUrl, ready.playback.hlsUrl);
    assert.ok(ready.recordingUrl.startsWith(pair.there.http));
    const [asset] = (await mux.video.assets.list({ upload_id: uploadId(uploadUrl) })).data;
    assert.equal(asset.playback_ids[0].id, ready.playback.playbackId);
    assert.match(await (await fetch(ready.recordingUrl)).text(), /^#EXTM3U/);
    assert.equal((await fetch(ready.playback.thumbnailUrl)).status, 200);
    const played = await fetch(`${pair.here.http}/api/playback/${ready.playback.playbackId}`);
    assert.equal((await played.json()).id, id);

    // What was said before, again and late: nothing changes.
    for (const [type, kind, object] of [['video.upload.asset_created', 'upload', uploadId(uploadUrl)], ['video.asset.ready', 'asset', asset.id], ['video.upload.cancelled', 'upload', uploadId(uploadUrl)]]) {
      const body = JSON.stringify({ id: randomUUID(), type, object: { type: kind, id: object }, data: {} });
      assert.equal((await deliver(body, sign(body, Math.floor(Date.now() / 1000) - 400))).status, 401, 'too old');
      for (let i = 0; i < 2; i++) assert.equal((await deliver(body, sign(body))).status, 204);
    }
    await until('the hints are followed', () => sql(pair.here, 'SELECT 1 FROM provider_jobs').length === 0);
    const after = await ada.stream(id);
    assert.equal(after.recordingStatus, 'READY');
    assert.equal(after.recordingUrl, ready.recordingUrl);

    await ada.expect(204, 'DELETE', `/api/streams/${id}`);
    await until('gone at Mux', async () => (await mux.video.assets.list({ upload_id: uploadId(uploadUrl) })).data.length === 0, MS);
  });

  await t.test('what is no recording is FAILED, what Mux cancels is NONE', async () => {
    const { id } = await browser('No recording');
    const { uploadUrl } = await ada.expect(201, 'POST', path(id), recording('r'));
    await ada.end(id);
    assert.equal((await put(uploadUrl, Buffer.from('This is no video.'))).status, 415);
    await ada.untilStream(id, 'FAILED', (s) => s.recordingStatus === 'FAILED', MS);
    // The browser may begin anew under the same key.
    const again = await ada.expect(201, 'POST', path(id), recording('r'));
    assert.notEqual(again.uploadUrl, uploadUrl);
    await ada.untilStream(id, 'UPLOADING', (s) => s.recordingStatus === 'UPLOADING', MS);
    // It looks like a film, and the asset cannot be made.
    assert.equal((await put(again.uploadUrl, Buffer.concat([file.subarray(0, 4000), Buffer.alloc(4000)]))).status, 200);
    await ada.untilStream(id, 'FAILED', (s) => s.recordingStatus === 'FAILED', MS);

    const other = await browser('Cancelled');
    const { uploadId: at } = await ada.expect(201, 'POST', path(other.id), recording('r'));
    await mux.video.uploads.cancel(at);
    await ada.untilStream(other.id, 'NONE', (s) => s.recordingStatus === 'NONE', MS);
  });

  const creates = (kind) => (req) => req.method === 'POST' && req.url === `/video/v1/${kind}`;
  const once = (is, what) => {
    let n = 0;
    return (req) => is(req) && n++ === 0 && what;
  };
  // Asks as a browser does: again after a while.
  const upload = (id, key = 'r') =>
    until('an address', async () => {
      const a = await ada.call('POST', path(id), recording(key));
      assert.ok([201, 503].includes(a.status), a.text);
      if (a.status === 503) assert.ok(Number(a.headers['retry-after']) > 0);
      return a.status === 201 && a.json;
    }, MS);

  await t.test('nothing is made twice: 500, 429, 503, lost, too large, no JSON', async () => {
    const faults = {
      'a 500': () => (api.refuse = once(creates('uploads'), { status: 500 })),
      'a 429': () => (api.refuse = once(creates('uploads'), { status: 429, headers: { 'Retry-After': '2' } })),
      'a 503': () => (api.refuse = once(creates('uploads'), { status: 503, headers: { 'Retry-After': '1' } })),
      'an answer that is lost': () => (api.lose = once(creates('uploads'), true)),
      'an answer that is too large': () => (api.change = once(creates('uploads'), Buffer.alloc(5 << 20, ' '))),
      'an answer that is no JSON': () => (api.change = once(creates('uploads'), Buffer.from('<html>'))),
    };
    const before = (await uploads()).length;
    let n = before;
    for (const [name, fault] of Object.entries(faults)) {
      const { id } = await browser(name);
      const began = Date.now();
      const asked = api.asked.length;
      fault();
      await upload(id);
      api.clear();
      if (name === 'a 429') assert.ok(Date.now() - began >= 1900, 'Retry-After is kept to');
      if (name === 'a 503') assert.ok(Date.now() - began >= 900, 'Retry-After is kept to');
      assert.equal((await uploads()).length, ++n, name);
      assert.ok(api.asked.slice(asked).filter((a) => a === 'POST /video/v1/uploads').length <= 2, name);
    }
  });

  await t.test('kill -9 between “made at Mux” and “stored here”', async () => {
    for (const kind of ['uploads', 'live-streams']) {
      const before = (await (kind === 'uploads' ? uploads() : remote())).length;
      const is = creates(kind);
      const killed = new Promise((done) => {
        api.meanwhile = async (req) => {
          if (!is(req)) return;
          api.clear();
          hook.target = '';
          await pair.here.kill();
          done();
        };
      });
      let stream = kind === 'uploads' && (await browser('Killed'));
      const asked = (stream ? ada.call('POST', path(stream.id), recording('r')) : ada.createStream({ title: 'Killed too' })).catch(() => {});
      await killed;
      await asked;
      assert.equal((await (kind === 'uploads' ? uploads() : remote())).length, before + 1, 'it was made there');
      await pair.startHere();
      if (stream) {
        const { uploadId: at } = await upload(stream.id);
        assert.equal((await mux.video.uploads.retrieve(at)).status, 'waiting');
      } else {
        stream = (await ada.expect(200, 'GET', '/api/streams?mine=1')).streams.find((s) => s.title === 'Killed too');
        const { ingest } = await keyed(stream.id);
        assert.equal((await remote()).filter((l) => l.stream_key === ingest.streamKey && l.passthrough === stream.id).length, 1);
      }
      assert.equal((await (kind === 'uploads' ? uploads() : remote())).length, before + 1, 'and not again');
    }
  });

  await t.test('an answer that does not come: given up, and found there', async () => {
    const { id } = await browser('Slow');
    const n = (await uploads()).length;
    const is = creates('uploads');
    let held = 0;
    api.meanwhile = (req) => is(req) && held++ === 0 && new Promise((done) => req.socket.on('close', done));
    const first = await ada.call('POST', path(id), recording('r'));
    assert.equal(first.status, 503);
    assert.match(first.json.error.message, /Mux has made no place/);
    // Without a key nobody could ask for it again: nothing is left of it.
    const nameless = await browser('Nameless');
    assert.equal((await ada.call('POST', path(nameless.id), recording())).status, 503);
    assert.equal((await ada.stream(nameless.id)).recordingStatus, 'NONE');
    const { uploadId: at } = await upload(id);
    api.clear();
    assert.equal(held, 1);
    assert.equal((await uploads()).length, n + 1);
    assert.equal((await mux.video.uploads.retrieve(at)).status, 'waiting');
  });

  await t.test('an address that its pages may not send to is not given out; a webhook that is too large is refused', async () => {
    const { id } = await browser('Elsewhere');
    const upload = { data: { id: 'someUpload', status: 'waiting', url: 'https://elsewhere.example.org/upload/x' } };
    api.change = once(creates('uploads'), Buffer.from(JSON.stringify(upload)));
    const answer = await ada.call('POST', path(id), recording('r'));
    api.clear();
    assert.equal(answer.status, 409);
    assert.match(answer.json.error.message, /--mux-upload-origins/);
    const page = await fetch(`${pair.here.http}/dashboard`);
    const connect = /connect-src ([^;]*)/.exec(page.headers.get('content-security-policy'))[1].split(' ');
    assert.deepEqual(connect.sort(), ["'self'", api.url, pair.there.http].sort());
    const embed = await fetch(`${pair.here.http}/embed/x`);
    assert.ok(!embed.headers.get('content-security-policy').includes(api.url), 'nobody records there');

    const event = (size) => JSON.stringify({ id: randomUUID(), type: 'video.asset.updated', object: { type: 'asset', id: 'x' }, data: { pad: 'x'.repeat(size) } });
    const large = event(1_000_000);
    assert.equal((await deliver(large, sign(large))).status, 204);
    const larger = event(1_100_000);
    assert.equal((await deliver(larger, sign(larger)).catch(() => ({ status: 413 }))).status, 413);
    assert.equal((await deliver(large, sign(large))).status, 204, 'and it goes on');
  });

  for (const word of [token.TOKEN_SECRET, secret, '/upload/']) assert.ok(!pair.here.log.includes(word), 'a secret is in the log');
});
