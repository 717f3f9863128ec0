// SPDX-License-Identifier: MIT
// The room beside the picture: its messages, when the viewer's own picture gets there, and a line to write.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { session } from '../app';
import type { ChatMessage, Stream } from '../api/types';
import { t, tn, tx } from '../i18n/t';
import { due, pieces, type ChatStore } from '../store/chat';
import { Button } from './button';
import { Icon } from './icons';
import { Avatar } from './poster';
import { useStore } from './use-store';

const MAX = 500;
const AT_ONCE = 'bsp-chat-at-once';
const timeOf = (m: ChatMessage) => new Date(m.createdAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

function Message({ m, owner, onDelete }: { m: ChatMessage; owner: string; onDelete: (() => void) | null }) {
  return (
    <li class="chat-message" data-id={m.id}>
      <Avatar id={m.user.id} name={m.user.name} image={m.user.image} size={24} />
      <div class="chat-text">
        <span class="chat-by">
          <b>
            <bdi>{m.user.name}</bdi>
          </b>
          {m.user.id === owner && <span class="chat-role">{t('Streamer')}</span>}
          <time dateTime={m.createdAt}>{timeOf(m)}</time>
        </span>{' '}
        <bdi class="chat-content">
          {pieces(m.content).map((p) =>
            p.href ? (
              <a href={p.href} target="_blank" rel="nofollow noopener noreferrer ugc">
                {p.text}
              </a>
            ) : (
              p.text
            ),
          )}
        </bdi>
      </div>
      {onDelete && (
        <button type="button" class="chat-delete" aria-label={t('Delete the message of {name}', { name: m.user.name })} onClick={onDelete}>
          <Icon name="trash" size={16} />
        </button>
      )}
    </li>
  );
}

/** Stays at the end while the reader is there, and lets those alone who read further up. */
function useEnd(count: number) {
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const toEnd = () => box.current?.scrollTo({ top: box.current.scrollHeight });
  useLayoutEffect(() => {
    if (atEnd) toEnd();
  }, [count, atEnd]);
  const onScroll = () => {
    const b = box.current;
    if (b) setAtEnd(b.scrollHeight - b.scrollTop - b.clientHeight < 40);
  };
  return { box, atEnd, onScroll, toEnd };
}

function Line({ chat, programTime }: { chat: ChatStore; programTime: number | null }) {
  const { sending, error } = useStore(chat);
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const send = async (e: Event) => {
    e.preventDefault();
    if (sending || !text.trim()) return;
    if (await chat.send(text.trim(), programTime)) setText('');
    input.current?.focus();
  };
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
        <Button type="submit" look="primary" busy={sending}>
          {t('Send')}
        </Button>
      </div>
      {MAX - [...text].length < 50 && <p class="chat-left">{tn(MAX - [...text].length, '{n} character left', '{n} characters left')}</p>}
    </form>
  );
}

export interface ChatPanelProps {
  chat: ChatStore;
  stream: Stream;
  /** Where the viewer's picture is; null: at this moment, or there is no picture. */
  programTime: number | null;
}

export function ChatPanel({ chat, stream, programTime }: ChatPanelProps) {
  const state = useStore(chat);
  const who = useStore(session);
  const me = who.phase === 'user' ? who.user.id : null;
  const [atOnce, setAtOnce] = useState(() => localStorage.getItem(AT_ONCE) === '1');
  const over = stream.status === 'ENDED';
  const shown = due(state.messages, atOnce ? null : programTime, me);
  const { box, atEnd, onScroll, toEnd } = useEnd(shown.length);
  // A replay begins at the beginning, so all that was written must be there.
  useEffect(() => {
    if (over && state.older && !state.loadingOlder && !state.error) void chat.loadOlder();
  }, [over, state.older, state.loadingOlder, state.error]);
  const later = state.messages.length - shown.length;
  const choose = (on: boolean) => {
    localStorage.setItem(AT_ONCE, on ? '1' : '0');
    setAtOnce(on);
  };
  return (
    <section class="chat" aria-label={t('Chat')}>
      <header class="chat-head">
        <h2>{t('Chat')}</h2>
        {(programTime !== null || atOnce) && (
          <label class="chat-switch">
            <input type="checkbox" checked={atOnce} onChange={(e) => choose(e.currentTarget.checked)} />{' '}{t('Show at once')}
          </label>
        )}
      </header>
      <div class="chat-scroll" ref={box} onScroll={onScroll} role="log" aria-label={t('Messages')} tabIndex={0}>
        <ol class="chat-list">
        {state.older && !over && (
          <li class="chat-older">
            <Button small look="quiet" busy={state.loadingOlder} onClick={() => void chat.loadOlder()}>
              {t('Older messages')}
            </Button>
          </li>
        )}
        {shown.map((m) => (
          <Message
            key={m.id}
            m={m}
            owner={stream.user.id}
            onDelete={me && (me === m.user.id || me === stream.user.id) ? () => void chat.remove(m.id) : null}
          />
        ))}
        </ol>
      </div>
      {shown.length === 0 && (
        <p class="chat-empty">
          {state.phase === 'loading'
            ? t('Loading the messages…')
            : state.phase === 'failed'
              ? t('The messages could not be loaded.')
              : over
                ? later > 0
                  ? t('The chat is replayed with the recording.')
                  : t('Nobody wrote anything.')
                : later > 0
                  ? t('Messages appear when your picture gets there.')
                  : t('Nobody has written yet. Say hello.')}
          {state.phase === 'failed' && (
            <Button small icon="refresh" onClick={() => void chat.load()}>
              {t('Try again')}
            </Button>
          )}
        </p>
      )}
      {!atEnd && (
        <div class="chat-more">
          <Button small onClick={toEnd}>
            {t('To the newest')}
          </Button>
        </div>
      )}
      {over ? (
        <p class="chat-closed">{t('The chat ended with the stream.')}</p>
      ) : me ? (
        <Line chat={chat} programTime={programTime} />
      ) : (
        who.phase === 'guest' && (
          <p class="chat-closed">
            {tx('{link} to write.', { link: <a href={`/login?next=${encodeURIComponent(location.pathname)}`}>{t('Log in')}</a> })}
          </p>
        )
      )}
    </section>
  );
}
