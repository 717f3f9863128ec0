// SPDX-License-Identifier: MIT
// One stream as its owner sees it: credentials, state, health.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce, client } from '../app';
import type { Stream } from '../api/types';
import { msg, t, told } from '../i18n/t';
import { viewers } from '../store/format';
import { navigate } from '../store/router';
import { createChat, type ChatStore } from '../store/chat';
import { createWatch, phaseOf, type Watch, type WatchPhase, type WatchStore } from '../store/watch';
import { StateBadge } from '../ui/badge';
import { Button, LinkButton } from '../ui/button';
import { ChatPanel } from '../ui/chat';
import { CopyField } from '../ui/copy';
import { Credentials, HowTo, WhipCredentials } from '../ui/credentials';
import { Confirm } from '../ui/dialog';
import { ForUser } from '../ui/guard';
import { KeptRecordings } from '../ui/recordings-loader';
import { HealthPanel } from '../ui/health';
import { Icon } from '../ui/icons';
import { Strip } from '../ui/kit/strip';
import { useTitle } from '../ui/page';
import { ShareButton } from '../ui/share-button';
import { Empty, NoStream } from '../ui/states';
import { EditDialog } from '../ui/stream-form';
import { Invitations } from '../ui/visibility';
import { VisibilityBadge } from '../ui/visibility-badge';
import { StreamRecordings } from '../ui/stream-recordings-loader';
import { Ago, Duration, Elapsed, StartsAt } from '../ui/time';
import { useStore } from '../ui/use-store';
import { DeleteQuestion } from './dashboard';

const SPOKEN: Partial<Record<WatchPhase, string>> = {
  live: msg('You are live.'),
  reconnecting: msg('Your encoder lost the connection.'),
  'ended-recorded': msg('The stream has ended. The recording is ready.'),
  ended: msg('The stream has ended.'),
};

function recordingWords(stream: Stream): string {
  switch (stream.recordingStatus) {
    case 'RECORDING':
      return t('Being recorded');
    case 'READY':
      return t('Recording ready');
    case 'FAILED':
      return t('The recording stopped: it could not be written');
    case 'UPLOADING':
      return t('The browser’s recording is being uploaded');
    case 'PROCESSING':
      return t('Recording is being prepared');
    case 'NONE':
      return stream.status === 'ENDED' ? t('No recording') : t('Is recorded by itself');
  }
}

function StatePanel({ watch }: { watch: Watch & { stream: Stream } }) {
  const { stream, phase } = watch;
  const live = stream.status === 'LIVE';
  return (
    <section class={`panel state state-${phase}`} aria-labelledby="state-title">
      <h2 id="state-title" class="hidden-text">
        {t('State')}
      </h2>
      <div class="state-now">
        <StateBadge stream={stream} />
        <VisibilityBadge stream={stream} />
        {live && stream.startedAt && (
          <span class="state-clock">
            <Elapsed since={stream.startedAt} />
          </span>
        )}
        {phase === 'waiting' && <span>{stream.streamType === 'BROWSER' ? t('Waiting for you') : t('Waiting for your encoder')}</span>}
        {stream.status === 'CREATED' && stream.scheduledAt && (
          <span>
            <StartsAt at={stream.scheduledAt} />
          </span>
        )}
        {stream.status === 'ENDED' && stream.endedAt && (
          <span>
            <Ago at={stream.endedAt} />
          </span>
        )}
      </div>
      <dl class="figures numbers">
        {live && (
          <div class="figure">
            <dt>{t('Watching now')}</dt>
            <dd>{viewers(watch.viewers)}</dd>
          </div>
        )}
        {stream.status !== 'CREATED' && (
          <div class="figure">
            <dt>{t('Peak')}</dt>
            <dd>{viewers(Math.max(stream.peakViewers, watch.viewers))}</dd>
          </div>
        )}
        {stream.status === 'ENDED' && stream.duration !== null && (
          <div class="figure">
            <dt>{t('Length')}</dt>
            <dd>
              <Duration seconds={stream.duration} />
            </dd>
          </div>
        )}
        <div class="figure">
          <dt>{t('Recording')}</dt>
          <dd>{recordingWords(stream)}</dd>
        </div>
      </dl>
    </section>
  );
}

/** Ended because the encoder went away: it may come back with the same key. */
const comesBack = (stream: Stream) => stream.endedReason === 'encoder' || stream.endedReason === 'restart';

function OverPanel({ stream, viewerPage }: { stream: Stream; viewerPage: string }) {
  const recorded = phaseOf(stream) === 'ended-recorded';
  return (
    <section class="panel" aria-labelledby="over-title">
      <h2 id="over-title">{t('This stream is over')}</h2>
      <p>
        {recorded && `${t('Its recording plays on the viewer page for as long as you keep the stream.')} `}
        {stream.endedReason === 'limit' && `${t('It had reached the longest time that this server allows.')} `}
        {comesBack(stream)
          ? t('It ended because the encoder was gone. Start the encoder again with the same key, and it goes live again with a new recording.')
          : t('To go live again, create a new stream.')}
      </p>
      <div class="panel-foot">
        <LinkButton look="primary" href={recorded ? viewerPage : '/dashboard'}>
          {recorded ? t('Watch the recording') : t('To my streams')}
        </LinkButton>
      </div>
    </section>
  );
}

function FromBrowser({ stream }: { stream: Stream }) {
  const live = stream.status === 'LIVE';
  return (
    <section class="panel" aria-labelledby="browser-title">
      <h2 id="browser-title">{t('From this browser')}</h2>
      <p>{live ? t('You are live. Camera, microphone and screen are on the broadcast page.') : t('Choose camera and microphone, look at yourself, then go live. Nothing is sent before.')}</p>
      <div class="panel-foot">
        <LinkButton look="primary" icon="camera" href={broadcastPage(stream)}>
          {live ? t('To the broadcast page') : t('Go live from browser')}
        </LinkButton>
      </div>
    </section>
  );
}

const broadcastPage = (stream: Stream) => `/stream/${encodeURIComponent(stream.id)}/broadcast`;

const embedCode = (playbackId: string) =>
  `<iframe src="${location.origin}/embed/${playbackId}" width="640" height="360" allow="autoplay; fullscreen; picture-in-picture" title="Live stream"></iframe>`;

type Question = 'edit' | 'end' | 'delete' | null;

function Questions({ question, stream, store, close }: { question: Question; stream: Stream; store: WatchStore; close: () => void }) {
  if (question === 'edit')
    return (
      <EditDialog
        stream={stream}
        onClose={close}
        onSaved={(s) => {
          store.apply(s);
          close();
          announce(t('Saved.'));
        }}
      />
    );
  if (question === 'end')
    return (
      <Confirm
        title={t('End this stream?')}
        action={t('End now')}
        onClose={close}
        onConfirm={async () => store.apply(await client.endStream(stream.id))}
      >
        <p>{t('Viewers see the end at once and the recording is closed. A stream that has ended cannot go live again.')}</p>
      </Confirm>
    );
  if (question === 'delete')
    return <DeleteQuestion stream={stream} onClose={close} onDeleted={() => navigate('/dashboard')} />;
  return null;
}

function Loaded({ store, chat, watch }: { store: WatchStore; chat: ChatStore; watch: Watch & { stream: Stream } }) {
  const { stream, phase } = watch;
  const [question, setQuestion] = useState<Question>(null);
  const over = stream.status === 'ENDED';
  const closed = over && !comesBack(stream);
  const viewerPage = `/stream/${encodeURIComponent(stream.id)}`;
  // Another server takes it in: nothing of its signal is known here.
  const elsewhere = stream.playback?.remote === true && stream.streamType === 'RTMP';
  const before = useRef(phase);
  useEffect(() => {
    if (before.current !== phase && SPOKEN[phase]) announce(t(SPOKEN[phase] ?? ''), { quiet: true });
    before.current = phase;
  }, [phase]);
  return (
    <div class="page manage">
      <a class="back" href="/dashboard">
        <Icon name="back" size={18} />{' '}{t('My streams')}
      </a>
      <div class="page-head">
        <div class="manage-title">
          <h1>{stream.title}</h1>
          {stream.description && <p>{stream.description}</p>}
        </div>
        <div class="page-actions">
          {stream.status === 'LIVE' && (
            <Button look="danger" icon="stop" onClick={() => setQuestion('end')}>
              {t('End stream')}
            </Button>
          )}
          {!over && stream.ingest && stream.streamType === 'RTMP' && stream.status === 'CREATED' && (
            <LinkButton icon="camera" href={broadcastPage(stream)}>
              {t('Go live from browser')}
            </LinkButton>
          )}
          <LinkButton icon="play" href={viewerPage}>
            {t('Viewer page')}
          </LinkButton>
          <Button icon="edit" onClick={() => setQuestion('edit')}>
            {t('Edit details')}
          </Button>
          <Button look="quiet" icon="trash" onClick={() => setQuestion('delete')}>
            {t('Delete stream')}
          </Button>
        </div>
      </div>
      {watch.warning && (
        <Strip urgent>{told(watch.warning)}</Strip>
      )}
      <KeptRecordings userId={stream.user.id} streamId={stream.id} />
      <div class={`manage-columns manage-${phase}`}>
        <div class="manage-column">
          <StatePanel watch={watch} />
          {over && <StreamRecordings stream={stream} onChanged={() => store.retry()} />}
          {!closed && !elsewhere && (stream.streamType === 'RTMP' || stream.status === 'LIVE') && (
            <section class="panel" aria-labelledby="health-title">
              <h2 id="health-title">{t('Signal')}</h2>
              <HealthPanel id={stream.id} />
            </section>
          )}
          {!over && <StreamRecordings stream={stream} onChanged={() => store.retry()} />}
          <section class="panel" aria-labelledby="share-title">
            <h2 id="share-title">{t('Share')}</h2>
            <CopyField label={t('Viewer page')} what={t('viewer page address')} value={location.origin + viewerPage} />
            {stream.playback && (
              <CopyField label={t('Player for your own site')} what={t('embed code')} value={embedCode(stream.playback.playbackId)} />
            )}
            <ShareButton stream={stream} />
          </section>
          {stream.visibility === 'PRIVATE' && <Invitations stream={stream} />}
        </div>
        <div class="manage-column">
          {over && <OverPanel stream={stream} viewerPage={viewerPage} />}
          {!closed && stream.ingest && stream.streamType === 'BROWSER' && (
            <>
              <FromBrowser stream={stream} />
              <WhipCredentials stream={stream} ingest={stream.ingest} onChanged={(s) => store.apply(s)} />
            </>
          )}
          {!closed && stream.ingest && stream.streamType === 'RTMP' && (
            <>
              <Credentials stream={stream} ingest={stream.ingest} onChanged={(s) => store.apply(s)} />
              <HowTo ingest={stream.ingest} />
            </>
          )}
          <ChatPanel chat={chat} stream={stream} programTime={null} />
        </div>
      </div>
      <Questions question={question} stream={stream} store={store} close={() => setQuestion(null)} />
    </div>
  );
}

function Mine({ id }: { id: string }) {
  const chat = useMemo(() => createChat(client, id), [id]);
  const store = useMemo(() => createWatch(client, id, { role: 'owner', room: chat }), [chat]);
  useEffect(() => () => store.close(), [store]);
  const watch = useStore(store);
  const { phase, stream } = watch;
  useTitle(stream?.title ?? 'Stream');
  const missing = phase === 'not-found' || phase === 'deleted' || (stream && !stream.ingest && stream.status !== 'ENDED');
  if (missing || !stream)
    return (
      <NoStream
        why={missing ? 'missing' : phase === 'loading' ? 'loading' : 'failed'}
        error={watch.error}
        onRetry={() => store.retry()}
        skeleton={<div class="skeleton skeleton-block" />}
      >
        <Empty icon="info" title={phase === 'deleted' ? t('This stream was deleted') : t('You have no such stream')}>
          <LinkButton href="/dashboard" look="primary">
            {t('To my streams')}
          </LinkButton>
        </Empty>
      </NoStream>
    );
  return <Loaded store={store} chat={chat} watch={{ ...watch, stream }} />;
}

export function Manage({ id }: { id: string }) {
  return <ForUser>{(user) => (<Mine key={user.id} id={id} />)}</ForUser>;
}
