// SPDX-License-Identifier: MIT
// A stream's room: written, read, deleted; told to those who are there, and to those who come back, once each.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, tempDir, until } from './lib/server.mjs';

const texts = (events) => events.seen.filter((e) => e.event === 'chat').map((e) => e.json.content);

// What may be written again and again without waiting for the rate limit: by so many accounts.
const crowd = (server, n) => Promise.all(Array.from({ length: n }, (_, i) => newUser(server, `User ${i}`)));

test('messages: written, listed, told, deleted', async (t) => {
  const server = await startServer(t);
  const [ada, bob, eve] = [await newUser(server, 'Ada'), await newUser(server, 'Bob'), await newUser(server, 'Eve')];
  const stream = await ada.createStream();
  const path = `/api/streams/${stream.id}/messages`;
  const guest = new Client(server);
  assert.deepEqual(await guest.expect(200, 'GET', path), { messages: [], nextBefore: null });
  const events = await guest.events(stream.id);
  t.after(() => events.close());
  await events.wait('viewers');

  const nasty = '<script>alert(1)</script> https://example.org/?a=1&b=2 👩‍👩‍👧 مرحبا Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A';
  const said = await bob.expect(201, 'POST', path, { content: `  ${nasty} ` });
  assert.equal(said.content, nasty, 'as data, trimmed');
  assert.equal(said.user.name, 'Bob');
  assert.equal(said.user.email, undefined);
  assert.ok(Math.abs(Date.parse(said.programTime) - Date.now()) < 60_000);
  const heard = await events.wait('chat');
  assert.deepEqual(heard.json, said);
  assert.equal(heard.id, said.id);

  for (const [what, status, body] of [['nothing', 422, { content: '   ' }], ['too long', 422, { content: 'x'.repeat(501) }], ['a number', 422, { content: 5 }],
    ['NUL', 400, { content: 'a\0b' }], ['another field', 422, { content: 'a', html: true }], ['no time', 422, { content: 'a', programTime: 'now' }]])
    assert.equal((await ada.call('POST', path, body)).status, status, what);
  assert.equal((await ada.call('POST', path, { content: 'x'.repeat(10 << 20) })).status, 413);
  await guest.expect(401, 'POST', path, { content: 'hello' });
  await ada.expect(404, 'POST', '/api/streams/nobodys/messages', { content: 'hello' });
  await guest.expect(404, 'GET', '/api/streams/nobodys/messages');
  for (const query of ['before=x', 'limit=0', 'limit=101', 'before=-1']) await guest.expect(422, 'GET', `${path}?${query}`);
  assert.equal((await ada.call('POST', path, { content: 'from elsewhere' }, { Origin: 'https://evil.example' })).status, 403);

  // Pages of two, from the newest back.
  for (const content of ['two', 'three', 'four', 'five']) await ada.expect(201, 'POST', path, { content });
  const seen = [];
  for (let next = ''; next !== null; ) {
    const page = await guest.expect(200, 'GET', `${path}?limit=2${next && `&before=${next}`}`);
    seen.unshift(...page.messages.map((m) => m.content));
    next = page.nextBefore;
  }
  assert.deepEqual(seen, [nasty, 'two', 'three', 'four', 'five']);

  // Deleted by its writer or the owner, by nobody else, and once.
  await eve.expect(403, 'DELETE', `${path}/${said.id}`);
  await guest.expect(401, 'DELETE', `${path}/${said.id}`);
  await bob.expect(204, 'DELETE', `${path}/${said.id}`);
  const gone = await events.wait('chat-deleted');
  assert.deepEqual(gone.json, { id: said.id });
  assert.ok(Number(gone.id) > Number(events.seen.filter((e) => e.event === 'chat').at(-1).id));
  await ada.expect(404, 'DELETE', `${path}/${said.id}`);
  const [two] = (await guest.expect(200, 'GET', path)).messages;
  assert.equal(two.content, 'two');
  await ada.expect(204, 'DELETE', `${path}/${two.id}`);
  for (const id of ['0', '99999999999999999999', 'x', `${two.id}1`]) await ada.expect(404, 'DELETE', `${path}/${id}`);
  const other = await bob.createStream();
  await bob.expect(404, 'DELETE', `/api/streams/${other.id}/messages/${(await guest.expect(200, 'GET', path)).messages[0].id}`);

  // After the end it is read.
  await ada.end(stream.id);
  const closed = await eve.call('POST', path, { content: 'late' });
  assert.equal(closed.status, 409);
  assert.equal(closed.json.error.code, 'chat_closed');
  assert.equal((await guest.expect(200, 'GET', path)).messages.length, 3);
});

test('a message carries the programme time of its writer, within the broadcast', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  const live = await ada.untilLive(stream.id);
  const say = (programTime) => ada.expect(201, 'POST', `/api/streams/${stream.id}/messages`, { content: 'x', programTime });
  const at = new Date(Date.parse(live.startedAt) + 250).toISOString();
  assert.equal((await say(at)).programTime, at);
  const near = (m) => assert.ok(Math.abs(Date.parse(m.programTime) - Date.parse(m.createdAt)) < 1000, JSON.stringify(m));
  near(await say('2020-01-01T00:00:00Z'));
  near(await say(new Date(Date.now() + 3600_000).toISOString()));
  near(await say(null));
  await publisher.stop();
});

test('who comes back hears what was missed, once, also after a kill', async (t) => {
  const dataDir = tempDir(t);
  let server = await startServer(t, { dataDir });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const path = `/api/streams/${stream.id}/messages`;
  const first = await new Client(server).events(stream.id);
  await first.wait('viewers');
  const one = await ada.expect(201, 'POST', path, { content: 'one' });
  await first.wait('chat');
  const seen = first.seen.at(-1).id;
  first.close();
  const two = await ada.expect(201, 'POST', path, { content: 'two' });
  await ada.expect(201, 'POST', path, { content: 'three' });
  await ada.expect(204, 'DELETE', `${path}/${one.id}`);
  await ada.expect(204, 'DELETE', `${path}/${two.id}`); // written and gone meanwhile
  const check = async () => {
    const again = await new Client(server).events(stream.id, { 'Last-Event-ID': seen });
    await again.wait('viewers');
    assert.deepEqual(texts(again), ['three']);
    assert.deepEqual(again.seen.filter((e) => e.event === 'chat-deleted').map((e) => e.json.id), [one.id]);
    // From its own last id on there is nothing.
    const last = again.seen.at(-1).id;
    assert.ok(again.seen.every((e) => !e.id || Number(e.id) <= Number(last)), JSON.stringify(again.seen.map((e) => e.id)));
    const third = await new Client(server).events(stream.id, { 'Last-Event-ID': last });
    await third.wait('viewers');
    assert.deepEqual(texts(third), []);
    again.close();
    third.close();
  };
  await check();
  await server.kill();
  server = await startServer(t, { dataDir });
  ada.server = server;
  await check();
  const four = await ada.expect(201, 'POST', path, { content: 'four' });
  assert.ok(BigInt(four.id) > BigInt(two.id));
});

test('a crowd: everybody hears everything once and in one order, whoever comes and goes', async (t) => {
  const server = await startServer(t, { args: ['--loops', '3'] });
  const writers = await crowd(server, 12);
  const stream = await writers[0].createStream();
  const path = `/api/streams/${stream.id}/messages`;
  const readers = await Promise.all(Array.from({ length: 10 }, () => new Client(server).events(stream.id)));
  t.after(() => readers.forEach((r) => r.close()));
  await Promise.all(readers.map((r) => r.wait('viewers')));
  // One who reconnects all the time, as a phone does, and keeps what it has heard.
  const heard = [];
  let running = true;
  const flaky = (async () => {
    let last = readers[0].seen.at(-1).id;
    const turn = async () => {
      const r = await new Client(server).events(stream.id, { 'Last-Event-ID': last });
      await r.wait('viewers');
      r.close();
      for (const e of r.seen) {
        if (e.event === 'chat') heard.push(e.json.id);
        if (e.id) last = e.id;
      }
    };
    while (running) await turn();
    await turn();
  })();
  const sent = (await Promise.all(writers.map(async (w, i) => {
    const all = [];
    for (let k = 0; k < 5; k++) {
      const a = await w.call('POST', path, { content: `${i}.${k}` });
      if (a.status === 429) assert.ok(Number(a.headers['retry-after']) >= 1);
      else all.push((assert.equal(a.status, 201, a.text), a.json.id));
    }
    return all;
  }))).flat().sort((a, b) => a - b);
  running = false;
  await flaky;
  assert.ok(sent.length >= 30, `${sent.length} were taken`);
  for (const r of readers) {
    await until('all are there', () => r.seen.filter((e) => e.event === 'chat').length >= sent.length);
    assert.deepEqual(r.seen.filter((e) => e.event === 'chat').map((e) => e.json.id), sent);
  }
  assert.deepEqual(heard, sent, 'the one who came and went');
  const listed = [];
  for (let next = ''; next !== null; ) {
    const page = await new Client(server).expect(200, 'GET', `${path}?limit=100${next && `&before=${next}`}`);
    listed.unshift(...page.messages.map((m) => m.id));
    next = page.nextBefore;
  }
  assert.deepEqual(listed, sent);
});

test('who was away too long is told to ask anew; too many at once are refused', async (t) => {
  const server = await startServer(t);
  const writers = await crowd(server, 12);
  const stream = await writers[0].createStream();
  const path = `/api/streams/${stream.id}/messages`;
  const first = await new Client(server).events(stream.id);
  await first.wait('viewers');
  const { id } = first.seen.at(-1);
  first.close();
  let refused = 0;
  await until('there are more than are told again', async () => {
    for (const w of writers) refused += (await w.call('POST', path, { content: 'x' })).status === 429;
    return (await writers[0].expect(200, 'GET', `${path}?limit=100`)).messages.length > 55;
  });
  assert.ok(refused > 0);
  const again = await new Client(server).events(stream.id, { 'Last-Event-ID': id });
  t.after(() => again.close());
  await again.wait('viewers');
  assert.equal(again.seen.filter((e) => e.event === 'chat-reset').length, 1);
  assert.deepEqual(texts(again), []);
});

// Two people at one stream, each at a delay of their own: a message is seen when the picture of its moment is.
test('in the pages: written in one, seen in the other when its picture gets there, replayed with the recording', async (t) => {
  const server = await startServer(t, { args: ['--hls-segment-ms', '1000'] });
  const [ada, bob] = [await newUser(server, 'Ada'), await newUser(server, 'Bob')];
  const stream = await ada.createStream({ title: 'Tea' });
  const path = `/api/streams/${stream.id}/messages`;
  const publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1, seconds: 30 } });
  const { startedAt } = await ada.untilLive(stream.id);
  const open = async (user) => {
    const { page, context } = await launchBrowser(t, { expected: [/401/] });
    if (user) {
      const [name, value] = user.cookie.split(';')[0].split('=');
      await context.addCookies([{ name, value, url: server.http }]);
    }
    await page.goto(`${server.http}/stream/${stream.id}`);
    return page;
  };
  const writer = await open(bob);
  const guest = await open(null);
  await guest.getByRole('link', { name: 'Log in' }).nth(1).waitFor();
  assert.equal(await guest.getByLabel('Your message').count(), 0);
  for (const page of [writer, guest]) await untilPlaying(page, { ms: 60_000, sound: false });
  const line = writer.getByLabel('Your message');
  await line.fill('A kettle! <b>https://example.org/tea</b>');
  await line.press('Enter');
  const log = (page) => page.getByRole('log', { name: 'Messages' });
  await log(writer).getByText('A kettle!').waitFor();
  assert.equal(await line.inputValue(), '');
  const [said] = (await bob.expect(200, 'GET', path)).messages;
  assert.ok(Date.parse(said.programTime) < Date.parse(said.createdAt), 'his picture was behind the moment of writing');
  await log(guest).getByText('A kettle!').waitFor({ timeout: 60_000 });
  const link = log(guest).locator('.chat-content').getByRole('link');
  assert.deepEqual([await link.getAttribute('href'), await link.count()], ['https://example.org/tea', 1]);
  assert.match(await link.getAttribute('rel'), /nofollow.*noopener/);
  assert.equal(await log(guest).locator('b b').count(), 0, 'text, not markup');

  // Whoever reads may complain of it, without an account.
  await log(guest).getByText('A kettle!').hover();
  await guest.getByRole('button', { name: 'Report the message of Bob' }).first().click();
  await guest.getByRole('dialog', { name: 'Report this message' }).getByRole('button', { name: 'Send the report' }).click();
  await guest.getByRole('dialog').waitFor({ state: 'detached' });

  // Said ahead of the guest's picture: it waits for it, unless the guest wants everything at once.
  const late = await ada.expect(201, 'POST', path, { content: 'Right now' });
  await guest.getByLabel('Show at once').check();
  await log(guest).getByText('Right now').waitFor();

  // Too fast: what was typed stays, with the reason. Others write in his name for as long as it takes, so that
  // nothing hangs on how fast this machine types.
  let refused = false;
  const others = Promise.all(Array.from({ length: 4 }, async () => {
    while (!refused) await bob.call('POST', path, { content: 'me too' });
  }));
  try {
    await until('one was refused', async () => {
      await line.fill('again');
      await line.press('Enter');
      await until('it was taken or not', async () => (await line.inputValue()) === '' || (await writer.locator('.chat-error').count()) > 0);
      return (await writer.locator('.chat-error').count()) > 0;
    }, 60_000);
  } finally {
    refused = true;
    await others;
  }
  assert.match(await writer.getByRole('alert').textContent(), /try again/i);
  assert.match(await line.inputValue(), /^again/);

  // Deleted for everybody.
  await log(writer).getByText('A kettle!').hover();
  await writer.getByRole('button', { name: 'Delete the message of Bob' }).first().click();
  await log(guest).getByText('A kettle!').waitFor({ state: 'detached', timeout: 60_000 });

  // The recording replays the room.
  await publisher.stop();
  await ada.end(stream.id);
  await ada.untilReady(stream.id);
  const replay = guest;
  await replay.evaluate(() => localStorage.clear());
  await replay.reload();
  const player = replay.locator('mux-player');
  await player.waitFor();
  await replay.getByText('The chat is replayed with the recording.').waitFor({ timeout: 60_000 });
  // From shortly before it was said: to play all of it would take as long as this machine took until then.
  const from = (Date.parse(late.programTime) - Date.parse(startedAt)) / 1000 - 2;
  await player.evaluate((p, at) => ((p.muted = true), (p.currentTime = at), p.play()), from);
  await log(replay).getByText('Right now').waitFor({ timeout: 60_000 });
});
