// SPDX-License-Identifier: MIT
// What people send who do not mean well, or whose program is wrong: each has a clear answer, and
// nothing is lost by it.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { Client, newUser, password } from './lib/api.mjs';
import { raw } from './lib/http.mjs';
import { startServer, until } from './lib/server.mjs';

const deep = (n) => `${'['.repeat(n)}${']'.repeat(n)}`;

test('bodies: not JSON, wrong type, unknown, missing, too long', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const json = { 'Content-Type': 'application/json' };
  const cases = [
    // [body, status, field, headers]
    ['', 400],
    ['{', 400],
    ['{"title":"a"} trailing', 400],
    ['{"title":"a","title":"b"}', 400],
    ["{'title':'a'}", 400],
    ['{"title":"\\ud800"}', 400],
    ['{"title":"a\\u0000b"}', 400],
    [Buffer.from('7b227469746c65223a22ff227d', 'hex'), 400],
    [`{"title":${deep(1000)}}`, 400],
    [deep(20_000), 400],
    ['[]', 422],
    ['"title"', 422],
    ['null', 422],
    ['{}', 422, 'title'],
    ['{"title":5}', 422, 'title'],
    ['{"title":null}', 422, 'title'],
    ['{"title":["a"]}', 422, 'title'],
    ['{"title":"a","colour":"red"}', 422, 'colour'],
    ['{"title":"a","__proto__":{"admin":true}}', 422, '__proto__'],
    ['{"title":"a","status":"LIVE"}', 422, 'status'],
    ['{"title":"a","userId":"someone"}', 422, 'userId'],
    ['{"title":""}', 422, 'title'],
    ['{"title":"   "}', 422, 'title'],
    ['{"title":"a\\nb"}', 422, 'title'],
    ['{"title":"a\\u0007b"}', 422, 'title'],
    ['{"title":"a\\u202eb"}', 422, 'title'],
    [JSON.stringify({ title: 'x'.repeat(141) }), 422, 'title'],
    [JSON.stringify({ title: 'a', description: 'x'.repeat(5001) }), 422, 'description'],
    ['{"title":"a","streamType":"CARRIER_PIGEON"}', 422, 'streamType'],
    ['{"title":"a","streamType":1}', 422, 'streamType'],
    ['{"title":"a","scheduledAt":"tomorrow"}', 422, 'scheduledAt'],
    ['{"title":"a","scheduledAt":1790000000}', 422, 'scheduledAt'],
    ['{"title":"a","scheduledAt":"2001-01-01T00:00:00Z"}', 422, 'scheduledAt'],
    ['{"title":"a"}', 415, undefined, { 'Content-Type': 'text/plain' }],
    ['title=a', 415, undefined, { 'Content-Type': 'application/x-www-form-urlencoded' }],
    [JSON.stringify({ title: 'a', description: 'x'.repeat(70_000) }), 413],
  ];
  for (const [body, status, field, headers] of cases) {
    const answer = await ada.call('POST', '/api/streams', body, headers ?? json);
    const what = `${body.toString().slice(0, 60)} -> ${answer.status} ${answer.text.slice(0, 200)}`;
    assert.equal(answer.status, status, what);
    const { error } = answer.json;
    assert.match(error.code, /^[a-z0-9_]+$/, what);
    assert.ok(error.message.length > 5, what);
    assert.equal(error.field, field, what);
  }
  // Emoji count as one character each, and the longest texts fit.
  const full = await ada.createStream({ title: '🎥'.repeat(140), description: 'é'.repeat(5000) });
  assert.equal([...full.title].length, 140);
  assert.equal((await ada.expect(200, 'GET', '/api/streams?mine=1')).streams.length, 1, 'nothing else was made');
});

test('registration refuses what cannot be an account', async (t) => {
  const server = await startServer(t);
  const good = { name: 'Eve', email: 'eve@example.org', password };
  const cases = [
    [{ ...good, password: 'short' }, 'password'],
    [{ ...good, password: '' }, 'password'],
    [{ ...good, password: '12345678' }, 'password'],
    [{ ...good, password: 'x'.repeat(1025) }, 'password'],
    [{ ...good, email: 'eve' }, 'email'],
    [{ ...good, email: 'eve@' }, 'email'],
    [{ ...good, email: 'eve@example.org\r\nBcc: all@example.org' }, 'email'],
    [{ ...good, email: `${'e'.repeat(250)}@example.org` }, 'email'],
    [{ ...good, name: '' }, 'name'],
    [{ ...good, name: 'x'.repeat(81) }, 'name'],
    [{ ...good, name: 'E\u0000ve' }, undefined],
    [{ ...good, role: 'admin' }, 'role'],
    [{ ...good, admin: true }, 'admin'],
    [{ name: 'Eve', email: good.email }, 'password'],
  ];
  for (const [body, field] of cases) {
    const answer = await new Client(server).call('POST', '/api/auth/register', body);
    assert.ok([400, 422].includes(answer.status), `${JSON.stringify(body).slice(0, 80)}: ${answer.status}`);
    assert.equal(answer.json.error.field, field);
    assert.equal(answer.headers['set-cookie'], undefined);
  }
});

test('SQL and script in texts are texts', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const texts = [
    `'); DROP TABLE streams; --`,
    `<script>alert(1)</script>`,
    `"><img src=x onerror=alert(1)>`,
    `\${7*7} {{7*7}} %s%s%n`,
    `'; UPDATE users SET role='admin`,
  ];
  for (const text of texts) {
    const made = await ada.createStream({ title: text, description: text });
    const seen = await new Client(server).call('GET', `/api/streams/${made.id}`);
    assert.equal(seen.json.title, text);
    assert.equal(seen.json.description, text);
    assert.match(seen.headers['content-type'], /^application\/json/);
    assert.equal(seen.headers['x-content-type-options'], 'nosniff');
  }
  assert.equal((await ada.expect(200, 'GET', '/api/streams?mine=1')).streams.length, texts.length);
  assert.equal((await ada.expect(200, 'GET', '/api/me')).user.role, 'user');
});

test("a stranger's cookie, no cookie and a made-up cookie on somebody's stream", async (t) => {
  const server = await startServer(t);
  const [ada, bob] = [await newUser(server), await newUser(server, 'Bob')];
  const stream = await ada.createStream({ title: 'Mine' });
  const at = `/api/streams/${stream.id}`;
  const rows = [['PATCH', at, { title: 'Yours' }], ['DELETE', at], ['POST', `${at}/end`], ['POST', `${at}/reset-key`], ['GET', `${at}/health`]];
  const fake = new Client(server);
  fake.cookie = `bsp_session=${'A'.repeat(43)}`;
  for (const [method, target, body] of rows) {
    const answer = await bob.call(method, target, body);
    assert.ok([403, 404].includes(answer.status), `${method} ${target}: ${answer.status}`);
    assert.equal((await new Client(server).call(method, target, body)).status, 401);
    assert.equal((await fake.call(method, target, body)).status, 401);
  }
  assert.equal((await bob.stream(stream.id)).ingest, undefined);
  const now = await ada.stream(stream.id);
  assert.equal(now.title, 'Mine');
  assert.equal(now.status, 'CREATED');
  assert.equal(now.ingest.streamKey, stream.ingest.streamKey);
  for (const cookie of ['bsp_session=', "bsp_session=' OR '1'='1", `bsp_session=${'x'.repeat(4000)}`, 'bsp_session', ';;;=;'])
    assert.equal((await ada.call('GET', '/api/me', undefined, { Cookie: cookie })).status, 401, cookie);
});

test("another site's page cannot act with the visitor's cookie", async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const foreign = ['https://evil.example', 'null', 'http://127.0.0.1', `${server.http}.evil.example`, 'file://'];
  for (const Origin of foreign) {
    const answer = await ada.call('POST', `/api/streams/${stream.id}/end`, undefined, { Origin });
    assert.equal(answer.status, 403, Origin);
    assert.equal(answer.json.error.code, 'bad_origin');
    const login = await new Client(server).call('POST', '/api/auth/login', { email: ada.email, password }, { Origin });
    assert.equal(login.status, 403, 'nor log them in as somebody else');
  }
  assert.equal((await ada.stream(stream.id)).status, 'CREATED');
  const own = await ada.call('GET', '/api/me', undefined, { Origin: 'https://evil.example' });
  assert.equal(own.headers['access-control-allow-origin'], undefined, 'nor read what the API says');
});

test('login guessing is slowed down, for the guesser only', async (t) => {
  const server = await startServer(t);
  const [ada, bob] = [await newUser(server), await newUser(server, 'Bob')];
  let refused;
  let tries = 0;
  for (; tries < 40 && !refused; tries++) {
    const answer = await new Client(server).call('POST', '/api/auth/login', { email: ada.email, password: `guess ${tries}` });
    if (answer.status === 429) refused = answer;
    else assert.equal(answer.status, 401);
  }
  assert.ok(refused, '429 within 40 guesses');
  assert.ok(tries > 5, `a person may mistype (${tries} tries)`);
  assert.ok(Number(refused.headers['retry-after']) >= 1, `Retry-After: ${refused.headers['retry-after']}`);
  assert.equal(refused.json.error.code, 'too_many_requests');
  const right = await new Client(server).call('POST', '/api/auth/login', { email: ada.email, password });
  assert.equal(right.status, 429, 'also with the right password: else the guess would show');
  await new Client(server).expect(200, 'POST', '/api/auth/login', { email: bob.email, password });
  assert.equal((await ada.call('GET', '/api/me')).status, 200, 'who is logged in stays so');
});

test('one password on many accounts is slowed down by address', async (t) => {
  const server = await startServer(t);
  const answers = [];
  for (let round = 0; round < 20 && !answers.includes(429); round++)
    answers.push(...(await Promise.all(Array.from({ length: 8 }, async (_, i) =>
      (await new Client(server).call('POST', '/api/auth/login', { email: `u${round}.${i}@example.org`, password: 'Summer2026!' })).status))));
  assert.ok(answers.includes(429), `${answers.length} attempts, none refused`);
});

test('ids that are paths', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const ids = ['..', '.', '%2e%2e', '..%2f..%2fetc%2fpasswd', '..%5c..%5c', '%00', 'a%00b', 'a%0d%0ab', 'a%20b', "a'--", 'x'.repeat(300), '%ff', '%c3%28', '%'];
  const { hostname, port } = new URL(server.http);
  for (const id of ids) {
    for (const [method, tail] of [['GET', ''], ['GET', '/events'], ['GET', '/health'], ['DELETE', ''], ['POST', '/end']]) {
      // As raw bytes: a URL library would tidy the dots away.
      const got = await raw(server.http, `${method} /api/streams/${id}${tail} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nCookie: ${ada.cookie}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(got.text)?.[1]);
      assert.ok([400, 403, 404, 405].includes(status), `${method} ${id}${tail}: ${got.text.slice(0, 100)}`);
      assert.ok(!got.text.includes('root:'), id);
    }
  }
});

test('a reader of events that takes nothing is sent away, and costs nobody anything', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream({ title: 'x', description: 'd'.repeat(5000) });
  const { hostname, port } = new URL(server.http);
  const slow = net.connect({ host: hostname, port: Number(port) });
  t.after(() => slow.destroy());
  slow.write(`GET /api/streams/${stream.id}/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  slow.pause();
  slow.on('error', () => {});
  const good = await ada.events(stream.id);
  t.after(() => good.close());
  await good.wait('stream');
  await until('both are there', async () => (await ada.stream(stream.id)).viewerCount === 2);
  // More than the sockets and the queue take. Nobody else waits for it.
  let gone = false;
  for (let i = 0; i < 2000 && !gone; i++) {
    const answer = await ada.call('PATCH', `/api/streams/${stream.id}`, { description: `${i} ${'d'.repeat(4900)}` });
    if (answer.status === 429) {
      await new Promise((r) => setTimeout(r, 1000));
      continue;
    }
    assert.equal(answer.status, 200);
    if (i % 50 === 0) gone = (await ada.stream(stream.id)).viewerCount === 1;
  }
  await until('the slow one is gone', async () => (await ada.stream(stream.id)).viewerCount === 1, 60_000);
  assert.equal(good.closed, false);
});

test('a host name that is not one does no harm', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  for (const host of ['evil.example', 'a"b', "x' onload='", '\xff\xfe', '[::1', 'a b', '']) {
    const got = await raw(server.http, Buffer.from(`GET /api/streams/${stream.id} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 'latin1'));
    assert.match(got.text, /^HTTP\/1\.1 (200|400|421) /, host);
  }
  assert.equal((await ada.stream(stream.id)).id, stream.id);
});
