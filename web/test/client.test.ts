// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError, createClient } from '../src/api/client';
import { aStream, json } from './fixtures';

function recorded(answer: () => Response | Promise<Response>) {
  const calls: { url: string; init: RequestInit }[] = [];
  let unauthorized = 0;
  const client = createClient(
    async (url, init) => {
      calls.push({ url, init });
      return answer();
    },
    () => unauthorized++,
  );
  return { client, calls, unauthorized: () => unauthorized };
}

const failure = (p: Promise<unknown>) =>
  p.then(
    () => assert.fail('it should fail'),
    (e: unknown) => e as ApiError,
  );

test('a query becomes an address, ids are escaped', async () => {
  const { client, calls } = recorded(() => json(200, { streams: [], nextCursor: null }));
  await client.listStreams({ status: 'LIVE', mine: true, limit: 5, cursor: 'a b' });
  await client.getStream('../me?x');
  assert.equal(calls[0]?.url, '/api/streams?status=LIVE&mine=true&limit=5&cursor=a+b');
  assert.equal(calls[1]?.url, '/api/streams/..%2Fme%3Fx');
});

test('a body is sent as JSON, an answer is read as JSON', async () => {
  const { client, calls } = recorded(() => json(201, aStream()));
  const stream = await client.createStream({ title: 'Tea', streamType: 'RTMP' });
  assert.equal(stream.title, 'Tea');
  assert.equal(calls[0]?.init.method, 'POST');
  assert.equal(calls[0]?.init.body, '{"title":"Tea","streamType":"RTMP"}');
  assert.equal((calls[0]?.init.headers as Record<string, string>)['Content-Type'], 'application/json');
});

test('204 is nothing', async () => {
  const { client } = recorded(() => json(204, null));
  assert.equal(await client.logout(), undefined);
});

test('a refusal keeps its code, words and field', async () => {
  const { client } = recorded(() => json(409, { error: { code: 'email_taken', message: 'Taken.', field: 'email' } }));
  const e = await failure(client.register('A', 'a@b.c', 'x'));
  assert.deepEqual([e.status, e.code, e.message, e.field, e.temporary], [409, 'email_taken', 'Taken.', 'email', false]);
});

test('429 says when to come back', async () => {
  const { client } = recorded(() => json(429, { error: { code: 'slow', message: 'Too many.' } }, { 'Retry-After': '30' }));
  const e = await failure(client.login('a@b.c', 'x'));
  assert.equal(e.retryAfter, 30);
  assert.match(e.message, /Too many\. Try again in 30 s\./);
  assert.ok(e.temporary);
});

test('an error that is not JSON still has words', async () => {
  const { client } = recorded(() => new Response('<html>502', { status: 502 }));
  const e = await failure(client.me());
  assert.equal(e.code, 'http_502');
  assert.ok(e.message.length > 10 && e.temporary);
});

test('no answer is a temporary error', async () => {
  const { client } = recorded(() => Promise.reject(new TypeError('fetch failed')));
  const e = await failure(client.me());
  assert.deepEqual([e.status, e.code, e.temporary], [0, 'network', true]);
});

test('a 200 that is not JSON is an error, not a crash', async () => {
  const { client } = recorded(() => new Response('hello', { status: 200 }));
  assert.equal((await failure(client.me())).code, 'bad_answer');
});

test('a lost session is told, a failed login is not one', async () => {
  const { client, unauthorized } = recorded(() => json(401, { error: { code: 'unauthorized', message: 'x' } }));
  await failure(client.login('a@b.c', 'x'));
  await failure(client.me());
  assert.equal(unauthorized(), 0);
  await failure(client.createStream({ title: 'x', streamType: 'RTMP' }));
  assert.equal(unauthorized(), 1);
});
