// SPDX-License-Identifier: MIT
// One list of streams with a heading, in all its states.
import type { ComponentChildren } from 'preact';
import { t } from '../i18n/t';
import type { StreamListStore } from '../store/stream-list';
import { Button } from './button';
import { Failed, Skeleton } from './states';
import { StreamCard } from './stream-card';
import { useStore } from './use-store';

interface ShelfProps {
  id: string;
  title: string;
  list: StreamListStore;
  empty?: ComponentChildren;
  /** Streams that another shelf shows already. */
  without?: ReadonlySet<string>;
}

/** Without `empty` a list with nothing in it is not shown at all. */
export function Shelf({ id, title, list, empty, without }: ShelfProps) {
  const { phase, streams: all, nextCursor, more, error, stale } = useStore(list);
  const streams = without ? all.filter((s) => !without.has(s.id)) : all;
  if (all.length > 0 && streams.length === 0 && !nextCursor) return null;
  if (!empty && (phase === 'loading' || (phase === 'ready' && streams.length === 0))) return null;
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
