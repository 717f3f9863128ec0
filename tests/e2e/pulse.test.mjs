// SPDX-License-Identifier: MIT
// What is felt and who is there: reactions, and the numbers of viewers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
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
