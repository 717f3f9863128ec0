// SPDX-License-Identifier: MIT
// What is felt and who is there: reactions, and the numbers of viewers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, tempDir, until } from './lib/server.mjs';

const sum = (events, kind) => events.seen.filter((e) => e.event === 'reaction' && e.json.kind === kind).reduce((n, e) => n + e.json.count, 0);

test('reactions: gathered, told in the time of the programme, counted, kept over a kill', async (t) => {
  const dataDir = tempDir(t);
  let server = await startServer(t, { dataDir });
  const [ada, bob] = [await newUser(server, 'Ada'), await newUser(server, 'Bob')];
  const stream = await ada.createStream();
  const path = `/api/streams/${stream.id}/reactions`;
  const guest = new Client(server);
  const none = { heart: 0, laugh: 0, wow: 0, clap: 0, fire: 0 };
  assert.deepEqual(await guest.expect(200, 'GET', path), { totals: none, timeline: [], nextAfter: null });

  const publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  const live = await ada.untilLive(stream.id);
  const events = await guest.events(stream.id);
  await events.wait('viewers');
  const at = Date.parse(live.startedAt) + 500;
  const programTime = new Date(at).toISOString();
  await Promise.all([
    bob.expect(202, 'POST', path, { kind: 'heart', programTime }),
    guest.expect(202, 'POST', path, { kind: 'heart', count: 3, programTime }),
    ada.expect(202, 'POST', path, { kind: 'clap', programTime }),
  ]);
  await until('all are told', () => sum(events, 'heart') === 4 && sum(events, 'clap') === 1);
  const second = Math.floor(at / 1000);
  for (const e of events.seen.filter((x) => x.event === 'reaction')) assert.equal(Date.parse(e.json.programTime), second * 1000);
  assert.ok(events.seen.filter((e) => e.event === 'reaction').length <= 3);
  events.close();

  for (const [what, body] of [['none', {}], ['unknown', { kind: 'poop' }], ['a number', { kind: 1 }], ['script', { kind: '<script>' }], ['too many', { kind: 'heart', count: 21 }],
    ['less than one', { kind: 'heart', count: 0 }], ['a part of one', { kind: 'heart', count: 0.5 }], ['no time', { kind: 'heart', programTime: 'now' }]])
    assert.equal((await ada.call('POST', path, body)).status, 422, what);
  assert.equal((await ada.call('POST', path, { kind: 'x'.repeat(10 << 20) })).status, 413);
  assert.equal((await ada.call('POST', path, { kind: 'heart' }, { Origin: 'https://evil.example' })).status, 403);
  for (const after of ['-1', 'x', '9'.repeat(30)]) await guest.expect(422, 'GET', `${path}?after=${after}`);
  await guest.expect(404, 'GET', '/api/streams/nobodys/reactions');
  await guest.expect(404, 'POST', '/api/streams/nobodys/reactions', { kind: 'heart' });

  // Too many from one account are told to wait, and are not counted.
  const flood = await Promise.all(Array.from({ length: 60 }, () => bob.call('POST', path, { kind: 'fire', programTime })));
  const taken = flood.filter((a) => a.status === 202).length;
  assert.ok(taken >= 1 && flood.some((a) => a.status === 429 && Number(a.headers['retry-after']) >= 1));
  assert.ok(flood.every((a) => [202, 429].includes(a.status)));
  await until('they are written', async () => (await guest.expect(200, 'GET', path)).totals.fire === taken);

  await publisher.stop();
  await server.kill('SIGKILL');
  server = await startServer(t, { dataDir });
  const kept = await new Client(server).expect(200, 'GET', path);
  assert.deepEqual(kept.totals, { ...none, heart: 4, clap: 1, fire: taken });
  assert.deepEqual(kept.timeline, [[second, 'clap', 1], [second, 'fire', taken], [second, 'heart', 4]]);
  assert.equal(kept.nextAfter, null);
  assert.deepEqual((await new Client(server).expect(200, 'GET', `${path}?after=${second}`)).timeline, []);
});

test('viewers: a browser is one, however many pages it has; right within a tick; the total is kept over a kill', async (t) => {
  const dataDir = tempDir(t);
  let server = await startServer(t, { dataDir });
  const ada = await newUser(server, 'Ada');
  const stream = await ada.createStream();
  const publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  await ada.untilLive(stream.id);
  const page = (viewer) => new Client(server).events(stream.id, {}, `viewer=${viewer}`);
  const seen = await page('owl00000000000000001');
  const count = () => seen.seen.filter((e) => e.event === 'viewers').at(-1)?.json.count;
  const told = (n) => until(`${n} are told of`, () => count() === n);
  await told(1);
  const [again, other] = [await page('owl00000000000000001'), await page('fox00000000000000002')];
  await told(2);
  // The same number everywhere.
  assert.equal((await ada.expect(200, 'GET', `/api/streams/${stream.id}`)).viewerCount, 2);
  assert.equal((await ada.expect(200, 'GET', '/api/streams?status=LIVE')).streams[0].viewerCount, 2);
  // A page whose player asks by HLS is one viewer; when it is closed, both are gone.
  const agent = { 'User-Agent': 'one browser' };
  const third = await new Client(server).events(stream.id, agent, 'viewer=elk00000000000000003');
  await fetch(`${server.http}/${stream.playback.playbackId}.m3u8`, { headers: agent });
  await told(3);
  third.close();
  again.close();
  other.close();
  await told(1);
  for (const bad of ['', '%00', 'x'.repeat(41), '../x', 'a b']) {
    const e = await page(bad);
    await told(2);
    e.close();
    await told(1);
  }
  const total = async () => (await new Client(server).expect(200, 'GET', `/api/streams/${stream.id}`)).totalViewers;
  await until('three browsers and five unknown ones', async () => (await total()) === 8);
  seen.close();
  await publisher.stop();
  await server.kill('SIGKILL');
  server = await startServer(t, { dataDir });
  assert.equal(await total(), 8);
  const more = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  await until('live again', async () => (await new Client(server).expect(200, 'GET', `/api/streams/${stream.id}`)).connected === true);
  const back = [await page('fox00000000000000002'), await page('new00000000000000009')];
  await until('one was here before', async () => (await total()) === 9);
  for (const e of back) e.close();
  await more.stop();
});

test('in the pages: tapped in one, floating in the other; counted in both; one viewer each', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server, 'Ada');
  const stream = await ada.createStream();
  await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  await ada.untilLive(stream.id);
  const url = `${server.http}/stream/${stream.id}`;
  const [one, two] = [await launchBrowser(t, { expected: [/401 .*\/api\/me/] }), await launchBrowser(t, { expected: [/401 .*\/api\/me/] })];
  for (const { page } of [one, two]) {
    page.setDefaultTimeout(60_000);
    await page.goto(url);
    await page.getByRole('group', { name: 'Reactions' }).waitFor();
    await untilPlaying(page);
  }
  await until('two viewers', async () => (await ada.stream(stream.id)).viewerCount === 2);
  // Each that begins to float is noted: it is gone a moment later.
  await two.page.evaluate(() => {
    window.floated = 0;
    new MutationObserver((all) => {
      for (const m of all) for (const n of m.addedNodes) if (n.classList?.contains('reaction-float')) window.floated++;
    }).observe(document.querySelector('.reactions-sky'), { childList: true });
  });
  const heart = one.page.getByRole('button', { name: /^Heart/ });
  for (let i = 0; i < 3; i++) await heart.click();
  for (const { page } of [one, two]) await page.getByRole('button', { name: 'Heart, 3 so far' }).waitFor();
  await until('they float in the other', () => two.page.evaluate(() => window.floated === 3));
  for (const { page, problems } of [one, two]) assert.deepEqual([problems, await page.locator('.reactions-error').count()], [[], 0]);
  // Who has closed the page is gone, its player too.
  await two.page.close();
  await until('one viewer', async () => (await ada.stream(stream.id)).viewerCount === 1);
});
