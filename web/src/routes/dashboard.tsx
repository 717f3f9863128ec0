// SPDX-License-Identifier: MIT
import { useEffect, useMemo, useState } from 'preact/hooks';
import { announce, client } from '../app';
import type { RecordingStatus, Stream, User } from '../api/types';
import { t, tx } from '../i18n/t';
import { viewers } from '../store/format';
import { poll } from '../store/poller';
import { navigate } from '../store/router';
import { createStreamList } from '../store/stream-list';
import { phaseOf } from '../store/watch';
import { StateBadge } from '../ui/badge';
import { Button, LinkButton } from '../ui/button';
import { Confirm } from '../ui/dialog';
import { ForUser } from '../ui/guard';
import { Icon } from '../ui/icons';
import { Strip } from '../ui/kit/strip';
import { useTitle } from '../ui/page';
import { StorageNote } from '../ui/storage-note';
import { KeptRecordings } from '../ui/recordings-loader';
import { Poster } from '../ui/poster';
import { Empty, Failed, Skeleton } from '../ui/states';
import { CreateDialog } from '../ui/stream-form';
import { Ago, Duration, Elapsed, StartsAt } from '../ui/time';
import { useStore } from '../ui/use-store';

const REFRESH_MS = 5000;
const manageUrl = (s: Stream) => `/dashboard/${encodeURIComponent(s.id)}`;
const broadcastUrl = (s: Stream) => `/stream/${encodeURIComponent(s.id)}/broadcast`;
const watchUrl = (s: Stream) => `/stream/${encodeURIComponent(s.id)}`;

function When({ stream }: { stream: Stream }) {
  if (stream.status === 'LIVE')
    return (
      <>
        {viewers(stream.viewerCount)}
        {stream.startedAt && (
          <>
            {' · '}
            <Elapsed since={stream.startedAt} />
          </>
        )}
      </>
    );
  if (stream.status === 'ENDED')
    return (
      <>
        <Ago at={stream.endedAt ?? stream.updatedAt} />
        {stream.duration !== null && (
          <>
            {' · '}
            <Duration seconds={stream.duration} />
          </>
        )}
        {stream.peakViewers > 0 && ` · ${t('{viewers} at peak', { viewers: viewers(stream.peakViewers) })}`}
      </>
    );
  if (stream.scheduledAt) return <StartsAt at={stream.scheduledAt} />;
  return (
    <>
      {tx('Created {when}', { when: <Ago at={stream.createdAt} /> })}
    </>
  );
}

/** What goes on with a recording that somebody waits for. */
const recordingNews = (s: Stream): string | null => {
  if (s.status === 'CREATED' && s.recordingStatus === 'RECORDING') return 'Recording';
  const words: Partial<Record<RecordingStatus, string>> = { UPLOADING: t('Recording is being uploaded'), PROCESSING: t('Recording is being prepared'), FAILED: t('Recording failed') };
  const said = words[s.recordingStatus] ?? null;
  return said && typeof s.recordingProgress === 'number' ? `${said}, ${s.recordingProgress} %` : said;
};

function Row({ stream, onDelete }: { stream: Stream; onDelete: () => void }) {
  return (
    <article class="row">
      <a class="row-picture" href={manageUrl(stream)} tabIndex={-1} aria-hidden="true">
        <Poster stream={stream} />
      </a>
      <div class="row-words">
        <h2>
          <a href={manageUrl(stream)}>{stream.title}</a>
        </h2>
        <p>
          <StateBadge stream={stream} />
          <span class="row-when">
            <When stream={stream} />
            {recordingNews(stream) && ` · ${recordingNews(stream)}`}
          </span>
        </p>
      </div>
      <div class="row-actions">
        {stream.streamType === 'BROWSER' && stream.status !== 'ENDED' && (
          <LinkButton small href={broadcastUrl(stream)} icon="camera">
            {t('Broadcast')}
          </LinkButton>
        )}
        <LinkButton small href={watchUrl(stream)} icon="play">
          {phaseOf(stream) === 'ended-recorded' ? t('Watch') : t('Viewer page')}
        </LinkButton>
        <button type="button" class="icon-button" aria-label={t('Delete {title}', { title: stream.title })} title={t('Delete')} onClick={onDelete}>
          <Icon name="trash" />
        </button>
      </div>
    </article>
  );
}

export function DeleteQuestion({ stream, onClose, onDeleted }: { stream: Stream; onClose: () => void; onDeleted: () => void }) {
  return (
    <Confirm
      title={t('Delete this stream?')}
      action={t('Delete stream')}
      onClose={onClose}
      onConfirm={async () => {
        await client.deleteStream(stream.id);
        announce(t('Deleted “{title}”.', { title: stream.title }));
        onDeleted();
      }}
    >
      <p>
        {tx('{what} and its recording are deleted for ever.', { what: <b>{stream.title}</b> })}
        {stream.status === 'LIVE' && ` ${t('It is live now: the broadcast ends at once.')}`}
      </p>
    </Confirm>
  );
}

function MyStreams({ user }: { user: User }) {
  const list = useMemo(() => createStreamList(client, { mine: true, limit: 20 }), [user.id]);
  const { phase, streams, nextCursor, more, error, stale } = useStore(list);
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Stream | null>(null);
  useEffect(() => poll(() => list.refresh(), REFRESH_MS), [list]);
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t('My streams')}</h1>
        <div class="page-actions">
          <LinkButton icon="key" href="/dashboard/api">
            {t('API access')}
          </LinkButton>
          <LinkButton icon="link" href="/dashboard/webhooks">
            Webhooks
          </LinkButton>
          <Button look="primary" icon="plus" onClick={() => setCreating(true)}>
            {t('New stream')}
          </Button>
        </div>
      </div>
      {stale && (
        <Strip>{t('The server cannot be reached. Trying again.')}</Strip>
      )}
      <StorageNote />
      <KeptRecordings userId={user.id} streamId={null} />
      {phase === 'loading' && <Skeleton kind="row" count={4} />}
      {phase === 'error' && <Failed title={t('Your streams could not be loaded')} text={error} onRetry={() => void list.load()} />}
      {phase === 'ready' && streams.length === 0 && (
        <Empty icon="play" title={t('You have no streams yet')}>
          <p>{t('Create one, and go live from this browser or from OBS.')}</p>
        </Empty>
      )}
      {streams.length > 0 && phase === 'ready' && (
        <ul class="rows">
          {streams.map((s) => (
            <li key={s.id}>
              <Row stream={s} onDelete={() => setDeleting(s)} />
            </li>
          ))}
        </ul>
      )}
      {nextCursor && phase === 'ready' && (
        <div class="shelf-more">
          {more === 'error' && <p role="alert">{t('The next page could not be loaded.')}</p>}
          <Button busy={more === 'loading'} onClick={() => void list.loadMore()}>
            {more === 'error' ? t('Try again') : t('Show more')}
          </Button>
        </div>
      )}
      {creating && <CreateDialog onClose={() => setCreating(false)} onCreated={(s) => navigate(s.streamType === 'BROWSER' ? broadcastUrl(s) : manageUrl(s))} />}
      {deleting && (
        <DeleteQuestion stream={deleting} onClose={() => setDeleting(null)} onDeleted={() => list.remove(deleting.id)} />
      )}
    </div>
  );
}

export function Dashboard() {
  useTitle('Dashboard');
  return <ForUser>{(user) => <MyStreams key={user.id} user={user} />}</ForUser>;
}
