// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { createSignalling, fragmentOf, iceServers, parseLinks, temporary, withFragment } from '../src/rtc/signalling';

const BASE = 'https://live.example/stream/s1';

function server(answer: (n: number) => Response | Promise<Response>) {
  const calls: { url: string; init: RequestInit }[] = [];
  const fetcher = async (url: string, init: RequestInit) => {
    calls.push({ url, init });
    return answer(calls.length);
  };
  const header = (i: number, name: string) => (calls[i]?.init.headers as Record<string, string>)[name];
  return { calls, fetcher, header };
}

const created = (headers: Record<string, string> = {}) =>
  new Response('v=0\r\n', { status: 201, headers: { Location: '/rtc/abc', ETag: '"e1"', ...headers } });

test('an offer becomes an answer and an address', async () => {
  const s = server(() => created());
  const signalling = createSignalling('/whip', { bearer: 'key', fetcher: s.fetcher, base: BASE });
  const made = await signalling.offer('v=0\r\no=x\r\n');
  assert.ok(made.ok);
  assert.deepEqual([made.answer, made.location, made.etag, made.iceServers], ['v=0\r\n', 'https://live.example/rtc/abc', '"e1"', []]);
  assert.equal(s.calls[0]?.url, 'https://live.example/whip');
  assert.equal(s.calls[0]?.init.method, 'POST');
  assert.equal(s.header(0, 'Authorization'), 'Bearer key');
  assert.equal(s.header(0, 'Content-Type'), 'application/sdp');
});

test('without a key nothing is claimed', async () => {
  const s = server(() => created());
  await createSignalling('https://x/whep/p1', { fetcher: s.fetcher }).offer('v=0');
  assert.equal(s.header(0, 'Authorization'), undefined);
  assert.equal(s.calls[0]?.init.credentials, 'omit');
});

test('after a redirect, what is relative is relative to where it led', async () => {
  const answer = created();
  Object.defineProperty(answer, 'url', { value: 'https://node2.example/whip' });
  const made = await createSignalling('/whip', { fetcher: async () => answer, base: BASE }).offer('v=0');
  assert.ok(made.ok);
  assert.equal(made.location, 'https://node2.example/rtc/abc');
});

test('a refusal keeps status, code, words and when to come back', async () => {
  const body = JSON.stringify({ error: { code: 'not_live', message: 'Not live.' } });
  const s = server(() => new Response(body, { status: 409, headers: { 'Retry-After': '2' } }));
  const no = await createSignalling('/whep/p', { fetcher: s.fetcher, base: BASE }).offer('v=0');
  assert.deepEqual(no, { ok: false, status: 409, code: 'not_live', message: 'Not live.', retryAfter: 2 });
  assert.ok(!no.ok && temporary(no));
});

test('a refusal without JSON has words, too; no answer is one', async () => {
  const html = await createSignalling('/x', { fetcher: async () => new Response('<html>', { status: 502 }), base: BASE }).offer('v=0');
  assert.ok(!html.ok && html.code === 'http_502' && html.message.length > 10 && temporary(html));
  const none = await createSignalling('/x', { fetcher: () => Promise.reject(new TypeError('x')), base: BASE }).offer('v=0');
  assert.ok(!none.ok && none.status === 0 && none.code === 'network' && temporary(none));
  const wrong = await createSignalling('/x', { fetcher: async () => new Response('v=0', { status: 200 }), base: BASE }).offer('v=0');
  assert.ok(!wrong.ok && wrong.code === 'bad_answer');
  const lost = await createSignalling('/x', { fetcher: async () => new Response('v=0', { status: 201 }), base: BASE }).offer('v=0');
  assert.ok(!lost.ok && lost.code === 'bad_answer', 'no Location');
  const auth = await createSignalling('/x', { fetcher: async () => new Response('{}', { status: 401 }), base: BASE }).offer('v=0');
  assert.ok(!auth.ok && !temporary(auth));
});

test('Retry-After may be a date', async () => {
  const at = new Date(Date.now() + 30_000).toUTCString();
  const no = await createSignalling('/x', { fetcher: async () => new Response('', { status: 503, headers: { 'Retry-After': at } }), base: BASE }).offer('v');
  assert.ok(!no.ok && no.retryAfter !== null && no.retryAfter > 25 && no.retryAfter <= 30, JSON.stringify(no));
});

const TURN =
  '<stun:stun.example:3478>; rel="ice-server", <turn:turn.example?transport=udp>; rel="ice-server"; username="17:a,b;c"; ' +
  'credential="my\\"Pass"; credential-type="password", <turn:half.example>; rel=ice-server, </rtc/abc/layer>; ' +
  'rel="urn:ietf:params:whep:ext:core:layer"';

test('Link headers: quotes hide commas, ICE servers come out, other links are resolved', () => {
  const links = parseLinks(TURN, 'https://live.example/whep/p');
  assert.equal(links.length, 4);
  assert.deepEqual(iceServers(links), [
    { urls: 'stun:stun.example:3478' },
    { urls: 'turn:turn.example?transport=udp', username: '17:a,b;c', credential: 'my"Pass' },
  ]);
  assert.deepEqual(links[3], {
    target: 'https://live.example/rtc/abc/layer',
    rel: 'urn:ietf:params:whep:ext:core:layer',
    params: { rel: 'urn:ietf:params:whep:ext:core:layer' },
  });
  for (const odd of [null, '', ',', '<', 'x; rel=y', '<>; rel=ice-server', '<turn:x>; rel="ice-server'])
    assert.deepEqual(iceServers(parseLinks(odd, BASE)), [], String(odd));
});

test('ICE servers before the offer', async () => {
  const s = server(() => new Response(null, { status: 204, headers: { Link: TURN } }));
  const found = await createSignalling('/whip', { fetcher: s.fetcher, base: BASE }).iceServers();
  assert.equal(found.length, 2);
  assert.equal(s.calls[0]?.init.method, 'OPTIONS');
  assert.deepEqual(await createSignalling('/whip', { fetcher: () => Promise.reject(new TypeError('x')), base: BASE }).iceServers(), []);
});

const OFFER = [
  'v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1',
  'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:0', 'a=ice-ufrag:uNew', 'a=ice-pwd:pNew', 'a=ice-options:trickle', 'a=candidate:1 1 udp 1 192.0.2.1 5000 typ host',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:1', 'a=ice-ufrag:uNew', 'a=ice-pwd:pNew', '',
].join('\r\n');

test('a restart sends credentials and candidates, and gets the new ones into the answer', async () => {
  const fragment = 'a=ice-ufrag:sNew\r\na=ice-pwd:spNew\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:9 1 udp 1 127.0.0.1 7 typ host\r\n';
  const s = server(() => new Response(fragment, { status: 200, headers: { ETag: '"e2"' } }));
  const done = await createSignalling('/whip', { bearer: 'k', fetcher: s.fetcher, base: BASE }).restart('https://live.example/rtc/abc', '"e1"', OFFER);
  assert.ok(done.ok && done.etag === '"e2"');
  assert.equal(s.calls[0]?.init.method, 'PATCH');
  assert.equal(s.header(0, 'If-Match'), '"e1"');
  assert.equal(s.header(0, 'Content-Type'), 'application/trickle-ice-sdpfrag');
  assert.equal(
    s.calls[0]?.init.body,
    'a=ice-options:trickle\r\na=ice-ufrag:uNew\r\na=ice-pwd:pNew\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n',
  );
  const answer = OFFER.replaceAll('uNew', 'sOld').replaceAll('pNew', 'spOld').replaceAll('\r\n', '\n');
  const after = withFragment(answer, done.fragment);
  assert.equal(after.match(/a=ice-ufrag:sNew\r\n/g)?.length, 2);
  assert.equal(after.match(/a=ice-pwd:spNew\r\n/g)?.length, 2);
  assert.deepEqual(after.match(/a=candidate:.*/g)?.map((l) => l.trim()), ['a=candidate:9 1 udp 1 127.0.0.1 7 typ host']);
  assert.ok(after.indexOf('a=candidate') < after.indexOf('m=audio'), 'in the first section');
  assert.ok(withFragment(answer.split('m=audio')[0] ?? '', done.fragment).endsWith('typ host\r\n'), 'one section');
  assert.equal(fragmentOf('rubbish'), '');
});

test('a restart that the server does not make is a refusal', async () => {
  for (const [status, code] of [[204, 'no_restart'], [412, 'http_412'], [404, 'http_404']] as const) {
    const no = await createSignalling('/w', { fetcher: async () => new Response(status === 204 ? null : '', { status }), base: BASE }).restart(BASE, null, OFFER);
    assert.ok(!no.ok && no.code === code && no.status === status, JSON.stringify(no));
  }
});

test('the end: gone is gone, and a closing page does not wait', async () => {
  const s = server((n) => new Response(null, { status: [200, 404, 500][n - 1] ?? 200 }));
  const signalling = createSignalling('/whip', { fetcher: s.fetcher, base: BASE });
  assert.equal(await signalling.end('https://live.example/rtc/abc'), true);
  assert.equal(await signalling.end('https://live.example/rtc/abc'), true);
  assert.equal(await signalling.end('https://live.example/rtc/abc'), false);
  await signalling.end('https://live.example/rtc/abc', { keepalive: true });
  assert.equal(s.calls[3]?.init.keepalive, true);
  assert.equal(s.calls[3]?.init.signal, undefined);
});
