// SPDX-License-Identifier: MIT
// Streamers and who follows them: handles, channel pages, the lobby with its search, schedules and calendars.
import assert from 'node:assert/strict';
import test from 'node:test';
import ICAL from 'ical.js';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { assertAccessible, refusals, register } from './lib/pages.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, tempDir, until } from './lib/server.mjs';
import { sql } from './lib/uploads.mjs';

test('handles: made from names, looked up, changed; following', async (t) => {
  const dataDir = tempDir(t);
  let server = await startServer(t, { dataDir });
  const made = async (name) => (await newUser(server, name)).user.handle;
  const ada = await newUser(server, 'Ada Lovelace');
  const bob = await newUser(server, 'Bob');
  const guest = new Client(server);
  assert.equal(ada.user.handle, 'ada_lovelace');
  assert.equal(await made('ada LOVELACE'), 'ada_lovelace2');
  assert.equal(await made('Zoë Müßig-Ærø'), 'zoe_musig_aro');
  for (const [name, is] of [['李小龍', /^somebody\d*$/], ['Al', /^al_tv$/], ['Admin', /^admin_tv$/], ['<script>alert(1)</script>', /^scriptalert1script$|^scriptalert1_script$/], ['x'.repeat(50), /^x{20}$/]])
    assert.match(await made(name), is, name);

  const seen = await guest.expect(200, 'GET', '/api/users/@ADA_Lovelace');
  assert.deepEqual([seen.user.id, seen.user.name, seen.user.followers, seen.user.about, seen.user.following, seen.user.email], [ada.user.id, 'Ada Lovelace', 0, '', null, undefined]);
  for (const nobody of ['nobody_here', '%C3%A4da', 'a%27--', '@', 'x'.repeat(200), '_ada']) await guest.expect(404, 'GET', `/api/users/${nobody}`);

  // Who they are and what they say.
  const about = 'Tea and engines.\n<b>https://example.org/?a=1&b=2</b> 👩‍👩‍👧';
  const changed = await ada.expect(200, 'PATCH', '/api/me/channel', { handle: '@Ada', about });
  assert.deepEqual([changed.user.handle, changed.user.about], ['ada', about]);
  await guest.expect(404, 'GET', '/api/users/ada_lovelace');
  assert.equal((await ada.createStream()).user.handle, 'ada');
  assert.equal((await ada.expect(200, 'GET', '/api/me')).user.handle, 'ada');
  for (const [status, code, fields] of [[409, 'handle_taken', { handle: 'bob', about: 'not written' }], [422, 'reserved', { handle: 'Admin' }], [422, 'invalid', { handle: 'a' }], [422, 'invalid', { handle: 'a b c' }],
    [422, 'invalid', { handle: 'x'.repeat(26) }], [422, 'invalid', { handle: 'ad\u0430' }], [422, 'too_long', { about: 'x'.repeat(2001) }], [422, 'wrong_type', { about: 5 }], [422, 'unknown_field', { role: 'admin' }]]) {
    const refused = await ada.call('PATCH', '/api/me/channel', fields);
    assert.deepEqual([refused.status, refused.json.error.code], [status, code], JSON.stringify(fields).slice(0, 60));
  }
  assert.equal((await guest.expect(200, 'GET', '/api/users/ada')).user.about, about, 'what was refused has changed nothing');
  await guest.expect(401, 'PATCH', '/api/me/channel', { about: 'mine' });

  // Following.
  await guest.expect(401, 'PUT', '/api/users/ada/follow', {});
  await bob.expect(404, 'PUT', '/api/users/nobody_here/follow', {});
  assert.equal((await ada.call('PUT', '/api/users/ada/follow', {})).json.error.code, 'own_channel');
  const first = await bob.expect(200, 'PUT', '/api/users/ada/follow');
  assert.deepEqual([first.following.mail, first.following.push], [true, true]);
  const second = await bob.expect(200, 'PUT', '/api/users/ada/follow', { mail: false });
  assert.deepEqual(second.following, { ...first.following, mail: false });
  await bob.expect(200, 'PUT', '/api/users/zoe_musig_aro/follow', {});
  assert.equal((await guest.expect(200, 'GET', '/api/users/ada')).user.followers, 1);
  assert.deepEqual((await bob.expect(200, 'GET', '/api/users/ada')).user.following, second.following);
  const page = await bob.expect(200, 'GET', '/api/me/follows?limit=1');
  assert.deepEqual(page.follows.map((f) => f.user.handle), ['zoe_musig_aro']);
  const next = await bob.expect(200, 'GET', `/api/me/follows?limit=1&cursor=${page.nextCursor}`);
  assert.deepEqual(next.follows, [{ ...second.following, user: { id: ada.user.id, name: 'Ada Lovelace', handle: 'ada', image: null } }]);
  for (const bad of ['cursor=x', 'cursor=-1', 'limit=0', 'limit=101']) await bob.expect(422, 'GET', `/api/me/follows?${bad}`);
  await bob.expect(204, 'DELETE', '/api/users/ada/follow');
  await bob.expect(204, 'DELETE', '/api/users/ada/follow');
  assert.equal((await bob.expect(200, 'GET', '/api/users/ada')).user.following, null);

  // Accounts from before there were handles get theirs at the start.
  await server.stop();
  sql(server, 'UPDATE users SET handle = NULL');
  server = await startServer(t, { dataDir });
  ada.server = server;
  assert.match((await ada.expect(200, 'GET', '/api/me')).user.handle, /^ada_lovelace2?$/);
  assert.equal(sql(server, 'SELECT count(*) AS n FROM users WHERE handle IS NULL')[0].n, 0);
});

const soon = (minutes) => new Date(Math.ceil(Date.now() / 60_000 + minutes) * 60_000).toISOString();
// The calendar as a program that people use reads it, each line of the feed short enough.
async function calendar(client, target) {
  const answer = await client.call('GET', target);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['content-type'], 'text/calendar; charset=utf-8');
  assert.ok(answer.text.endsWith('END:VCALENDAR\r\n'));
  for (const line of answer.text.split('\r\n')) {
    assert.ok(Buffer.byteLength(line) <= 75, line);
    assert.doesNotMatch(line, /[\0-\x08\x0a-\x1f\x7f\ufffd]/);
  }
  const component = new ICAL.Component(ICAL.parse(answer.text));
  return { component, events: component.getAllSubcomponents('vevent').map((e) => new ICAL.Event(e)) };
}

test('schedules: announced, moved, cancelled; calendars', async (t) => {
  const server = await startServer(t, { args: ['--notice-delay', '600'] });
  const ada = await newUser(server, 'Ada');
  const guest = new Client(server);
  const at = soon(90);
  const title = 'Tea; cake, \\o/ & "more" – 👩‍👩‍👧 '.repeat(3).trim();
  const description = `One\n\nTwo: BEGIN:VEVENT\r\nEND:VCALENDAR\n${'ž'.repeat(200)}`;
  const stream = await ada.createStream({ title, description, scheduledAt: at });
  assert.equal(Date.parse(stream.scheduledAt), Date.parse(at));
  const never = await ada.createStream({ title: 'No time' });

  for (const [code, when] of [['past', soon(-5)], ['too_far', soon(3 * 366 * 24 * 60)], ['invalid', 'tomorrow'], ['invalid', '2026-02-30T10:00:00Z'], ['wrong_type', 5]]) {
    const refused = await ada.call('POST', '/api/streams', { title: 'x', streamType: 'RTMP', scheduledAt: when });
    assert.deepEqual([refused.status, refused.json.error.code, refused.json.error.field], [422, code, 'scheduledAt'], String(when));
  }

  const { component, events: [event] } = await calendar(guest, `/stream/${stream.id}.ics`);
  assert.equal(component.getFirstPropertyValue('method'), 'PUBLISH');
  assert.equal(event.summary, title);
  assert.equal(event.description, `${stream.description}\n\n${server.http}/stream/${stream.id}`);
  assert.equal(event.startDate.toJSDate().toISOString(), at);
  assert.equal(event.component.getFirstPropertyValue('status'), 'CONFIRMED');
  assert.equal(event.component.getFirstPropertyValue('url'), `${server.http}/stream/${stream.id}`);
  assert.equal(event.component.getFirstSubcomponent('valarm').getFirstPropertyValue('trigger').toString(), '-PT10M');
  assert.equal((await guest.expect(404, 'GET', `/stream/${never.id}.ics`)).error.code, 'not_scheduled');
  for (const nothing of ['/stream/nobodys.ics', '/@nobodys.ics', '/stream/%2e%2e.ics']) await guest.expect(404, 'GET', nothing);

  // Moved and renamed: the same event, a later number. What stays as it was is no change.
  const moved = soon(180);
  await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { scheduledAt: moved });
  await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { scheduledAt: moved });
  await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { title: 'Coffee' });
  const [again] = (await calendar(guest, '/@ada.ics')).events;
  assert.deepEqual([again.uid, again.summary, again.startDate.toJSDate().toISOString()], [event.uid, 'Coffee', moved]);
  assert.equal(again.sequence, event.sequence + 2);

  // Those who follow are to be told of the last state, once.
  const notices = () => sql(server, 'SELECT kind, at FROM notices WHERE stream_id = ?', stream.id).map((n) => [n.kind, n.at / 1000]);
  assert.deepEqual(notices(), [['scheduled', Date.parse(moved)]]);

  // Listed for everybody, the next first.
  const next = await ada.createStream({ title: 'Sooner', scheduledAt: soon(30) });
  const scheduled = (query = '') => guest.expect(200, 'GET', `/api/streams?status=SCHEDULED${query}`);
  assert.deepEqual((await scheduled()).streams.map((s) => s.id), [next.id, stream.id]);
  const first = await scheduled('&limit=1');
  assert.deepEqual((await scheduled(`&limit=1&cursor=${first.nextCursor}`)).streams.map((s) => s.id), [stream.id]);

  // Late it stays, for hours; then it is only its owner's.
  const shift = (id, hours) => sql(server, 'UPDATE streams SET scheduled_at = scheduled_at - ? WHERE id = ?', hours * 3600e6, id);
  shift(next.id, 2);
  assert.deepEqual((await scheduled()).streams.map((s) => s.id), [next.id, stream.id]);
  const late = await ada.stream(next.id);
  assert.equal((await ada.expect(200, 'PATCH', `/api/streams/${next.id}`, { title: 'Late', scheduledAt: late.scheduledAt })).title, 'Late', 'a form sends the time back');
  shift(next.id, 12);
  assert.deepEqual((await scheduled()).streams.map((s) => s.id), [stream.id]);

  // Cancelled: by its owner's wish, or with the stream.
  const events = await guest.events(stream.id);
  t.after(() => events.close());
  await events.wait('viewers');
  const cancelled = await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { scheduledAt: null });
  assert.equal(cancelled.scheduledAt, null);
  assert.equal(Date.parse(cancelled.wasScheduledAt), Date.parse(moved));
  assert.ok(cancelled.cancelledAt);
  await until('those who wait are told', () => events.seen.some((e) => e.event === 'stream' && e.json.cancelledAt));
  assert.deepEqual((await scheduled()).streams, []);
  assert.deepEqual(notices(), [], 'what was taken back before anybody heard of it is no news');
  const [gone] = (await calendar(guest, `/stream/${stream.id}.ics`)).events;
  assert.deepEqual([gone.uid, gone.component.getFirstPropertyValue('status'), gone.sequence], [event.uid, 'CANCELLED', event.sequence + 3]);
  assert.equal((await calendar(guest, '/@ada.ics')).events.length, 2);
  await ada.end(next.id);
  assert.equal((await ada.stream(next.id)).scheduledAt, null);
  const renewed = await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { scheduledAt: moved });
  assert.deepEqual([renewed.cancelledAt, renewed.wasScheduledAt], [null, null]);
  assert.equal((await ada.call('PATCH', `/api/streams/${next.id}`, { scheduledAt: moved })).json.error.code, 'already_live');
  await ada.expect(204, 'DELETE', `/api/streams/${stream.id}`);
  assert.equal((await calendar(guest, '/@ada.ics')).events.length, 1);
});

test('the lists: searched, by owner, of those one follows', async (t) => {
  const server = await startServer(t);
  const [ada, bob] = [await newUser(server, 'Ada Łódź'), await newUser(server, 'Bob')];
  const guest = new Client(server);
  const at = soon(60);
  const ids = {};
  for (const [who, title] of [[ada, '100% Über_Tee'], [ada, 'Привет МИР'], [bob, 'Tee & Kuchen'], [bob, '<b>\\o/</b>']]) ids[title] = (await who.createStream({ title, scheduledAt: at })).id;
  const find = async (who, query) => (await who.expect(200, 'GET', `/api/streams?status=SCHEDULED&${query}`)).streams.map((s) => s.title).sort();
  for (const [q, found] of [['tee', ['100% Über_Tee', 'Tee & Kuchen']], ['TEE kuch', ['Tee & Kuchen']], ['uber', ['100% Über_Tee']], ['ÜBER', ['100% Über_Tee']], ['%', ['100% Über_Tee']], ['_', ['100% Über_Tee', 'Привет МИР']],
    ['мир', ['Привет МИР']], ['lodz', ['100% Über_Tee', 'Привет МИР']], ['@bob', ['<b>\\o/</b>', 'Tee & Kuchen']], ['\\', ['<b>\\o/</b>']], ["' OR 1=1 --", []], ['<b>', ['<b>\\o/</b>']], ['a b c d e f', []], ['   ', Object.keys(ids).sort()], ['😀', []]])
    assert.deepEqual(await find(guest, `q=${encodeURIComponent(q)}`), [...found].sort(), q);
  assert.equal((await guest.call('GET', `/api/streams?q=${'x'.repeat(121)}`)).json.error.field, 'q');
  assert.deepEqual(await find(guest, `user=${bob.user.id}`), ['<b>\\o/</b>', 'Tee & Kuchen']);
  assert.deepEqual(await find(guest, 'user=nobody'), []);
  assert.deepEqual((await ada.expect(200, 'GET', '/api/streams?mine=1&q=uber')).streams.map((s) => s.title), ['100% Über_Tee']);
  await guest.expect(401, 'GET', '/api/streams?following=1');
  await guest.expect(422, 'GET', '/api/streams?following=perhaps');
  assert.deepEqual(await find(ada, 'following=1'), []);
  await ada.expect(200, 'PUT', '/api/users/bob/follow');
  assert.deepEqual(await find(ada, 'following=1'), ['<b>\\o/</b>', 'Tee & Kuchen']);

  // The other two lists by the same conditions.
  sql(server, "UPDATE streams SET status = 'LIVE', started_at = 1 WHERE id = ?", ids['Tee & Kuchen']);
  const lobby = async (query) => (await ada.expect(200, 'GET', `/api/streams?${query}`)).streams.map((s) => s.title);
  for (const query of ['q=tee', 'following=1', `user=${bob.user.id}&status=LIVE`]) assert.deepEqual(await lobby(query), ['Tee & Kuchen'], query);
  assert.deepEqual(await lobby('q=uber'), []);
});

test('in a browser: announced, found, followed; the countdown becomes the player, the lobby fills, by themselves', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server, 'Ada Lovelace');
  const { context, page, problems } = await launchBrowser(t, { expected: refusals });
  const who = await register(page, server, 'Bob');
  // Ada announces a stream while Bob looks at the lobby.
  await page.goto(server.http);
  await page.getByText('Nobody is live at the moment').waitFor();
  const at = soon(90);
  const stream = await ada.createStream({ title: 'Tea <at> five', description: 'With cake', scheduledAt: at });
  await page.getByRole('region', { name: 'Scheduled' }).getByRole('link', { name: 'Tea <at> five' }).waitFor();
  await page.getByRole('searchbox').fill('nothing like that');
  await page.getByText('Nothing was found for “nothing like that”').first().waitFor();
  await page.getByRole('searchbox').fill('lovelace');
  await page.getByRole('link', { name: 'Tea <at> five' }).waitFor();
  await until('the address says what is searched', () => new URL(page.url()).searchParams.get('q') === 'lovelace');
  await assertAccessible(page, 'the lobby, searched');

  // From the card to the channel, followed there.
  await page.getByRole('link', { name: 'Ada Lovelace' }).click();
  await page.getByRole('heading', { level: 1, name: 'Ada Lovelace' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/@ada_lovelace');
  await page.getByText('0 followers').waitFor();
  await page.getByRole('button', { name: 'Follow', exact: true }).click();
  await page.getByRole('button', { name: 'Following' }).waitFor();
  await page.getByText('1 follower', { exact: true }).waitFor();
  await page.locator('summary', { hasText: 'Notices' }).click();
  await page.getByLabel('By e-mail').uncheck();
  await until('the choice is kept', async () => sql(server, 'SELECT by_mail FROM follows')[0]?.by_mail === 0);
  await page.keyboard.press('Escape');
  await page.getByLabel('By e-mail').waitFor({ state: 'hidden' });
  await assertAccessible(page, 'a channel');

  // The countdown, the owner's change of it, and the start.
  await page.getByRole('link', { name: 'Tea <at> five' }).click();
  const timer = page.getByRole('timer');
  await timer.waitFor();
  assert.match(await timer.innerText(), /01[\s\S]*hour[\s\S]*minutes[\s\S]*second/);
  assert.equal(await page.getByRole('link', { name: 'Add to calendar' }).getAttribute('href'), `/stream/${stream.id}.ics`);
  await assertAccessible(page, 'a countdown');
  await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { scheduledAt: soon(60 * 24 * 3) });
  await until('it counts days now', async () => /[23]\s+days/.test(await timer.innerText()));
  await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { scheduledAt: null });
  await page.getByText('This stream was cancelled').waitFor();
  await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { scheduledAt: at });
  await timer.waitFor();
  const lobby = await context.newPage();
  await lobby.goto(server.http);
  await lobby.getByRole('region', { name: 'Next, of those you follow' }).waitFor();
  await page.bringToFront();
  const publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  await untilPlaying(page);
  await lobby.bringToFront();
  await lobby.getByRole('region', { name: 'Live, of those you follow' }).getByRole('link', { name: 'Tea <at> five' }).waitFor();
  await lobby.goto(`${server.http}/@ada_lovelace`);
  await lobby.getByRole('link', { name: 'Watch now' }).waitFor();
  await publisher.stop();
  assert.equal((await fetch(`${server.http}/@nobody_here`, { headers: { accept: 'text/html' } })).status, 200);
  await lobby.goto(`${server.http}/@nobody_here`);
  await lobby.getByText('There is no such channel').waitFor();
  await lobby.close();

  // Bob's own: announced by the form, in his zone; his channel has his words.
  await page.goto(`${server.http}/dashboard`);
  await page.getByRole('button', { name: 'New stream' }).click();
  await page.getByLabel('Title').fill('Mine');
  await page.getByLabel('Starts at').fill('2020-01-01T10:00');
  await page.getByRole('button', { name: 'Create stream' }).click();
  await page.getByText('This time is in the past.').waitFor();
  const local = await page.evaluate((ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16), Date.parse(at));
  await page.getByLabel('Starts at').fill(local);
  await page.getByRole('button', { name: 'Create stream' }).click();
  await page.getByRole('heading', { level: 1, name: 'Mine' }).waitFor();
  assert.equal(sql(server, "SELECT scheduled_at FROM streams WHERE title = 'Mine'")[0].scheduled_at, Date.parse(at) * 1000);
  await page.goto(`${server.http}/@bob`);
  await page.getByRole('button', { name: 'Edit channel' }).click();
  await page.getByLabel('About').fill('See https://example.org/a?b=1 <img src=x onerror=alert(1)>');
  await page.getByRole('button', { name: 'Save' }).click();
  assert.equal(await page.getByRole('link', { name: 'https://example.org/a?b=1' }).getAttribute('rel'), 'nofollow noopener noreferrer ugc');
  assert.equal(await page.locator('img[src=x]').count(), 0);
  assert.ok(who.email);
  assert.deepEqual(problems, []);
});
