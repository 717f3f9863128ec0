// SPDX-License-Identifier: MIT
// The lobby: who is live, who will be, who was; searched, and with those first whom one follows.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { client, session } from '../app';
import { t, tx } from '../i18n/t';
import { watchLobby } from '../store/channel';
import { navigate, place } from '../store/router';
import { createStreamList, type StreamListStore } from '../store/stream-list';
import { LinkButton } from '../ui/button';
import { Icon } from '../ui/icons';
import { Shelf } from '../ui/shelf';
import { Signal } from '../ui/signal';
import { Empty } from '../ui/states';
import { useTitle } from '../ui/page';
import { useStore } from '../ui/use-store';

const SEARCH_MAX = 60;
const TYPING_MS = 300;

function Pitch() {
  return (
    <section class="pitch">
      <div class="pitch-words">
        <h1>
          {tx('Live from OBS to {what}, and kept.', { what: <em>{t('every browser')}</em> })}
        </h1>
        <p>
          {t('Paste one address and one key into your encoder. Your viewers see you within two seconds, in any browser. When you stop, the recording is already there.')}
        </p>
        <div class="pitch-actions">
          <LinkButton look="primary" icon="arrow" href="/register">
            {t('Start streaming')}
          </LinkButton>
          <LinkButton href="#live">{t('See who is live')}</LinkButton>
        </div>
      </div>
      <Signal />
    </section>
  );
}

function Search({ asked }: { asked: string }) {
  const [text, setText] = useState(asked);
  const timer = useRef(0);
  const mine = useRef(asked);
  // The address changed by other hands: the button back.
  useEffect(() => {
    if (asked !== mine.current) setText((mine.current = asked));
  }, [asked]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const go = (q: string) => {
    clearTimeout(timer.current);
    mine.current = q.trim();
    if (mine.current !== asked) navigate(mine.current ? `/?q=${encodeURIComponent(mine.current)}` : '/', { replace: true });
  };
  return (
    <form
      class="lobby-search"
      role="search"
      onSubmit={(e) => {
        e.preventDefault();
        go(text);
      }}
    >
      <Icon name="search" size={18} />
      <input
        type="search"
        name="q"
        aria-label={t('Search streams and streamers')}
        placeholder={t('Search streams and streamers')}
        autoComplete="off"
        maxLength={SEARCH_MAX}
        value={text}
        onInput={(e) => {
          const q = e.currentTarget.value;
          setText(q);
          clearTimeout(timer.current);
          timer.current = window.setTimeout(() => go(q), TYPING_MS);
        }}
      />
    </form>
  );
}

const none = createStreamList(client, {}); // never asked for

const refreshAll = (lists: StreamListStore[]) => Promise.all(lists.map((l) => l.refresh())).then((all) => all.every(Boolean));

function Found({ q }: { q: string }) {
  const [live, scheduled, recent] = useMemo(
    () => [createStreamList(client, { status: 'LIVE', q, limit: 24 }), createStreamList(client, { status: 'SCHEDULED', q, limit: 12 }), createStreamList(client, { status: 'ENDED', q, limit: 12 })] as const,
    [q],
  );
  useEffect(() => watchLobby(() => refreshAll([live, scheduled, recent])), [live]);
  const states = [useStore(live), useStore(scheduled), useStore(recent)];
  const nothing = states.every((s) => s.phase === 'ready' && s.streams.length === 0);
  const waiting = states.some((s) => s.phase === 'loading') && states.every((s) => s.streams.length === 0 && s.phase !== 'error');
  return (
    <>
      <p class="hidden-text" role="status">
        {nothing ? t('Nothing was found for “{q}”', { q }) : ''}
      </p>
      {waiting && <p class="lobby-wait">{t('Searching…')}</p>}
      <Shelf id="live" title={t('Live now')} list={live} />
      <Shelf id="scheduled" title={t('Scheduled')} list={scheduled} />
      <Shelf id="recent" title={t('Recently streamed')} list={recent} />
      {nothing && (
        <Empty icon="search" title={t('Nothing was found for “{q}”', { q })}>
          <p>{t('Titles and names are searched. Try fewer or other words.')}</p>
          <LinkButton href="/">{t('To the lobby')}</LinkButton>
        </Empty>
      )}
    </>
  );
}

function Shelves({ user }: { user: string | null }) {
  const live = useMemo(() => createStreamList(client, { status: 'LIVE', limit: 24 }), []);
  const scheduled = useMemo(() => createStreamList(client, { status: 'SCHEDULED', limit: 12 }), []);
  const recent = useMemo(() => createStreamList(client, { status: 'ENDED', limit: 12 }), []);
  const followed = useMemo(
    () => (user ? [createStreamList(client, { status: 'LIVE', following: true, limit: 24 }), createStreamList(client, { status: 'SCHEDULED', following: true, limit: 6 })] : []),
    [user],
  );
  useEffect(() => watchLobby(() => refreshAll([live, scheduled, recent, ...followed])), [followed]);
  const [followedLive, followedNext] = followed;
  const shown = (list: StreamListStore | undefined) => new Set(useStore(list ?? none).streams.map((s) => s.id));
  const [liveIds, nextIds] = [shown(followedLive), shown(followedNext)];
  return (
    <>
      {followedLive && <Shelf id="followed" title={t('Live, of those you follow')} list={followedLive} />}
      {followedNext && <Shelf id="followed-next" title={t('Next, of those you follow')} list={followedNext} />}
      <Shelf
        id="live"
        title={t('Live now')}
        list={live}
        without={liveIds}
        empty={
          <Empty icon="play" title={t('Nobody is live at the moment')}>
            <p>{t('This page fills by itself when somebody starts.')}</p>
            {user && (
              <LinkButton look="primary" href="/dashboard">
                {t('Be the first')}
              </LinkButton>
            )}
          </Empty>
        }
      />
      <Shelf id="scheduled" title={t('Scheduled')} list={scheduled} without={nextIds} />
      <Shelf
        id="recent"
        title={t('Recently streamed')}
        list={recent}
        empty={<Empty icon="info" title={t('No streams yet')}><p>{t('Streams that have ended are kept here to watch again.')}</p></Empty>}
      />
    </>
  );
}

export function Home() {
  useTitle('');
  const who = useStore(session);
  const { search } = useStore(place);
  const q = (new URLSearchParams(search).get('q') ?? '').trim().slice(0, SEARCH_MAX);
  const guest = who.phase === 'guest';
  return (
    <div class="page">
      {guest && !q ? <Pitch /> : <h1 class="page-title">{t('Lobby')}</h1>}
      <Search asked={q} />
      {q ? <Found key={q} q={q} /> : who.phase !== 'unknown' && <Shelves user={who.phase === 'user' ? who.user.id : null} />}
    </div>
  );
}
