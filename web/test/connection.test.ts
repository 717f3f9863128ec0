// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { createConnection } from '../src/store/connection';

function world() {
  const timers: { ms: number; fn: () => void }[] = [];
  const w = {
    text: null as string | null,
    timers,
    page: () => (w.text === null ? Promise.reject(new Error('away')) : Promise.resolve(w.text)),
    script: () => '/assets/main-A.js',
    after(ms: number, fn: () => void) {
      const timer = { ms, fn };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
    async turn() {
      timers.shift()?.fn();
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
  };
  return w;
}

test('a lost server is asked for until it answers, later and later', async () => {
  const w = world();
  const c = createConnection(w);
  assert.deepEqual(c.get(), { online: true, outdated: false });
  c.lost();
  c.lost();
  assert.equal(c.get().online, false);
  assert.equal(w.timers.length, 1, 'asked for once, however many tell of it');
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    await w.turn();
    waits.push(w.timers[0]?.ms ?? 0);
  }
  assert.ok((waits[3] ?? 0) > (waits[0] ?? 0), String(waits));
  w.text = '<script src="/assets/main-A.js">';
  await w.turn();
  assert.deepEqual(c.get(), { online: true, outdated: false });
  assert.equal(w.timers.length, 0);
});

test('other pages than those that run here are noticed, and stay noticed', async () => {
  const w = world();
  const c = createConnection(w);
  w.text = '<script src="/assets/main-B.js">';
  c.lost();
  await w.turn();
  assert.deepEqual(c.get(), { online: true, outdated: true });
  w.text = null;
  assert.equal(await c.ask(), false);
  w.text = '<script src="/assets/main-A.js">';
  assert.equal(await c.ask(), true);
  assert.equal(c.get().outdated, true);
});
