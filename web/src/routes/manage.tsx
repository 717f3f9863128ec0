// SPDX-License-Identifier: MIT
// One stream as its owner sees it: credentials, state, health.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce, client } from '../app';
import type { Stream } from '../api/types';
import { viewers } from '../store/format';
import { navigate } from '../store/router';
import { createWatch, phaseOf, type Watch, type WatchPhase, type WatchStore } from '../store/watch';
import { StateBadge } from '../ui/badge';
import { Button, LinkButton } from '../ui/button';
import { CopyField } from '../ui/copy';
import { Credentials, HowTo, WhipCredentials } from '../ui/credentials';
import { Confirm } from '../ui/dialog';
import { ForUser } from '../ui/guard';
import { KeptRecordings } from '../ui/recordings-loader';
import { HealthPanel } from '../ui/health';
import { Icon } from '../ui/icons';
import { useTitle } from '../ui/page';
import { Empty, NoStream } from '../ui/states';
import { EditDialog } from '../ui/stream-form';
import { StreamRecordings } from '../ui/stream-recordings-loader';
import { Ago, Duration, Elapsed } from '../ui/time';
import { useStore } from '../ui/use-store';
import { DeleteQuestion } from './dashboard';

const SPOKEN: Partial<Record<WatchPhase, string>> = {
  live: 'You are live.',
  reconnecting: 'Your encoder lost the connection.',
  'ended-recorded': 'The stream has ended. The recording is ready.',
  ended: 'The stream has ended.',
};

function recordingWords(stream: Stream): string {
  switch (stream.recordingStatus) {
    case 'RECORDING':
      return 'Being recorded';
    case 'READY':
      return 'Recording ready';
    case 'FAILED':
      return 'The recording stopped: it could not be written';
    case 'UPLOADING':
      return 'The browser’s recording is being uploaded';
    case 'PROCESSING':
      return 'Recording is being prepared';
    case 'NONE':
      return stream.status === 'ENDED' ? 'No recording' : 'Is recorded by itself';
  }
}

function StatePanel({ watch }: { watch: Watch & { stream: Stream } }) {
  const { stream, phase } = watch;
  const live = stream.status === 'LIVE';
  return (
    <section class={`panel state state-${phase}`} aria-labelledby="state-title">
      <h2 id="state-title" class="hidden-text">
        State
      </h2>
      <div class="state-now">
        <StateBadge stream={stream} />
        {live && stream.startedAt && (
          <span class="state-clock">
            <Elapsed since={stream.startedAt} />
          </span>
        )}
        {phase === 'waiting' && <span>{stream.streamType === 'BROWSER' ? 'Waiting for you' : 'Waiting for your encoder'}</span>}
        {stream.status === 'ENDED' && stream.endedAt && (
          <span>
            <Ago at={stream.endedAt} />
          </span>
        )}
      </div>
      <dl class="figures numbers">
        {live && (
          <div class="figure">
            <dt>Watching now</dt>
            <dd>{viewers(watch.viewers)}</dd>
          </div>
        )}
        {stream.status !== 'CREATED' && (
          <div class="figure">
            <dt>Peak</dt>
            <dd>{viewers(Math.max(stream.peakViewers, watch.viewers))}</dd>
          </div>
        )}
        {stream.status === 'ENDED' && stream.duration !== null && (
          <div class="figure">
            <dt>Length</dt>
            <dd>
              <Duration seconds={stream.duration} />
            </dd>
          </div>
        )}
        <div class="figure">
          <dt>Recording</dt>
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
      <h2 id="over-title">This stream is over</h2>
      <p>
        {recorded && 'Its recording plays on the viewer page for as long as you keep the stream. '}
        {stream.endedReason === 'limit' && 'It had reached the longest time that this server allows. '}
        {comesBack(stream)
          ? 'It ended because the encoder was gone. Start the encoder again with the same key, and it goes live again with a new recording.'
          : 'To go live again, create a new stream.'}
      </p>
      <div class="panel-foot">
        <LinkButton look="primary" href={recorded ? viewerPage : '/dashboard'}>
          {recorded ? 'Watch the recording' : 'To my streams'}
        </LinkButton>
      </div>
    </section>
  );
}

function FromBrowser({ stream }: { stream: Stream }) {
  const live = stream.status === 'LIVE';
  return (
    <section class="panel" aria-labelledby="browser-title">
      <h2 id="browser-title">From this browser</h2>
      <p>{live ? 'You are live. Camera, microphone and screen are on the broadcast page.' : 'Choose camera and microphone, look at yourself, then go live. Nothing is sent before.'}</p>
      <div class="panel-foot">
        <LinkButton look="primary" icon="camera" href={broadcastPage(stream)}>
          {live ? 'To the broadcast page' : 'Go live from browser'}
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
          announce('Saved.');
        }}
      />
    );
  if (question === 'end')
    return (
      <Confirm
        title="End this stream?"
        action="End now"
        onClose={close}
        onConfirm={async () => store.apply(await client.endStream(stream.id))}
      >
        <p>Viewers see the end at once and the recording is closed. A stream that has ended cannot go live again.</p>
      </Confirm>
    );
  if (question === 'delete')
    return <DeleteQuestion stream={stream} onClose={close} onDeleted={() => navigate('/dashboard')} />;
  return null;
}

function Loaded({ store, watch }: { store: WatchStore; watch: Watch & { stream: Stream } }) {
  const { stream, phase, online } = watch;
  const [question, setQuestion] = useState<Question>(null);
  const over = stream.status === 'ENDED';
  const closed = over && !comesBack(stream);
  const viewerPage = `/stream/${encodeURIComponent(stream.id)}`;
  // Another server takes it in: nothing of its signal is known here.
  const elsewhere = stream.playback?.remote === true && stream.streamType === 'RTMP';
  const before = useRef(phase);
  useEffect(() => {
    if (before.current !== phase && SPOKEN[phase]) announce(SPOKEN[phase] ?? '', { quiet: true });
    before.current = phase;
  }, [phase]);
  return (
    <div class="page manage">
      <a class="back" href="/dashboard">
        <Icon name="back" size={18} /> My streams
      </a>
      <div class="page-head">
        <div class="manage-title">
          <h1>{stream.title}</h1>
          {stream.description && <p>{stream.description}</p>}
        </div>
        <div class="page-actions">
          {stream.status === 'LIVE' && (
            <Button look="danger" icon="stop" onClick={() => setQuestion('end')}>
              End stream
            </Button>
          )}
          {!over && stream.ingest && stream.streamType === 'RTMP' && stream.status === 'CREATED' && (
            <LinkButton icon="camera" href={broadcastPage(stream)}>
              Go live from browser
            </LinkButton>
          )}
          <LinkButton icon="play" href={viewerPage}>
            Viewer page
          </LinkButton>
          <Button icon="edit" onClick={() => setQuestion('edit')}>
            Edit details
          </Button>
          <Button look="quiet" icon="trash" onClick={() => setQuestion('delete')}>
            Delete stream
          </Button>
        </div>
      </div>
      {!online && (
        <p class="strip strip-warn" role="status">
          <Icon name="warning" size={18} /> The connection to the server was lost. Trying again.
        </p>
      )}
      {watch.warning && (
        <p class="strip strip-warn" role="alert">
          <Icon name="warning" size={18} /> {watch.warning}
        </p>
      )}
      <KeptRecordings userId={stream.user.id} streamId={stream.id} />
      <div class={`manage-columns manage-${phase}`}>
        <div class="manage-column">
          <StatePanel watch={watch} />
          {over && <StreamRecordings stream={stream} onChanged={() => store.retry()} />}
          {!closed && !elsewhere && (stream.streamType === 'RTMP' || stream.status === 'LIVE') && (
            <section class="panel" aria-labelledby="health-title">
              <h2 id="health-title">Signal</h2>
              <HealthPanel id={stream.id} />
            </section>
          )}
          {!over && <StreamRecordings stream={stream} onChanged={() => store.retry()} />}
          <section class="panel" aria-labelledby="share-title">
            <h2 id="share-title">Share</h2>
            <CopyField label="Viewer page" what="viewer page address" value={location.origin + viewerPage} />
            {stream.playback && (
              <CopyField label="Player for your own site" what="embed code" value={embedCode(stream.playback.playbackId)} />
            )}
          </section>
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
        </div>
      </div>
      <Questions question={question} stream={stream} store={store} close={() => setQuestion(null)} />
    </div>
  );
}

function Mine({ id }: { id: string }) {
  const store = useMemo(() => createWatch(client, id, { role: 'owner' }), [id]);
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
        <Empty icon="info" title={phase === 'deleted' ? 'This stream was deleted' : 'You have no such stream'}>
          <LinkButton href="/dashboard" look="primary">
            To my streams
          </LinkButton>
        </Empty>
      </NoStream>
    );
  return <Loaded store={store} watch={{ ...watch, stream }} />;
}

export function Manage({ id }: { id: string }) {
  return <ForUser>{(user) => (<Mine key={user.id} id={id} />)}</ForUser>;
}
