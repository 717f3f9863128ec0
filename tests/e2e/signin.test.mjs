// SPDX-License-Identifier: MIT
// Signing in with an OpenID provider: there and back, what is believed of its answers, accounts that are joined and parted.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from './lib/browser.mjs';
import { CALLBACK, Browser, claimsOf, makeKey, openid, publicJwk, signToken } from './lib/openid.mjs';
import { password } from './lib/api.mjs';
import { startServer } from './lib/server.mjs';

const problem = (code, page = '/login') => `${page}?problem=${code}`;

describe('signing in with an OpenID provider', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let id, server;

  before(async () => {
    id = await openid(t);
    server = await startServer(t, { args: id.args });
    id.serve(server);
    id.people.set('ada', { email: 'ada@id.example', email_verified: true, name: 'Ada <script>' });
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  test('a new account, the same one again, and where it leads', async () => {
    const b = new Browser(server);
    assert.deepEqual((await b.call('GET', '/api/settings')).json.signIn, { label: 'Example ID' });
    const begun = await b.start({ next: '/dashboard' });
    const url = new URL(begun.json.url);
    assert.equal(url.searchParams.get('code_challenge_method'), 'S256');
    assert.ok(url.searchParams.get('nonce').length >= 43 && url.searchParams.get('state').length >= 43);
    assert.equal(url.searchParams.get('redirect_uri'), server.http + CALLBACK);
    assert.match(begun.headers['set-cookie'][0], /^bsp_sign_in=[\w-]{43}; Path=\/api\/auth\/oidc; Max-Age=600; HttpOnly; SameSite=Lax$/);

    assert.deepEqual((await b.signIn(id, 'ada', { next: '/dashboard?a=1' })).to, '/dashboard?a=1');
    const ada = await b.me();
    assert.equal(ada.name, 'Ada <script>', 'as data');
    assert.equal(ada.email, 'ada@id.example');
    const other = new Browser(server);
    assert.equal((await other.signIn(id, 'ada')).to, '/');
    assert.equal((await other.me()).id, ada.id);
    // By who they are, not by their address.
    id.people.set('ada', { email: 'lovelace@id.example', email_verified: true, name: 'Another' });
    await other.signIn(id, 'ada');
    assert.equal((await other.me()).email, 'ada@id.example');
    id.people.set('ada', { email: 'ada@id.example', email_verified: true, name: 'Ada' });
  });

  test('an address that has an account: nobody gets in by it; its owner connects, and parts', async () => {
    const owner = new Browser(server);
    const email = 'bob@id.example';
    assert.equal((await owner.call('POST', '/api/auth/register', { name: 'Bob', email, password })).status, 201);
    const bob = (await owner.me()).id;
    for (const verified of [true, false]) {
      id.people.set('bob', { email, email_verified: verified, name: 'Bob' });
      const b = new Browser(server);
      assert.equal((await b.signIn(id, 'bob')).to, problem('sign_in_account_exists'));
      assert.equal(await b.me(), null);
    }
    id.people.set('silent', {});
    assert.equal((await new Browser(server).signIn(id, 'silent')).to, problem('sign_in_no_email'));
    assert.equal((await new Browser(server).signIn(id, 'nobody')).to, problem('sign_in_cancelled'));

    // Signed in, and asked by their own page: another's page cannot.
    const evil = await owner.go(`${server.http}/api/auth/oidc/start`, { method: 'POST', body: '{"connect":true}', headers: { 'Content-Type': 'application/json', Origin: 'https://evil.example' } });
    assert.equal(evil.status, 403);
    assert.equal((await new Browser(server).start({ connect: true })).status, 401);
    assert.equal((await owner.signIn(id, 'bob', { connect: true, next: '/account' })).to, '/account');
    const [mine, ...more] = (await owner.call('GET', '/api/me/identities')).json.identities;
    assert.equal(more.length, 0);
    assert.equal(mine.issuer, id.issuer);
    assert.equal(mine.email, email);
    const again = new Browser(server);
    assert.equal((await again.signIn(id, 'bob')).to, '/');
    assert.equal((await again.me()).id, bob);
    // Another's is not connected to a second account, nor seen, nor taken away.
    const ada = new Browser(server);
    await ada.signIn(id, 'ada');
    assert.equal((await ada.signIn(id, 'bob', { connect: true })).to, problem('sign_in_taken', '/account'));
    assert.equal((await ada.call('DELETE', `/api/me/identities/${mine.id}`)).status, 404);
    // Begun as one, ended as another.
    const to = await owner.goThere(id, 'bob', { connect: true });
    await owner.call('POST', '/api/auth/logout', {});
    assert.equal((await owner.comeBack(to)).to, problem('sign_in_over', '/account'));

    assert.equal((await again.call('DELETE', `/api/me/identities/${mine.id}`)).status, 204);
    assert.equal((await new Browser(server).signIn(id, 'bob')).to, problem('sign_in_account_exists'));
    // The only way in stays.
    const [only] = (await ada.call('GET', '/api/me/identities')).json.identities;
    const kept = await ada.call('DELETE', `/api/me/identities/${only.id}`);
    assert.equal(kept.status, 409);
    assert.equal(kept.json.error.code, 'last_sign_in');
    assert.equal((await new Browser(server).call('POST', '/api/auth/login', { email: 'ada@id.example', password: '' })).status, 401);
    assert.equal((await new Browser(server).call('GET', '/api/me/identities')).status, 401);
  });

  // What the token endpoint gives, signed anew after it was changed.
  async function withToken(change, who = 'ada', b = new Browser(server)) {
    id.hooks['/token'] = { change: (body) => ({ ...body, id_token: change(claimsOf(body.id_token), body.id_token) }) };
    try {
      const { to } = await b.signIn(id, who);
      return { to, me: await b.me() };
    } finally {
      delete id.hooks['/token'];
    }
  }

  test('ID tokens: signatures, and what they say', async () => {
    const [r1, e1] = id.keys;
    const now = Math.floor(Date.now() / 1000);
    const stranger = makeKey('r1', 'RS256');
    const good = { 'as it is': (c, token) => token, ES256: (c) => signToken(c, e1), 'without a key\'s name': (c) => signToken(c, r1, { kid: undefined }),
      'one of several audiences': (c) => signToken({ ...c, aud: [id.clientId, 'other'], azp: id.clientId }, r1) };
    for (const [what, change] of Object.entries(good)) {
      const { to, me } = await withToken(change);
      assert.equal(to, '/', what);
      assert.equal(me?.email, 'ada@id.example', what);
    }
    const hmac = (c, token) => `${token.split('.').slice(0, 2).join('.')}.${Buffer.alloc(32).toString('base64url')}`;
    const none = (c) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(c)).toString('base64url')}.`;
    const bad = {
      'another nonce': (c) => signToken({ ...c, nonce: 'x'.repeat(43) }, r1), 'no nonce': (c) => signToken({ ...c, nonce: undefined }, r1),
      'another audience': (c) => signToken({ ...c, aud: 'other' }, r1), 'several audiences, not for us': (c) => signToken({ ...c, aud: [id.clientId, 'other'], azp: 'other' }, r1),
      'several audiences, for whom?': (c) => signToken({ ...c, aud: [id.clientId, 'other'] }, r1), 'no audience': (c) => signToken({ ...c, aud: undefined }, r1),
      'another issuer': (c) => signToken({ ...c, iss: 'https://evil.example' }, r1), 'expired': (c) => signToken({ ...c, exp: now - 600 }, r1), 'no expiry': (c) => signToken({ ...c, exp: undefined }, r1),
      'from the future': (c) => signToken({ ...c, iat: now + 3600, exp: now + 7200 }, r1), 'nobody': (c) => signToken({ ...c, sub: '' }, r1), 'subject is a number': (c) => signToken({ ...c, sub: 5 }, r1),
      'a broken signature': hmac, 'alg none': none, 'alg none with a name': (c) => none(c).replace(/^[^.]+/, Buffer.from('{"alg":"none","kid":"r1"}').toString('base64url')),
      "a stranger's key": (c) => signToken(c, stranger), 'a key that is not published': (c) => signToken(c, makeKey('r9', 'RS256')), 'RSA said to be ECDSA': (c) => signToken(c, r1, { alg: 'ES256' }),
      'HS256 with the public key': (c) => signToken(c, r1, { alg: 'HS256' }), 'no token': () => 'x', 'a token of 100 kB': (c) => signToken({ ...c, pad: 'x'.repeat(100_000) }, r1), 'null': () => null,
    };
    for (const [what, change] of Object.entries(bad)) assert.deepEqual(await withToken(change), { to: problem('sign_in_failed'), me: null }, what);
    // A key that is new is asked for.
    const fresh = makeKey('r2', 'RS256');
    id.hooks['/jwks'] = { change: ({ keys }) => ({ keys: [...keys, { kty: 'oct', k: 'AAAA' }, publicJwk(fresh)] }) };
    assert.equal((await withToken((c) => signToken(c, fresh))).to, '/');
    delete id.hooks['/jwks'];
  });

  test('the way back: once, by the browser that went, with the code of this sign-in', async () => {
    const b = new Browser(server);
    const to = await b.goThere(id, 'ada');
    const thief = new Browser(server);
    assert.equal((await thief.comeBack(to)).to, problem('sign_in_over'), 'a browser without the cookie');
    await thief.start();
    assert.equal((await thief.comeBack(to)).to, problem('sign_in_over'), "with another sign-in's");
    assert.equal((await b.comeBack(to)).to, '/');
    assert.equal((await b.comeBack(to)).to, problem('sign_in_over'), 'twice');
    // Two tabs at once.
    const [one, two] = [await b.goThere(id, 'ada'), await b.goThere(id, 'ada')];
    // Their codes exchanged: the verifier belongs to the sign-in.
    const mixed = new URL(one);
    mixed.searchParams.set('code', new URL(two).searchParams.get('code'));
    assert.equal((await b.comeBack(mixed.href)).to, problem('sign_in_failed'));
    assert.equal((await b.comeBack(two)).to, '/', 'its own is fine');
    const again = new URL(await b.goThere(id, 'ada'));
    again.searchParams.set('code', new URL(two).searchParams.get('code'));
    assert.equal((await b.comeBack(again.href)).to, problem('sign_in_failed'), 'a code that was used');
    const other = new URL(await b.goThere(id, 'ada'));
    other.searchParams.set('iss', 'https://evil.example');
    assert.equal((await b.comeBack(other.href)).to, problem('sign_in_failed'), "another provider's answer");
    const silent = new URL(await b.goThere(id, 'ada'));
    silent.searchParams.delete('iss');
    assert.equal((await b.comeBack(silent.href)).to, problem('sign_in_failed'), 'it says that it always tells');
    for (const query of ['', '?code=x', '?state=x&code=y', `?state=${'x'.repeat(9000)}`, '?state=%00&code=%00', '?error=%3Cscript%3E&state=x'])
      assert.ok([problem('sign_in_over'), undefined].includes((await b.comeBack(server.http + CALLBACK + query)).to), query);

    for (const next of ['//evil.example', '/\\evil.example', 'https://evil.example', 'evil', '', '/a\\b', '/\t/evil.example', '/a\r\nSet-Cookie: a=b', 'javascript:alert(1)', `/${'x'.repeat(600)}`, '/\u202e'])
      assert.equal((await b.start({ next })).status, 422, next);
    for (const body of ['{', '[]', '{"connect":1}', '{"next":5}', '{"other":1}']) {
      const answer = await b.go(`${server.http}/api/auth/oidc/start`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
      assert.ok([400, 422].includes(answer.status), body);
    }
  });

  test('providers that are not what they say', async () => {
    const lying = await openid(t);
    const its = await startServer(t, { args: lying.args });
    lying.serve(its);
    const discovery = (hook) => {
      lying.hooks['/.well-known/openid-configuration'] = hook;
      return new Browser(its).start();
    };
    const words = async (hook, re) => {
      const answer = await discovery(hook);
      assert.equal(answer.status, 503, answer.text);
      assert.equal(answer.json.error.code, 'sign_in_unreachable');
      assert.doesNotMatch(answer.text, /127\.0\.0\.1|discovery/, 'no words of the inside');
      assert.match(its.log.split('\n').filter((l) => l.includes('sign-in')).at(-1), re);
    };
    let elsewhere = 0;
    lying.hooks['/secret'] = { instead: (_, res) => (elsewhere++, res.end('{}')) };
    await words({ change: (d) => ({ ...d, issuer: 'https://id.example' }) }, /another issuer/);
    await words({ change: (d) => ({ ...d, token_endpoint: undefined }) }, /lacks an address/);
    await words({ instead: (_, res) => res.end('<html>') }, /discovery document is not one/);
    await words({ instead: (_, res) => (res.writeHead(302, { Location: `${lying.issuer}/secret` }), res.end()) }, /status 302/);
    await words({ instead: (_, res) => res.end(Buffer.alloc(10 << 20, 0x20)) }, /larger than allowed/);
    await words({ instead: (_, res) => (res.writeHead(500), res.end()) }, /status 500/);
    await words({ instead: (_, res) => res.destroy() }, /discovery/);
    assert.equal(elsewhere, 0, 'no redirect was followed');
    await words({ change: (d) => ({ ...d, authorization_endpoint: 'javascript:alert(1)' }) }, /address such as/);
    // That one was kept: it is a document. Where nothing private may be asked, nothing is.
    const strict = await startServer(t, { args: lying.args.filter((a) => a !== '--oidc-allow-private') });
    lying.asked.length = 0;
    assert.equal((await new Browser(strict).start()).status, 503);
    assert.deepEqual(lying.asked, []);
    const off = await startServer(t, { args: ['--registration', 'false'] });
    assert.equal((await new Browser(off).start()).status, 404);
    assert.equal((await new Browser(off).call('GET', '/api/settings')).json.signIn, null);
  });

  test('in a browser: the button, the provider, and words when it does not work', async (ctx) => {
    const { page, problems } = await launchBrowser(ctx, { expected: [/\/api\/me/, /favicon/] });
    await page.goto(`${server.http}/login?next=/dashboard`);
    await page.getByRole('button', { name: 'Sign in with Example ID' }).click();
    await page.getByLabel('Name').fill('ada');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL(`${server.http}/dashboard`);
    assert.equal((await (await page.request.get(`${server.http}/api/me`)).json()).user.name, 'Ada <script>');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.goto(`${server.http}/login?problem=sign_in_account_exists`);
    await page.getByRole('alert').getByText(/There is an account with this e-mail address already/).waitFor();
    await page.goto(`${server.http}/login?problem=%3Cimg%20src=x%20onerror=alert(1)%3E`);
    await page.getByRole('button', { name: 'Sign in with Example ID' }).waitFor();
    assert.equal(await page.locator('img[src=x]').count(), 0);
    assert.deepEqual(problems, []);
  });
});
