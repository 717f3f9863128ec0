// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { client, session } from '../app';
import { t, tx } from '../i18n/t';
import { poll } from '../store/poller';
import { createStreamList, type StreamListStore } from '../store/stream-list';
import { Button, LinkButton } from '../ui/button';
import { Signal } from '../ui/signal';
import { Empty, Failed, Skeleton } from '../ui/states';
import { StreamCard } from '../ui/stream-card';
import { useTitle } from '../ui/page';
import { useStore } from '../ui/use-store';

const REFRESH_MS = 8000;

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

function Shelf({
  id,
  title,
  list,
  empty,
}: {
  id: string;
  title: string;
  list: StreamListStore;
  empty: ComponentChildren;
}) {
  const { phase, streams, nextCursor, more, error, stale } = useStore(list);
  return (
    <section class="shelf" id={id} aria-labelledby={`${id}-title`}>
      <div class="shelf-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {phase === 'ready' && streams.length > 0 && id === 'live' && <span class="shelf-count">{streams.length}</span>}
        {stale && <span class="shelf-stale">{t('Not up to date: the server cannot be reached. Trying again.')}</span>}
      </div>
      {phase === 'loading' && <Skeleton kind="card" count={3} />}
      {phase === 'error' && <Failed title={t('The streams could not be loaded')} text={error} onRetry={() => void list.load()} />}
      {phase === 'ready' && streams.length === 0 && empty}
      {phase === 'ready' && streams.length > 0 && (
        <ul class="cards">
          {streams.map((s) => (
            <li key={s.id}>
              <StreamCard stream={s} />
            </li>
          ))}
        </ul>
      )}
      {phase === 'ready' && nextCursor && (
        <div class="shelf-more">
          {more === 'error' && <p role="alert">{t('The next page could not be loaded.')}</p>}
          <Button busy={more === 'loading'} onClick={() => void list.loadMore()}>
            {more === 'error' ? t('Try again') : t('Show more')}
          </Button>
        </div>
      )}
    </section>
  );
}

export function Home() {
  useTitle('');
  const who = useStore(session);
  const live = useMemo(() => createStreamList(client, { status: 'LIVE', limit: 24 }), []);
  const recent = useMemo(() => createStreamList(client, { status: 'ENDED', limit: 12 }), []);
  useEffect(() => poll(() => live.refresh(), REFRESH_MS), []);
  useEffect(() => poll(() => recent.refresh(), REFRESH_MS * 2), []);
  const guest = who.phase === 'guest';
  return (
    <div class="page">
      {guest ? <Pitch /> : <h1 class="page-title">{t('Lobby')}</h1>}
      <Shelf
        id="live"
        title={t('Live now')}
        list={live}
        empty={
          <Empty icon="play" title={t('Nobody is live at the moment')}>
            <p>{t('This page fills by itself when somebody starts.')}</p>
            {!guest && (
              <LinkButton look="primary" href="/dashboard">
                {t('Be the first')}
              </LinkButton>
            )}
          </Empty>
        }
      />
      <Shelf
        id="recent"
        title={t('Recently streamed')}
        list={recent}
        empty={<Empty icon="info" title={t('No streams yet')}><p>{t('Streams that have ended are kept here to watch again.')}</p></Empty>}
      />
    </div>
  );
}
