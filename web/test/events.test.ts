// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { backoffMs } from '../src/api/backoff';
import { openEvents } from '../src/api/events';
import { FakeEvents } from './fake-events';

test('waits double up to fifteen seconds, and differ by chance', () => {
  const most = [0, 1, 2, 3, 4, 5, 99].map((n) => backoffMs(n, () => 0));
  assert.deepEqual(most, [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  assert.equal(backoffMs(0, () => 1), 750);
});

test('events are parsed; what is not JSON is passed over', () => {
  const world = new FakeEvents();
  const seen: unknown[] = [];
  openEvents('/e', ['viewers'], { onEvent: (type, data) => seen.push([type, data]), onOpen() {}, onLost() {} }, world);
  world.last.open();
  world.last.send('viewers', '{"count":3}');
  world.last.send('viewers', '{"count":');
  assert.deepEqual(seen, [['viewers', { count: 3 }]]);
});

test('every end is followed by another attempt, later each time, until it is closed', () => {
  const world = new FakeEvents();
  const log: string[] = [];
  const line = openEvents(
    '/e',
    [],
    { onEvent() {}, onOpen: (again) => log.push(again ? 'again' : 'open'), onLost: () => log.push('lost') },
    world,
  );
  world.last.open();
  world.last.fail();
  assert.equal(world.sources.length, 1);
  world.tick();
  assert.equal(world.sources.length, 2);
  world.last.fail(); // the server is still away
  const waits = world.waits.slice();
  assert.ok((waits[1] ?? 0) > (waits[0] ?? 0), 'the second wait is longer');
  world.tick();
  world.last.open();
  assert.deepEqual(log, ['open', 'lost', 'lost', 'again']);
  world.last.fail();
  line.close();
  world.tick();
  assert.equal(world.sources.length, 3, 'closed: no new attempt');
});
