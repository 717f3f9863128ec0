// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { createClient } from '../src/api/client';
import { bitrate, clockDuration, fullTime, spokenDuration, timeAgo, viewers } from '../src/store/format';
import { poll, type PollerWorld } from '../src/store/poller';
import { match } from '../src/store/router';
import { checkLogin, checkRegister, checkStream, safeNext } from '../src/store/rules';
import { createSession } from '../src/store/session';
import { createStallWatch } from '../src/store/stall';
import { createStore } from '../src/store/store';
import { json, settle } from './fixtures';

test('a store tells its listeners, and only of changes', () => {
  const store = createStore({ a: 1, b: 2 });
  let told = 0;
  const stop = store.subscribe(() => told++);
  store.patch({ a: 5 });
  assert.deepEqual(store.get(), { a: 5, b: 2 });
  store.set(store.get());
  stop();
  store.patch({ a: 6 });
  assert.equal(told, 1);
});

test('times as people read them', () => {
  assert.equal(clockDuration(75), '1:15');
  assert.equal(clockDuration(3675.9), '1:01:15');
  assert.equal(clockDuration(-3), '0:00');
  assert.equal(spokenDuration(3720), '1 hour 2 minutes');
  assert.equal(spokenDuration(61), '1 minute 1 second');
  assert.equal(spokenDuration(0), '0 seconds');
  const now = Date.parse('2026-03-10T12:00:00Z');
  const ago = (iso: string) => timeAgo(iso, now, 'en');
  assert.equal(ago('2026-03-10T11:59:55Z'), 'just now');
  assert.equal(ago('2026-03-10T12:00:30Z'), 'just now', 'a clock that is a little ahead');
  assert.equal(ago('2026-03-10T11:59:30Z'), '30 seconds ago');
  assert.equal(ago('2026-03-10T11:01:00Z'), '59 minutes ago');
  assert.equal(ago('2026-03-10T09:30:00Z'), '2 hours ago');
  assert.equal(ago('2026-03-09T11:00:00Z'), 'yesterday');
  assert.equal(ago('2026-02-01T11:00:00Z'), 'Feb 1, 2026');
  assert.equal(ago('rubbish'), '');
  assert.match(fullTime('2026-03-10T23:30:00Z', 'en', 'Asia/Tokyo'), /March 11, 2026.*8:30/);
});

test('numbers as people read them', () => {
  assert.equal(bitrate(2_480_000), '2.5 Mbit/s');
  assert.equal(bitrate(128_000), '128 kbit/s');
  assert.equal(viewers(1), '1 viewer');
  assert.equal(viewers(1204), '1,204 viewers');
});

test('addresses lead to pages', () => {
  assert.deepEqual(match('/'), { name: 'home' });
  assert.deepEqual(match('/dashboard/'), { name: 'dashboard' });
  assert.deepEqual(match('/dashboard/abc'), { name: 'manage', id: 'abc' });
  assert.deepEqual(match('/stream/a%20b'), { name: 'watch', id: 'a b' });
  assert.deepEqual(match('/stream/a%20b/broadcast/'), { name: 'broadcast', id: 'a b' });
  for (const path of ['/stream', '/stream/', '/stream/a/b', '/dashboard/a/broadcast', '/nope', '/stream/%E0%A4%A'])
    assert.equal(match(path).name, 'not-found', path);
});

test('forms say what is wrong before the server is asked', () => {
  assert.deepEqual(Object.keys(checkLogin({ email: ' ', password: '' })), ['email', 'password']);
  assert.deepEqual(checkRegister({ name: 'Ada', email: 'ada@example.org', password: 'long enough' }), {});
  assert.deepEqual(Object.keys(checkRegister({ name: ' ', email: 'ada@', password: 'short' })), ['name', 'email', 'password']);
  assert.equal(checkRegister({ name: 'A', email: 'a@b.c', password: '🦊🦊🦊🦊🦊🦊🦊' }).password?.startsWith('Use at least'), true);
  assert.deepEqual(checkStream({ title: '🦊'.repeat(140), description: '' }), {});
  assert.ok(checkStream({ title: 'x'.repeat(141), description: '' }).title);
  assert.ok(checkStream({ title: '  ', description: '' }).title);
});

test('after signing in nobody is led away from this site', () => {
  assert.equal(safeNext('/dashboard/x?y=1'), '/dashboard/x?y=1');
  for (const bad of [null, '', 'https://evil.example', '//evil.example', '/\\evil.example', '/\t/evil.example', '/a\\b', '/\u202e', 'javascript:alert(1)'])
    assert.equal(safeNext(bad), '/dashboard', String(bad));
});

test('a session is unknown until the server has spoken', async () => {
  const user = { id: 'u', name: 'Ada', email: 'a@b.c', image: null };
  const answers = [() => Promise.reject(new TypeError('away')), () => Promise.resolve(json(200, { user }))];
  const client = createClient(async () => (answers.shift() ?? answers[0])!());
  const session = createSession(() => client, settle);
  assert.equal(session.get().phase, 'unknown');
  await session.start();
  assert.deepEqual(session.get(), { phase: 'user', user });
  session.expired();
  assert.equal(session.get().phase, 'guest');

  const guest = createSession(() => createClient(async () => json(401, {})), settle);
  await guest.start();
  assert.equal(guest.get().phase, 'guest');
});

test('polling waits longer after failures and rests while hidden', async () => {
  let hidden = false;
  let show = () => {};
  const waits: number[] = [];
  let due: (() => void) | null = null;
  const world: PollerWorld = {
    hidden: () => hidden,
    onVisible: (fn) => {
      show = fn;
      return () => {};
    },
    after: (ms, fn) => {
      waits.push(ms);
      due = fn;
      return () => (due = null);
    },
  };
  const results = [true, false, false, true];
  let turns = 0;
  const stop = poll(async () => results[turns++] ?? true, 1000, world);
  const next = async () => {
    const fn = due;
    due = null;
    fn?.();
    await settle();
  };
  await settle();
  await next();
  await next();
  await next();
  assert.equal(turns, 4);
  assert.equal(waits[0], 1000);
  assert.ok((waits[1] ?? 0) >= 1000 && (waits[2] ?? 0) > (waits[1] ?? 0), String(waits));
  assert.equal(waits[3], 1000, 'it works again');
  hidden = true;
  await next();
  assert.equal(turns, 4);
  assert.equal(due, null, 'nothing waits while hidden');
  hidden = false;
  show();
  await settle();
  assert.equal(turns, 5);
  stop();
  assert.equal(due, null);
});

test('a picture that stands still is loaded again, with patience that grows', () => {
  const stall = createStallWatch(10_000);
  const at = (s: number, position: number, playing = true) => stall.sample(s * 1000, position, playing);
  assert.equal(at(0, 5), false);
  assert.equal(at(5, 5), false);
  assert.equal(at(9, 6), false, 'it moved');
  assert.equal(at(18, 6), false);
  assert.equal(at(19, 6), true);
  stall.reloaded(19_000);
  assert.equal(at(20, 0), false);
  assert.equal(at(35, 0), false, 'twice as long the second time');
  assert.equal(at(40, 0), true);
  stall.reloaded(40_000);
  assert.equal(at(41, 0), false);
  assert.equal(at(42, 0.5), false);
  assert.equal(at(43, 0.5, false), false, 'paused');
  assert.equal(at(99, 0.5, false), false);
  assert.equal(at(100, 0.5), false);
  assert.equal(at(109, 0.5), true, 'it had moved: the first patience again');
});
