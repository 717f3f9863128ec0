// SPDX-License-Identifier: MIT
// What is sent to people who are elsewhere: mail by a real SMTP server, push messages to a receiver of the test's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { mailbox } from './lib/mailbox.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { pushReceiver } from './lib/push_receiver.mjs';
import { run, startServer, tempDir, until } from './lib/server.mjs';

// Rows from outside, as a change would write them.
const sql = (server, text) => execFileSync('sqlite3', ['-cmd', '.timeout 20000', path.join(server.dataDir, 'bspnode.db'), text], { encoding: 'utf8' }).trim();

const queue = (server, to, { subject = 'Hello', name = '', urgency = 0, lasts = 3600 } = {}) =>
  sql(server, `INSERT INTO mails (id, urgency, to_name, to_address, subject, body, next_at, expires_at, created_at)
    VALUES (lower(hex(randomblob(8))), ${urgency}, '${name}', '${to}', '${subject}', 'Ciao, ${to}' || char(10) || '.' || char(10), 0,
    (unixepoch() + ${lasts}) * 1000000, unixepoch() * 1000000)`);

test('bspnode mail test says what the mail server says', async (t) => {
  const [open, strict] = await Promise.all([mailbox(t), mailbox(t, { tls: true, user: 'live', password: 'päss word' })]);
  const send = (box, ...more) => run(['mail', 'test', 'ada@example.org', ...box.args, ...more]);
  assert.equal((await send(open)).code, 0);
  const mail = await open.wait('ada@example.org', 'works');
  assert.equal(mail.header('From'), 'The platform <live@example.org>');
  assert.equal(mail.from, 'live@example.org');
  assert.match(mail.header('Message-ID'), /^<\w+@example\.org>$/);
  // TLS is required unless it is said otherwise; a certificate nobody vouches for is none.
  const clear = await run(['mail', 'test', 'ada@example.org', '--smtp-url', open.url, '--smtp-from', 'a@example.org']);
  assert.equal(clear.code, 1, clear.stdout);
  assert.equal((await send(strict)).code, 0);
  assert.deepEqual((({ tls, user }) => ({ tls, user }))(await strict.wait('ada@example.org')), { tls: true, user: 'live' });
  const stranger = await run(['mail', 'test', 'ada@example.org', '--smtp-url', strict.url, '--smtp-from', 'a@example.org']);
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /certificate/i);
  const wrong = await send(strict, '--smtp-password', 'guess');
  assert.equal(wrong.code, 1);
  await open.say('550 5.1.1 No such mailbox');
  const refused = await send(open);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /550/);
  for (const [bad, ...args] of [['no server'], ['usage', '--smtp-from', 'x'], ['not an address', 'a b@example.org', ...open.args], ['injected', 'a@b.c\r\nDATA', ...open.args],
    ['no sender', 'a@b.c', '--smtp-url', open.url], ['sender', 'a@b.c', ...open.args, '--smtp-from', 'a@b.c\r\nBcc: x@y.z'],
    ['scheme', 'a@b.c', ...open.args, '--smtp-url', 'http://127.0.0.1'], ['password in it', 'a@b.c', ...open.args, '--smtp-url', 'smtp://a:b@127.0.0.1']]) {
    const { code, stderr } = await run(['mail', 'test', ...args]);
    assert.ok(code === 1 || code === 2, `${bad}: ${code}`);
    assert.match(stderr, /^bspnode: /, bad);
  }
  assert.equal(open.mails.length, 1);
  const server = await run(['serve', '--data', tempDir(t), '--http', '127.0.0.1:0', '--rtmp', '', '--webrtc', '', '--smtp-url', 'smtp://127.0.0.1:1', '--smtp-from', 'nobody']);
  assert.equal(server.code, 1);
  assert.match(server.stderr, /smtp-from/);
});

test('what waits goes out: after a kill, when the mail server comes back, and refusals end', async (t) => {
  const first = await mailbox(t);
  await first.close();
  const dataDir = tempDir(t);
  let server = await startServer(t, { dataDir, args: first.args });
  queue(server, 'ada@example.org', { subject: 'Grüße 🎉 of a length that a line of a mail cannot hold, and some more', name: 'Ada "X" Lövelace' });
  queue(server, 'late@example.org', { lasts: -5 });
  await until('the mail server was asked for', () => server.log.includes('no mail goes out'));
  await server.kill();
  const box = await mailbox(t, { port: first.port });
  server = await startServer(t, { dataDir, args: first.args });
  const mail = await box.wait('ada@example.org');
  assert.equal(mail.subject, 'Grüße 🎉 of a length that a line of a mail cannot hold, and some more');
  assert.equal(mail.header('To'), '"Ada \\"X\\" Lövelace" <ada@example.org>');
  assert.equal(mail.text, 'Ciao, ada@example.org\n.\n');

  // Put off, then taken; refused, then not tried again; meanwhile nobody else waits.
  await box.say('451 4.7.1 Greylisted', { at: 'rcpt' });
  queue(server, 'grey@example.org');
  await until('it was put off', () => box.said === 1);
  await box.say('550 5.1.1 No such mailbox', { at: 'data' });
  queue(server, 'gone@example.org');
  await until('it was refused', () => box.said === 2);
  for (let i = 0; i < 3; i++) queue(server, `b${i}@example.org`, { urgency: 1 });
  for (const who of ['grey', 'b0', 'b1', 'b2']) await box.wait(`${who}@example.org`);
  await until('nothing is kept', () => sql(server, 'SELECT count(*) FROM mails') === '0');
  assert.equal(box.to('gone@example.org').length + box.to('late@example.org').length, 0);
  assert.equal(box.mails.length, 5, 'each once');
  assert.ok(!server.log.includes('@example.org'), 'nobody is named in the log');
});

const soon = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
const follow = (who, whom, choice = {}) => who.expect(200, 'PUT', `/api/users/${whom.user.handle}/follow`, choice);
// As if they had followed the link of the first mail (account.test.mjs does): others get no notices by mail.
const confirmed = (server, ...who) => sql(server, `UPDATE users SET email_confirmed_at = 1 WHERE id IN (${who.map((w) => `'${w.user.id}'`).join(', ')})`);

test('followers are told: live, once a broadcast; reminders; each as they want; and it ends with one click', async (t) => {
  const [box, phone] = await Promise.all([mailbox(t), pushReceiver(t)]);
  const dataDir = tempDir(t);
  const args = [...box.args, '--push-allow-private', '--notice-delay', '0'];
  let server = await startServer(t, { dataDir, args });
  const grace = await newUser(server, 'Grace "Öhm" <b>');
  const [ada, bob, eve, ida] = [await newUser(server, 'Ada'), await newUser(server, 'Bob'), await newUser(server, 'Eve'), await newUser(server, 'Ida')];
  const una = await newUser(server, 'Una'); // of an address that she has not confirmed
  for (const who of [ada, eve, ida, una]) await follow(who, grace);
  confirmed(server, ada, bob, eve, ida);
  await follow(bob, grace, { mail: false });
  const wants = await ada.expect(200, 'GET', '/api/me/notifications');
  const all = { live: true, schedule: true, reminder: true };
  assert.deepEqual(wants, { mail: { ...all, available: true }, push: { ...all, publicKey: wants.push.publicKey, browsers: 0 } });
  await bob.expect(204, 'POST', '/api/push/subscriptions', phone.subscription);
  assert.equal((await bob.expect(200, 'GET', '/api/me/notifications')).push.browsers, 1);
  assert.equal((await ida.expect(200, 'PATCH', '/api/me/notifications', { mailReminder: false })).mail.reminder, false);

  // Live; the encoder's line breaks and it comes back: one broadcast.
  const stream = await grace.createStream({ title: 'Tea & مرحبا 🎉' });
  const encoder = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  const mail = await box.wait(ada.email, 'is live');
  assert.equal(mail.subject, `${grace.user.name} is live: Tea & مرحبا 🎉`);
  assert.equal(mail.header('Auto-Submitted'), 'auto-generated');
  assert.equal(mail.link('/stream/'), `${server.http}/stream/${stream.id}`);
  const push = await phone.wait((m) => m.kind === 'live');
  assert.deepEqual({ name: push.name, title: push.title, url: push.url }, { name: grace.user.name, title: stream.title, url: `/stream/${stream.id}` });
  assert.equal(push.vapid.aud, phone.origin);
  assert.equal(push.vapid.sub, 'mailto:live@example.org');
  assert.equal(push.vapid.key, wants.push.publicKey);
  await encoder.kill();
  const again = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  await grace.untilStream(stream.id, 'it is back', (s) => s.status === 'LIVE' && !s.reconnecting);

  // One click: by the mail reader's server, then a person with the button; nothing of it needs a session.
  const link = new URL(mail.link('/unsubscribe'));
  assert.equal(mail.header('List-Unsubscribe'), `<${link}>`);
  assert.equal(mail.header('List-Unsubscribe-Post'), 'List-Unsubscribe=One-Click');
  const guest = new Client(server);
  assert.deepEqual(await guest.expect(200, 'GET', `/api/unsubscribe${link.search}`), { name: grace.user.name });
  assert.equal((await server.get(`${link.pathname}${link.search}`, { headers: { Accept: 'text/html' } })).status, 200, 'a page, which changes nothing');
  for (const bad of ['', '?token=', `?token=${ada.user.id}.${grace.user.id}.x`, `${link.search}x`, `?token=${bob.user.id}.${link.searchParams.get('token').split('.').slice(1).join('.')}`, '?token=' + 'x'.repeat(4000)])
    assert.equal((await guest.call('POST', `/unsubscribe${bad}`)).status, 404, bad.slice(0, 80));
  const posted = await fetch(link, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'List-Unsubscribe=One-Click' });
  assert.equal(posted.status, 200);
  const evesLink = new URL((await box.wait(eve.email, 'is live')).link('/unsubscribe'));
  await guest.expect(200, 'POST', `/unsubscribe${evesLink.search}&all=1`);
  assert.deepEqual((await eve.expect(200, 'GET', '/api/me/notifications')).mail, { live: false, schedule: false, reminder: false, available: true });

  // A reminder, ten minutes before or at once when it is sooner: after a restart not again. Ada follows again.
  await follow(ada, grace, { mail: true });
  for (const visibility of ['UNLISTED', 'PRIVATE']) await grace.createStream({ title: 'Nobody hears of this', scheduledAt: soon(7), visibility });
  const planned = await grace.createStream({ title: 'Planned', scheduledAt: soon(8) });
  await box.wait(ada.email, 'begins in a few minutes');
  assert.equal((await phone.wait((m) => m.kind === 'soon')).title, 'Planned');
  await again.stop();
  await server.kill();
  server = await startServer(t, { dataDir, args });
  for (const who of [grace, ada]) who.server = server;
  await grace.createStream({ title: 'The next one', scheduledAt: soon(9) });
  await box.wait(ada.email, 'The next one');
  await phone.wait((m) => m.title === 'The next one');
  const notices = (who) => box.to(who.email).filter((m) => m.header('List-Unsubscribe'));
  assert.deepEqual(notices(ada).map((m) => m.subject.split(/ (?=is|begins)/)[1]),
    ['is live: Tea & مرحبا 🎉', 'begins in a few minutes: Planned', 'begins in a few minutes: The next one']);
  assert.deepEqual(phone.got.map((m) => m.title), [stream.title, 'Planned', 'The next one']);
  assert.equal(notices(eve).length, 1, 'none after the click');
  assert.equal(notices(ida).length, 1, 'no reminders, as she wishes');
  assert.equal(notices(bob).length + notices(una).length, 0);
  assert.equal(planned.status, 'CREATED');

  // The schedule: planned, moved, and gone with the stream; what was taken back at once is told to nobody.
  const [first, then] = [soon(24 * 60), soon(48 * 60)];
  const minute = (iso) => iso.slice(0, 16).replace('T', ', ');
  const later = await grace.createStream({ title: 'Tomorrow', scheduledAt: first });
  assert.ok((await box.wait(ada.email, 'has planned: Tomorrow')).text.includes(`It begins at ${minute(first)} UTC`));
  await grace.expect(200, 'PATCH', `/api/streams/${later.id}`, { scheduledAt: then });
  const moved = (await box.wait(ada.email, 'has another time for: Tomorrow')).text;
  assert.ok(moved.includes(`planned for ${minute(first)} UTC`) && moved.includes(`now at ${minute(then)} UTC`), moved);
  await grace.expect(204, 'DELETE', `/api/streams/${later.id}`);
  assert.ok((await box.wait(ada.email, 'has cancelled: Tomorrow')).text.includes(`planned for ${minute(then)} UTC`));
  assert.deepEqual((await phone.wait((m) => m.kind === 'cancelled')).title, 'Tomorrow');
});

test('changes of a schedule that follow each other are one', async (t) => {
  const server = await startServer(t, { args: ['--notice-delay', '1h'] });
  const grace = await newUser(server, 'Grace');
  const told = () => sql(server, 'SELECT kind, at / 1000000, was_at / 1000000 FROM notices');
  const seconds = (iso) => Math.floor(Date.parse(iso) / 1000);
  const [first, then] = [soon(24 * 60), soon(48 * 60)];
  const stream = await grace.createStream({ scheduledAt: first });
  const set = (scheduledAt) => grace.expect(200, 'PATCH', `/api/streams/${stream.id}`, { scheduledAt });
  assert.equal(told(), `scheduled|${seconds(first)}|0`);
  await set(then);
  assert.equal(told(), `scheduled|${seconds(then)}|0`);
  await set(null);
  assert.equal(told(), '');
  await set(first);
  sql(server, 'DELETE FROM notices'); // everybody has been told
  await set(then);
  assert.equal(told(), `moved|${seconds(then)}|${seconds(first)}`);
  await set(soon(60 * 60));
  await set(first);
  assert.equal(told(), '', 'as it was');
  await set(then);
  await grace.expect(204, 'DELETE', `/api/streams/${stream.id}`);
  assert.equal(told(), `cancelled|${seconds(first)}|${seconds(first)}`);
});

test('push services that are busy, gone, or not on the Internet', async (t) => {
  const [busy, gone] = [await pushReceiver(t), await pushReceiver(t)];
  const server = await startServer(t, { args: ['--push-allow-private'] });
  const [grace, ada] = [await newUser(server, 'Grace'), await newUser(server, 'Ada')];
  await follow(ada, grace);
  busy.says = [[503], [429, { 'Retry-After': '1' }]];
  gone.says = [[410]];
  for (const phone of [busy, gone]) await ada.expect(204, 'POST', '/api/push/subscriptions', phone.subscription);
  await grace.createStream({ title: 'Now', scheduledAt: soon(5) });
  await busy.wait((m) => m.title === 'Now');
  assert.equal(busy.asked, 3);
  await until('the one that has gone is forgotten', async () => (await ada.expect(200, 'GET', '/api/me/notifications')).push.browsers === 1);
  assert.equal(gone.asked, 1);
  assert.equal((await ada.expect(200, 'GET', '/api/me/notifications')).mail.available, false, 'no SMTP, no mail');
  assert.equal(sql(server, 'SELECT count(*) FROM mails'), '0', 'and none that waits');
  for (let i = 0; i < 25; i++) await ada.expect(204, 'POST', '/api/push/subscriptions', { ...busy.subscription, endpoint: `${busy.origin}/${i}` });
  assert.equal((await ada.expect(200, 'GET', '/api/me/notifications')).push.browsers, 20);
  await ada.expect(204, 'DELETE', '/api/push/subscriptions', { endpoint: `${busy.origin}/24` });
  assert.equal((await ada.expect(200, 'GET', '/api/me/notifications')).push.browsers, 19);

  const strict = await startServer(t);
  const bob = await newUser(strict, 'Bob');
  const { p256dh, auth } = busy.subscription;
  for (const endpoint of [busy.subscription.endpoint, 'http://push.example.org/x', 'https://localhost/x', 'https://127.0.0.1/x', 'https://[::1]/x', 'https://10.0.0.1/', 'https://169.254.169.254/latest',
    'https://0x7f.1/', 'file:///etc/passwd', 'https://user:pw@push.example.org/', '', 'x', `https://push.example.org/${'x'.repeat(2000)}`, 'https://push.example.org/\r\nX: y'])
    assert.equal((await bob.call('POST', '/api/push/subscriptions', { endpoint, p256dh, auth })).status, 422, endpoint.slice(0, 60));
  const endpoint = 'https://push.example.org/x';
  for (const keys of [{ p256dh, auth: 'x' }, { p256dh: p256dh.slice(0, -4), auth }, { p256dh: `${p256dh.slice(0, -8)}AAAAAAAA`, auth }, { p256dh: 5, auth }, { p256dh }, { p256dh, auth, more: 1 }])
    assert.equal((await bob.call('POST', '/api/push/subscriptions', { endpoint, ...keys })).status, 422, JSON.stringify(keys));
  const guest = new Client(strict);
  await guest.expect(401, 'POST', '/api/push/subscriptions', { endpoint, p256dh, auth });
  await guest.expect(401, 'GET', '/api/me/notifications');
  assert.equal((await bob.call('POST', '/api/push/subscriptions', { endpoint, p256dh, auth }, { Origin: 'https://evil.example' })).status, 403);
  assert.equal((await bob.expect(200, 'GET', '/api/me/notifications')).push.browsers, 0);
});

test('in a browser: installed, told, offline, unsubscribed', async (t) => {
  const box = await mailbox(t);
  const server = await startServer(t, { args: box.args });
  const [grace, ada] = [await newUser(server, 'Grace'), await newUser(server, 'Ada')];
  await follow(ada, grace);
  confirmed(server, ada);
  const stream = await grace.createStream({ title: 'Tea', scheduledAt: soon(5) });
  const mail = await box.wait(ada.email, 'begins in a few minutes');
  const { context, page, problems } = await launchBrowser(t, { expected: [/ERR_(FAILED|INTERNET_DISCONNECTED)/, /status of 40[14]/] });

  // A person with the link of a mail.
  await page.goto(mail.link('/unsubscribe'));
  await page.getByRole('button', { name: 'Stop mail about Grace' }).click();
  await page.getByText('no more mail about Grace').waitFor();
  assert.equal(sql(server, `SELECT by_mail FROM follows WHERE follower_id = '${ada.user.id}'`), '0');
  await page.goto(`${server.http}/unsubscribe?token=x`);
  await page.getByText('This link is not complete').waitFor();

  // Chromium finds nothing wrong with the app that it would install.
  const cdp = await context.newCDPSession(page);
  const manifest = await cdp.send('Page.getAppManifest');
  assert.deepEqual(manifest.errors, []);
  assert.equal(new URL(manifest.url).pathname, '/manifest.webmanifest');
  for (const { src } of JSON.parse(manifest.data).icons) assert.match((await server.get(src)).headers['content-type'], /^image\/png$/);
  await page.evaluate(() => navigator.serviceWorker.ready.then((r) => r.active?.state));
  assert.deepEqual((await cdp.send('Page.getInstallabilityErrors')).installabilityErrors, []);

  // A push message, as the browser would hand it on; a click on it is the operating system's.
  await context.grantPermissions(['notifications'], { origin: server.http });
  const registration = new Promise((resolve) => cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && resolve(registrations[0].registrationId)));
  await cdp.send('ServiceWorker.enable');
  const data = JSON.stringify({ kind: 'live', name: 'Grace <b>', title: 'Tea', url: `/stream/${stream.id}`, tag: stream.id, at: '' });
  await cdp.send('ServiceWorker.deliverPushMessage', { origin: server.http, registrationId: await registration, data });
  const shown = await until('the notification', () => page.evaluate(() => navigator.serviceWorker.ready.then((r) => r.getNotifications())
    .then((all) => all.map((n) => ({ title: n.title, body: n.body, tag: n.tag, data: n.data })))).then((all) => all.length && all));
  assert.deepEqual(shown, [{ title: 'Grace <b> is live', body: 'Tea', tag: stream.id, data: { url: `/stream/${stream.id}` } }]);

  // Without a network there is a page; with one, nothing comes from a cache.
  await page.goto(server.http);
  const kept = await page.evaluate(async () => (await Promise.all((await caches.keys()).map(async (k) => (await (await caches.open(k)).keys()).map((r) => new URL(r.url).pathname)))).flat());
  assert.ok(kept.length === 4 && kept.includes('/offline.html') && kept.every((p) => p === '/offline.html' || p.startsWith('/assets/')), kept.join(' '));
  await context.setOffline(true);
  await page.goto(`${server.http}/dashboard`);
  await page.getByRole('heading', { name: 'You are offline' }).waitFor();
  await context.setOffline(false);
  await page.waitForURL(/\/login/); // by itself: the dashboard, which is for users
  assert.deepEqual(problems, []);
});
