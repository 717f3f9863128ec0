// SPDX-License-Identifier: MIT
// The room beside the picture: its messages, when the viewer's own picture gets there, and a line to write.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { session } from '../app';
import type { ChatMessage, Stream } from '../api/types';
import { t } from '../i18n/t';
import { due, pieces, type ChatStore } from '../store/chat';
import { Button } from './button';
import { ChatLine } from './chat-line';
import { useChatTools } from './chat-tools-loader';
import { Icon } from './icons';
import { PersonName } from './person';
import { Avatar } from './poster';
import { ReportButton } from './report-button';
import { useStore } from './use-store';

const AT_ONCE = 'bsp-chat-at-once';
const timeOf = (m: ChatMessage) => new Date(m.createdAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

const Content = ({ text }: { text: string }) => (
  <bdi class="chat-content">
    {pieces(text).map((p) =>
      p.href ? (
        <a href={p.href} target="_blank" rel="nofollow noopener noreferrer ugc">
          {p.text}
        </a>
      ) : (
        p.text
      ),
    )}
  </bdi>
);

interface MessageProps {
  m: ChatMessage;
  stream: Stream;
  /** One's own. */
  onDelete: (() => void) | null;
  /** Of who keeps the room. */
  tools: preact.ComponentChildren;
}

function Message({ m, stream, onDelete, tools }: MessageProps) {
  return (
    <li class="chat-message" data-id={m.id}>
      <Avatar id={m.user.id} name={m.user.name} image={m.user.image} size={24} />
      <div class="chat-text">
        <span class="chat-by">
          <b>
            <PersonName person={m.user} />
          </b>
          {m.user.id === stream.user.id && <span class="chat-role">{t('Streamer')}</span>}
          {m.user.role === 'moderator' && <span class="chat-role chat-role-moderator">{t('Moderator')}</span>}
          <time dateTime={m.createdAt}>{timeOf(m)}</time>
        </span>{' '}
        <Content text={m.content} />
      </div>
      {tools}
      {onDelete && !tools && (
        <button type="button" class="chat-delete" aria-label={t('Delete the message of {name}', { name: m.user.name })} onClick={onDelete}>
          <Icon name="trash" size={16} />
        </button>
      )}
      {!onDelete && !tools && <ReportButton streamId={stream.id} messageId={m.id} by={m.user.name} />}
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

/** What stands above the others. */
function Pinned({ m, onUnpin }: { m: ChatMessage; onUnpin: (() => void) | null }) {
  return (
    <aside class="chat-pinned" aria-label={t('Pinned message')}>
      <Icon name="pin" size={16} />
      <p>
        <b>
          <bdi>{m.user.name}</bdi>
        </b>{' '}
        <Content text={m.content} />
      </p>
      {onUnpin && (
        <Button small look="quiet" onClick={onUnpin}>
          {t('Unpin')}
        </Button>
      )}
    </aside>
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
  const known = who.phase === 'user' || who.phase === 'guest';
  useEffect(() => void (known && chat.know(me)), [chat, known, me]);
  const tools = useChatTools(!!state.me?.role);
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
        {tools && <tools.KeepRoom chat={chat} stream={stream} />}
      </header>
      {state.pinned && <Pinned m={state.pinned} onUnpin={tools && (() => void tools.unpin(stream))} />}
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
            stream={stream}
            onDelete={me === m.user.id ? () => void chat.remove(m.id) : null}
            tools={tools && <tools.MessageTools m={m} chat={chat} stream={stream} me={me} />}
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
      ) : (
        known && <ChatLine chat={chat} stream={stream} who={me ? 'user' : 'guest'} programTime={programTime} />
      )}
    </section>
  );
}
