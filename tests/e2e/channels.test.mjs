// SPDX-License-Identifier: MIT
// Streamers and who follows them: handles, channel pages, the lobby with its search, schedules and calendars.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, newUser } from './lib/api.mjs';
import { startServer, tempDir } from './lib/server.mjs';
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
