// SPDX-License-Identifier: MIT
// A stream's room and those who keep it: settings, time-outs and bans, moderators, the pin, the log; what is
// written by very many at once; the room beside a clip.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import Mux from '@mux/mux-node';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { open } from './lib/hls.mjs';
import { request } from './lib/http.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run, startServer, until } from './lib/server.mjs';
import { sql } from './lib/uploads.mjs';

// As somebody behind this address.
const from = (address) => ({ 'X-Forwarded-For': address });
const chat = (stream) => `/api/streams/${stream.id}/chat`;
const messages = (stream) => `/api/streams/${stream.id}/messages`;
const readStatus = (pid) => fs.readFileSync(`/proc/${pid}/status`, 'utf8');
let addresses = 0;
// Each from an address of their own, and as often as their account may.
const say = (user, stream, content, address = `10.1.${++addresses >> 8}.${addresses & 255}`) => until('the account may write', async () => {
  const answer = await user.call('POST', messages(stream), { content }, from(address));
  return answer.json.error?.code !== 'too_many_requests' && answer;
});
const code = (answer) => [answer.status, answer.json.error.code];
const me = async (user, stream, address) => (await user.expect(200, 'GET', chat(stream), undefined, address && from(address))).me;

// Accounts with a session, as many as are wanted: registering is slow on purpose.
function crowd(server, n, name) {
  const all = Array.from({ length: n }, (_, i) => {
    const client = new Client(server);
    const token = randomBytes(32).toString('base64url');
    client.cookie = `bsp_session=${token}`;
    client.user = { id: `${name}${i}`, name: `${name}${i}` };
    client.hash = createHash('sha256').update(token).digest('hex');
    return client;
  });
  const ids = JSON.stringify(all.map((c) => [c.user.id, c.hash]));
  sql(server, "INSERT INTO users (id, handle, name, email, email_key, password_hash, created_at, updated_at) SELECT value ->> 0, lower(value ->> 0), value ->> 0, value ->> 0, value ->> 0, 'x', 1, 1 FROM json_each(?)", ids);
  sql(server, 'INSERT INTO sessions (token_hash, user_id, created_at, expires_at) SELECT value ->> 1, value ->> 0, 1, 9000000000000000 FROM json_each(?)', ids);
  return all;
}

describe('a room and those who keep it', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server, ada, bob, mia, eve, guest, readers;
  // Somebody who has written nothing yet: an account may write five at once.
  const somebody = () => readers.pop();
  before(async () => {
    server = await startServer(t, { args: ['--trust-proxy'] });
    [ada, bob, mia, eve] = await Promise.all(['Ada', 'Bob', 'Mia', 'Eve'].map((name) => newUser(server, name)));
    guest = new Client(server);
    readers = crowd(server, 60, 'reader');
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  // A stream of Ada's with Mia to watch over it, and everything that is told there.
  async function room(t, fields = {}) {
    const stream = await ada.createStream();
    await ada.expect(200, 'PATCH', chat(stream), { mode: 'open', slowMode: 0, followAge: 0, words: [], ...fields });
    const events = await guest.events(stream.id);
    t.after(() => events.close());
    await events.wait('viewers');
    return { stream, events };
  }

  test('settings: who may change them, what is refused, pages are told', async (t) => {
    const stream = await ada.createStream();
    const events = await guest.events(stream.id);
    t.after(() => events.close());
    await events.wait('viewers');
    const open = await guest.expect(200, 'GET', chat(stream));
    assert.deepEqual(open, { settings: { mode: 'open', slowMode: 0, followAge: 0, version: '0' }, pinned: null, me: null });
    assert.deepEqual(await me(bob, stream), { role: null, mayWrite: true, why: null, until: null, seconds: null });
    assert.equal((await me(ada, stream)).role, 'owner');
    for (const who of [bob, eve]) assert.deepEqual(code(await who.call('PATCH', chat(stream), { slowMode: 5 })), [403, 'forbidden']);
    assert.equal((await guest.call('PATCH', chat(stream), { slowMode: 5 })).status, 401);
    for (const bad of [{ mode: 'closed' }, { slowMode: -1 }, { slowMode: 3601 }, { slowMode: '5' }, { followAge: 7776001 }, { words: 'x' }, { words: [5] }, { words: ['***'] },
      { words: ['a'.repeat(51)] }, { words: ['a\nb'] }, { words: Array.from({ length: 201 }, (_, i) => `w${i}`) }, { colour: 'red' }])
      assert.equal((await ada.call('PATCH', chat(stream), bad)).status, 422, JSON.stringify(bad));
    assert.deepEqual(await guest.expect(200, 'GET', chat(stream)), open, 'none of that has changed anything');
    const set = await ada.expect(200, 'PATCH', chat(stream), { mode: 'followers', slowMode: 7, followAge: 60, words: ['darn*', 'two  words', 'DARN*'] });
    assert.deepEqual(set.words, ['darn*', 'two  words', 'DARN*']);
    const told = await events.wait('chat-settings');
    assert.deepEqual(told.json, { mode: 'followers', slowMode: 7, followAge: 60, version: told.id });
    const seen = await guest.expect(200, 'GET', chat(stream));
    assert.deepEqual([seen.settings, seen.words], [told.json, undefined], 'the words are for those who keep the room');

    // The next stream begins as this one is.
    const next = await ada.createStream();
    const copied = await ada.expect(200, 'GET', chat(next));
    assert.deepEqual([copied.settings.mode, copied.settings.slowMode, copied.words.length], ['followers', 7, 3]);
    assert.equal((await guest.expect(200, 'GET', chat(await eve.createStream()))).settings.mode, 'open', "another streamer's does not");
  });

  test('slow mode, followers only, off', async (t) => {
    const [bob, eve] = [somebody(), somebody()];
    const { stream } = await room(t, { slowMode: 3600 });
    const { status, json } = await say(bob, stream, 'one');
    assert.equal(status, 201);
    assert.equal(json.user.role, null);
    const again = await say(bob, stream, 'two');
    assert.deepEqual(code(again), [429, 'slow_mode']);
    assert.ok(Number(again.headers['retry-after']) > 3500, again.headers['retry-after']);
    const standing = await me(bob, stream);
    assert.deepEqual([standing.mayWrite, standing.why], [false, 'slow']);
    assert.ok(standing.seconds > 3500 && standing.seconds <= 3601, JSON.stringify(standing));
    // At the same time, one gets through.
    const at = (await Promise.all(Array.from({ length: 5 }, () => say(eve, stream, 'now')))).map((a) => a.status).sort();
    assert.deepEqual(at, [201, 429, 429, 429, 429]);
    for (const content of ['a', 'b']) assert.equal((await say(ada, stream, content)).status, 201, 'the streamer need not wait');
    // Deleting it does not shorten the wait.
    await bob.expect(204, 'DELETE', `${messages(stream)}/${json.id}`);
    assert.deepEqual(code(await say(bob, stream, 'three')), [429, 'slow_mode']);

    await ada.expect(200, 'PATCH', chat(stream), { slowMode: 0, mode: 'followers' });
    assert.deepEqual(code(await say(bob, stream, 'x')), [403, 'followers_only']);
    assert.equal((await me(bob, stream)).why, 'followers');
    assert.equal((await say(ada, stream, 'x')).status, 201);
    await bob.expect(200, 'PUT', `/api/users/${sql(server, 'SELECT handle FROM users WHERE id = ?', ada.user.id)[0].handle}/follow`);
    assert.equal((await say(bob, stream, 'x')).status, 201);
    await ada.expect(200, 'PATCH', chat(stream), { followAge: 3600 });
    const young = await say(bob, stream, 'x');
    assert.deepEqual(code(young), [403, 'follow_age']);
    assert.match(young.json.error.message, /60 minutes/);
    assert.equal((await me(bob, stream)).why, 'followAge');
    sql(server, 'UPDATE follows SET created_at = created_at - 3600000000');
    assert.equal((await say(bob, stream, 'x')).status, 201);

    await ada.expect(200, 'PATCH', chat(stream), { mode: 'off' });
    for (const who of [bob, ada]) assert.deepEqual(code(await say(who, stream, 'x')), [409, 'chat_off']);
    assert.equal((await me(ada, stream)).why, 'off');
  });

  test('words: whole, with stars, folded; never for those who keep the room', async (t) => {
    const { stream } = await room(t, { words: ['darn*', 'bad day', 'ñandú', '*kettle*', 'straße', 'привет'] });
    const refused = ['DARNED', 'oh, ｄａｒｎ!', 'd\u0336a\u0336r\u0336n\u0336', 'da\u200brn', 'Bad...  DAY', 'ÑANDÚ', 'teakettles', 'STRASSE? no: STRAßE', 'ПРИВЕТ всем'];
    for (const content of refused) {
      const answer = await say(somebody(), stream, content);
      assert.deepEqual(code(answer), [422, 'word_not_allowed'], content);
      assert.equal(answer.json.error.field, 'content');
    }
    for (const content of ['endarned', 'bad night, good day', 'nandu', 'kett le', 'strasse']) assert.equal((await say(somebody(), stream, content)).status, 201, content);
    assert.equal((await say(ada, stream, 'darn')).status, 201);
  });

  test('moderators: the owner names them, they hold in all rooms of the owner and in no other', async (t) => {
    const { stream, events } = await room(t);
    const people = `${chat(stream)}/people`;
    const find = async (q) => (await ada.expect(200, 'GET', `${people}?q=${encodeURIComponent(q)}`)).people.map((p) => p.id);
    assert.ok((await find('mi')).includes(mia.user.id));
    assert.deepEqual(await find(mia.email.toUpperCase()), [mia.user.id], 'by the whole address');
    assert.deepEqual(await find(mia.email.slice(0, -1)), []);
    assert.deepEqual(await find('%'), []);
    assert.deepEqual(Object.keys((await ada.expect(200, 'GET', `${people}?q=mia`)).people[0]).sort(), ['id', 'image', 'name']);
    await mia.expect(403, 'GET', `${people}?q=a`);
    await ada.expect(422, 'GET', people);
    const mods = `${chat(stream)}/moderators`;
    for (const [who, status] of [[bob, 403], [guest, 401]]) await who.expect(status, 'POST', mods, { userId: bob.user.id });
    await ada.expect(404, 'POST', mods, { userId: 'nobody' });
    await ada.expect(422, 'POST', mods, { userId: ada.user.id });
    await ada.expect(204, 'POST', mods, { userId: mia.user.id });
    await ada.expect(204, 'POST', mods, { userId: mia.user.id });
    assert.deepEqual((await events.wait('chat-member')).json, { userId: mia.user.id });
    assert.deepEqual((await ada.expect(200, 'GET', mods)).moderators.map((m) => m.name), ['Mia']);
    const said = await say(mia, stream, 'hello');
    assert.equal(said.json.user.role, 'moderator');
    assert.equal((await guest.expect(200, 'GET', messages(stream))).messages[0].user.role, 'moderator');
    const other = await ada.createStream();
    assert.equal((await me(mia, other)).role, 'moderator', 'in the next room too');
    await mia.expect(200, 'PATCH', chat(other), { slowMode: 1 });
    await mia.expect(200, 'PATCH', chat(other), { slowMode: 0 });
    await mia.expect(403, 'POST', mods, { userId: bob.user.id });

    // In Eve's rooms she is a reader.
    const eves = await eve.createStream();
    assert.equal((await me(mia, eves)).role, null);
    const eveSaid = (await say(eve, eves, 'mine')).json;
    await mia.expect(403, 'DELETE', `${messages(eves)}/${eveSaid.id}`);
    await mia.expect(403, 'PATCH', chat(eves), { mode: 'off' });
    await mia.expect(403, 'POST', `${chat(eves)}/bans`, { userId: eve.user.id });
    await mia.expect(403, 'PUT', `${chat(eves)}/pinned`, { messageId: eveSaid.id });
    for (const list of ['bans', 'log', 'moderators', 'people?q=a']) await mia.expect(403, 'GET', `${chat(eves)}/${list}`);
    // Nor does a message of another room come within reach by the path of one's own.
    await mia.expect(404, 'DELETE', `${messages(stream)}/${eveSaid.id}`);
    await mia.expect(404, 'PUT', `${chat(stream)}/pinned`, { messageId: eveSaid.id });
    const eveBan = await eve.expect(201, 'POST', `${chat(eves)}/bans`, { userId: bob.user.id });
    await mia.expect(404, 'DELETE', `${chat(stream)}/bans/${eveBan.id}`);
    assert.equal((await say(bob, stream, 'still here')).status, 201, "a ban of Eve's is not Ada's");
  });

  test('time-outs and bans: by account, by address, taken back; whom they do not reach', async (t) => {
    const { stream, events } = await room(t);
    const bans = `${chat(stream)}/bans`;
    const [troll, alt, fresh, neighbour] = crowd(server, 4, 'troll');
    assert.equal((await say(troll, stream, 'one', '192.0.2.7')).status, 201);
    assert.equal((await say(troll, stream, 'two', '2001:db8:1:2::5')).status, 201);
    for (const bad of [{ userId: 'nobody' }, { userId: troll.user.id, seconds: -1 }, { userId: troll.user.id, seconds: 1209601 }, { userId: mia.user.id }, { userId: ada.user.id }, {},
      { userId: troll.user.id, reason: 'x'.repeat(201) }]) assert.ok([403, 404, 422].includes((await mia.call('POST', bans, bad)).status), JSON.stringify(bad));
    await bob.expect(403, 'POST', bans, { userId: troll.user.id });

    const out = await mia.expect(201, 'POST', bans, { userId: troll.user.id, seconds: 600, reason: 'calm down' });
    assert.deepEqual([out.user.id, out.reason, out.address], [troll.user.id, 'calm down', false]);
    assert.deepEqual((await events.wait('chat-member')).json, { userId: troll.user.id });
    const refused = await say(troll, stream, 'three', '192.0.2.7');
    assert.deepEqual(code(refused), [403, 'chat_timeout']);
    assert.ok(Number(refused.headers['retry-after']) > 500);
    const standing = await me(troll, stream);
    assert.deepEqual([standing.why, standing.mayWrite], ['timeout', false]);
    assert.equal((await say(alt, stream, 'one', '192.0.2.7')).status, 201, 'the account alone');
    sql(server, 'UPDATE chat_bans SET until = ? WHERE id = ?', Date.now() * 1000 - 1, out.id);
    assert.equal((await say(troll, stream, 'back')).status, 201, 'a time-out ends by itself');
    assert.deepEqual((await mia.expect(200, 'GET', bans)).bans, []);

    // For good, with the addresses and what was written.
    const ban = await mia.expect(201, 'POST', bans, { userId: troll.user.id, address: true, deleteMessages: true });
    assert.deepEqual([ban.until, ban.address, ban.by], [null, true, 'Mia']);
    const gone = await events.wait('chat-deleted');
    assert.equal(gone.json.ids.length, 3);
    assert.deepEqual((await guest.expect(200, 'GET', messages(stream))).messages.map((m) => m.user.name), [alt.user.name]);
    assert.deepEqual(code(await say(troll, stream, 'x', '198.51.100.1')), [403, 'chat_banned'], 'the account, from anywhere');
    for (const [who, address] of [[alt, '192.0.2.7'], [fresh, '192.0.2.7'], [fresh, '2001:db8:1:2:ffff::1']]) assert.deepEqual(code(await say(who, stream, 'x', address)), [403, 'chat_banned'], address);
    assert.equal((await me(fresh, stream, '192.0.2.7')).why, 'banned');
    assert.equal((await say(neighbour, stream, 'x', '192.0.2.8')).status, 201);
    assert.equal((await say(neighbour, stream, 'x', '2001:db8:1:3::5')).status, 201);
    for (const who of [ada, mia]) assert.equal((await say(who, stream, 'x', '192.0.2.7')).status, 201, 'those who keep the room are not kept out by an address');
    const next = await ada.createStream();
    assert.equal((await say(fresh, next, 'x', '192.0.2.7')).status, 403, 'in all rooms of the owner');
    assert.equal((await say(fresh, await eve.createStream(), 'x', '192.0.2.7')).status, 201, 'and in no other');
    // Addresses are nowhere: not here, nor the same for another streamer.
    const kept = sql(server, 'SELECT address FROM chat_addresses UNION ALL SELECT address FROM chat_ban_addresses').map((r) => r.address);
    assert.ok(kept.length > 3 && kept.every((a) => /^[0-9a-f]{32}$/.test(a)), kept.join());
    const eves = sql(server, 'SELECT address FROM chat_addresses WHERE owner_id = ? AND user_id = ?', eve.user.id, fresh.user.id)[0].address;
    assert.ok(!sql(server, 'SELECT 1 FROM chat_ban_addresses WHERE address = ?', eves).length);

    // Who comes back to the room hears of all that went, once.
    const again = await guest.events(stream.id, { 'Last-Event-ID': events.seen.find((e) => e.event === 'viewers').id });
    await again.wait('viewers');
    assert.deepEqual(again.seen.filter((e) => e.event === 'chat').map((e) => e.json.user.name), (await guest.expect(200, 'GET', messages(stream))).messages.map((m) => m.user.name));
    again.close();

    assert.equal((await mia.expect(200, 'GET', bans)).bans.length, 1);
    await bob.expect(403, 'DELETE', `${bans}/${ban.id}`);
    await mia.expect(204, 'DELETE', `${bans}/${ban.id}`);
    await mia.expect(404, 'DELETE', `${bans}/${ban.id}`);
    for (const [who, address] of [[troll, '192.0.2.7'], [fresh, '192.0.2.7']]) assert.equal((await say(who, stream, 'x', address)).status, 201, 'all of it is taken back');

    // A moderator is banned by the owner only, and is none afterwards.
    const mods = `${chat(stream)}/moderators`;
    await ada.expect(204, 'POST', mods, { userId: bob.user.id });
    assert.deepEqual(code(await mia.call('POST', bans, { userId: bob.user.id })), [403, 'forbidden']);
    const bobs = await ada.expect(201, 'POST', bans, { userId: bob.user.id });
    assert.equal((await me(bob, stream)).why, 'banned');
    await ada.expect(204, 'POST', mods, { userId: bob.user.id }); // named again: the ban ends
    await ada.expect(404, 'DELETE', `${bans}/${bobs.id}`);
    await ada.expect(204, 'DELETE', `${mods}/${bob.user.id}`);
    await ada.expect(404, 'DELETE', `${mods}/${bob.user.id}`);
    assert.equal((await me(bob, stream)).role, null);
  });

  test('the pin: one, of this room, gone with its message', async (t) => {
    const { stream, events } = await room(t);
    const pinned = `${chat(stream)}/pinned`;
    const [one, two] = [(await say(eve, stream, 'one')).json, (await say(eve, stream, 'two')).json];
    await eve.expect(403, 'PUT', pinned, { messageId: one.id });
    for (const messageId of ['0', 'x', '99999999999999999999', `${one.id}0`]) await ada.expect(404, 'PUT', pinned, { messageId });
    await ada.expect(404, 'DELETE', pinned);
    await ada.expect(204, 'PUT', pinned, { messageId: one.id });
    const told = await events.wait('chat-pinned');
    assert.deepEqual(told.json, { message: one, version: told.id });
    await ada.expect(204, 'PUT', pinned, { messageId: two.id });
    assert.deepEqual((await guest.expect(200, 'GET', chat(stream))).pinned, two);
    await eve.expect(204, 'DELETE', `${messages(stream)}/${two.id}`);
    assert.equal((await events.wait('chat-pinned', (d) => !d.message)).json.message, null);
    assert.equal((await guest.expect(200, 'GET', chat(stream))).pinned, null);
    await ada.expect(204, 'PUT', pinned, { messageId: one.id });
    await ada.expect(204, 'DELETE', pinned);
    assert.equal((await guest.expect(200, 'GET', chat(stream))).pinned, null);
  });

  test('the log: who wrote what, who deleted it; administrators too', async (t) => {
    const { stream } = await room(t);
    const log = `${chat(stream)}/log`;
    const { json: said } = await say(eve, stream, '<b>spam</b> \u202btfel\u202c'.replace(/[\u202b\u202c]/g, ''));
    await mia.expect(204, 'DELETE', `${messages(stream)}/${said.id}`);
    await bob.expect(403, 'GET', log);
    const [line] = (await mia.expect(200, 'GET', `${log}?limit=1`)).log;
    assert.deepEqual([line.action, line.by.name, line.user.name, line.content, line.streamId], ['delete', 'Mia', 'Eve', said.content, stream.id]);
    const all = [];
    for (let next = ''; next !== null; ) {
      const page = await ada.expect(200, 'GET', `${log}?limit=7${next && `&before=${next}`}`);
      all.push(...page.log);
      next = page.nextBefore;
    }
    const actions = new Set(all.map((l) => l.action));
    for (const action of ['settings', 'delete', 'timeout', 'ban', 'unban', 'moderator', 'unmoderator', 'pin', 'unpin']) assert.ok(actions.has(action), action);
    assert.deepEqual(all.map((l) => Number(l.id)), all.map((l) => Number(l.id)).sort((a, b) => b - a));
    assert.equal(new Set(all.map((l) => l.id)).size, all.length);

    const root = await newUser(server, 'Root');
    sql(server, "UPDATE users SET role = 'admin' WHERE id = ?", root.user.id);
    assert.equal((await me(root, stream)).role, 'admin');
    const { json: more } = await say(eve, stream, 'more');
    await root.expect(204, 'DELETE', `${messages(stream)}/${more.id}`);
    assert.equal((await root.expect(200, 'GET', `${log}?limit=1`)).log[0].by.name, 'Root');
    assert.deepEqual(code(await ada.call('POST', `${chat(stream)}/bans`, { userId: root.user.id })), [403, 'forbidden']);
    assert.ok(sql(server, "SELECT 1 FROM audit_log WHERE action = 'chat.ban'").length > 0);
  });

  // A ban and what is written at the same time are one before the other: nothing is stored after the ban.
  test('a ban and messages at the same time', async (t) => {
    const { stream } = await room(t);
    const many = crowd(server, 20, 'racer');
    let stored = 0;
    for (const who of many.slice(0, 10)) {
      const posts = Array.from({ length: 4 }, () => say(who, stream, 'quick', '203.0.113.9'));
      const ban = ada.expect(201, 'POST', `${chat(stream)}/bans`, { userId: who.user.id, deleteMessages: true });
      for (const a of await Promise.all(posts)) stored += a.status === 201;
      await ban;
    }
    const rows = sql(server, 'SELECT m.created_at < b.created_at AS earlier, m.deleted_event FROM chat_messages m JOIN chat_bans b ON b.user_id = m.user_id WHERE m.stream_id = ?', stream.id);
    assert.equal(rows.length, stored);
    assert.ok(rows.every((r) => r.deleted_event !== null), 'what came before it was deleted with it');
    assert.deepEqual((await guest.expect(200, 'GET', messages(stream))).messages, []);
  });

  test('in the pages: a menu by keyboard, the room is kept in a dialog, the reader is told at once', async (t) => {
    const stream = await ada.createStream({ title: 'Tea' });
    await ada.expect(200, 'PATCH', chat(stream), { mode: 'open', slowMode: 0, followAge: 0, words: [] });
    const [bob, eve] = [somebody(), somebody()];
    const open = async (user, path = `/stream/${stream.id}`) => {
      const { page, context, problems } = await launchBrowser(t, { expected: [/40[139]|42[29]/] });
      if (user) {
        const [name, value] = user.cookie.split(';')[0].split('=');
        await context.addCookies([{ name, value, url: server.http }]);
      }
      await page.goto(server.http + path);
      return { page, problems, log: page.getByRole('log', { name: 'Messages' }), line: page.getByLabel('Your message') };
    };
    const keeper = await open(ada);
    const reader = await open(bob);
    await reader.line.fill('Buy my <b>kettles</b>');
    await reader.line.press('Enter');
    const said = keeper.log.locator('.chat-message', { hasText: 'kettles' });
    await said.waitFor();

    // The menu, by keyboard: pinned, then a time-out.
    const more = said.getByRole('button', { name: `Message of ${bob.user.name}: what to do` });
    const choose = async (name) => {
      await more.focus();
      await keeper.page.keyboard.press('Enter');
      const item = keeper.page.getByRole('menuitem', { name });
      await item.waitFor();
      for (let i = 0; i < 8 && !(await item.evaluate((e) => e === document.activeElement)); i++) await keeper.page.keyboard.press('ArrowDown');
      await keeper.page.keyboard.press('Enter');
    };
    await choose('Pin');
    const pinned = reader.page.getByRole('complementary', { name: 'Pinned message' });
    await pinned.getByText('kettles').waitFor();
    assert.equal(await pinned.locator('b b').count(), 0, 'text, not markup');
    await keeper.page.getByRole('button', { name: 'Unpin' }).click();
    await pinned.waitFor({ state: 'detached' });
    await choose('Time out for 10 minutes');
    await reader.page.getByText('A moderator has you take a break: you can write again in 10 minutes.').waitFor();
    assert.equal(await reader.line.count(), 0);

    // The dialog: he may write again, everybody slowly; what he wrote goes with a ban.
    await keeper.page.getByRole('button', { name: 'Moderate', exact: true }).click();
    const dialog = keeper.page.getByRole('dialog', { name: 'Moderate the chat' });
    await dialog.getByRole('tab', { name: 'Bans' }).click();
    await dialog.getByRole('button', { name: `Let ${bob.user.name} write again` }).click();
    await reader.line.waitFor();
    await dialog.getByRole('tab', { name: 'Settings' }).click();
    await dialog.getByLabel('Slow mode').selectOption('600');
    await reader.page.getByText(/Slow mode: you can write again in (9|10) minutes/).waitFor();
    await dialog.getByRole('tab', { name: 'Words' }).click();
    await dialog.getByLabel('Words that are not taken').fill('***');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Each needs a letter').waitFor();
    await dialog.getByRole('tab', { name: 'Moderators' }).click();
    await dialog.getByLabel('Name, or the whole e-mail address').fill(eve.user.name);
    await dialog.getByRole('button', { name: 'Search' }).click();
    await dialog.getByRole('button', { name: `Make ${eve.user.name} a moderator`, exact: true }).click();
    await dialog.getByRole('list', { name: 'Moderators' }).getByText(eve.user.name, { exact: true }).waitFor();
    await keeper.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await choose('Ban…');
    const ban = keeper.page.getByRole('dialog', { name: `Ban ${bob.user.name}?` });
    await ban.getByLabel('Reason').fill('advertising');
    await ban.getByRole('button', { name: 'Ban', exact: true }).click();
    await reader.page.getByText('You are banned from this chat. You can still read it.').waitFor();
    await reader.log.getByText('kettles').waitFor({ state: 'detached' });

    // The moderator has her tools by now, in the same page; the owner has them beside the encoder's settings.
    const helper = await open(eve);
    await helper.page.getByRole('button', { name: 'Moderate', exact: true }).click();
    await helper.page.getByRole('tab', { name: 'Log' }).click();
    await helper.page.getByText(`Ada deleted a message of ${bob.user.name}`).first().waitFor();
    await helper.page.getByText('Buy my <b>kettles</b>').first().waitFor();
    await helper.page.keyboard.press('Escape');
    await ada.expect(200, 'PATCH', chat(stream), { mode: 'off' });
    await helper.page.getByText('The chat is switched off.').waitFor();
    await keeper.page.goto(`${server.http}/dashboard/${stream.id}`);
    await keeper.page.getByRole('button', { name: 'Moderate', exact: true }).waitFor();
    for (const { problems } of [keeper, reader, helper]) assert.deepEqual(problems, []);
  });

  // One account and a thousand, each as fast as it can, over connections that stay.
  test('a flood: refused by the limits, in bounded memory, and the next room does not notice', async (t) => {
    const { stream } = await room(t);
    const { stream: quiet, events } = await room(t);
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readStatus(server.child.pid))[1]) / 1024;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 100 });
    t.after(() => agent.destroy());
    const { hostname, port } = new URL(server.http);
    const post = (user, body, address) => new Promise((resolve, reject) => {
      const req = http.request({ hostname, port, agent, method: 'POST', path: messages(stream), headers: { Cookie: user.cookie, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...from(address) } }, (res) => {
        res.resume();
        res.on('end', () => resolve(res.statusCode));
      });
      req.on('error', reject);
      req.end(body);
    });
    const flood = async (n, user, address) => {
      const counts = {};
      await Promise.all(Array.from({ length: n }, async (_, i) => {
        const status = await post(user(i), JSON.stringify({ content: `Z͑ͫ̓ͪ̂ͫ̽͏̴ 👩‍👩‍👧 مرحبا ${i}` }), address(i));
        counts[status] = (counts[status] ?? 0) + 1;
      }));
      return counts;
    };
    const thousand = crowd(server, 1000, 'flood');
    await flood(200, () => eve, () => '203.0.113.1');
    const began = rss();
    let calm = 0;
    let running = true;
    const neighbours = (async () => {
      for (const who of crowd(server, 40, 'calm')) {
        if (!running) break;
        assert.equal((await say(who, quiet, `calm ${who.user.id}`)).status, 201);
        calm++;
      }
    })();
    const one = await flood(3000, () => eve, () => '203.0.113.1');
    assert.ok(one[429] > 2500 && !one[500], JSON.stringify(one));
    const many = await flood(3000, (i) => thousand[i % 1000], (i) => `203.0.113.${i % 3}`);
    running = false;
    await neighbours;
    assert.deepEqual(Object.keys(many).sort(), ['201', '429'], JSON.stringify(many));
    assert.ok(many[429] > 1500, JSON.stringify(many));
    assert.ok(calm > 0);
    await until('the quiet room has heard each once', () => events.seen.filter((e) => e.event === 'chat').length === calm);
    assert.ok(rss() - began < 250, `${began} MB before, ${rss()} MB after`);
    for (const body of ['x'.repeat(10 << 20), '{"content":"a\\u0000b"}', '{"content":"\\ud800"}', '{"content":"\u202eevil"}', '[]', ''])
      assert.ok([400, 413, 422].includes((await bob.call('POST', messages(stream), body, { 'Content-Type': 'application/json' })).status), body.slice(0, 30));
  });
});

// A recording with a hole in it, cut behind its beginning: what was said is beside the same pictures as before.
test('beside a clip: its programme times are those of the recording, also behind a hole', async (t) => {
  const server = await startServer(t, { args: ['--hls-segment-ms', '500'] });
  const ada = await newUser(server);
  const made = await run(['token', 'create', '--json', '--data', server.dataDir, '--email', ada.email]);
  const { TOKEN_ID: tokenId, TOKEN_SECRET: tokenSecret } = JSON.parse(made.stdout);
  const { assets } = new Mux({ baseURL: server.http, tokenId, tokenSecret }).video;
  const stream = await ada.createStream();
  const url = publishUrl(server, stream);
  const playlist = async (id, query = '') => parseMedia((await request((await open(`${server.http}/${id}.m3u8${query}`)).video)).text).segments.filter((s) => !s.gap);
  const send = async (enough) => {
    const publisher = await publishFfmpeg(t, url, { media: { gop: 0.5 } });
    await until('it sends', async () => (await ada.stream(stream.id)).connected);
    await until('enough is there', async () => enough(await playlist(stream.playback.playbackId).catch(() => [])), 60_000);
    await publisher.kill();
    await until('it is gone', async () => !(await ada.stream(stream.id)).connected);
  };
  await send((all) => all.length >= 6);
  const { programTime } = await ada.expect(201, 'POST', messages(stream), { content: 'in the hole' });
  await until('the hole is some seconds long', () => Date.now() - Date.parse(programTime) > 2500);
  await send((all) => all.length >= 12);
  await ada.end(stream.id);
  const { recordingId, recordingUrl } = await ada.untilReady(stream.id, 30_000);
  const whole = await playlist(/([^/]+)\.m3u8/.exec(recordingUrl)[1]);
  const hole = whole.findIndex((s, i) => i > 0 && s.discontinuity);
  assert.ok(hole >= 5 && whole[hole].pdt - whole[hole - 1].pdt > 2500, JSON.stringify(whole.map((s) => s.pdt)));

  // An instant one is in whole segments: the same, with the same times.
  const instant = await playlist(/([^/]+)\.m3u8/.exec(recordingUrl)[1], '?asset_start_time=1.2');
  assert.deepEqual(instant.map((s) => s.pdt), whole.slice(-instant.length).map((s) => s.pdt));
  assert.ok(instant.length < whole.length);

  const clip = await assets.create({ inputs: [{ url: `mux://assets/${recordingId}`, start_time: 1.2 }], playback_policies: ['public'] });
  const ready = await until('the clip is ready', async () => {
    const a = await assets.retrieve(clip.id);
    return a.status !== 'preparing' && a;
  }, 60_000);
  assert.equal(ready.status, 'ready', JSON.stringify(ready.errors));
  const cut = await playlist(clip.playback_ids[0].id);
  const near = (is, should, what) => assert.ok(Math.abs(is - should) < 250, `${what}: ${is - should} ms away`);
  near(cut[0].pdt, whole[0].pdt + 1200, 'where it begins');
  const ends = (all) => all.at(-1).pdt + all.at(-1).duration * 1000;
  near(ends(cut), ends(whole), 'where it ends');
  const behind = cut.find((s, i) => i > 0 && s.discontinuity);
  near(behind.pdt, whole[hole].pdt, 'behind the hole');

  // And the room is found by what is played.
  const guest = new Client(server);
  const said = await guest.expect(200, 'GET', `/api/playback/${clip.playback_ids[0].id}/messages`);
  assert.deepEqual(said.messages.map((m) => [m.content, m.programTime]), [['in the hole', programTime]]);
  const again = await assets.create({ inputs: [{ url: `mux://assets/${clip.id}`, start_time: 0.5 }], playback_policies: ['public'] });
  assert.equal((await guest.expect(200, 'GET', `/api/playback/${again.playback_ids[0].id}/messages`)).messages.length, 1, 'of a clip of a clip');
  await guest.expect(404, 'GET', '/api/playback/nobodys/messages');
});
