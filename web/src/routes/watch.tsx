// SPDX-License-Identifier: MIT
// The viewer page: one of its states at a time, changing by itself.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce, client } from '../app';
import type { Stream } from '../api/types';
import { msg, t, tx } from '../i18n/t';
import { createChat, type ChatStore } from '../store/chat';
import { createReactions, type ReactionStore } from '../store/reactions';
import { viewerId } from '../store/viewer';
import { createWatch, type Room, type WatchPhase, type WatchStore } from '../store/watch';
import { viewers } from '../store/format';
import { StateBadge } from '../ui/badge';
import { Button, LinkButton } from '../ui/button';
import { ChatPanel } from '../ui/chat';
import { CopyButton } from '../ui/copy';
import { Icon } from '../ui/icons';
import { useTitle } from '../ui/page';
import { Behind, Ways } from '../ui/delay';
import { DirectPreview } from '../ui/direct';
import { Gate } from '../ui/gate';
import { Player } from '../ui/player';
import { lazyPart } from '../ui/lazy-part';
import { PersonName } from '../ui/person';
import { Avatar, Poster } from '../ui/poster';
import { ReactionsLoader } from '../ui/reactions-loader';
import { KeptRecordings } from '../ui/recordings-loader';
import { ShareButton } from '../ui/share-button';
import { ReportButton } from '../ui/report-button';
import { Empty, NoStream } from '../ui/states';
import { VisibilityBadge } from '../ui/visibility-badge';
import { Ago, Duration, Elapsed } from '../ui/time';
import { isOver, onAir, usePicture, type Shown } from '../ui/use-picture';
import { useStore } from '../ui/use-store';
import type { Numbers } from '../ui/view';

const Countdown = lazyPart(() => import('../ui/countdown').then((m) => m.Countdown));
const FollowButton = lazyPart(() => import('../ui/follow').then((m) => m.FollowButton));

const SPOKEN: Partial<Record<WatchPhase, string>> = {
  live: msg('The stream is live.'),
  reconnecting: msg('The streamer lost the connection. Waiting for it to come back.'),
  'ended-recorded': msg('The stream has ended. The recording can be watched.'),
  ended: msg('The stream has ended.'),
  deleted: msg('The stream was deleted.'),
};

function Cover({ stream, title, children }: { stream: Stream; title: string; children?: preact.ComponentChildren }) {
  return (
    <div class="player player-still">
      <Poster stream={stream} />
      <div class="player-cover">
        <p class="player-cover-title">{title}</p>
        {children}
      </div>
    </div>
  );
}

interface ScreenProps {
  stream: Stream;
  shown: Shown;
  onNumbers: (n: Numbers | null) => void;
}

function Screen({ stream, shown, onNumbers }: ScreenProps) {
  const { phase, picture } = shown;
  if (picture)
    return (
      <div class="screen">
        <Player
          picture={picture}
          title={stream.title}
          connected={phase === 'live'}
          onEnded={picture.mode === 'live' ? shown.onPlayedOut : undefined}
          onTrouble={shown.onTrouble}
          onNumbers={onNumbers}
        />
        {phase === 'reconnecting' && (
          <p class="screen-banner">
            {tx('{span} The streamer lost the connection. The stream goes on by itself when it is back.', { span: <span class="spinner" aria-hidden="true" /> })}
          </p>
        )}
      </div>
    );
  if (phase === 'waiting')
    return (
      <DirectPreview stream={stream}>
        {stream.scheduledAt || stream.cancelledAt ? (
          <div class="player player-still player-announced">
            <Poster stream={stream} />
            <div class="player-cover">
              <Countdown stream={stream} />
            </div>
          </div>
        ) : (
        <Cover stream={stream} title={t('Not live yet')}>
          <p>{t('Stay here: it starts by itself.')}</p>
          <span class="pulse" aria-hidden="true" />
        </Cover>
        )}
      </DirectPreview>
    );
  if (phase === 'ended-processing')
    return (
      <Cover stream={stream} title={t('The stream has ended')}>
        <p>{t('The recording will be here in a moment.')}</p>
        <span class="pulse" aria-hidden="true" />
      </Cover>
    );
  return (
    <Cover stream={stream} title={t('The stream has ended')}>
      <p>
        {stream.recordingStatus === 'FAILED'
          ? t('Its recording could not be kept.')
          : t('There is no recording of it.')}
      </p>
      <LinkButton href="/">{t('To the lobby')}</LinkButton>
    </Cover>
  );
}

function Facts({ stream, count, phase }: { stream: Stream; count: number; phase: WatchPhase }) {
  if (onAir(phase))
    return (
      <>
        <span class="fact">
          <Icon name="people" size={18} /> {viewers(count)}
        </span>
        {stream.startedAt && (
          <span class="fact">
            <span>
              {tx('Started {when}', { when: <Ago at={stream.startedAt} /> })}
            </span>
          </span>
        )}
      </>
    );
  if (isOver(phase))
    return (
      <>
        {stream.duration !== null && stream.duration > 0 && (
          <span class="fact">
            <Duration seconds={stream.duration} />
          </span>
        )}
        {stream.endedAt && (
          <span class="fact">
            <span>
              {tx('Streamed {when}', { when: <Ago at={stream.startedAt ?? stream.endedAt} /> })}
            </span>
          </span>
        )}
        {(stream.totalViewers ?? 0) > stream.peakViewers && (
          <span class="fact">{t('{viewers} in total', { viewers: viewers(stream.totalViewers ?? 0) })}</span>
        )}
        {stream.peakViewers > 0 && <span class="fact">{t('{viewers} at peak', { viewers: viewers(stream.peakViewers) })}</span>}
      </>
    );
  return <span class="fact">{count > 0 ? t('{viewers} waiting', { viewers: viewers(count) }) : t('Waiting for the streamer')}</span>;
}

/** Of a recording whose player has not begun, nothing is due. */
const programTime = (n: Numbers | null, recorded: boolean) => (n ? n.programTime : recorded ? 0 : null);

interface LoadedProps {
  store: WatchStore;
  chat: ChatStore;
  reactions: ReactionStore;
  stream: Stream;
}

function Loaded({ store, chat, reactions, stream }: LoadedProps) {
  const { phase, viewers: count } = useStore(store);
  const shown = usePicture(stream, phase);
  const { picture, note } = shown;
  const [numbers, setNumbers] = useState<Numbers | null>(null);
  useEffect(() => void (note && announce(note, { quiet: true })), [note]);
  const at = picture ? programTime(numbers, isOver(phase)) : null;
  const rewinding = picture?.mode === 'rewind';
  const canRewind = shown.fromStart !== null || rewinding;
  return (
    <div class="watch-room">
    <article class="watch">
      <Screen stream={stream} shown={shown} onNumbers={setNumbers} />
      {(onAir(phase) || isOver(phase)) && <ReactionsLoader store={reactions} programTime={at} over={isOver(phase)} />}
      {picture && onAir(shown.phase) && (
        <div class="watch-bar">
          <Ways all={shown.choices} current={shown.choice} onChoose={shown.choose} />
          {canRewind && (
            <Button
              small
              look="quiet"
              icon={rewinding ? 'arrow' : 'back'}
              onClick={() => (rewinding ? shown.backToLive() : shown.fromStart?.())}
            >
              {rewinding ? t('Back to live') : t('Watch from the start')}
            </Button>
          )}
          {!rewinding && <Behind numbers={numbers} way={picture.way} />}
          {note && <p class="watch-note">{note}</p>}
        </div>
      )}
      <div class="watch-head">
        <div class="watch-title">
          <div class="watch-state">
            <StateBadge stream={stream} />
            <VisibilityBadge stream={stream} />
            {onAir(phase) && stream.startedAt && <Elapsed since={stream.startedAt} />}
          </div>
          <h1>{stream.title}</h1>
        </div>
        <div class="watch-actions">
          {stream.ingest && (
            <LinkButton small icon="edit" href={`/dashboard/${encodeURIComponent(stream.id)}`}>
              {t('Manage')}
            </LinkButton>
          )}
          {stream.user.handle && phase !== 'waiting' && <FollowButton handle={stream.user.handle} />}
          <CopyButton small what={t('link to this stream')} label={t('Copy link')} text={location.origin + location.pathname} />
          <ShareButton stream={stream} />
          {!stream.ingest && <ReportButton streamId={stream.id} />}
        </div>
      </div>
      <div class="watch-facts">
        <span class="watch-streamer">
          <Avatar id={stream.user.id} name={stream.user.name} image={stream.user.image} size={40} />
          <b>
            <PersonName person={stream.user} />
          </b>
        </span>
        <Facts stream={stream} count={count} phase={phase} />
      </div>
      {stream.description && <p class="watch-description">{stream.description}</p>}
    </article>
      <ChatPanel chat={chat} stream={stream} programTime={at} />
    </div>
  );
}

const both = (a: Room, b: Room): Room => ({
  onEvent(type, data) {
    a.onEvent(type, data);
    b.onEvent(type, data);
  },
  onOpen(again) {
    a.onOpen(again);
    b.onOpen(again);
  },
});

/** Once the door of a private stream is open, everything begins anew. */
export function Watch({ id }: { id: string }) {
  const [round, setRound] = useState(0);
  return <WatchRoom key={`${id} ${round}`} id={id} onOpened={() => setRound(round + 1)} />;
}

function WatchRoom({ id, onOpened }: { id: string; onOpened: () => void }) {
  const chat = useMemo(() => createChat(client, id), [id]);
  const reactions = useMemo(() => createReactions(client, id), [id]);
  const store = useMemo(() => createWatch(client, id, { room: both(chat, reactions), viewer: viewerId() }), [chat, reactions]);
  useEffect(
    () => () => {
      store.close();
      reactions.close();
    },
    [store],
  );
  const { phase, stream, error, lock } = useStore(store);
  useTitle(stream?.title ?? (phase === 'not-found' ? t('Stream not found') : phase === 'locked' ? t('Private stream') : 'Stream'));

  const before = useRef(phase);
  useEffect(() => {
    if (before.current !== 'loading' && before.current !== phase && SPOKEN[phase])
      announce(t(SPOKEN[phase] ?? ''), { quiet: true });
    before.current = phase;
  }, [phase]);

  if (phase === 'locked')
    return (
      <div class="page">
        <Gate id={id} lock={lock ?? 'invitation'} onEntered={onOpened} onRetry={onOpened} />
      </div>
    );
  const missing = phase === 'not-found' || phase === 'deleted';
  if (missing || !stream)
    return (
      <NoStream
        why={missing ? 'missing' : phase === 'loading' ? 'loading' : 'failed'}
        error={error}
        onRetry={() => store.retry()}
        wide
        skeleton={<div class="player skeleton" />}
      >
        <Empty icon="info" title={phase === 'deleted' ? t('This stream was deleted') : t('There is no such stream')}>
          <p>{t('The link may be wrong, or the streamer has removed it.')}</p>
          <LinkButton href="/" look="primary">
            {t('To the lobby')}
          </LinkButton>
        </Empty>
      </NoStream>
    );
  return (
    <div class="page page-watch">
      {stream.ingest && <KeptRecordings userId={stream.user.id} streamId={stream.id} />}
      <Loaded store={store} chat={chat} reactions={reactions} stream={stream} />
    </div>
  );
}
