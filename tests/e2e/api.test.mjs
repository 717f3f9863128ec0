// SPDX-License-Identifier: MIT
// The product API row by row, as docs/api/http.md has it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Client, newUser, password } from './lib/api.mjs';
import { startServer, until } from './lib/server.mjs';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

test('register, me, logout, login', async (t) => {
  const server = await startServer(t);
  const ada = new Client(server);
  const answer = await ada.call('POST', '/api/auth/register', { name: 'Ada', email: 'Ada@Example.org', password });
  assert.equal(answer.status, 201);
  const { user } = answer.json;
  assert.equal(user.name, 'Ada');
  assert.equal(user.email, 'Ada@Example.org');
  assert.match(user.createdAt, ISO);
  assert.ok(!answer.text.includes('argon2') && !answer.text.includes(password));
  const cookie = answer.headers['set-cookie'][0];
  assert.match(cookie, /HttpOnly/i);
  assert.match(cookie, /SameSite=Lax/i);
  assert.match(cookie, /Path=\//i);
  assert.doesNotMatch(cookie, /Secure/i, 'without TLS a Secure cookie would not come back');
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.match(answer.headers['cache-control'], /no-store/);

  assert.equal((await ada.expect(200, 'GET', '/api/me')).user.id, user.id);
  const old = ada.cookie;
  await ada.expect(204, 'POST', '/api/auth/logout');
  assert.equal((await ada.call('GET', '/api/me')).status, 401);
  assert.equal((await ada.call('GET', '/api/me', undefined, { Cookie: old })).status, 401, 'the old token is dead');

  const back = await ada.call('POST', '/api/auth/login', { email: 'ada@example.ORG', password });
  assert.equal(back.status, 200);
  assert.equal(back.json.user.id, user.id);
  assert.notEqual(ada.cookie, old);
  const taken = await new Client(server).call('POST', '/api/auth/register', { name: 'B', email: 'ADA@example.org', password });
  assert.equal(taken.status, 409);
  assert.equal(taken.json.error.code, 'email_taken');
});

test('the session cookie is Secure behind TLS', async (t) => {
  const server = await startServer(t, { tls: true });
  const answer = await new Client(server).call('POST', '/api/auth/register', { name: 'A', email: 'a@example.org', password });
  assert.equal(answer.status, 201);
  assert.match(answer.headers['set-cookie'][0], /; Secure/);
});

test('wrong password and unknown user are one answer, in one time', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const times = { wrong: [], unknown: [] };
  let texts = new Set();
  for (let i = 0; i < 8; i++) {
    for (const [kind, email] of [['wrong', ada.email], ['unknown', `nobody${i}@example.org`]]) {
      const began = process.hrtime.bigint();
      const answer = await new Client(server).call('POST', '/api/auth/login', { email, password: 'not the password' });
      times[kind].push(Number(process.hrtime.bigint() - began) / 1e6);
      assert.equal(answer.status, 401);
      texts.add(answer.text);
    }
  }
  assert.equal(texts.size, 1, [...texts].join('\n'));
  const median = (a) => a.sort((x, y) => x - y)[a.length >> 1];
  const ratio = median(times.wrong) / median(times.unknown);
  assert.ok(ratio > 0.5 && ratio < 2, `wrong / unknown took ${ratio}`);
});

test('registration can be closed', async (t) => {
  const server = await startServer(t, { args: ['--registration', 'false'] });
  const answer = await new Client(server).call('POST', '/api/auth/register', { name: 'A', email: 'a@example.org', password });
  assert.equal(answer.status, 403);
  assert.equal(answer.json.error.code, 'registration_closed');
});

test('a stream as its owner makes, changes, ends and deletes it', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const soon = new Date(Date.now() + 86_400_000).toISOString();
  const stream = await ada.createStream({ title: '  Tea  ', description: 'with\nmilk', streamType: 'BROWSER', scheduledAt: soon });
  const fields = ['id', 'title', 'description', 'status', 'streamType', 'recordingStatus', 'recordingUrl', 'recordingId',
    'duration', 'startedAt', 'endedAt', 'scheduledAt', 'viewerCount', 'peakViewers', 'createdAt', 'updatedAt', 'user', 'playback', 'ingest'];
  for (const f of fields) assert.ok(f in stream, `Stream.${f}`);
  assert.equal(stream.title, 'Tea');
  assert.equal(stream.description, 'with\nmilk');
  assert.equal(stream.status, 'CREATED');
  assert.equal(stream.streamType, 'BROWSER');
  assert.equal(stream.recordingStatus, 'NONE');
  assert.equal(Date.parse(stream.scheduledAt), Date.parse(soon));
  for (const f of ['recordingUrl', 'recordingId', 'duration', 'startedAt', 'endedAt']) assert.equal(stream[f], null, f);
  assert.match(stream.createdAt, ISO);
  assert.deepEqual(Object.keys(stream.user).sort(), ['handle', 'id', 'image', 'name']);
  const { playbackId } = stream.playback;
  assert.equal(stream.playback.hlsUrl, `${server.http}/${playbackId}.m3u8`);
  assert.equal(stream.playback.whepUrl, `${server.http}/whep/${playbackId}`);
  assert.ok(stream.playback.thumbnailUrl.includes(playbackId) && stream.playback.storyboardUrl.includes(playbackId));
  assert.equal(stream.ingest.rtmpUrl, `${server.rtmp}/live`);
  assert.equal(stream.ingest.whipUrl, `${server.http}/whip`);
  assert.match(stream.ingest.streamKey, /^[A-Za-z0-9]{20,64}$/);
  assert.equal(stream.ingest.rtmpsUrl, undefined);

  const at = `/api/streams/${stream.id}`;
  assert.deepEqual((await ada.stream(stream.id)).ingest, stream.ingest, 'the owner sees the key at any time');
  const changed = await ada.expect(200, 'PATCH', at, { title: 'Coffee', scheduledAt: null });
  assert.equal(changed.title, 'Coffee');
  assert.equal(changed.description, 'with\nmilk');
  assert.equal(changed.scheduledAt, null);
  assert.equal((await ada.expect(200, 'PATCH', at, { streamType: 'RTMP', description: null })).description, '');

  const reset = await ada.expect(200, 'POST', `${at}/reset-key`);
  assert.notEqual(reset.ingest.streamKey, stream.ingest.streamKey);
  const ended = await ada.expect(200, 'POST', `${at}/end`);
  assert.equal(ended.status, 'ENDED');
  assert.equal((await ada.expect(200, 'POST', `${at}/end`)).status, 'ENDED', 'twice is fine');
  const health = await ada.expect(200, 'GET', `${at}/health`);
  assert.equal(health.connected, false);
  assert.ok(health.advice.length > 0 && health.advice[0].message);
  await ada.expect(204, 'DELETE', at);
  assert.equal((await ada.call('GET', at)).status, 404);
  assert.equal((await ada.call('DELETE', at)).status, 404);
});

test('rtmpsUrl is there when RTMPS is; public URLs are used when set', async (t) => {
  const secure = await startServer(t, { tls: true });
  const stream = await (await newUser(secure)).createStream();
  assert.equal(stream.ingest.rtmpsUrl, `${secure.rtmps}/live`);
  const args = ['--public-url', 'https://live.example.org', '--public-rtmp-url', 'rtmp://in.example.org/live'];
  const named = await startServer(t, { args });
  const other = await (await newUser(named)).createStream();
  assert.equal(other.ingest.rtmpUrl, 'rtmp://in.example.org/live');
  assert.ok(other.playback.hlsUrl.startsWith('https://live.example.org/'));
});

test('lists: mine, by state, in pages', async (t) => {
  const server = await startServer(t);
  const [ada, bob] = [await newUser(server), await newUser(server, 'Bob')];
  const made = [];
  for (let i = 0; i < 7; i++) made.push((await ada.createStream({ title: `Number ${i}` })).id);
  await bob.createStream({ title: "Bob's" });
  await ada.end(made[2]);

  const everything = [];
  let cursor = '';
  let pages = 0;
  do {
    const page = await ada.expect(200, 'GET', `/api/streams?mine=1&limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    everything.push(...page.streams.map((s) => s.id));
    cursor = page.nextCursor;
    pages++;
  } while (cursor);
  assert.equal(pages, 3);
  assert.deepEqual(everything, [...made].reverse(), 'newest first, each once');
  const ended = await ada.expect(200, 'GET', '/api/streams?mine=true&status=ENDED');
  assert.deepEqual(ended.streams.map((s) => s.id), [made[2]]);
  assert.equal(ended.nextCursor, null);
  assert.ok(!JSON.stringify(ended).includes('streamKey'), 'no keys in lists');

  const lobby = await new Client(server).expect(200, 'GET', '/api/streams');
  assert.deepEqual(lobby, { streams: [], nextCursor: null }, 'what is not live yet is not in the lobby');
  assert.deepEqual((await bob.expect(200, 'GET', '/api/streams?status=CREATED')).streams.map((s) => s.title), ["Bob's"]);
  assert.equal((await new Client(server).call('GET', '/api/streams?mine=1')).status, 401);
  for (const bad of ['status=NOPE', 'limit=0', 'limit=101', 'limit=x', 'limit=-1', 'cursor=zzz', 'mine=perhaps', "cursor=1.2.x'--"]) {
    const answer = await ada.call('GET', `/api/streams?${bad}`);
    assert.equal(answer.status, 422, bad);
    assert.equal(answer.json.error.field, bad.split('=')[0]);
  }
});

test('everything is still there after a restart', async (t) => {
  const first = await startServer(t);
  const ada = await newUser(first);
  const stream = await ada.createStream({ title: 'Kept' });
  await first.stop();
  const second = await startServer(t, { dataDir: first.dataDir });
  ada.server = second;
  const again = await ada.stream(stream.id);
  assert.equal(again.title, 'Kept');
  assert.equal(again.ingest.streamKey, stream.ingest.streamKey);
  // A database that was taken away alone tells no key.
  const db = fs.readFileSync(path.join(first.dataDir, 'bspnode.db'));
  assert.equal(db.includes(stream.ingest.streamKey), false);
  assert.equal(db.includes(ada.cookie.split('=')[1]), false);
  assert.equal(fs.statSync(path.join(first.dataDir, 'secret.key')).mode & 0o777, 0o600);
});

test('events: the state, what changes, the viewers, and the end', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream({ title: 'Before' });
  const viewer = new Client(server);
  const events = await viewer.events(stream.id);
  t.after(() => events.close());
  assert.equal(events.status, 200);
  assert.match(events.headers['content-type'], /^text\/event-stream/);
  const first = await events.wait('stream');
  assert.equal(first.json.title, 'Before');
  assert.equal(first.json.ingest, undefined);
  assert.ok(first.id, 'events have ids');
  await events.wait('viewers', (v) => v.count === 1);

  await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { title: 'After' });
  const second = await events.wait('stream', (s) => s.title === 'After');
  assert.ok(Number(second.id) > Number(first.id));
  assert.ok(!second.data.includes(stream.ingest.streamKey));

  const other = await new Client(server).events(stream.id);
  await events.wait('viewers', (v) => v.count === 2);
  await until('the API says so too', async () => (await viewer.stream(stream.id)).viewerCount === 2);
  const own = await ada.events(`${stream.id}`);
  own.close();
  other.close();
  await until('the other has gone', async () => (await viewer.stream(stream.id)).viewerCount === 1);

  // A reader that comes back gets only what it has not seen.
  const resumed = await viewer.events(stream.id, { 'Last-Event-ID': second.id });
  await resumed.wait('viewers');
  assert.equal(resumed.seen.filter((e) => e.event === 'stream').length, 0);
  const late = await viewer.events(stream.id, { 'Last-Event-ID': first.id });
  assert.equal((await late.wait('stream')).json.title, 'After');
  resumed.close();
  late.close();

  await ada.end(stream.id);
  await events.wait('stream', (s) => s.status === 'ENDED');
  await ada.expect(204, 'DELETE', `/api/streams/${stream.id}`);
  await events.wait('stream', (s) => s.deleted === true);
  assert.equal((await viewer.events(stream.id).then((e) => (e.close(), e))).status, 404);
});

test('events: the owner at the dashboard is no viewer, a stranger who says so is', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const bob = await newUser(server, 'Bob');
  const stream = await ada.createStream();
  const open = async (client) => {
    const e = await client.events(`${stream.id}`, {});
    return e;
  };
  const { eventSource } = await import('./lib/http.mjs');
  const url = `${server.http}/api/streams/${stream.id}/events?role=owner`;
  const dashboard = await eventSource(url, { headers: { Cookie: ada.cookie } });
  await dashboard.wait('viewers', (v) => v.count === 0);
  const liar = await eventSource(url, { headers: { Cookie: bob.cookie } });
  await dashboard.wait('viewers', (v) => v.count === 1);
  const page = await open(bob);
  await dashboard.wait('viewers', (v) => v.count === 2);
  for (const e of [dashboard, liar, page]) e.close();
});

test('pages: caching, policy, not found', async (t) => {
  const server = await startServer(t);
  const html = { Accept: 'text/html' };
  for (const page of ['/', '/login', '/register', '/dashboard', '/stream/abc']) {
    const answer = await server.get(page, { headers: html });
    assert.equal(answer.status, 200, page);
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.equal(answer.headers['cache-control'], 'no-cache');
    assert.match(answer.headers['content-security-policy'], /frame-ancestors 'none'/);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.ok(answer.headers['referrer-policy']);
  }
  const index = await server.get('/', { headers: html });
  const script = /src="(\/assets\/main-[^"]+\.js)"/.exec(index.text)[1];
  const plain = await server.get(script);
  assert.equal(plain.status, 200);
  assert.match(plain.headers['cache-control'], /immutable/);
  assert.match(plain.headers['content-type'], /javascript/);
  const again = await server.get(script, { headers: { 'If-None-Match': plain.headers.etag } });
  assert.equal(again.status, 304);
  assert.equal(again.text, '');
  const packed = await server.get(script, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.match(packed.headers.vary, /accept-encoding/i);
  assert.ok(packed.body.length < plain.body.length);
  const embed = await server.get('/embed/abc', { headers: html });
  assert.equal(embed.status, 200);
  assert.match(embed.headers['content-security-policy'], /frame-ancestors \*/);
  const lost = await server.get('/no/such/page', { headers: html });
  assert.equal(lost.status, 404);
  assert.match(lost.headers['content-type'], /^text\/html/);
  const api = await server.get('/api/nothing', { headers: html });
  assert.equal(api.status, 404);
  assert.equal(api.json.error.code, 'not_found');
});
