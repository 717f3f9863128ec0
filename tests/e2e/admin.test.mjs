// SPDX-License-Identifier: MIT
// Administration: who may, what it shows, what it does; quotas, reports, the audit log; and the same from a terminal.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, newUser, password, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { assertAccessible, assertFits, refusals } from './lib/pages.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { program, run, startServer, until } from './lib/server.mjs';

const NASTY = '<script>alert(1)</script>"\'& 👩‍👩‍👧';

const ENDPOINTS = execFileSync(path.join(path.dirname(program), 'tests/e2e/bsp-endpoints'), { encoding: 'utf8' })
  .trim().split('\n').map((line) => line.split(' ')).filter(([, pattern]) => pattern.startsWith('/api/admin/'));

// On the terminal, in the running server's data folder.
async function cli(server, args, input = '') {
  const done = await run([...args, '--data', server.dataDir], { input });
  return { ...done, json: args.includes('--json') && done.code === 0 ? JSON.parse(done.stdout) : undefined };
}

const make = (server, user) => run(['user', 'role', user.email, 'admin', '--data', server.dataDir]).then((r) => assert.equal(r.code, 0, r.stderr));

describe('administration', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server, root, ada, bob, guest;

  before(async () => {
    server = await startServer(t);
    [root, ada, bob] = [await newUser(server, 'Root'), await newUser(server, NASTY), await newUser(server, 'Bob')];
    guest = new Client(server);
    await make(server, root);
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  const audit = async (query = '') => (await root.expect(200, 'GET', `/api/admin/audit${query}`)).lines;

  test('every endpoint: for administrators with a session only, and not from another site', async () => {
    assert.ok(ENDPOINTS.length >= 18, `${ENDPOINTS.length} endpoints`);
    const made = await run(['token', 'create', '--json', '--data', server.dataDir, '--email', root.email]);
    const { TOKEN_ID, TOKEN_SECRET } = JSON.parse(made.stdout);
    const token = { Authorization: `Basic ${Buffer.from(`${TOKEN_ID}:${TOKEN_SECRET}`).toString('base64')}` };
    for (const [method, pattern] of ENDPOINTS) {
      const target = pattern.replaceAll('{}', ada.user.id);
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      await guest.expect(401, method, target, body);
      const no = await bob.call(method, target, body);
      assert.equal(no.status, 403, `${method} ${target}: ${no.text}`);
      assert.equal(no.json.error.code, 'not_admin');
      assert.equal((await guest.call(method, target, body, token)).status, 403, `${method} ${target} with a token`);
      if (method !== 'GET') assert.equal((await root.call(method, target, body, { Origin: 'https://evil.example' })).json.error.code, 'bad_origin');
    }
  });

  test('the list of accounts: searched, filtered, paged; names are data', async () => {
    const all = await root.expect(200, 'GET', '/api/admin/users?limit=2');
    assert.equal(all.users.length, 2);
    const rest = await root.expect(200, 'GET', `/api/admin/users?limit=100&cursor=${encodeURIComponent(all.nextCursor)}`);
    assert.equal(new Set([...all.users, ...rest.users].map((u) => u.id)).size, 3);
    assert.equal(rest.nextCursor, null);
    const [found] = (await root.expect(200, 'GET', `/api/admin/users?search=${encodeURIComponent('<SCRIPT>alert')}`)).users;
    assert.equal(found.name, NASTY);
    assert.equal(found.email, ada.email);
    assert.equal((await root.expect(200, 'GET', '/api/admin/users?search=%25')).users.length, 0, 'a percent sign is one');
    assert.deepEqual((await root.expect(200, 'GET', '/api/admin/users?filter=admins')).users.map((u) => u.name), ['Root']);
    assert.equal((await root.expect(200, 'GET', '/api/admin/users?sort=storage&limit=1')).users.length, 1);
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=x', 'cursor=1.%27', 'filter=all2', 'sort=x', `search=${'x'.repeat(3000)}`])
      assert.equal((await root.call('GET', `/api/admin/users?${query}`)).status, 422, query.slice(0, 40));
    await root.expect(404, 'GET', '/api/admin/users/nobody');
    assert.ok(Date.now() - Date.parse((await root.expect(200, 'GET', `/api/admin/users/${ada.user.id}`)).lastSeenAt) < 600_000);
  });

  test('a suspended account is out at once, its stream ends, and comes back without its sessions', async () => {
    const cy = await newUser(server, 'Cy');
    const tokens = JSON.parse((await run(['token', 'create', '--json', '--data', server.dataDir, '--email', cy.email])).stdout);
    const stream = await cy.createStream({ title: NASTY });
    const encoder = publishFfmpeg(t, publishUrl(server, stream));
    await cy.untilLive(stream.id, 30_000);
    const live = await until('it is in the list', async () => {
      const [row] = (await root.expect(200, 'GET', '/api/admin/streams')).streams;
      return row?.bitrate > 0 && row;
    });
    assert.equal(live.title, NASTY);
    assert.equal(live.source, 'rtmp');
    assert.equal(live.user.name, 'Cy');

    await root.expect(200, 'POST', `/api/admin/users/${cy.user.id}/suspend`, { reason: 'spam' });
    assert.equal((await cy.call('GET', '/api/me')).status, 401);
    assert.equal((await cy.call('POST', '/api/streams', { title: 'x' })).status, 401);
    assert.equal((await guest.call('GET', '/api/streams?mine=1', undefined, { Authorization: `Bearer ${tokens.TOKEN_ID}:${tokens.TOKEN_SECRET}` })).status, 401);
    const ended = await guest.untilStream(stream.id, 'the stream is ended', (s) => s.status === 'ENDED');
    assert.equal(ended.status, 'ENDED');
    await encoder.exited?.catch(() => {});
    const login = await cy.call('POST', '/api/auth/login', { email: cy.email, password });
    assert.equal(login.status, 403);
    assert.equal(login.json.error.code, 'suspended');
    assert.match(login.json.error.message, /suspended.*spam/);
    assert.equal((await root.expect(200, 'GET', '/api/admin/users?filter=suspended')).users.length, 1);

    await root.expect(200, 'POST', `/api/admin/users/${cy.user.id}/unsuspend`);
    assert.equal((await cy.call('GET', '/api/me')).status, 401);
    await cy.expect(200, 'POST', '/api/auth/login', { email: cy.email, password });
    assert.deepEqual((await audit(`?object=${cy.user.id}`)).map((l) => l.action), ['user.unsuspend', 'user.suspend']);
    assert.equal((await audit('?action=user.suspend'))[0].actor.name, 'Root');
  });

  test('roles: one who loses it has lost it at once, and there is always one left', async () => {
    assert.equal((await root.call('POST', `/api/admin/users/${root.user.id}/role`, { role: 'user' })).json.error.code, 'last_admin');
    assert.equal((await root.call('POST', `/api/admin/users/${root.user.id}/suspend`, {})).json.error.code, 'yourself');
    await root.expect(422, 'POST', `/api/admin/users/${bob.user.id}/role`, { role: 'god' });
    await root.expect(200, 'POST', `/api/admin/users/${bob.user.id}/role`, { role: 'admin' });
    assert.equal((await bob.expect(200, 'GET', '/api/me')).user.role, 'admin');
    await bob.expect(200, 'GET', '/api/admin/users');
    await root.expect(200, 'POST', `/api/admin/users/${bob.user.id}/role`, { role: 'user' });
    await bob.expect(403, 'GET', '/api/admin/users');
    await bob.expect(403, 'POST', `/api/admin/users/${bob.user.id}/role`, { role: 'admin' });
  });

  test('a new password: shown once, and all sessions end', async () => {
    const di = await newUser(server, 'Di');
    const { password: fresh } = await root.expect(200, 'POST', `/api/admin/users/${di.user.id}/password`);
    assert.match(fresh, /^[a-z2-9]{16}$/);
    assert.equal((await di.call('GET', '/api/me')).status, 401);
    await di.expect(401, 'POST', '/api/auth/login', { email: di.email, password });
    await di.expect(200, 'POST', '/api/auth/login', { email: di.email, password: fresh });
    assert.ok(!JSON.stringify(await audit()).includes(fresh), 'it is not in the audit log');
  });

  test('limits that change while it runs: registration, invitations, streams of a user', async () => {
    const set = (body) => root.expect(200, 'PATCH', '/api/admin/settings', body);
    const someone = (n, more = {}) => new Client(server).call('POST', '/api/auth/register', { name: 'New', email: `new${n}.${process.pid}@example.org`, password, ...more });
    for (const bad of [{ registration: 'maybe' }, { streamsPerUser: -1 }, { streamsPerUser: 1001 }, { storageQuota: -5 }, { other: 1 }])
      assert.equal((await root.call('PATCH', '/api/admin/settings', bad)).status, 422, JSON.stringify(bad));
    await set({ registration: 'closed' });
    assert.equal((await someone(1)).json.error.code, 'registration_closed');
    await set({ registration: 'invite' });
    assert.equal((await guest.expect(200, 'GET', '/api/settings')).registration, 'invite');
    assert.equal((await someone(2)).json.error.code, 'invite_needed');
    assert.equal((await someone(2, { invite: 'x' })).json.error.code, 'bad_invite');
    const { code, url } = await root.expect(201, 'POST', '/api/admin/invites', { note: 'For Flo', uses: 1 });
    assert.ok(url.endsWith(code));
    assert.equal((await someone(3, { invite: code, password: 'short' })).status, 422);
    assert.equal((await someone(3, { invite: code })).status, 201, 'a slip did not use it up');
    assert.equal((await someone(4, { invite: code })).json.error.code, 'bad_invite');
    await root.expect(201, 'POST', '/api/admin/invites', {});
    const [invite] = (await root.expect(200, 'GET', '/api/admin/invites')).invites;
    await root.expect(204, 'DELETE', `/api/admin/invites/${invite.id}`);
    await root.expect(404, 'DELETE', `/api/admin/invites/${invite.id}`);
    await set({ registration: 'open', streamsPerUser: 1 });
    const ed = await newUser(server, 'Ed');
    const stream = await ed.createStream();
    const more = await ed.call('POST', '/api/streams', { title: 'Two' });
    assert.equal(more.json.error.code, 'too_many_streams');
    assert.equal((await set({ streamsPerUser: 1000 })).streamsPerUser, 1000);
    await root.expect(204, 'DELETE', `/api/admin/streams/${stream.id}`);
    await ed.expect(404, 'GET', `/api/streams/${stream.id}`);
    assert.ok((await audit('?action=setting')).length >= 3);
  });

  test('reports: by guests and accounts, of streams and of messages; closed once', async () => {
    const stream = await ada.createStream({ title: NASTY });
    const at = `/api/streams/${stream.id}/report`;
    const said = await bob.expect(201, 'POST', `/api/streams/${stream.id}/messages`, { content: NASTY });
    await guest.expect(204, 'POST', at, { reason: 'spam', text: NASTY });
    await bob.expect(204, 'POST', at, { reason: 'other', text: 'one' });
    await bob.expect(204, 'POST', at, { reason: 'violence', text: 'two' });
    await ada.expect(204, 'POST', at, { reason: 'harassment', messageId: said.id });
    for (const bad of [{}, { reason: 'x' }, { reason: 'spam', text: 'x'.repeat(1001) }, { reason: 'spam', messageId: 5 }, { reason: 'spam', html: 1 }])
      assert.equal((await bob.call('POST', at, bad)).status, 422, JSON.stringify(bad).slice(0, 60));
    await bob.expect(404, 'POST', at, { reason: 'spam', messageId: '1' });
    await bob.expect(404, 'POST', '/api/streams/nobody/report', { reason: 'spam' });
    assert.equal((await guest.call('POST', at, { reason: 'spam' }, { Origin: 'https://evil.example' })).status, 403);
    const { reports } = await root.expect(200, 'GET', '/api/admin/reports?state=open');
    assert.equal(reports.length, 3, "Bob's second took the first one's place");
    const [message, bobs, guests] = reports;
    assert.equal(message.message.text, NASTY);
    assert.equal(message.message.by, 'Bob');
    assert.equal(bobs.text, 'two');
    assert.equal(bobs.reporter, 'Bob');
    assert.equal(guests.reporter, '');
    assert.equal(guests.stream.title, NASTY);
    await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { title: 'Innocent' });
    await root.expect(422, 'POST', `/api/admin/reports/${bobs.id}/close`, { state: 'gone' });
    await root.expect(204, 'POST', `/api/admin/reports/${bobs.id}/close`, { state: 'resolved', note: 'told them' });
    await root.expect(409, 'POST', `/api/admin/reports/${bobs.id}/close`, { state: 'dismissed' });
    await root.expect(404, 'POST', '/api/admin/reports/nobody/close', { state: 'dismissed' });
    const [done] = (await root.expect(200, 'GET', '/api/admin/reports?state=resolved')).reports;
    assert.deepEqual([done.note, done.closedBy, done.stream.title], ['told them', 'Root', NASTY]);
  });

  test('a full quota stops the recording and not the stream, and says so to its owner', async () => {
    const gus = await newUser(server, 'Gus');
    const stream = await gus.createStream();
    const events = await gus.events(stream.id);
    t.after(() => events.close());
    publishFfmpeg(t, publishUrl(server, stream));
    await gus.untilLive(stream.id, 30_000);
    await until('something is kept', async () => (await gus.expect(200, 'GET', '/api/me/storage')).used > 50_000);
    await root.expect(200, 'POST', `/api/admin/users/${gus.user.id}/quota`, { bytes: 1000 });
    const told = await events.wait('warning');
    assert.equal(told.json.code, 'storage_full');
    assert.match(told.json.message ?? told.json.text, /storage is full/);
    const failed = await gus.untilStream(stream.id, 'the recording has stopped', (s) => s.recordingStatus === 'FAILED');
    assert.equal(failed.status, 'LIVE');
    const mine = await gus.expect(200, 'GET', '/api/me/storage');
    assert.ok(mine.used > 1000 && mine.quota === 1000 && /full/.test(mine.message), JSON.stringify(mine));
    const upload = await gus.call('POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/webm' });
    assert.ok(upload.status >= 400 && /storage/.test(upload.text), upload.text);
    // The next one begins without a recording.
    await root.expect(204, 'POST', `/api/admin/streams/${stream.id}/end`, { reason: 'enough' });
    await root.expect(409, 'POST', `/api/admin/streams/${stream.id}/end`, {});
    const next = await gus.createStream();
    publishFfmpeg(t, publishUrl(server, next));
    const live = await gus.untilLive(next.id, 30_000);
    assert.equal(live.recordingStatus, 'NONE');
    await gus.end(next.id);
    await root.expect(200, 'POST', `/api/admin/users/${gus.user.id}/quota`, {});
    assert.equal((await gus.expect(200, 'GET', '/api/me/storage')).message, '');
    const [most] = (await root.expect(200, 'GET', '/api/admin/users?sort=storage')).users;
    assert.equal(most.name, 'Gus');
    assert.ok((await root.expect(200, 'GET', '/api/admin/overview')).storage.recordings > 1000);
  });

  test('recent errors have what went wrong; the audit log is filtered and paged', async () => {
    const keyed = await bob.createStream();
    await bob.expect(200, 'POST', `/api/streams/${keyed.id}/reset-key`);
    const made = await bob.expect(201, 'POST', '/api/tokens', { name: 'CI' });
    assert.deepEqual((await audit(`?actor=${bob.user.id}`)).slice(0, 2).map((l) => [l.action, l.objectId]), [['token.create', made.id], ['stream.reset_key', keyed.id]]);
    assert.ok(!JSON.stringify(await audit()).includes(made.secret));
    const { errors } = await root.expect(200, 'GET', '/api/admin/errors');
    assert.ok(errors.some((e) => e.event === 'record' || e.event === 'recording'), JSON.stringify(errors).slice(0, 300));
    const seen = [];
    for (let cursor = ''; cursor !== null; ) {
      const page = await root.expect(200, 'GET', `/api/admin/audit?limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...page.lines.map((l) => l.id));
      cursor = page.nextCursor;
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.equal(seen.length, (await audit('?limit=100')).length);
    assert.equal((await audit('?until=2020-01-01T00:00:00Z')).length, 0);
    assert.ok((await audit('?actor=-')).every((l) => l.actor === null));
    await root.expect(422, 'GET', '/api/admin/audit?from=yesterday');
  });

  test('the same from a terminal, beside the running server', async () => {
    const who = `cli.${process.pid}@example.org`;
    const added = await cli(server, ['user', 'add', who, '--name', NASTY, '--json'], `${password}\n`);
    assert.equal(added.code, 0, added.stderr);
    const users = (await cli(server, ['user', 'list', '--json', '--search', who])).json;
    assert.deepEqual(users.map((u) => [u.id, u.name, u.role]), [[added.json.id, NASTY, 'user']]);
    const hal = new Client(server);
    await hal.expect(200, 'POST', '/api/auth/login', { email: who, password });
    const stream = await hal.createStream();
    publishFfmpeg(t, publishUrl(server, stream));
    await hal.untilLive(stream.id, 30_000);
    const live = (await cli(server, ['stream', 'list', '--status', 'live', '--json'])).json;
    assert.deepEqual(live.map((s) => [s.id, s.owner]), [[stream.id, who]]);
    const ended = await cli(server, ['stream', 'end', stream.id, '--reason', 'late', '--json']);
    assert.deepEqual(ended.json, { done: true }, ended.stderr);
    assert.equal((await hal.stream(stream.id)).status, 'ENDED', 'when the command is back it has ended');
    assert.equal((await cli(server, ['stream', 'end', stream.id])).code, 1);

    assert.equal((await cli(server, ['user', 'role', who, 'admin'])).code, 0);
    await hal.expect(200, 'GET', '/api/admin/users');
    assert.equal((await cli(server, ['user', 'role', who, 'user'])).code, 0);
    await hal.expect(403, 'GET', '/api/admin/users');
    assert.equal((await cli(server, ['user', 'quota', added.json.id, '5000', '--json'])).json.ownQuota, 5000);
    assert.equal((await cli(server, ['user', 'quota', who, 'default', '--json'])).json.ownQuota, null);
    const fresh = (await cli(server, ['user', 'password', who, '--random', '--json'])).json.password;
    await hal.expect(401, 'GET', '/api/me');
    await hal.expect(200, 'POST', '/api/auth/login', { email: who, password: fresh });
    const token = (await cli(server, ['token', 'create', '--email', who, '--json'])).json;
    assert.equal((await cli(server, ['token', 'list', '--email', who, '--json'])).json.length, 1);
    assert.equal((await cli(server, ['token', 'revoke', token.TOKEN_ID])).code, 0);
    assert.equal((await cli(server, ['token', 'revoke', token.TOKEN_ID])).code, 1);
    assert.equal((await cli(server, ['user', 'suspend', who, '--reason', 'x', '--json'])).json.suspendedReason, 'x');
    await hal.expect(401, 'GET', '/api/me');
    assert.equal((await cli(server, ['user', 'unsuspend', who])).code, 0);
    assert.equal((await cli(server, ['stream', 'delete', stream.id])).code, 1, 'not without --yes');
    assert.equal((await cli(server, ['stream', 'delete', stream.id, '--yes'])).code, 0);
    await guest.expect(404, 'GET', `/api/streams/${stream.id}`);

    assert.equal((await cli(server, ['user', 'delete', who])).code, 1, 'not without --yes');
    assert.equal((await cli(server, ['user', 'delete', who, '--yes'])).code, 0);
    assert.deepEqual((await cli(server, ['user', 'list', '--json', '--search', who])).json, []);
    await hal.expect(401, 'POST', '/api/auth/login', { email: who, password: fresh });
    const kim = await newUser(server, 'Kim');
    await root.expect(409, 'DELETE', `/api/admin/users/${root.user.id}`);
    await root.expect(204, 'DELETE', `/api/admin/users/${kim.user.id}`);
    assert.equal((await kim.call('GET', '/api/me')).status, 401);
    await until('its row is gone', async () => (await root.call('GET', `/api/admin/users/${kim.user.id}`)).status === 404);

    const lines = await audit('?actor=-&limit=100');
    for (const action of ['user.add', 'user.role', 'user.quota', 'user.password', 'user.suspend', 'user.unsuspend', 'stream.end', 'stream.delete', 'token.create', 'token.delete'])
      assert.ok(lines.some((l) => l.action === action), action);
    assert.equal((await cli(server, ['user', 'role', root.email, 'user'])).code, 1, 'the last administrator');
    await Promise.all([[], ['x'], ['user'], ['role', who], ['role', who, 'god'], ['suspend'], ['suspend', 'nobody@example.org'], ['suspend', "' OR 1=1 --"], ['quota', who, '-5'], ['list', '--filter', 'x']].map(async (bad) =>
      assert.ok((await cli(server, ['user', ...bad])).code > 0, bad.join(' '))));
  });

  test('the page: found, suspended and seen in the log; a report from the viewer page; nothing for others', async (b) => {
    const [ivy, jo] = [await newUser(server, 'Ivy'), await newUser(server, 'Jo')];
    const stream = await ivy.createStream({ title: NASTY });
    const { page, context, problems } = await launchBrowser(b, { expected: [...refusals, /status of 403/] });
    const enter = async (user) => {
      await context.clearCookies();
      const [name, value] = user.cookie.split('=');
      await context.addCookies([{ name, value, url: server.http }]);
    };
    await enter(jo);
    await page.goto(`${server.http}/admin`);
    await page.getByText('There is no such page').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Admin' }).count(), 0);
    await page.goto(`${server.http}/stream/${stream.id}`);
    await page.getByRole('button', { name: 'Report', exact: true }).click();
    await page.getByRole('dialog').getByLabel('What is wrong?').selectOption('violence');
    await page.getByRole('dialog').getByLabel('In your words').fill(NASTY);
    await page.getByRole('dialog').getByRole('button', { name: 'Send the report' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await enter(root);
    await page.goto(server.http);
    await page.getByRole('link', { name: 'Admin' }).click();
    await page.getByLabel('Search by name or address').fill(ivy.email);
    const row = page.getByRole('row', { name: ivy.email });
    await row.waitFor();
    await until('only she is there', async () => (await page.getByRole('row').count()) === 2);
    await row.getByRole('button', { name: 'Actions for Ivy' }).click();
    await page.getByRole('menuitem', { name: 'Suspend' }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill(NASTY);
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await row.getByText('Suspended', { exact: true }).waitFor();
    await ivy.expect(401, 'GET', '/api/me');

    await page.getByRole('link', { name: 'Reports' }).click();
    const report = page.getByRole('article').filter({ hasText: 'by Jo' });
    await report.getByRole('button', { name: 'Resolve' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resolve' }).click();
    await report.waitFor({ state: 'detached' });
    await page.setViewportSize({ width: 375, height: 800 });
    for (const [at, seen] of [['', 'Ivy'], ['/streams', 'Nobody is live.'], ['/reports', 'Open reports'], ['/storage', 'By account'], ['/limits', 'Changed here'], ['/errors', 'Since the server'], ['/audit', 'report.resolve']]) {
      await page.goto(`${server.http}/admin${at}`);
      await page.getByText(seen).first().waitFor({ state: 'attached' });
      await assertFits(page, `/admin${at}`);
      await assertAccessible(page, `/admin${at}`);
    }
    assert.ok(await page.getByText('user.suspend').count());
    assert.deepEqual(problems, [], 'no script ran, nothing was refused');
  });

  test('a flood of reports is refused', async () => {
    const at = `/api/streams/${(await ada.createStream()).id}/report`;
    // Far more than anybody has to say: the rest is refused.
    const flood = await Promise.all(Array.from({ length: 40 }, () => guest.call('POST', at, { reason: 'spam' })));
    assert.ok(flood.some((a) => a.status === 429 && Number(a.headers['retry-after']) > 0));
  });
});
