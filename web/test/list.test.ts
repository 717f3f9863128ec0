// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { createClient } from '../src/api/client';
import { createStreamList, mergeFirstPage } from '../src/store/stream-list';
import { aStream, json } from './fixtures';

const ids = (list: { id: string }[]) => list.map((s) => s.id).join('');
const streams = (letters: string) => [...letters].map((id) => aStream({ id }));

test('a fresh first page keeps what later pages brought', () => {
  assert.equal(ids(mergeFirstPage(streams('abcdef'), streams('xab'), false)), 'xabcdef');
  assert.equal(ids(mergeFirstPage(streams('abcdef'), streams('bcd'), false)), 'bcdef', 'a has left');
  assert.equal(ids(mergeFirstPage(streams('abc'), streams('xyz'), false)), 'xyz', 'nothing in common: start anew');
  assert.equal(ids(mergeFirstPage(streams('abc'), streams('a'), true)), 'a', 'one page is all there is');
});

test('pages follow each other; failures keep what is there', async () => {
  let fail = false;
  const all = 'abcdefg';
  const client = createClient(async (url) => {
    if (fail) return json(503, { error: { code: 'x', message: 'Busy.' } });
    const at = Number(new URL(url, 'http://x').searchParams.get('cursor') ?? 0);
    const next = at + 3 < all.length ? String(at + 3) : null;
    return json(200, { streams: streams(all.slice(at, at + 3)), nextCursor: next });
  });
  const list = createStreamList(client, { limit: 3 });
  assert.equal(list.get().phase, 'loading');
  await list.load();
  assert.equal(ids(list.get().streams), 'abc');
  await list.loadMore();
  assert.equal(ids(list.get().streams), 'abcdef');
  fail = true;
  await list.loadMore();
  assert.equal(list.get().more, 'error');
  assert.equal(await list.refresh(), false);
  assert.equal(list.get().stale, true);
  assert.equal(ids(list.get().streams), 'abcdef', 'what was there is there');
  fail = false;
  assert.equal(await list.refresh(), true);
  assert.equal(ids(list.get().streams), 'abcdef');
  await list.loadMore();
  assert.equal(ids(list.get().streams), 'abcdefg');
  assert.equal(list.get().nextCursor, null);
  await list.loadMore(); // nothing happens
  list.remove('a');
  assert.equal(ids(list.get().streams), 'bcdefg');
});

test('a first page that fails says why and can be tried again', async () => {
  let fail = true;
  const client = createClient(async () =>
    fail ? json(503, { error: { code: 'x', message: 'Busy.' } }) : json(200, { streams: [], nextCursor: null }),
  );
  const list = createStreamList(client, {});
  await list.load();
  assert.deepEqual([list.get().phase, list.get().error], ['error', 'Busy.']);
  fail = false;
  assert.equal(await list.refresh(), true);
  assert.equal(list.get().phase, 'ready');
});
