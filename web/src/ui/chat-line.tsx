// SPDX-License-Identifier: MIT
// The line to write in a room, or why there is none.
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock } from '../app';
import type { Stream } from '../api/types';
import { t, tn, tx } from '../i18n/t';
import type { ChatStore } from '../store/chat';
import { Button } from './button';
import { useStore } from './use-store';

const MAX = 500;
const FOLLOW_MS = 5000;

/** "40 seconds", "5 minutes", "2 hours", "3 days": about so long. */
export function span(seconds: number): string {
  if (seconds < 90 && seconds !== 60) return tn(Math.max(1, Math.ceil(seconds)), '{n} second', '{n} seconds');
  if (seconds < 5400 && seconds !== 3600) return tn(Math.round(seconds / 60), '{n} minute', '{n} minutes');
  if (seconds < 129_600 && seconds !== 86_400) return tn(Math.round(seconds / 3600), '{n} hour', '{n} hours');
  return tn(Math.round(seconds / 86_400), '{n} day', '{n} days');
}

/** Seconds until one may write, counted down; 0: now. */
function useWait(chat: ChatStore): number {
  const { waitUntil } = useStore(chat);
  useStore(clock);
  const left = waitUntil === null ? 0 : Math.max(0, Math.ceil((waitUntil - Date.now()) / 1000));
  const waiting = left > 0;
  const waited = useRef(waiting);
  useEffect(() => {
    if (waited.current && !waiting) void chat.refresh();
    waited.current = waiting;
  }, [waiting]);
  return left;
}

function Form({ chat, programTime, wait }: { chat: ChatStore; programTime: number | null; wait: number }) {
  const { sending, error, settings, me } = useStore(chat);
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const send = async (e: Event) => {
    e.preventDefault();
    if (sending || wait > 0 || !text.trim()) return;
    if (await chat.send(text.trim(), programTime)) setText('');
    input.current?.focus();
  };
  const left = MAX - [...text].length;
  const slow = settings?.slowMode && !me?.role ? settings.slowMode : 0;
  return (
    <form class="chat-line" onSubmit={(e) => void send(e)}>
      {error && (
        <p class="chat-error" role="alert">
          {error}
        </p>
      )}
      <div class="chat-row">
        <input
          ref={input}
          class="chat-input"
          aria-label={t('Your message')}
          placeholder={t('Say something')}
          maxLength={MAX}
          autoComplete="off"
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
        />
        <Button type="submit" look="primary" busy={sending} aria-disabled={wait > 0 ? 'true' : undefined}>
          {t('Send')}
        </Button>
      </div>
      {left < 50 && <p class="chat-left">{tn(left, '{n} character left', '{n} characters left')}</p>}
      {wait > 0 ? (
        <p class="chat-left chat-wait">{t('Slow mode: you can write again in {time}.', { time: span(wait) })}</p>
      ) : (
        slow > 0 && <p class="chat-left">{t('Slow mode: one message in {time}.', { time: span(slow) })}</p>
      )}
    </form>
  );
}

/** Following is done elsewhere on the page: as long as that is what is missing, it is looked for. */
function useFollowed(chat: ChatStore, missing: boolean) {
  useEffect(() => {
    if (!missing) return;
    const timer = setInterval(() => !document.hidden && void chat.refresh(), FOLLOW_MS);
    return () => clearInterval(timer);
  }, [missing]);
}

const LogIn = () => <a href={`/login?next=${encodeURIComponent(location.pathname)}`}>{t('Log in')}</a>;

export function ChatLine({ chat, stream, who, programTime }: { chat: ChatStore; stream: Stream; who: 'guest' | 'user'; programTime: number | null }) {
  const { me, settings } = useStore(chat);
  const wait = useWait(chat);
  useFollowed(chat, who === 'user' && me?.why === 'followers');
  const closed = (words: preact.ComponentChildren) => (
    <p class="chat-closed" role="status">
      {words}
    </p>
  );
  if (settings?.mode === 'off' || me?.why === 'off') return closed(t('The chat is switched off.'));
  if (who === 'guest') {
    const words = tx('{link} to write.', { link: <LogIn /> });
    return settings?.mode === 'followers' ? closed([...words, ' ', t('Only followers of this channel may write here.')]) : closed(words);
  }
  const name = stream.user.name;
  switch (me?.why) {
    case 'banned':
      return closed(t('You are banned from this chat. You can still read it.'));
    case 'timeout':
      return closed(t('A moderator has you take a break: you can write again in {time}.', { time: span(wait) }));
    case 'followers':
      return closed(t('Only followers may write here. Follow {name}, and the line to write appears.', { name }));
    case 'followAge':
      return closed(t('Only who has followed for {age} may write here: you can in {time}.', { age: span(settings?.followAge ?? 0), time: span(wait) }));
    default:
      return <Form chat={chat} programTime={programTime} wait={wait} />;
  }
}
