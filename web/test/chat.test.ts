// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { createClient } from '../src/api/client';
import type { ChatMessage } from '../src/api/types';
import { createChat, due, pieces } from '../src/store/chat';
import { json, settle } from './fixtures';

const at = (ms: number) => new Date(1_700_000_000_000 + ms).toISOString();
const message = (id: number, content = `m${id}`, user = 'u1'): ChatMessage => ({
  id: String(id), content, createdAt: at(id), programTime: at(id), user: { id: user, name: 'Ada', image: null },
});
const texts = (all: ChatMessage[]) => all.map((m) => m.content);

test('what comes by the list and by the line is there once, in order, and what is deleted stays away', async () => {
  let answer: (r: Response) => void = () => {};
  const chat = createChat(createClient(() => new Promise((done) => (answer = done))), 's1');
  chat.onOpen(false);
  chat.onEvent('chat', { ...message(3) });
  chat.onEvent('chat-deleted', { id: '1' }); // overtakes the list
  answer(json(200, { messages: [message(1), message(2), message(3)], nextBefore: null }));
  await settle();
  assert.equal(chat.get().phase, 'ready');
  assert.deepEqual(texts(chat.get().messages), ['m2', 'm3']);
  chat.onEvent('chat', { ...message(4) });
  chat.onEvent('chat-deleted', { id: '2' });
  assert.deepEqual(texts(chat.get().messages), ['m3', 'm4']);
});

test('after a long absence everything is asked for anew', async () => {
  const pages = [[message(1)], [message(8), message(9)]];
  const chat = createChat(createClient(async () => json(200, { messages: pages.shift(), nextBefore: null })), 's1');
  chat.onOpen(false);
  await settle();
  chat.onOpen(true);
  chat.onEvent('chat-reset', {});
  await settle();
  assert.deepEqual(texts(chat.get().messages), ['m8', 'm9']);
});

test('a message that is refused says why, and nothing is added', async () => {
  const refusal = { error: { code: 'too_many_requests', message: 'Too many attempts; try again in 3 seconds.' } };
  const chat = createChat(createClient(async (_, init) => (init.method === 'POST' ? json(429, refusal) : json(200, { messages: [], nextBefore: null }))), 's1');
  assert.equal(await chat.send('hello', null), false);
  assert.match(chat.get().error ?? '', /try again/i);
  assert.equal(chat.get().messages.length, 0);
});

test('a message is due when the picture gets there; one’s own at once', () => {
  const all = [message(100), message(5000), message(9000, 'mine', 'me')];
  const playhead = Date.parse(at(4000));
  assert.deepEqual(texts(due(all, playhead, 'me')), ['m100', 'mine']);
  assert.deepEqual(texts(due(all, null, null)), ['m100', 'm5000', 'mine']);
  assert.deepEqual(texts(due(all, 0, null)), []);
});

test('addresses become links, nothing else does', () => {
  const parts = pieces('see (https://example.org/a?b=1), javascript:alert(1) http:// <b>x</b>');
  assert.deepEqual(parts.filter((p) => p.href).map((p) => [p.text, p.href]), [['https://example.org/a?b=1', 'https://example.org/a?b=1']]);
  assert.equal(parts.map((p) => p.text).join(''), 'see (https://example.org/a?b=1), javascript:alert(1) http:// <b>x</b>');
});
