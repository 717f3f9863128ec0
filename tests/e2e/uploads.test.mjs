// SPDX-License-Identifier: MIT
// Direct uploads by the clients that people use, and by clients that lie, stop and come back.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Mux from '@mux/mux-node';
import { build } from 'esbuild';
import { newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { request } from './lib/http.mjs';
import { sample } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run as program, smallDisk, startServer, tempDir, until } from './lib/server.mjs';
import { fakeFile, GRAIN, offset, partial, piece, put, row, sql, uploadId } from './lib/uploads.mjs';

const run = promisify(execFile);
const here = path.dirname(fileURLToPath(import.meta.url));
const size = 5 * GRAIN + 1000;

async function newUpload(ada, stream, body = {}) {
  const { uploadId: id, uploadUrl: url } = await ada.expect(201, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/webm', ...body });
  assert.equal(uploadId(url), id);
  return { id, url };
}

function complete(server, id, length) {
  const made = row(server, id);
  assert.equal(made.status, 'asset_created');
  assert.equal(made.size, length);
  const [asset] = sql(server, 'SELECT * FROM assets WHERE id = ?', made.asset_id);
  assert.equal(asset.upload_id, id);
  assert.equal(asset.ingest_type, 'on_demand_direct_upload');
  assert.equal(partial(server, id), undefined, 'the file has moved');
  return asset;
}

test('pieces: the rules of the protocol', async (t) => {
  const server = await startServer(t, { args: ['--max-upload-size', '20m', '--upload-quota', '40m', '--min-free-disk', '0'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const make = (body) => newUpload(ada, stream, body);
  const file = fakeFile(size);

  await t.test('in order, with the size known; each is answered with how far it is', async () => {
    const { id, url } = await make();
    assert.equal(await offset(url), 0);
    for (let at = 0; at < 5 * GRAIN; at += GRAIN) {
      const a = await piece(url, file, at, at + GRAIN);
      assert.equal(a.status, 308, a.text);
      assert.equal(a.headers.range, `bytes=0-${at + GRAIN - 1}`);
      assert.equal(a.headers['access-control-allow-origin'], '*');
      assert.match(a.headers['access-control-expose-headers'], /range/i);
    }
    assert.ok(partial(server, id).equals(file.subarray(0, 5 * GRAIN)));
    assert.equal((await ada.stream(stream.id)).recordingStatus, 'RECORDING', 'it was never live');
    const last = await piece(url, file, 5 * GRAIN, size);
    assert.equal(last.status, 200);
    assert.equal(last.headers['access-control-allow-origin'], '*');
    const asset = complete(server, id, size);
    assert.equal(asset.stream_id, stream.id);
    assert.equal(sql(server, "SELECT * FROM playback_ids WHERE object_id = ? AND policy = 'public'", asset.id).length, 1);
    // A reply that was lost: the last piece comes again.
    assert.equal((await piece(url, file, 5 * GRAIN, size)).status, 200);
    assert.equal((await put(url, Buffer.alloc(0), 'bytes */*')).status, 200);
    assert.equal((await piece(url, file, 5 * GRAIN, size, size + GRAIN)).status, 400);
    assert.equal(sql(server, 'SELECT * FROM assets WHERE upload_id = ?', id).length, 1, 'one asset');
  });

  await t.test('the size is told with the last piece, or by a question after it', async () => {
    const a = await make();
    assert.equal((await piece(a.url, file, 0, 4 * GRAIN, '*')).status, 308);
    assert.equal((await piece(a.url, file, 4 * GRAIN, size)).status, 200);
    complete(server, a.id, size);
    const b = await make();
    assert.equal((await piece(b.url, file, 0, 4 * GRAIN, '*')).status, 308);
    assert.equal((await put(b.url, Buffer.alloc(0), `bytes */${5 * GRAIN}`)).status, 308);
    assert.equal((await put(b.url, Buffer.alloc(0), `bytes */${GRAIN}`)).status, 400);
    assert.equal((await put(b.url, Buffer.alloc(0), `bytes */${4 * GRAIN}`)).status, 200);
    complete(server, b.id, 4 * GRAIN);
  });

  await t.test('what is wrong is said, and the upload goes on waiting', async () => {
    const { id, url } = await make();
    assert.equal((await piece(url, file, 0, 2 * GRAIN)).status, 308);
    const wrong = async (what, re, a) => {
      const got = await a;
      assert.equal(got.status, 400, `${what}: ${got.status} ${got.text}`);
      assert.match(got.json.error.message, re, what);
      assert.equal(got.headers['access-control-allow-origin'], '*', what);
      assert.equal(await offset(url), 2 * GRAIN, what);
    };
    await wrong('a gap', /gap.*524288/, piece(url, file, 3 * GRAIN, 4 * GRAIN));
    await wrong('an odd size in the middle', /256 KiB/, piece(url, file, 2 * GRAIN, 3 * GRAIN - 7));
    await wrong('an odd size, total unknown', /256 KiB/, put(url, file.subarray(0, 1000), `bytes ${2 * GRAIN}-${2 * GRAIN + 999}/*`));
    await wrong('another size', /size was/, piece(url, file, 2 * GRAIN, 3 * GRAIN, size + 1));
    await wrong('an overlap with other bytes', /other bytes/, put(url, Buffer.alloc(2 * GRAIN, 1), `bytes ${GRAIN}-${3 * GRAIN - 1}/${size}`));
    await wrong('less than it says', /tells of 262144 bytes/, put(url, Buffer.alloc(5), `bytes ${2 * GRAIN}-${3 * GRAIN - 1}/${size}`));
    await wrong('backwards', /Content-Range/, put(url, Buffer.alloc(5), `bytes 9-5/${size}`));
    await wrong('behind the end', /Content-Range/, put(url, Buffer.alloc(GRAIN), `bytes ${size}-${size + GRAIN - 1}/${size}`));
    await wrong('no number', /Content-Range/, put(url, Buffer.alloc(5), 'bytes lots'));
    await wrong('another unit', /Content-Range/, put(url, Buffer.alloc(5), 'pages 0-4/5'));
    await wrong('a number that does not fit', /Content-Range/, put(url, Buffer.alloc(5), 'bytes 0-4/99999999999999999999999'));
    const chunked = (n) => request(url, { method: 'PUT', body: file.subarray(2 * GRAIN, 2 * GRAIN + n), headers: { 'Transfer-Encoding': 'chunked', 'Content-Range': `bytes ${2 * GRAIN}-${3 * GRAIN - 1}/${size}` } });
    await wrong('chunked, and longer', /longer/, chunked(GRAIN + 1));
    await wrong('chunked, and shorter', /shorter/, chunked(GRAIN - 1));
    // The same bytes again are fine, alone or with new ones behind them.
    assert.equal((await piece(url, file, 0, GRAIN)).headers.range, `bytes=0-${2 * GRAIN - 1}`);
    assert.equal((await piece(url, file, GRAIN, 4 * GRAIN)).headers.range, `bytes=0-${4 * GRAIN - 1}`);
    assert.ok(partial(server, id).equals(file.subarray(0, 4 * GRAIN)));
    assert.equal((await piece(url, file, 4 * GRAIN, size)).status, 200);
  });

  await t.test("UpChunk's lost piece after an abort makes no file", async () => {
    const { id, url } = await make();
    assert.equal((await piece(url, file, 0, GRAIN)).status, 308);
    // It skips a piece, and what follows is sent in its place with the last one's size.
    const a = await put(url, file.subarray(4 * GRAIN - 100, 5 * GRAIN - 924), `bytes ${GRAIN}-${2 * GRAIN - 825}/${size}`);
    assert.equal(a.status, 400);
    assert.equal(row(server, id).status, 'waiting');
  });

  await t.test('limits: size, quota, and what is no media', async () => {
    const big = await make();
    const a = await put(big.url, Buffer.alloc(GRAIN), `bytes 0-${GRAIN - 1}/${21 << 20}`);
    assert.equal(a.status, 413);
    assert.match(a.json.error.message, /20971520/);
    await ada.expect(413, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/webm', size: 21 << 20 });
    const held = await make({ size: 19 << 20 });
    const more = await make({ size: 12 << 20 });
    await ada.expect(413, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/webm', size: 19 << 20 });
    for (const u of [held, more]) sql(server, "UPDATE uploads SET status = 'cancelled' WHERE id = ?", u.id);
    const html = await make();
    const b = await put(html.url, Buffer.from('<!doctype html><script>alert(1)</script>'));
    assert.equal(b.status, 415);
    assert.match(b.json.error.message, /web page/);
    assert.equal(row(server, html.id).status, 'errored');
    assert.match(row(server, html.id).problem, /web page/);
    assert.equal(partial(server, html.id), undefined);
    assert.equal((await put(html.url, file)).status, 410);
    assert.equal((await put((await make()).url, Buffer.alloc(0))).status, 400, 'an empty file');
    assert.equal((await put(`${server.http}/upload/nobodys`, file)).status, 404);
    for (const body of [{}, { mimeType: 'text/html' }, { mimeType: 'video/webm', size: 0 }, { mimeType: 'video/webm', size: 'x' }])
      await ada.expect(422, 'POST', `/api/streams/${stream.id}/upload-recording`, body);
    const eve = await newUser(server, 'Eve');
    await eve.expect(403, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/webm' });
    // Asked for again under the client's own name, it is the same one while it waits.
    const named = (key) => ada.expect(201, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/webm', key });
    const one = await named('a');
    const again = await named('a');
    const other = await named('b');
    assert.deepEqual(again, one);
    assert.notEqual(other.uploadId, one.uploadId);
    for (const u of [one, other]) await ada.expect(204, 'DELETE', `/api/streams/${stream.id}/upload-recording/${u.uploadId}`);
    const anew = await named('a');
    assert.notEqual(anew.uploadId, one.uploadId);
    await ada.expect(204, 'DELETE', `/api/streams/${stream.id}/upload-recording/${anew.uploadId}`);
  });

  await t.test('two at a time: one writes, the other is told to try again; a silent one gives way', async () => {
    const { id, url } = await make();
    const { hostname, port, pathname } = new URL(url);
    const first = net.connect(Number(port), hostname);
    t.after(() => first.destroy());
    first.on('error', () => {});
    first.write(`PUT ${pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: ${GRAIN}\r\nContent-Range: bytes 0-${GRAIN - 1}/${size}\r\n\r\n`);
    first.write(file.subarray(0, 1000));
    await until('the first has begun', () => partial(server, id) !== undefined);
    const beat = setInterval(() => first.write(file.subarray(1000, 1001)), 500);
    t.after(() => clearInterval(beat));
    const busy = await until('the second is refused', async () => {
      const a = await piece(url, file, 0, GRAIN);
      assert.ok([308, 503].includes(a.status), a.text);
      return a.status === 503 && a;
    });
    assert.equal(busy.headers['retry-after'], '1');
    clearInterval(beat);
    await until('the second takes over', async () => (await piece(url, file, 0, GRAIN)).status === 308);
    assert.ok(partial(server, id).equals(file.subarray(0, GRAIN)));
    first.write(file.subarray(1000, GRAIN));
    let answer = '';
    first.on('data', (b) => (answer += b));
    await until('the first is told', () => answer.startsWith('HTTP/1.1 503') || first.destroyed);
    assert.equal((await piece(url, file, GRAIN, size)).status, 200);
    complete(server, id, size);
  });

  await t.test('the whole at once: curl, fetch with a stream, and a client that goes away', async () => {
    const dir = tempDir(t, 'files');
    fs.writeFileSync(path.join(dir, 'a.webm'), file);
    const a = await make();
    const { stdout } = await run('curl', ['-sS', '-T', path.join(dir, 'a.webm'), '-H', 'Expect: 100-continue', '-o', '-', '-w', '%{http_code}', a.url]);
    assert.equal(stdout, '200');
    complete(server, a.id, size);
    const b = await make();
    const form = await run('curl', ['-sS', '--data-binary', `@${path.join(dir, 'a.webm')}`, '-X', 'PUT', '-o', '-', '-w', '%{http_code}', b.url]);
    assert.equal(form.stdout, '200');
    complete(server, b.id, size);
    const c = await make();
    const parts = async function* () {
      for (let at = 0; at < size; at += 100_000) yield file.subarray(at, at + 100_000);
    };
    const fetched = await fetch(c.url, { method: 'PUT', body: ReadableStream.from(parts()), duplex: 'half' });
    assert.equal(fetched.status, 200);
    complete(server, c.id, size);
    const d = await make();
    const { hostname, port, pathname } = new URL(d.url);
    const gone = net.connect(Number(port), hostname);
    gone.write(`PUT ${pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
    gone.write(file.subarray(0, 3 * GRAIN));
    await until('some of it is on disk', () => partial(server, d.id)?.length >= GRAIN);
    gone.destroy();
    await until('what did not come whole is dropped', () => partial(server, d.id).length === 0);
    assert.equal(await offset(d.url), 0);
    assert.equal((await put(d.url, file)).status, 200);
    complete(server, d.id, size);
  });

  await t.test('HTTP/2: the whole at once, and a refusal', async (t) => {
    const secure = await startServer(t, { tls: true, args: ['--max-upload-size', '20m'] });
    const eve = await newUser(secure, 'Eve');
    const dir = tempDir(t, 'files');
    fs.writeFileSync(path.join(dir, 'a.webm'), file);
    fs.writeFileSync(path.join(dir, 'big.webm'), fakeFile(21 << 20));
    const send = async (name, url) => (await run('curl', ['-sSk', '--http2', '-T', path.join(dir, name), '-o', '/dev/null', '-w', '%{http_version} %{http_code}', url])).stdout;
    const other = await eve.createStream();
    const u = await newUpload(eve, other);
    assert.equal(await send('big.webm', u.url), '2 413');
    assert.equal(await send('a.webm', u.url), '2 200');
    complete(secure, u.id, size);
  });

  await t.test('the raw form: a recording in one request', async () => {
    const other = await ada.createStream();
    const target = `/api/streams/${other.id}/upload-recording`;
    const said = await ada.call('POST', target, file, { 'Content-Type': 'video/webm;codecs=vp8,opus' });
    assert.equal(said.status, 202, said.text);
    assert.equal(said.json.id, other.id);
    assert.ok(['PROCESSING', 'READY', 'FAILED'].includes(said.json.recordingStatus), said.json.recordingStatus);
    assert.equal(sql(server, 'SELECT * FROM uploads WHERE stream_id = ?', other.id)[0].status, 'asset_created');
    const text = await ada.call('POST', target, 'plain words', { 'Content-Type': 'video/webm' });
    assert.equal(text.status, 415);
    assert.equal((await ada.call('POST', target, 'plain words', { 'Content-Type': 'text/plain' })).status, 415);
    const eve = await newUser(server, 'Eve');
    assert.equal((await eve.call('POST', target, file, { 'Content-Type': 'video/webm' })).status, 403);
    assert.equal((await request(server.http + target, { method: 'POST', body: file, headers: { 'Content-Type': 'video/webm' } })).status, 401);
  });

  await t.test('preflight', async () => {
    const { id, url } = await make();
    sql(server, "UPDATE uploads SET cors_origin = 'https://app.example.org' WHERE id = ?", id);
    const a = await request(url, { method: 'OPTIONS', headers: { Origin: 'https://app.example.org', 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'content-range,content-type' } });
    assert.equal(a.status, 204);
    assert.equal(a.headers['access-control-allow-origin'], 'https://app.example.org');
    assert.match(a.headers['access-control-allow-methods'], /PUT/);
    assert.equal(a.headers['access-control-allow-headers'], 'content-range,content-type');
    assert.ok(Number(a.headers['access-control-max-age']) >= 3600);
    const wrong = await put(url, Buffer.alloc(5), 'bytes 9-5/5');
    assert.equal(wrong.headers['access-control-allow-origin'], 'https://app.example.org');
  });
});

test("by Mux's own client, to the end", async (t) => {
  const server = await startServer(t);
  const client = async (user) => {
    const made = await program(['token', 'create', '--json', '--data', server.dataDir, '--email', user.email]);
    const { TOKEN_ID: tokenId, TOKEN_SECRET: tokenSecret } = JSON.parse(made.stdout);
    return new Mux({ baseURL: server.http, tokenId, tokenSecret });
  };
  const ada = await newUser(server);
  const { video } = await client(ada);
  const bob = await client(await newUser(server, 'Bob'));
  const settings = { playback_policies: ['public', 'signed'], passthrough: 'p1', meta: { title: 'Tea' } };
  const up = await video.uploads.create({ cors_origin: 'https://app.example.org/', timeout: 120, new_asset_settings: settings });
  assert.equal(up.status, 'waiting');
  assert.equal(up.timeout, 120);
  assert.equal(up.cors_origin, 'https://app.example.org');
  assert.equal(up.asset_id, undefined);
  assert.match(up.url, new RegExp(`^${server.http}/upload/${up.id}$`));
  for (const body of [{}, { cors_origin: '*', timeout: 59 }, { cors_origin: '*', timeout: 604801 }, { cors_origin: 'a b' }, { cors_origin: '*', new_asset_settings: { playback_policies: ['secret'] } }])
    await assert.rejects(video.uploads.create(body), Mux.BadRequestError, JSON.stringify(body));
  await assert.rejects(bob.video.uploads.retrieve(up.id), Mux.NotFoundError);
  await assert.rejects(bob.video.uploads.cancel(up.id), Mux.NotFoundError);

  const other = await video.uploads.create({ cors_origin: '*' });
  assert.equal((await video.uploads.cancel(other.id)).status, 'cancelled');
  await assert.rejects(video.uploads.cancel(other.id), Mux.PermissionDeniedError);
  assert.equal((await put(other.url, fakeFile(1000))).status, 410);
  const ids = [];
  for await (const u of video.uploads.list({ limit: 1 })) ids.push(u.id);
  assert.deepEqual(ids, [other.id, up.id]);

  const film = fs.readFileSync(await sample({ seconds: 4, bitrate: '4000k' }));
  const sent = await fetch(up.url, { method: 'PUT', body: film });
  assert.equal(sent.status, 200);
  const done = await video.uploads.retrieve(up.id);
  assert.equal(done.status, 'asset_created');
  assert.deepEqual(done.new_asset_settings.playback_policies, settings.playback_policies);
  const asset = await until('the asset is ready', async () => {
    const a = await video.assets.retrieve(done.asset_id);
    assert.notEqual(a.status, 'errored', JSON.stringify(a.errors));
    return a.status === 'ready' && a;
  }, 60_000);
  assert.equal(asset.upload_id, up.id);
  assert.equal(asset.passthrough, 'p1');
  assert.equal(asset.meta.title, 'Tea');
  assert.deepEqual(asset.playback_ids.map((p) => p.policy), ['public', 'signed']);
  assert.equal((await fetch(`${server.http}/${asset.playback_ids[0].id}.m3u8`)).status, 200);
  const told = sql(server, 'SELECT type FROM media_events WHERE object_id IN (?, ?) ORDER BY rowid', up.id, asset.id).map((e) => e.type);
  assert.deepEqual(told.slice(0, 4), ['video.upload.created', 'video.upload.asset_created', 'video.asset.created', 'video.asset.ready']);

  // A recording that the browser has made becomes the stream's own.
  const stream = await ada.createStream();
  const mine = await newUpload(ada, stream, { mimeType: 'video/mp4', size: film.length });
  assert.equal((await put(mine.url, film)).status, 200);
  const ready = await ada.untilStream(stream.id, 'its recording is READY', (s) => s.recordingStatus === 'READY', 60_000);
  assert.ok(ready.recordingUrl);
});

test("the server's own recording stays until the browser's is there", async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const encoder = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 30 } });
  await ada.untilLive(stream.id);
  const u = await newUpload(ada, stream);
  const file = fakeFile(size);
  assert.equal((await piece(u.url, file, 0, GRAIN, '*')).status, 308);
  assert.equal((await ada.stream(stream.id)).recordingStatus, 'RECORDING');
  await until('there is something recorded', async () => {
    const { recordingUrl } = await ada.stream(stream.id);
    return recordingUrl && (await fetch(recordingUrl)).ok;
  });
  await ada.end(stream.id);
  await encoder.stop?.();
  const waits = await ada.untilStream(stream.id, 'the upload is awaited', (s) => s.status === 'ENDED' && s.recordingStatus === 'UPLOADING' && s.recordingUrl);
  const own = waits.recordingUrl;
  assert.ok(own, 'and what the server has recorded plays meanwhile');
  assert.equal((await fetch(own)).status, 200);
  await ada.untilStream(stream.id, 'its address is the recording', (s) => s.playback.hlsUrl === own);
  // It never completes.
  sql(server, 'UPDATE uploads SET created_at = created_at - 1000000 * (timeout_s + 5) WHERE id = ?', u.id);
  const kept = await ada.untilStream(stream.id, 'the recording stays', (s) => s.recordingStatus === 'READY', 30_000);
  assert.equal(kept.recordingUrl, own);
  assert.equal(partial(server, u.id), undefined);
  // A file that cannot be imported changes nothing either; one that can takes its place.
  assert.equal((await ada.call('POST', `/api/streams/${stream.id}/upload-recording`, file, { 'Content-Type': 'video/webm' })).status, 202);
  const still = await ada.untilStream(stream.id, 'the recording stays', (s) => s.recordingStatus === 'READY', 60_000);
  assert.equal(still.recordingUrl, own);
  const film = fs.readFileSync(await sample({ seconds: 4, bitrate: '4000k' }));
  assert.equal((await ada.call('POST', `/api/streams/${stream.id}/upload-recording`, film, { 'Content-Type': 'video/mp4' })).status, 202);
  const better = await ada.untilStream(stream.id, 'the better one is there', (s) => s.recordingStatus === 'READY' && s.recordingId !== kept.recordingId, 60_000);
  assert.equal(better.recordingUrl, own, 'at the same address');
});

test('a disk that is full: said in words, and nothing is kept', async (t) => {
  const dataDir = smallDisk(t, '12m');
  if (!dataDir) return t.skip('mounting is not allowed here');
  const server = await startServer(null, { dataDir, args: ['--min-free-disk', '0'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const u = await newUpload(ada, stream);
  const file = fakeFile(20 << 20);
  assert.equal((await piece(u.url, file, 0, 8 * GRAIN)).status, 308);
  const full = await piece(u.url, file, 8 * GRAIN, file.length);
  assert.equal(full.status, 507);
  assert.match(full.json.error.message, /disk is full/);
  // Without a length the disk itself says so.
  const v = await newUpload(ada, stream);
  const stuffed = await request(v.url, { method: 'PUT', body: file, headers: { 'Transfer-Encoding': 'chunked' } });
  assert.equal(stuffed.status, 507, stuffed.text);
  await until('the space is given back', () => partial(server, v.id)?.length === 0);
  assert.equal(await offset(u.url), 8 * GRAIN, 'what was stored is there');
});

test('a server that is killed in the middle goes on where it was', async (t) => {
  const dataDir = tempDir(t);
  const file = fakeFile(size);
  let server = await startServer(t, { dataDir });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const u = await newUpload(ada, stream);
  const late = await newUpload(ada, stream);
  assert.equal((await piece(u.url, file, 0, 2 * GRAIN, '*')).status, 308);
  const { hostname, port, pathname } = new URL(u.url);
  const cut = net.connect(Number(port), hostname);
  cut.on('error', () => {});
  cut.write(`PUT ${pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 * GRAIN}\r\nContent-Range: bytes ${2 * GRAIN}-${4 * GRAIN - 1}/*\r\n\r\n`);
  cut.write(file.subarray(2 * GRAIN, 4 * GRAIN - 500));
  await until('a part of the second piece is on disk', () => partial(server, u.id).length > 2 * GRAIN);
  await server.kill();
  cut.destroy();
  sql(server, 'UPDATE uploads SET created_at = created_at - 1000000 * (timeout_s + 5) WHERE id = ?', late.id);

  server = await startServer(t, { dataDir });
  const url = `${server.http}/upload/${u.id}`;
  assert.equal(await offset(url), 2 * GRAIN);
  assert.equal((await piece(url, file, 2 * GRAIN, 5 * GRAIN, '*')).status, 308);
  assert.ok(partial(server, u.id).equals(file.subarray(0, 5 * GRAIN)));
  assert.equal((await put(`${server.http}/upload/${late.id}`, file)).status, 410);
  await until('the late one has timed out', () => row(server, late.id).status === 'timed_out', 30_000);
  // Everything was there, and the last step was not taken.
  await server.kill();
  sql(server, 'UPDATE uploads SET size = received WHERE id = ?', u.id);
  server = await startServer(t, { dataDir });
  complete(server, u.id, 5 * GRAIN);
  assert.equal((await put(`${server.http}/upload/${u.id}`, Buffer.alloc(0), 'bytes */*')).status, 200);
  assert.deepEqual(fs.readdirSync(path.join(dataDir, 'uploads')), []);
});

test('a browser: UpChunk and mux-uploader, from another site', async (t) => {
  const server = await startServer(t);
  const elsewhere = await startServer(t); // another origin
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const film = fs.readFileSync(await sample({ seconds: 4, bitrate: '4000k' }));
  assert.ok(film.length > 3 * GRAIN, `${film.length} bytes`);
  const { page, problems } = await launchBrowser(t, { expected: [/favicon/] });
  const contents = `import * as UpChunk from '@mux/upchunk'; import '@mux/mux-uploader'; Object.assign(globalThis, { UpChunk });`;
  const made = await build({ stdin: { contents, resolveDir: here }, bundle: true, write: false, format: 'iife', logLevel: 'error', define: { global: 'globalThis' } });
  await page.goto(`${elsewhere.http}/healthz`);
  await page.evaluate(made.outputFiles[0].text);
  await page.evaluate((b64) => {
    const bytes = Uint8Array.from(atob(b64), (c) => c.charCodeAt(0));
    globalThis.film = new File([bytes], 'film.mp4', { type: 'video/mp4' });
  }, film.toString('base64'));

  const a = await newUpload(ada, stream);
  const seen = await page.evaluate((endpoint) => new Promise((resolve, reject) => {
    const up = UpChunk.createUpload({ endpoint, file: globalThis.film, chunkSize: 256 });
    const statuses = [];
    up.on('chunkSuccess', (e) => statuses.push(e.detail.response?.statusCode));
    up.on('error', (e) => reject(new Error(e.detail.message)));
    up.on('success', () => resolve(statuses));
  }), a.url).catch((e) => assert.fail(`${e.message} ${problems}`));
  assert.equal(seen.length, Math.ceil(film.length / GRAIN));
  assert.deepEqual([...new Set(seen.slice(0, -1)), seen.at(-1)], [308, 200]);
  complete(server, a.id, film.length);

  const b = await newUpload(ada, stream);
  await page.evaluate((endpoint) => new Promise((resolve, reject) => {
    const el = document.createElement('mux-uploader');
    Object.assign(el, { endpoint, chunkSize: 512 });
    document.body.append(el);
    el.addEventListener('uploaderror', (e) => reject(new Error(e.detail?.message)));
    el.addEventListener('success', () => resolve());
    el.dispatchEvent(new CustomEvent('file-ready', { composed: true, bubbles: true, detail: globalThis.film }));
  }), b.url);
  complete(server, b.id, film.length);
  assert.deepEqual(problems, []);
});
