// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { sentence } from '../src/i18n/push';

const message = { kind: 'live', name: 'Grace {at}', title: 'Tea', url: '/stream/x', tag: 'x', at: '' };

test('a notification is said in the browser’s language', () => {
  assert.deepEqual(sentence(message, ['en-GB']), { title: 'Grace {at} is live', body: 'Tea' });
  assert.equal(sentence(message, ['de-AT', 'en']).title, 'Grace {at} ist live');
  assert.equal(sentence(message, ['fr', 'es']).title, 'Grace {at} está en directo');
  const soon = sentence({ ...message, kind: 'soon', at: '2026-01-02T20:30:00.000Z' }, ['de']);
  assert.match(soon.title, /^Grace \{at\} beginnt um \d\d:30$/);
});

test('what is none of ours has words too', () => {
  for (const odd of [null, { ...message, kind: 'toString' }, { ...message, kind: 'other?' }]) assert.equal(sentence(odd, ['en']).body, 'There is something new');
  assert.equal(sentence({ ...message, kind: 'moved', at: 'never' }, ['en']).title, 'Grace {at} has another time: ');
});
