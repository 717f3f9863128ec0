// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { startTime } from '../src/store/format';
import { match } from '../src/store/router';
import { checkSchedule, fromLocal, parts, scheduleChange, toLocal } from '../src/ui/schedule';

test('a time in the form is the same moment again', () => {
  for (const iso of ['2026-11-23T20:05:00.000Z', '2026-03-29T00:30:00.000Z', '2026-10-25T03:30:00.000Z']) assert.equal(fromLocal(toLocal(iso)), iso);
  for (const none of ['', 'tomorrow', '2026-13-01T10:00']) assert.equal(fromLocal(none), null, none);
  assert.equal(toLocal(null), '');
});

test('what was announced may stay when it has passed, and is sent only when it is another', () => {
  const past = '2020-01-01T10:00:00.000Z';
  assert.deepEqual(checkSchedule(toLocal(past), past), {});
  assert.ok(checkSchedule(toLocal(past), null).scheduledAt);
  assert.ok(checkSchedule('nonsense', null).scheduledAt);
  assert.equal(scheduleChange(toLocal(past), past), undefined);
  assert.equal(scheduleChange('', past), null);
  assert.equal(scheduleChange('', null), undefined);
});

test('a countdown', () => {
  const day = 86_400_000;
  assert.deepEqual(parts(2 * day + 3_723_000, 0), [2, 1, 2, 3]);
  assert.deepEqual(parts(1, 0), [0, 0, 0, 1], 'it has not begun before it has');
  assert.deepEqual(parts(0, 5000), [0, 0, 0, 0]);
});

test('when it begins, in words', () => {
  const now = Date.parse('2026-11-23T22:30:00Z');
  const say = (iso: string, zone = 'UTC') => startTime(iso, now, 'en-GB', zone);
  assert.match(say('2026-11-23T23:15:00Z'), /^Today, 23:15 UTC$/);
  assert.match(say('2026-11-24T01:00:00Z'), /^Tomorrow, 0?1:00 UTC$/);
  assert.match(say('2026-11-23T23:15:00Z', 'Europe/Berlin'), /^Tomorrow, 0?0:15 /);
  assert.match(say('2026-11-28T18:00:00Z'), /Sat.*28 Nov.*18:00/);
  assert.match(say('2027-11-28T18:00:00Z'), /2027/);
});

test('a channel’s address', () => {
  assert.deepEqual(match('/@Ada_1'), { name: 'channel', handle: 'ada_1' });
  for (const no of ['/@', '/@a/b', '/@a b', '/@ä']) assert.equal(match(no).name, 'not-found', no);
});
