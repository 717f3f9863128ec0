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

const room = (version: number, more = {}) => ({ settings: { mode: 'open', slowMode: 0, followAge: 0, version: String(version) }, pinned: null, me: { role: null, mayWrite: true, why: null, until: null, seconds: null }, ...more });

test('settings and pin: an answer that an event has overtaken does not undo it', async () => {
  let answer: (r: Response) => void = () => {};
  const chat = createChat(createClient(() => new Promise((done) => (answer = done))), 's1');
  chat.know(null);
  chat.onEvent('chat-pinned', { message: message(9), version: '12' });
  answer(json(200, room(8)));
  await settle();
  assert.equal(chat.get().pinned?.content, 'm9');
  chat.onEvent('chat-settings', { mode: 'off', slowMode: 0, followAge: 0, version: '13' });
  assert.equal(chat.get().settings?.mode, 'off');
  chat.onEvent('chat-pinned', { message: null, version: '11' });
  assert.equal(chat.get().pinned?.content, 'm9', 'nor does an old event');
});

test('slow mode: one waits after a message, and as long as the server says', async () => {
  let refuse = false;
  const slow = room(1, { settings: { mode: 'open', slowMode: 30, followAge: 0, version: '1' } });
  const tooSoon = new Response(JSON.stringify({ error: { code: 'slow_mode', message: 'Slow.' } }), { status: 429, headers: { 'Retry-After': '20' } });
  const chat = createChat(createClient(async (url, init) => (init.method === 'POST' ? (refuse ? tooSoon : json(201, message(1))) : json(200, url.endsWith('/chat') ? slow : { messages: [], nextBefore: null }))), 's1');
  chat.know('u1');
  await settle();
  const waits = () => Math.round(((chat.get().waitUntil ?? 0) - Date.now()) / 1000);
  assert.equal(chat.get().waitUntil, null);
  assert.ok(await chat.send('one', null));
  assert.ok(waits() > 25 && waits() <= 30, `${waits()}`);
  refuse = true;
  assert.equal(await chat.send('two', null), false);
  assert.ok(waits() > 15 && waits() <= 20, `${waits()}`);
  assert.equal(chat.get().error, null, 'the line says how long');
});

test('messages that went together go together', () => {
  const chat = createChat(createClient(async () => json(200, { messages: [], nextBefore: null })), 's1');
  for (const id of [1, 2, 3]) chat.onEvent('chat', { ...message(id) });
  chat.onEvent('chat-deleted', { ids: ['1', '3'] });
  assert.deepEqual(texts(chat.get().messages), ['m2']);
});
