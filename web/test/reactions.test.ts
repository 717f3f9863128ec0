// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { createClient } from '../src/api/client';
import { createReactions, type Timers } from '../src/store/reactions';
import { viewerId } from '../src/store/viewer';
import { json, settle } from './fixtures';

const BASE = 1_700_000_000_000;
const iso = (ms: number) => new Date(BASE + ms).toISOString();
const NONE = { heart: 0, laugh: 0, wow: 0, clap: 0, fire: 0 };

function byHand(): Timers & { run(): void } {
  let due: (() => void) | null = null;
  return {
    after(_, run) {
      due = run;
      return () => (due = null);
    },
    run() {
      due?.();
      due = null;
    },
  };
}

function open(pages: unknown[] = []) {
  const sent: Record<string, unknown>[] = [];
  const asked: string[] = [];
  const timers = byHand();
  const client = createClient(async (url, init) => {
    if (init.method === 'POST') {
      sent.push(JSON.parse(init.body as string));
      return new Response('', { status: 202, headers: { 'Content-Length': '0' } });
    }
    asked.push(url);
    return json(200, pages.shift() ?? { totals: NONE, timeline: [], nextAfter: null });
  });
  return { store: createReactions(client, 's1', timers), sent, asked, timers };
}
const hear = (store: ReturnType<typeof open>['store'], kind: string, count: number, at: number) => store.onEvent('reaction', { kind, count, programTime: iso(at) });

test('taps are sent together, with the moment of the first', async () => {
  const { store, sent, timers } = open();
  for (let i = 0; i < 3; i++) store.tap('heart', BASE + 100 * i);
  store.tap('fire', null);
  timers.run();
  await settle();
  assert.deepEqual(sent, [{ kind: 'heart', count: 3, programTime: iso(0) }, { kind: 'fire', count: 1, programTime: null }]);
});

test('those of others come when the picture gets there; one’s own are there already', () => {
  const { store } = open();
  store.due(BASE);
  store.tap('heart', BASE + 2100);
  hear(store, 'heart', 3, 2000);
  hear(store, 'clap', 1, 4000);
  assert.deepEqual(store.get().totals, { ...NONE, heart: 3, clap: 1 });
  assert.deepEqual(store.due(BASE + 1000), []);
  assert.deepEqual(store.due(BASE + 2000).map((f) => [f.kind, f.count]), [['heart', 2]]);
  assert.deepEqual(store.due(BASE + 2500), []);
  assert.deepEqual(store.due(BASE + 4000).map((f) => f.kind), ['clap']);
  for (const bad of [{}, { kind: 'x', count: 1, programTime: iso(0) }, { kind: 'heart', count: '1', programTime: iso(0) }, { kind: 'heart', count: 1, programTime: 'now' }]) store.onEvent('reaction', bad);
  assert.deepEqual(store.due(null), []);
});

test('without a picture they come at once', () => {
  const { store } = open();
  hear(store, 'wow', 2, 0);
  assert.deepEqual(store.due(null).map((f) => f.kind), ['wow']);
  assert.deepEqual(store.due(null), []);
});

test('a recording replays them at their moments, and a jump skips what lies between', async () => {
  const s = BASE / 1000;
  const { store, asked } = open([
    { totals: { ...NONE, heart: 4 }, timeline: [[s + 2, 'heart', 1], [s + 40, 'heart', 2]], nextAfter: s + 40 },
    { totals: { ...NONE, heart: 4 }, timeline: [[s + 100, 'heart', 1]], nextAfter: null },
  ]);
  store.replay();
  store.due(BASE + 1000);
  await settle();
  assert.deepEqual(store.due(BASE + 2200).map((f) => f.count), [1]);
  assert.deepEqual(store.due(BASE + 99_000), [], 'jumped over');
  await settle();
  assert.deepEqual(store.due(BASE + 100_000).map((f) => f.count), [1]);
  assert.equal(asked.length, 2);
  assert.equal(store.get().totals?.heart, 4);
});

test('a browser is known by the same name, unless it has no storage', () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v) };
  const first = viewerId(storage);
  assert.match(first, /^[0-9a-f]{32}$/);
  assert.equal(viewerId(storage), first);
  kept.set('bspnode-viewer', '<script>');
  assert.match(viewerId(storage), /^[0-9a-f]{32}$/);
  assert.equal(viewerId({ getItem: () => { throw new Error('no'); }, setItem() {} }), '');
});
