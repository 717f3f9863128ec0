// SPDX-License-Identifier: MIT
// One's own account: name, address, password, sessions, second factor, its end; by the API, by mail, and on the page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, newUser, password } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { raw } from './lib/http.mjs';
import { mailbox } from './lib/mailbox.mjs';
import { assertAccessible, assertFits, refusals, register } from './lib/pages.mjs';
import { run, startServer, until } from './lib/server.mjs';
import { fakeFile, put, sql } from './lib/uploads.mjs';

const other = 'another horse battery staple';
const evil = { Origin: 'https://evil.example' };

// RFC 6238, of the base32 key that the page shows; `ahead`: in steps of half a minute.
function totp(key, ahead = 0) {
  const bits = [...key].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac('sha1', bytes).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}

const login = (client, email, pass, more = {}) => client.call('POST', '/api/auth/login', { email, password: pass, ...more });

describe('the account', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server, box;
  before(async () => {
    box = await mailbox(t);
    server = await startServer(t, { args: box.args });
  });
  after(async () => {
    const ends = [];
    for (const fn of cleanup) ends.push(await Promise.resolve().then(fn).catch((e) => e)); // all of them, whatever one says
    for (const e of ends) if (e instanceof Error) throw e;
  });

  test('the name; and nothing for programs, guests and other sites', async () => {
    const ada = await newUser(server, 'Ada');
    assert.equal((await ada.expect(200, 'PATCH', '/api/me', { name: '  Ada <script>alert(1)</script> \u{1f3a5} ' })).user.name, 'Ada <script>alert(1)</script> \u{1f3a5}');
    for (const name of ['', ' ', 'x'.repeat(81), 'a\u0007b', 'a\u202eb', 7, null])
      assert.equal((await ada.expect(422, 'PATCH', '/api/me', { name })).error.field, 'name', JSON.stringify(name));
    assert.equal((await ada.expect(403, 'PATCH', '/api/me', { name: 'x' }, evil)).error.code, 'bad_origin');
    const made = await ada.expect(201, 'POST', '/api/tokens', { name: 'one' });
    const auth = { Authorization: `Bearer ${made.id}:${made.secret}` };
    const changes = [['POST', '/api/me/password', { password, newPassword: other }], ['POST', '/api/me/email', { email: 'x@example.org', password }], ['DELETE', '/api/me/sessions'],
      ['POST', '/api/me/delete', { password }], ['POST', '/api/me/totp', { password }], ['GET', '/api/me/sessions'], ['GET', '/api/me/account']];
    for (const [method, target, body] of changes) {
      assert.equal((await new Client(server).expect(403, method, target, body, auth).catch((e) => assert.fail(`${method} ${target} by a token: ${e.message}`))).error.code, 'session_needed');
      await new Client(server).expect(401, method, target, body);
      if (method !== 'GET') assert.equal((await ada.expect(403, method, target, body, evil)).error.code, 'bad_origin');
    }
  });

  test('sessions: listed without what opens them, ended one by one and all others at once', async () => {
    const ada = await newUser(server, 'Ada');
    const phone = new Client(server);
    assert.equal((await phone.call('POST', '/api/auth/login', { email: ada.email, password }, { 'User-Agent': `Mozilla/5.0 (Linux; Android 14) \u00ff${'x'.repeat(500)}` })).status, 200);
    const third = new Client(server);
    assert.equal((await login(third, ada.email, password)).status, 200);
    const { sessions } = await ada.expect(200, 'GET', '/api/me/sessions');
    assert.equal(sessions.length, 3);
    assert.deepEqual(sessions.filter((s) => s.current).length, 1);
    assert.ok(sessions.every((s) => s.address === '127.0.0.0/24' && s.createdAt && s.lastUsedAt));
    const mobile = sessions.find((s) => s.userAgent.includes('Android'));
    assert.equal(mobile.userAgent.length, 256);
    assert.ok(/^[\x20-\x7e]*$/.test(mobile.userAgent));
    const eve = await newUser(server, 'Eve');
    await eve.expect(404, 'DELETE', `/api/me/sessions/${mobile.id}`);
    await ada.expect(404, 'DELETE', '/api/me/sessions/nothing');
    await ada.expect(204, 'DELETE', `/api/me/sessions/${mobile.id}`);
    await ada.expect(404, 'DELETE', `/api/me/sessions/${mobile.id}`);
    await phone.expect(401, 'GET', '/api/me');
    await third.expect(200, 'GET', '/api/me');
    await ada.expect(204, 'DELETE', '/api/me/sessions');
    await third.expect(401, 'GET', '/api/me');
    assert.deepEqual((await ada.expect(200, 'GET', '/api/me/sessions')).sessions.map((s) => s.current), [true]);
  });

  test('the password: the old one is asked for, others are logged out, the owner is told', async () => {
    const ada = await newUser(server, 'Ada');
    const elsewhere = new Client(server);
    await login(elsewhere, ada.email, password);
    assert.equal((await ada.expect(422, 'POST', '/api/me/password', { password: 'wrong one', newPassword: other })).error.field, 'password');
    assert.equal((await ada.expect(422, 'POST', '/api/me/password', { newPassword: other })).error.field, 'password');
    const weak = (await ada.expect(422, 'POST', '/api/me/password', { password, newPassword: 'aaaaaaaaaaaa' })).error;
    assert.deepEqual([weak.field, weak.code], ['newPassword', 'weak_password']);
    await elsewhere.expect(200, 'GET', '/api/me');
    await ada.expect(204, 'POST', '/api/me/password', { password, newPassword: other });
    await ada.expect(200, 'GET', '/api/me');
    await elsewhere.expect(401, 'GET', '/api/me');
    assert.equal((await login(elsewhere, ada.email, password)).status, 401);
    assert.equal((await login(elsewhere, ada.email, other)).status, 200);
    assert.match((await box.wait(ada.email, 'Your password was changed')).text, /was not you/);
    // Guessed at an open session: bounded, for whatever is tried.
    const answers = await Promise.all(Array.from({ length: 15 }, () => ada.call('POST', '/api/me/password', { password: 'guess', newPassword: other })));
    assert.ok(answers.some((a) => a.status === 429 && Number(a.headers['retry-after']) > 0));
  });

  const token = (mail, where) => {
    const url = new URL(mail.link(where));
    assert.equal(url.search, '', 'the token is behind the #, which no server is told');
    return url.hash.replace('#token=', '');
  };

  test('the address: confirmed by its mail, changed by a link to the new one, the old one is told', async () => {
    const ada = await newUser(server, 'Ada');
    const eve = await newUser(server, 'Eve');
    const state = () => ada.expect(200, 'GET', '/api/me/account');
    assert.deepEqual((({ mail, emailConfirmed, pendingEmail, hasPassword }) => ({ mail, emailConfirmed, pendingEmail, hasPassword }))(await state()), { mail: true, emailConfirmed: false, pendingEmail: null, hasPassword: true });
    const first = token(await box.wait(ada.email, 'Confirm your e-mail address'), '/confirm');
    assert.equal((await new Client(server).expect(422, 'POST', '/api/auth/reset', { token: first, password: other })).error.code, 'bad_link', 'a link is good for what it was made for');
    assert.equal((await new Client(server).expect(200, 'POST', '/api/auth/confirm', { token: first })).email, ada.email);
    assert.equal((await new Client(server).expect(422, 'POST', '/api/auth/confirm', { token: first })).error.code, 'bad_link');
    assert.equal((await state()).emailConfirmed, true);
    assert.equal((await ada.expect(409, 'POST', '/api/me/email/confirmation')).error.code, 'confirmed');

    const fresh = `new.${ada.email}`;
    assert.equal((await ada.expect(422, 'POST', '/api/me/email', { email: fresh, password: 'wrong' })).error.field, 'password');
    for (const email of ['', 'nobody', 'a@b\r\nBcc: c@d.org', 'x'.repeat(300) + '@example.org'])
      assert.equal((await ada.expect(422, 'POST', '/api/me/email', { email, password })).error.field, 'email');
    await ada.expect(202, 'POST', '/api/me/email', { email: fresh, password });
    assert.equal((await state()).pendingEmail, fresh);
    assert.equal((await state()).user.email, ada.email, 'not changed yet');
    const link = token(await box.wait(fresh, 'Confirm your new e-mail address'), '/confirm');
    await new Client(server).expect(200, 'POST', '/api/auth/confirm', { token: link });
    assert.equal((await state()).user.email, fresh);
    assert.equal((await state()).pendingEmail, null);
    assert.match((await box.wait(ada.email, 'Your e-mail address was changed')).text, new RegExp(fresh.replace(/\./g, '\\.')));
    assert.equal((await login(new Client(server), ada.email, password)).status, 401);
    assert.equal((await login(new Client(server), fresh, password)).status, 200);

    // An address that has an account: the same answer, and its owner is told.
    await ada.expect(202, 'POST', '/api/me/email', { email: eve.email.toUpperCase(), password });
    assert.equal((await box.wait(eve.email, 'Somebody wanted to use your e-mail address')).link('/confirm'), undefined);
    assert.equal((await state()).user.email, fresh);

    // Taken back, or taken by somebody else before the link is opened.
    await ada.expect(202, 'POST', '/api/me/email', { email: `later.${ada.email}`, password });
    const late = token(await box.wait(`later.${ada.email}`, 'Confirm your new'), '/confirm');
    await ada.expect(204, 'DELETE', '/api/me/email');
    assert.equal((await new Client(server).expect(422, 'POST', '/api/auth/confirm', { token: late })).error.code, 'bad_link');
    await ada.expect(202, 'POST', '/api/me/email', { email: `race.${ada.email}`, password });
    const race = token(await box.wait(`race.${ada.email}`, 'Confirm your new'), '/confirm');
    await new Client(server).expect(201, 'POST', '/api/auth/register', { name: 'Fast', email: `race.${ada.email}`, password });
    assert.equal((await new Client(server).expect(409, 'POST', '/api/auth/confirm', { token: race })).error.code, 'email_taken');
  });

  test('a forgotten password: one answer for all, a link that is good once and for an hour', async () => {
    const ada = await newUser(server, 'Ada');
    const nobody = new Client(server);
    const ask = (email) => nobody.call('POST', '/api/auth/forgot', { email });
    const known = await ask(ada.email);
    const unknown = await ask(`nobody.${ada.email}`);
    assert.deepEqual([known.status, known.text], [202, unknown.text]);
    assert.deepEqual(Object.keys(known.headers), Object.keys(unknown.headers));
    // Whoever says they are another host does not get a link to it.
    await nobody.expect(202, 'POST', '/api/auth/forgot', { email: ada.email }, { Host: 'evil.example', Origin: 'http://evil.example' });
    const mail = await box.wait(ada.email, 'Set a new password');
    assert.ok(mail.link('/reset').startsWith(`${server.http}/reset#`));
    const one = token(mail, '/reset');
    assert.equal((await nobody.expect(422, 'POST', '/api/auth/confirm', { token: one })).error.code, 'bad_link');
    assert.equal((await nobody.expect(422, 'POST', '/api/auth/reset', { token: one, password: 'short' })).error.field, 'password');
    for (const bad of ['', 'x'.repeat(43), `${one}x`, "' OR 1=1 --"])
      assert.equal((await nobody.expect(422, 'POST', '/api/auth/reset', { token: bad, password: other })).error.code, 'bad_link');
    const both = await Promise.all([0, 1].map(() => nobody.call('POST', '/api/auth/reset', { token: one, password: other })));
    assert.deepEqual(both.map((a) => a.status).sort(), [204, 422], 'once, also when two come at the same time');
    await ada.expect(401, 'GET', '/api/me');
    assert.equal((await login(nobody, ada.email, other)).status, 200);
    assert.equal(sql(server, "SELECT COUNT(*) AS n FROM account_links l JOIN users u ON u.id = l.user_id WHERE kind = 'reset' AND u.email = ?", ada.email)[0].n, 0, 'other links are good no more');
    assert.equal(box.mails.filter((m) => m.to?.includes?.(`nobody.${ada.email}`)).length, 0);

    const bob = await newUser(server, 'Bob');
    await ask(bob.email);
    const old = token(await box.wait(bob.email, 'Set a new password'), '/reset');
    assert.equal(sql(server, 'SELECT token_hash FROM account_links WHERE token_hash = ?', old).length, 0, 'the token is not in the database');
    sql(server, "UPDATE account_links SET expires_at = expires_at - 3600000000 WHERE kind = 'reset'");
    assert.equal((await nobody.expect(422, 'POST', '/api/auth/reset', { token: old, password: other })).error.code, 'bad_link');
    // Bounded by account, known or not, from wherever: with the same words.
    for (const email of [bob.email, `unknown.${bob.email}`]) {
      const answers = [];
      for (let i = 0; i < 4; i++) answers.push(await ask(email));
      const last = answers.at(-1);
      assert.deepEqual([last.status, last.json.error.code], [429, 'too_many_requests'], email);
    }
  });

  test('the second factor: set up, asked for, each code once, recovery codes, off', async () => {
    const ada = await newUser(server, 'Ada');
    const anew = (code) => login(new Client(server), ada.email, password, code === undefined ? {} : { code });
    assert.equal((await ada.expect(422, 'POST', '/api/me/totp', { password: 'wrong' })).error.field, 'password');
    assert.equal((await ada.expect(409, 'POST', '/api/me/totp/confirm', { code: '123456' })).error.code, 'totp_not_begun');
    const { secret, uri } = await ada.expect(201, 'POST', '/api/me/totp', { password });
    assert.match(secret, /^[A-Z2-7]{32}$/);
    assert.equal(uri, `otpauth://totp/127.0.0.1:${encodeURIComponent(ada.email)}?secret=${secret}&issuer=127.0.0.1`);
    assert.ok(!JSON.stringify(sql(server, 'SELECT hex(secret_sealed) AS h FROM second_factors')).includes(Buffer.from(secret).toString('hex').toUpperCase()), 'sealed at rest');
    assert.equal((await anew()).status, 200, 'not on before it is confirmed');
    for (const code of ['', '000', 'abcdef', totp(secret, 40)])
      assert.equal((await ada.expect(422, 'POST', '/api/me/totp/confirm', { code })).error.field, 'code');
    const first = totp(secret);
    const { recoveryCodes } = await ada.expect(200, 'POST', '/api/me/totp/confirm', { code: ` ${first} ` });
    assert.equal(new Set(recoveryCodes).size, 10);
    assert.ok(recoveryCodes.every((c) => /^[a-z2-9]{5}-[a-z2-9]{5}$/.test(c)));
    assert.deepEqual((({ enabled, recoveryCodesLeft }) => [enabled, recoveryCodesLeft])((await ada.expect(200, 'GET', '/api/me/account')).totp), [true, 10]);
    assert.equal((await ada.expect(409, 'POST', '/api/me/totp', { password, code: recoveryCodes[9] })).error.code, 'totp_on');

    const asked = await anew();
    assert.deepEqual([asked.status, asked.json.error.code, asked.headers['set-cookie']], [401, 'totp_required', undefined]);
    const bad = await login(new Client(server), ada.email, 'wrong', { code: totp(secret) });
    assert.deepEqual([bad.status, bad.json.error.code], [401, 'invalid_credentials'], 'the password comes first');
    assert.equal((await anew(first)).json.error.code, 'wrong_code', 'the code that confirmed it was used');
    // Two come with one code: one of them gets in.
    const now = totp(secret, 1);
    const two = await Promise.all([anew(now), anew(now)]);
    assert.deepEqual(two.map((a) => a.status).sort(), [200, 401]);
    assert.equal(two.find((a) => a.status === 401).json.error.code, 'wrong_code');

    assert.equal((await anew(recoveryCodes[0].toUpperCase().replace('-', ' '))).status, 200);
    assert.equal((await anew(recoveryCodes[0])).status, 401, 'once');
    assert.equal((await ada.expect(422, 'POST', '/api/me/password', { password, newPassword: other })).error.code, 'totp_required');
    const { recoveryCodes: renewed } = await ada.expect(200, 'POST', '/api/me/totp/recovery-codes', { password, code: recoveryCodes[1] });
    assert.equal((await anew(recoveryCodes[2])).status, 401, 'the old ones are good no more');
    assert.equal((await anew(renewed[0])).status, 200);
    const eve = await newUser(server, 'Eve');
    assert.equal((await eve.expect(409, 'POST', '/api/me/totp/recovery-codes', { password })).error.code, 'totp_off');
    assert.equal((await ada.expect(422, 'POST', '/api/me/totp/off', { password, code: '' })).error.code, 'totp_required');
    await ada.expect(204, 'POST', '/api/me/totp/off', { password, code: renewed[1] });
    assert.equal((await anew()).status, 200);
    await box.wait(ada.email, 'The second factor', 3);
    for (const words of ['turned on', 'new recovery codes', 'turned off']) assert.ok(box.to(ada.email, 'The second factor').some((m) => m.text.includes(words)), words);

    // Guessed by whoever has the password.
    const { secret: again } = await ada.expect(201, 'POST', '/api/me/totp', { password });
    await ada.expect(200, 'POST', '/api/me/totp/confirm', { code: totp(again) });
    const guesses = await Promise.all(Array.from({ length: 14 }, () => anew('000000')));
    assert.ok(guesses.some((a) => a.status === 429));
  });

  test('the end: everything goes, also when the server is killed on the way', async () => {
    const cleanups = [];
    const mine = { after: (fn) => cleanups.unshift(fn) };
    let one = await startServer(mine);
    const [ada, bob] = [await newUser(one, 'Ada'), await newUser(one, 'Bob')];
    const theirs = await bob.createStream({ title: 'Of Bob' });
    for (let i = 0; i < 3; i++) await ada.createStream({ title: `Stream ${i}` });
    await ada.expect(201, 'POST', `/api/streams/${theirs.id}/messages`, { content: 'I was here' });
    await bob.expect(201, 'POST', `/api/streams/${theirs.id}/messages`, { content: 'I still am' });
    const made = await ada.expect(201, 'POST', '/api/tokens', { name: 'one' });
    const [mineToo] = (await ada.expect(200, 'GET', '/api/streams?mine=true')).streams;
    const place = await ada.expect(201, 'POST', `/api/streams/${mineToo.id}/upload-recording`, { mimeType: 'video/webm' });
    const file = fakeFile(300_000);
    await put(place.uploadUrl, file.subarray(0, 262144), 'bytes 0-262143/300000');
    const uploads = path.join(one.dataDir, 'uploads');
    assert.ok(fs.existsSync(path.join(uploads, place.uploadId)));

    assert.equal((await ada.expect(422, 'POST', '/api/me/delete', { password: 'wrong' })).error.field, 'password');
    const events = await bob.events(theirs.id);
    await events.wait('stream');
    await ada.expect(204, 'POST', '/api/me/delete', { password });
    await one.kill();

    one = await startServer(mine, { dataDir: one.dataDir });
    await ada.expect(401, 'GET', '/api/me').catch(() => {});
    ada.server = bob.server = one;
    await ada.expect(401, 'GET', '/api/me');
    await new Client(one).expect(401, 'GET', '/api/me', undefined, { Authorization: `Bearer ${made.id}:${made.secret}` });
    assert.equal((await login(new Client(one), ada.email, password)).status, 401);
    await until('the account is gone', () => sql(one, 'SELECT id FROM users WHERE id = ?', ada.user.id).length === 0);
    const columns = sql(one, "SELECT m.name AS t, p.name AS c FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND p.name IN ('user_id', 'follower_id')");
    assert.ok(columns.length > 10);
    const left = sql(one, columns.map(({ t: name, c }) => `SELECT DISTINCT '${name}.${c}' AS place FROM ${name} WHERE ${c} = ?1`).join(' UNION ALL '), ada.user.id);
    assert.deepEqual(left, [], 'no row is theirs');
    assert.ok(!fs.existsSync(path.join(uploads, place.uploadId)), 'nor a file');
    await bob.expect(404, 'GET', `/api/streams/${mineToo.id}`);
    assert.deepEqual((await bob.expect(200, 'GET', `/api/streams/${theirs.id}/messages`)).messages.map((m) => m.content), ['I still am']);
    // One administrator stays.
    sql(one, "UPDATE users SET role = 'admin' WHERE id = ?", bob.user.id);
    assert.equal((await bob.expect(409, 'POST', '/api/me/delete', { password })).error.code, 'last_admin');
    // And from the terminal, beside the server.
    const cy = await newUser(one, 'Cy');
    const terminal = (...args) => run(['user', 'delete', cy.email, ...args, '--data', one.dataDir]);
    assert.match((await terminal()).stderr, /--yes/);
    const done = await terminal('--yes');
    assert.equal(done.code, 0, done.stderr);
    await cy.expect(401, 'GET', '/api/me');
    await until('that account is gone', () => sql(one, 'SELECT id FROM users WHERE id = ?', cy.user.id).length === 0);
    assert.notEqual((await terminal('--yes')).code, 0);
    // The address is free at once.
    await new Client(one).expect(201, 'POST', '/api/auth/register', { name: 'Ada', email: ada.email, password });
    for (const fn of cleanups) await fn();
  });

  // The files of an archive, as another program reads them.
  const unzip = (bytes) => {
    const code = 'import io, json, sys, zipfile; z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())); assert z.testzip() is None; print(json.dumps({n: json.loads(z.read(n)) for n in z.namelist()}))';
    return JSON.parse(execFileSync('python3', ['-c', code], { input: bytes, encoding: 'utf8', maxBuffer: 1 << 28 }));
  };

  test('the export: all that is theirs, nothing that opens anything; a client that goes away', async () => {
    const ada = await newUser(server, 'Ada');
    const bob = await newUser(server, 'Bob');
    const stream = await ada.createStream({ title: 'Tea "at" \u{1f375}', description: 'Line 1\nLine 2' });
    const theirs = await bob.createStream({ title: 'Of Bob' });
    const made = await ada.expect(201, 'POST', '/api/tokens', { name: 'one' });
    await ada.expect(201, 'POST', `/api/streams/${stream.id}/messages`, { content: 'first' });
    await bob.expect(201, 'POST', `/api/streams/${theirs.id}/messages`, { content: 'not hers' });
    // More than a page of rows.
    sql(server, `INSERT INTO chat_messages (id, stream_id, user_id, content, program_at, created_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
      SELECT i, ?, ?, 'message ' || i, 1, 1 FROM n`, stream.id, ada.user.id);
    const answer = await ada.call('GET', '/api/me/export');
    assert.deepEqual([answer.status, answer.headers['content-type'], answer.headers['content-disposition'], answer.headers['cache-control']], [200, 'application/zip', 'attachment; filename="bspnode-account.zip"', 'no-store']);
    const files = unzip(answer.body);
    assert.deepEqual([files['profile.json'][0].email, files['profile.json'][0].name], [ada.email, 'Ada']);
    assert.deepEqual(files['streams.json'].map((x) => [x.id, x.title, x.description]), [[stream.id, 'Tea "at" \u{1f375}', 'Line 1\nLine 2']]);
    assert.equal(files['chat-messages.json'].length, 1201);
    assert.equal(new Set(files['chat-messages.json'].map((m) => m.id)).size, 1201);
    assert.deepEqual(files['access-tokens.json'].map((x) => [x.id, x.name]), [[made.id, 'one']]);
    assert.equal(files['sessions.json'].length, 1);
    const text = JSON.stringify(files);
    for (const secret of [made.secret, ada.cookie.split('=')[1], stream.ingest.streamKey, '$argon2id', 'not hers']) assert.ok(!text.includes(secret), `there is no ${secret}`);
    assert.equal((await new Client(server).expect(403, 'GET', '/api/me/export', undefined, { Authorization: `Bearer ${made.id}:${made.secret}` })).error.code, 'session_needed');
    const { hostname, port } = new URL(server.http);
    await Promise.all([0, 1, 2].map(() => raw(server.http, `GET /api/me/export HTTP/1.1\r\nHost: ${hostname}:${port}\r\nCookie: ${ada.cookie}\r\n\r\n`, { ms: 5 })));
    assert.equal((await ada.expect(200, 'GET', '/api/me')).user.id, ada.user.id);
  });

  test('on the pages: two steps, a forgotten password, the export, the end', async () => {
    const { page, problems } = await launchBrowser(t, { expected: refusals });
    const { email } = await register(page, server);
    const dialog = page.getByRole('dialog');
    const prove = (pass = password) => dialog.getByLabel('Your password', { exact: true }).fill(pass);
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
    await page.getByText('Not confirmed yet').waitFor();
    for (const colorScheme of ['light', 'dark'])
      for (const width of [375, 1440]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize({ width, height: 800 });
        await assertFits(page, `account, ${width} px`);
        await assertAccessible(page, `account, ${colorScheme}, ${width} px`);
      }
    await page.getByLabel('Name', { exact: true }).fill('Ada King');
    await page.getByRole('button', { name: 'Save name' }).click();
    await page.getByRole('navigation').getByText('Ada King').waitFor();

    await page.getByRole('button', { name: 'Set up' }).click();
    await prove('not this one');
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await dialog.getByText('This is not your password.').waitFor();
    await prove();
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await dialog.getByRole('img', { name: 'QR code' }).waitFor();
    await assertAccessible(page, 'the QR code');
    const key = await dialog.getByLabel('Key', { exact: true }).inputValue();
    await dialog.getByLabel('Code', { exact: true }).fill(totp(key));
    await dialog.getByRole('button', { name: 'Turn on' }).click();
    const codes = (await dialog.getByRole('region', { name: 'Recovery codes' }).innerText()).trim().split('\n');
    assert.equal(codes.length, 10);
    await dialog.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('There are 10 recovery codes left.').waitFor();

    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export my data' }).click();
    assert.equal(unzip(fs.readFileSync(await (await download).path()))['profile.json'][0].name, 'Ada King');

    await page.getByRole('navigation').getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('link', { name: 'Sign up' }).waitFor();
    await page.goto(`${server.http}/forgot`);
    await page.getByLabel('E-mail').fill(email);
    await page.getByRole('button', { name: 'Send link' }).click();
    await page.getByText('If there is an account with this address').waitFor();
    await page.goto((await box.wait(email, 'Set a new password')).link('/reset'));
    await page.getByLabel('New password', { exact: true }).fill(other);
    assert.equal(new URL(page.url()).hash, '', 'the token is in no history');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password', { exact: true }).fill(other);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByLabel('Code', { exact: true }).fill('000000');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByText('This code is wrong, or was used already.').waitFor();
    await page.getByLabel('Code', { exact: true }).fill(codes[0]);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByRole('heading', { name: 'My streams' }).waitFor();

    await page.goto(`${server.http}/account`);
    await page.getByText('Confirmed', { exact: true }).waitFor(); // by the link of the password
    await page.getByRole('button', { name: 'Delete account' }).click();
    await prove(other);
    await dialog.getByLabel('Code', { exact: true }).fill(codes[1]);
    await dialog.getByRole('button', { name: 'Delete account' }).click();
    await page.getByRole('link', { name: 'Sign up' }).waitFor();
    await until('the account is gone', () => sql(server, 'SELECT id FROM users WHERE email = ?', email).length === 0);
    assert.deepEqual(problems, []);
  });

  test('without mail: said so, and the address changes with the password', async () => {
    const cleanups = [];
    const plain = await startServer({ after: (fn) => cleanups.unshift(fn) });
    const ada = await newUser(plain, 'Ada');
    const bob = await newUser(plain, 'Bob');
    assert.equal((await ada.expect(200, 'GET', '/api/me/account')).mail, false);
    assert.equal((await ada.expect(409, 'POST', '/api/auth/forgot', { email: ada.email })).error.code, 'no_mail');
    assert.equal((await ada.expect(409, 'POST', '/api/me/email/confirmation')).error.code, 'no_mail');
    assert.equal((await ada.expect(422, 'POST', '/api/me/email', { email: 'b@example.org', password: 'wrong' })).error.field, 'password');
    assert.equal((await ada.expect(409, 'POST', '/api/me/email', { email: bob.email, password })).error.field, 'email');
    assert.equal((await ada.expect(200, 'POST', '/api/me/email', { email: 'Ada@New.example', password })).user.email, 'Ada@New.example');
    assert.equal((await login(new Client(plain), 'ada@new.example', password)).status, 200);
    for (const fn of cleanups) await fn();
  });
});
