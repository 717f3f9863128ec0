// SPDX-License-Identifier: MIT
// What keeps others out, at every page and endpoint there is: headers and policy, requests of other sites' pages, answers
// that tell nobody who has an account, and text that stays text.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, newUser, password, publishUrl } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { request } from './lib/http.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { program, startServer, until } from './lib/server.mjs';

const ENDPOINTS = execFileSync(path.join(path.dirname(program), 'tests/e2e/bsp-endpoints'), { encoding: 'utf8' })
  .trim().split('\n').map((line) => {
    const [method, pattern, who] = line.split(' ');
    return { method, pattern, who, name: `${method} ${pattern}` };
  });
const SCRIPT = '<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"\'`${1}{{1}}';

describe('what keeps others out', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server, ada;

  before(async () => {
    server = await startServer(t);
    ada = await newUser(server, 'Ada');
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  test('every page: its policy and headers, and a nonce that is used once', async () => {
    const stream = await ada.createStream();
    const pages = ['/', '/login', '/register', '/dashboard', `/stream/${stream.id}`, `/stream/${stream.id}/broadcast`, `/embed/${stream.playback.playbackId}`, '/no/such/page', '/login?next=//evil.example',
      '/account', '/forgot', '/reset', '/confirm', '/admin', '/unsubscribe', '/notifications', `/@${ada.user.handle}`];
    const seen = new Set();
    for (const page of pages) {
      const embed = page.startsWith('/embed/');
      const { headers, text, status } = await server.get(page, { headers: { Accept: 'text/html' } });
      assert.equal(status, page === '/no/such/page' ? 404 : 200, page);
      const policy = Object.fromEntries(headers['content-security-policy'].split('; ').map((d) => [d.split(' ')[0], d.split(' ').slice(1)]));
      assert.ok(!/unsafe-/.test(headers['content-security-policy']), page);
      assert.deepEqual(policy['default-src'], ["'none'"], page);
      assert.deepEqual(policy['script-src'], ["'self'"], page);
      assert.deepEqual(policy['base-uri'], ["'none'"], page);
      assert.deepEqual(policy['form-action'], ["'self'"], page);
      assert.deepEqual(policy['frame-ancestors'], [embed ? '*' : "'none'"], page);
      const [, nonce] = /^'nonce-([\w-]{22,})'$/.exec(policy['style-src'].find((s) => s.startsWith("'nonce-")));
      assert.ok(text.includes(`nonce="${nonce}"`), page);
      assert.ok(!seen.has(nonce), 'a nonce is used once');
      seen.add(nonce);
      assert.doesNotMatch(text, /<script(?![^>]* src=)|<style| style=| on\w+=|javascript:/i, page);
      assert.equal(headers['x-content-type-options'], 'nosniff', page);
      assert.equal(headers['referrer-policy'], 'strict-origin-when-cross-origin', page);
      assert.match(headers['permissions-policy'], /camera=\(self\).*geolocation=\(\)/, page);
      assert.equal(headers['x-frame-options'], embed ? undefined : 'DENY', page);
      assert.equal(headers['strict-transport-security'], undefined, 'only over TLS');
    }
    const safe = await startServer(t, { tls: true });
    for (const page of ['/', '/embed/x']) {
      const { headers } = await safe.get(page, { headers: { Accept: 'text/html' } });
      assert.match(headers['strict-transport-security'], /^max-age=\d{7,}$/);
      assert.equal(headers['cross-origin-opener-policy'], page === '/' ? 'same-origin' : undefined);
    }
    const cookies = (await new Client(safe).call('POST', '/api/auth/register', { name: 'Bo', email: 'bo@example.org', password })).headers['set-cookie'];
    assert.match(cookies[0], /; HttpOnly; SameSite=Lax; Secure$/);
    for (const target of ['/api/settings', '/api/me', '/api/streams', '/healthz', '/robots.txt', '/no/such', '/api/no/such']) {
      const { headers } = await server.get(target);
      assert.equal(headers['x-content-type-options'], 'nosniff', target);
      assert.equal(headers['access-control-allow-credentials'], undefined, target);
    }
  });

  test("every endpoint that changes something: another site's page cannot", async () => {
    const stream = await ada.createStream({ title: 'As it was' });
    const changing = ENDPOINTS.filter((e) => e.method !== 'GET' && e.method !== 'OPTIONS' && e.who !== 'mux' && !e.pattern.startsWith('/upload/') && e.pattern !== '/api/mux/webhook');
    assert.ok(changing.length > 20, `${changing.length} endpoints`);
    for (const e of changing) {
      let n = 0;
      const target = e.pattern.replace(/\{\}/g, () => (n++ ? 'x' : stream.id));
      const forms = [{ Origin: 'https://evil.example' }, { Origin: 'null' }, { Origin: `${server.http}.evil.example` }, { Origin: server.http.replace('http:', 'https:').replace(/\d+$/, '1') }, { Origin: undefined, 'Sec-Fetch-Site': 'cross-site' }, { Origin: undefined, 'Sec-Fetch-Site': 'same-site' }];
      for (const headers of forms) {
        const sent = { Cookie: ada.cookie, 'Content-Type': 'application/json', 'Content-Length': 2, ...headers };
        for (const k of Object.keys(sent)) if (sent[k] === undefined) delete sent[k];
        const answer = await request(server.http + target, { method: e.method, headers: sent, body: '{}' });
        assert.equal(answer.status, 403, `${e.name} with ${JSON.stringify(headers)}: ${answer.status} ${answer.text.slice(0, 200)}`);
        assert.equal(answer.json.error.code, 'bad_origin', e.name);
      }
    }
    assert.equal((await ada.stream(stream.id)).title, 'As it was');
    assert.ok((await ada.call('GET', '/api/me')).status === 200, 'and she is logged in still');
  });

  test('nobody learns who has an account: texts, headers, and the work that is done', async () => {
    const guest = new Client(server);
    const hashes = async () => Number(/^bspnode_password_checks_total (\d+)/m.exec((await server.get('/metrics')).text)[1]);
    // What takes the time is the hash: as many for one as for the other.
    const shape = async (email, secret = 'wrong password') => {
      const before_ = await hashes();
      const answer = await guest.call('POST', '/api/auth/login', { email, password: secret });
      const { date, ...headers } = answer.headers;
      return { status: answer.status, text: answer.text, headers, hashes: (await hashes()) - before_ };
    };
    const [known, unknown, none, long] = [await shape(ada.email), await shape('nobody@example.org'), await shape('no address'), await shape(ada.email, 'x'.repeat(5000))];
    assert.equal(known.hashes, 1);
    assert.equal(known.status, 401);
    for (const other of [unknown, none, long]) assert.deepEqual(other, known);
    if (ENDPOINTS.some((e) => e.pattern === '/api/auth/forgot')) {
      const [a, b] = [await guest.call('POST', '/api/auth/forgot', { email: ada.email }), await guest.call('POST', '/api/auth/forgot', { email: 'nobody@example.org' })];
      assert.deepEqual([a.status, a.text], [b.status, b.text]);
    }
  });

  test('text stays text: in every field, at every place it is shown, and odd characters do no harm', async (ctx) => {
    const eve = await newUser(server, `Eve ${SCRIPT}`.slice(0, 78));
    const odd = ['\u202e\u2066 right to left', `Z${'\u0351\u036b\u0343'.repeat(40)}algo`, '👩‍👩‍👧 مرحبا', '\u200b\u200bhidden', '\ufeffmark'];
    const stream = await eve.createStream({ title: SCRIPT, description: `${SCRIPT}\n${odd.slice(1, 3).join('\n')}` });
    // Kept as it is, or refused in words.
    for (const title of odd) {
      const answer = await eve.call('PATCH', `/api/streams/${stream.id}`, { title });
      if (answer.status === 200) assert.ok(title.endsWith(answer.json.title.slice(-4)), answer.json.title);
      else assert.deepEqual([answer.status, answer.json.error.field], [422, 'title'], title);
    }
    for (const title of ['\0', 'a\0b', 'a\u0007b', '\n', '', ' '.repeat(10), 'x'.repeat(200), '\ud800']) {
      const answer = await eve.call('PATCH', `/api/streams/${stream.id}`, JSON.stringify({ title }), { 'Content-Type': 'application/json' });
      assert.ok([400, 422].includes(answer.status), JSON.stringify(title));
    }
    await eve.expect(200, 'PATCH', `/api/streams/${stream.id}`, { title: SCRIPT });
    assert.equal((await eve.call('PATCH', `/api/streams/${stream.id}`, JSON.stringify({ description: 'x'.repeat(10 << 20) }), { 'Content-Type': 'application/json' })).status, 413);
    const publisher = await publishFfmpeg(ctx, publishUrl(server, stream));
    await eve.untilLive(stream.id, 30_000);
    await eve.expect(201, 'POST', `/api/streams/${stream.id}/messages`, { content: SCRIPT });
    const { page, problems } = await launchBrowser(ctx, { expected: [/api\/me/] });
    await page.addInitScript(() => {
      window.violations = [];
      document.addEventListener('securitypolicyviolation', (e) => window.violations.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`));
    });
    const fine = async (what) => {
      assert.equal(await page.evaluate(() => window.hacked), undefined, what);
      assert.equal(await page.locator('img[src=x]').count(), 0, what);
      assert.deepEqual(await page.evaluate(() => window.violations), [], what);
    };
    // What is made on the server for others' programs: no text of hers is markup there.
    const places = ['/', `/stream/${stream.id}`, `/embed/${stream.playback.playbackId}`, `/@${eve.user.handle}`, `/stream/${stream.id}.ics`, `/@${eve.user.handle}.ics`, '/sitemap.xml', '/robots.txt', '/manifest.webmanifest', `/oembed?url=${encodeURIComponent(`${server.http}/stream/${stream.id}`)}`];
    for (const place of places) {
      const { headers, text, status } = await server.get(place, { headers: { Accept: 'text/html' } });
      if (/json|calendar/.test(headers['content-type'] ?? '')) assert.equal(headers['x-content-type-options'], 'nosniff', place);
      else assert.ok(!/<script>window|<img src=x/.test(text), `${place} (${status}): ${text.slice(0, 2000)}`);
    }
    await page.goto(server.http);
    await page.getByText('<script>window.hacked=1').first().waitFor();
    await fine('the lobby');
    await page.goto(`${server.http}/stream/${stream.id}`);
    await page.locator('.chat-content').getByText('<script>window.hacked=1').waitFor();
    await untilPlaying(page);
    await fine('the stream and its chat, playing');
    await page.goto(`${server.http}/embed/${stream.playback.playbackId}`);
    await untilPlaying(page);
    // The player's own style sheets are in force: without them its bar is a heap.
    const styled = await page.evaluate(() => {
      const all = [];
      const look = (node) => node.querySelectorAll('*').forEach((e) => (e.tagName === 'STYLE' && all.push(Boolean(e.sheet?.cssRules.length)), e.shadowRoot && look(e.shadowRoot)));
      look(document);
      return all;
    });
    assert.ok(styled.length > 10 && styled.every(Boolean), JSON.stringify(styled));
    await fine('the embedded player');
    assert.deepEqual(problems, []);
    await publisher.stop();
  });

  test('a page leads nowhere else', async (ctx) => {
    const { page } = await launchBrowser(ctx, { expected: [/.*/] });
    for (const next of ['//evil.example', 'javascript:window.hacked=1', '/\t/evil.example']) {
      await page.context().clearCookies();
      await page.goto(`${server.http}/login?next=${encodeURIComponent(next)}`);
      await page.getByLabel('E-mail').fill(ada.email);
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByRole('button', { name: 'Log in', exact: true }).click();
      await until('she is in', async () => (await page.request.get(`${server.http}/api/me`)).status() === 200);
      await until('she is led on', () => new URL(page.url()).pathname !== '/login');
      assert.equal(new URL(page.url()).origin, server.http, next);
      assert.equal(await page.evaluate(() => window.hacked), undefined);
    }
  });
});
