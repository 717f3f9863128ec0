// SPDX-License-Identifier: MIT
// The studio in the browser: preview, go live, live, over. What is what is decided in store/broadcast.ts.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { announce, client } from '../app';
import { here } from '../api/playlist';
import type { RecordingStatus, Stream, User } from '../api/types';
import { msg, t, told, tx } from '../i18n/t';
import { recordingWorld, recordings } from '../record/browser';
import { whyNot } from '../rtc/capture';
import { createComposer } from '../rtc/compose';
import { preferCodecs } from '../rtc/plan';
import { createSignalling } from '../rtc/signalling';
import { createMixer } from '../rtc/sound';
import { createTabs } from '../rtc/tabs';
import { browserSenderWorld, createSender } from '../rtc/whip';
import { createBroadcast, isOver, isSending, situationOf, type BroadcastStore, type Situation } from '../store/broadcast';
import { viewers } from '../store/format';
import { guardLeaving, navigate } from '../store/router';
import { createRecording, type RecordingStore } from '../store/recording';
import { createStudio, type StudioStore } from '../store/studio';
import { createChat, type ChatStore } from '../store/chat';
import { createWatch, phaseOf, type Watch, type WatchStore } from '../store/watch';
import { Button, LinkButton } from '../ui/button';
import { ChatPanel } from '../ui/chat';
import { CopyField } from '../ui/copy';
import { Confirm } from '../ui/dialog';
import { ForUser } from '../ui/guard';
import { HealthPanel } from '../ui/health';
import { Icon } from '../ui/icons';
import { Badge, type BadgeLook } from '../ui/kit/badge';
import { useTitle } from '../ui/page';
import { Recordings } from '../ui/recordings';
import { Empty, Failed } from '../ui/states';
import { DirectPanel } from '../ui/studio/direct';
import { SendingPanel } from '../ui/studio/live';
import { RecordPanel, RecordingMatter, useHold } from '../ui/studio/record';
import { DevicePanel, QualityPanel } from '../ui/studio/settings';
import { Controls, Meter, Stage, Troubles, useShortcuts } from '../ui/studio/stage';
import { StreamRecordings } from '../ui/stream-recordings-loader';
import { Duration, Elapsed } from '../ui/time';
import { useStore } from '../ui/use-store';

const viewerPage = (s: Stream) => `/stream/${encodeURIComponent(s.id)}`;
const managePage = (s: Stream) => `/dashboard/${encodeURIComponent(s.id)}`;

// --- the browser's side of the stores

function safely<T>(what: () => T): T | null {
  try {
    return what();
  } catch {
    return null; // no storage in private mode; no mixer in an old browser
  }
}

function browserStudio(title: string): StudioStore {
  return createStudio(
    {
      media: navigator.mediaDevices,
      async permission(kind) {
        try {
          return (await navigator.permissions.query({ name: kind as PermissionName })).state;
        } catch {
          return undefined; // a browser that does not tell
        }
      },
      composer: createComposer,
      mixer: () => safely(createMixer),
      read: (key) => safely(() => localStorage.getItem(key)),
      write: (key, text) => void safely(() => localStorage.setItem(key, text)),
    },
    title,
  );
}

function browserBroadcast(watch: WatchStore, studio: StudioStore): BroadcastStore {
  return createBroadcast(
    {
      sender: ({ whipUrl, streamKey }, tracks, plan) =>
        // Where this page came from, whatever name the server calls itself by.
        createSender(createSignalling(here(whipUrl), { bearer: streamKey }), browserSenderWorld, tracks, plan),
      codecs(t) {
        const all = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
        if (all.length > 0) t.setCodecPreferences?.(preferCodecs(all));
      },
      now: () => performance.now(),
    },
    watch,
    studio,
  );
}

// --- pieces

const SPOKEN: Partial<Record<Situation, string>> = {
  live: msg('You are live.'),
  recovering: msg('The connection is lost. Trying again.'),
  over: msg('The stream has ended.'),
  elsewhere: msg('This stream is live from somewhere else.'),
  yielded: msg('Another tab has taken over.'),
};

// Telephones stop the camera of a page that is not in front; computers do not.
const tabsHint = (alone: boolean) => {
  if (matchMedia('(pointer: coarse)').matches) return msg('Keep this page in front: telephones stop the camera in the background.');
  return alone
    ? msg('You can use other tabs and programs meanwhile. Closing this page ends the recording.')
    : msg('You can use other tabs and programs meanwhile. Closing this page stops sending.');
};

const BADGES: Partial<Record<Situation, [look: BadgeLook, text: string]>> = {
  live: ['live', msg('Live')],
  starting: ['warn', msg('Going live…')],
  recovering: ['warn', msg('Reconnecting')],
  resumable: ['warn', msg('Waiting for you')],
  elsewhere: ['live', msg('Live elsewhere')],
};

function Overlay({ situation, watch, alone }: { situation: Situation; watch: Watch & { stream: Stream }; alone: boolean }) {
  const [look, text]: [BadgeLook, string] = alone ? ['live', msg('Recording')] : (BADGES[situation] ?? ['calm', msg('Preview')]);
  const { stream } = watch;
  const live = stream.status === 'LIVE';
  return (
    <>
      <Badge look={look}>{t(text)}</Badge>
      {live && stream.startedAt && (
        <span class="stage-fact numbers">
          <Elapsed since={stream.startedAt} />
        </span>
      )}
      {live && (
        <span class="stage-fact numbers">
          <Icon name="people" size={16} /> {viewers(watch.viewers)}
        </span>
      )}
    </>
  );
}

function Strip({ children, error }: { children: preact.ComponentChildren; error?: boolean }) {
  return (
    <div class={`strip strip-tall${error ? '' : ' strip-warn'}`} role={error ? 'alert' : 'status'}>
      <Icon name="warning" size={18} />
      <div class="strip-words">{children}</div>
    </div>
  );
}

/** What is the matter, and the way out. */
function Matter({ situation, broadcast, watch, stream, onTakeOver }: { situation: Situation; broadcast: BroadcastStore; watch: Watch; stream: Stream; onTakeOver: () => void }) {
  const { send, otherTab } = useStore(broadcast);
  const why = send.problem?.message;
  return (
    <>
      {situation === 'starting' && send.problem && (
        <Strip>
          <p>
            {tx('{what} {why} Trying again…', { what: <b>{t('Going live is taking longer.')}</b>, why })}
          </p>
        </Strip>
      )}
      {situation === 'recovering' && (
        <Strip>
          <p>
            {tx('{what} Keep this page open: it reconnects by itself and goes on with the same stream.', { what: <b>{t('The connection to the server is lost.')}</b> })}{send.attempt > 1 && ` ${t('(Attempt {attempt}.)', { attempt: send.attempt })}`}{' '}
            {stream.status === 'ENDED' && t('The stream was closed meanwhile; it goes live again, with a new recording.')}
          </p>
        </Strip>
      )}
      {situation === 'resumable' && (
        <Strip>
          <p>
            {tx('{what} Press Go live to go on where it stopped. Without you it ends within about a minute.', { what: <b>{t('The stream is live and waits for you.')}</b> })}
          </p>
        </Strip>
      )}
      {situation === 'elsewhere' && (
        <Strip>
          <p>
            <b>{otherTab ? t('You are live in another tab.') : t('This stream is live from another program, tab or computer.')}</b>{' '}
            {otherTab ? t('You can go on from here instead.') : t('Stop it there first; then you can go live here.')}
          </p>
          {otherTab && (
            <Button small onClick={onTakeOver}>
              {t('Go on in this tab')}
            </Button>
          )}
        </Strip>
      )}
      {situation === 'yielded' && (
        <Strip>
          <p>
            {tx('{what} Nothing is sent from this one any more.', { what: <b>{t('Another tab has taken over.')}</b> })}
          </p>
        </Strip>
      )}
      {situation === 'refused' && (
        <Strip error>
          <p>
            <b>{t('The server does not take the stream.')}</b> {why}{' '}
            {send.problem?.status === 401 || send.problem?.status === 403 ? t('Load this page again: its key may have been replaced.') : ''}
          </p>
          <Button small icon="refresh" onClick={() => location.reload()}>
            {t('Load again')}
          </Button>
        </Strip>
      )}
      {stream.status === 'ENDED' && situation !== 'recovering' && situation !== 'starting' && situation !== 'live' && (
        <Strip>
          <p>
            {tx('{what} It is recorded. Press Go live to go live again, with a new recording.', { what: <b>{t('The last broadcast ended because nothing came any more.')}</b> })}
          </p>
        </Strip>
      )}
      {!watch.online && !isSending(situation) && (
        <Strip>
          <p>{t('The connection to the server was lost. Trying again.')}</p>
        </Strip>
      )}
      {watch.warning && (
        <Strip>
          <p>{told(watch.warning)}</p>
        </Strip>
      )}
    </>
  );
}

function EndQuestion({ store, broadcast, stream, onClose }: { store: WatchStore; broadcast: BroadcastStore; stream: Stream; onClose: () => void }) {
  return (
    <Confirm
      title={t('End this stream?')}
      action={t('End now')}
      onClose={onClose}
      onConfirm={async () => {
        store.apply(await client.endStream(stream.id));
        await broadcast.leave();
      }}
    >
      <p>{t('Viewers see the end at once and the recording is closed. A stream that has ended cannot go live again.')}</p>
    </Confirm>
  );
}

/** Of a recording without viewers. */
function StopQuestion({ onStop, onClose }: { onStop: () => Promise<void>; onClose: () => void }) {
  return (
    <Confirm
      title={t('End this recording?')}
      action={t('End now')}
      onClose={onClose}
      onConfirm={onStop}
    >
      <p>{t('What is not uploaded yet is uploaded now; then the recording can be watched. A stream that has ended cannot be gone on with.')}</p>
    </Confirm>
  );
}

function LeaveQuestion({ to, broadcast, onAlone, onClose }: { to: string; broadcast: BroadcastStore; onAlone: (() => Promise<void>) | null; onClose: () => void }) {
  return (
    <Confirm
      title={t('Leave this page?')}
      action={t('Leave')}
      onClose={onClose}
      onConfirm={async () => {
        await (onAlone ? onAlone() : broadcast.leave());
        guardLeaving(null);
        navigate(to, { force: true });
      }}
    >
      {onAlone ? (
        <p>{t('You are recording: without this page the recording ends here, and the stream with it. What there is of it is uploaded.')}</p>
      ) : (
        <p>{t('You are live: without this page nothing is sent any more. If you come back within about a minute, the stream goes on; otherwise it ends by itself.')}</p>
      )}
    </Confirm>
  );
}

/** A session that expires must not end a broadcast. */
let onAir = false;

/** The screen stays on, and closing the page is asked about, while something is sent. */
function useWhileSending(sending: boolean, broadcast: BroadcastStore, ask: (to: string) => void) {
  useEffect(() => {
    onAir = sending;
    if (!sending) return;
    const warn = (e: BeforeUnloadEvent) => {
      e.preventDefault();
      e.returnValue = 'live'; // browsers of before 2023 look at this one
    };
    const away = () => broadcast.sender()?.abandon();
    let lock: WakeLockSentinel | null = null;
    const wake = () => {
      if (document.hidden) return;
      navigator.wakeLock?.request('screen').then(
        (l) => (lock = l),
        () => {}, // low battery
      );
    };
    let hiddenAt: number | null = null;
    const onVisible = () => {
      if (document.hidden) {
        hiddenAt = Date.now();
        return;
      }
      wake();
      if (hiddenAt !== null && Date.now() - hiddenAt > 5000) announce(t('The stream went on while this tab was hidden.'));
      hiddenAt = null;
    };
    wake();
    addEventListener('beforeunload', warn);
    addEventListener('pagehide', away);
    document.addEventListener('visibilitychange', onVisible);
    guardLeaving(ask);
    return () => {
      onAir = false;
      removeEventListener('beforeunload', warn);
      removeEventListener('pagehide', away);
      document.removeEventListener('visibilitychange', onVisible);
      guardLeaving(null);
      void lock?.release().catch(() => {});
    };
  }, [sending]);
}

function useTabs(id: string, broadcast: BroadcastStore, recording: RecordingStore, situation: Situation) {
  const tabs = useMemo(
    () =>
      createTabs(id, {
        sending: () => broadcast.sender() !== null || recording.get().phase === 'recording',
        onOther: () => broadcast.setOtherTab(true),
        async letGo() {
          recording.end();
          await broadcast.letGo();
        },
      }),
    [id, broadcast, recording],
  );
  useEffect(() => () => tabs.close(), [tabs]);
  useEffect(() => {
    if (situation === 'elsewhere') tabs.ask();
  }, [tabs, situation]);
  return tabs;
}

/** The recording follows the broadcast; one that reaches its end with nobody watching ends the stream. */
function useRecording(recording: RecordingStore, situation: Situation, store: WatchStore, stream: Stream) {
  const state = useStore(recording);
  useEffect(() => recording.see(situation), [recording, situation]);
  const done = state.only && (state.phase === 'limit' || state.phase === 'full') && stream.status === 'CREATED';
  useEffect(() => {
    if (done) client.endStream(stream.id).then((s) => store.apply(s), () => announce(t('The stream could not be ended. Try again from its page.'), { kind: 'error' }));
  }, [done]);
  return state;
}

function Studio({ store, chat, watch }: { store: WatchStore; chat: ChatStore; watch: Watch & { stream: Stream } }) {
  const { stream } = watch;
  const studio = useMemo(() => browserStudio(stream.title), []);
  const broadcast = useMemo(() => browserBroadcast(store, studio), []);
  const recording = useMemo(() => createRecording(recordingWorld, recordings, studio, { userId: stream.user.id, streamId: stream.id, title: stream.title }), []);
  const seen = useStore(studio);
  const b = useStore(broadcast);
  const [question, setQuestion] = useState<'end' | 'stop' | { to: string } | null>(null);
  const [hint, setHint] = useState<'muted' | 'silent' | null>(null);
  const [shortcuts, setShortcuts] = useShortcuts(studio);
  const situation = situationOf(stream, b, seen.program.video !== null);
  const sending = isSending(situation);
  const rec = useRecording(recording, situation, store, stream);
  const alone = rec.only && rec.phase === 'recording';
  const tabs = useTabs(stream.id, broadcast, recording, situation);
  const otherRecords = useStore(recordings).some((k) => k.streamId === stream.id && k.phase === 'elsewhere' && k.endedAt === null);
  useHold(recording, sending ? broadcast.sender() : null, seen, b.sinceMs);
  useWhileSending(sending || alone, broadcast, (to) => setQuestion({ to }));
  useTitle(`${situation === 'live' ? '● Live: ' : ''}${stream.title}`);
  useEffect(() => {
    void studio.open();
    return () => {
      recording.close();
      broadcast.close();
      studio.close();
    };
  }, []);
  const before = useRef(situation);
  useEffect(() => {
    if (before.current !== situation && SPOKEN[situation]) announce(t(SPOKEN[situation] ?? ''), { quiet: true });
    before.current = situation;
  }, [situation]);

  const stopAlone = async () => {
    recording.end();
    store.apply(await client.endStream(stream.id));
  };
  const takeOver = () => void tabs.takeOver().then(() => (rec.only ? recording.start() : broadcast.start()));
  const canGo = seen.program.video !== null && ['ready', 'resumable', 'yielded', 'refused'].includes(situation);
  return (
    <div class="page studio">
      <a class="back" href={managePage(stream)}>
        <Icon name="back" size={18} /> {stream.title}
      </a>
      <h1 class="hidden-text">{t('Broadcast: {title}', { title: stream.title })}</h1>
      <Matter situation={situation} broadcast={broadcast} watch={watch} stream={stream} onTakeOver={takeOver} />
      {otherRecords && stream.status !== 'LIVE' && (
        <Strip>
          <p>
            {tx('{what} You can go on from here instead, with another recording.', { what: <b>{t('This stream is being recorded in another tab.')}</b> })}
          </p>
          <Button small onClick={() => void tabs.takeOver()}>
            {t('End it there')}
          </Button>
        </Strip>
      )}
      <RecordingMatter recording={rec} />
      <Recordings userId={stream.user.id} streamId={stream.id} />
      <div class="studio-columns">
        <div class="studio-main">
          <Stage studio={seen}>
            <Overlay situation={situation} watch={watch} alone={alone} />
          </Stage>
          <Meter studio={seen} onHint={setHint} />
          <div class="studio-bar">
            <Controls studio={seen} store={studio} />
            <div class="studio-go">
              {!sending && situation !== 'elsewhere' && !rec.only && (
                <Button look="live" icon="broadcast" disabled={!canGo} onClick={() => broadcast.start()}>
                  {t('Go live')}
                </Button>
              )}
              {!sending && rec.only && !alone && (
                <Button look="live" icon="record" disabled={!canGo || otherRecords} onClick={() => recording.start()}>
                  {t('Start recording')}
                </Button>
              )}
              {alone && (
                <Button look="danger" icon="stop" onClick={() => setQuestion('stop')}>
                  {t('End recording')}
                </Button>
              )}
              {sending && stream.status !== 'LIVE' && (
                <>
                  <Button look="live" busy>
                    {t('Going live…')}
                  </Button>
                  <Button onClick={() => void broadcast.leave()}>{t('Cancel')}</Button>
                </>
              )}
              {stream.status === 'LIVE' && (
                <Button look="danger" icon="stop" onClick={() => setQuestion('end')}>
                  {t('End stream')}
                </Button>
              )}
            </div>
          </div>
          <Troubles studio={seen} store={studio} hint={hint} />
          {(sending || alone) && <p class="field-hint">{t(tabsHint(alone))}</p>}
        </div>
        <div class="studio-side">
          {(sending || stream.status === 'LIVE') && <ChatPanel chat={chat} stream={stream} programTime={null} />}
          {sending && (
            <>
              <RecordPanel recording={rec} store={recording} sending={sending} fresh={stream.status === 'CREATED'} />
              <SendingPanel sender={broadcast.sender()} studio={seen} sinceMs={b.sinceMs} connected={b.send.phase === 'live'} />
              <section class="panel" aria-labelledby="health-title">
                <h2 id="health-title">{t('What arrives')}</h2>
                <HealthPanel id={stream.id} />
              </section>
              <section class="panel" aria-labelledby="share-title">
                <h2 id="share-title">{t('Share')}</h2>
                <CopyField label={t('Viewer page')} what={t('viewer page address')} value={location.origin + viewerPage(stream)} />
              </section>
            </>
          )}
          {!sending && <RecordPanel recording={rec} store={recording} sending={sending} fresh={stream.status === 'CREATED'} />}
          <DevicePanel studio={seen} store={studio} />
          <QualityPanel studio={seen} store={studio} sending={sending || alone} shortcuts={shortcuts} onShortcuts={setShortcuts} />
          {!rec.only && <DirectPanel stream={stream} viewers={Math.max(watch.viewers, watch.pages)} studio={seen} situation={situation} broadcast={broadcast} />}
        </div>
      </div>
      {question === 'end' && <EndQuestion store={store} broadcast={broadcast} stream={stream} onClose={() => setQuestion(null)} />}
      {question === 'stop' && <StopQuestion onStop={stopAlone} onClose={() => setQuestion(null)} />}
      {question && typeof question === 'object' && <LeaveQuestion to={question.to} broadcast={broadcast} onAlone={alone ? stopAlone : null} onClose={() => setQuestion(null)} />}
    </div>
  );
}

const OVER_WORDS: Record<RecordingStatus, string> = {
  NONE: msg('There is no recording.'),
  RECORDING: msg('The recording is being finished.'),
  UPLOADING: msg('The recording from the browser is being uploaded.'),
  PROCESSING: msg('The recording is being prepared.'),
  READY: msg('The recording is ready: it plays on the viewer page.'),
  FAILED: msg('The recording could not be written to its end.'),
};

function Over({ stream }: { stream: Stream }) {
  const recorded = phaseOf(stream) === 'ended-recorded';
  useTitle(stream.title);
  return (
    <div class="page page-narrow">
      <h1 class="hidden-text">{t('Broadcast: {title}', { title: stream.title })}</h1>
      <Recordings userId={stream.user.id} streamId={stream.id} />
      <Empty icon="check" title={t('The stream has ended')}>
        <p>
          <b>{stream.title}</b>
          {!!stream.duration && (
            <>
              {' · '}
              <Duration seconds={stream.duration} />
            </>
          )}
          {stream.peakViewers > 0 && ` · ${t('{viewers} at peak', { viewers: viewers(stream.peakViewers) })}`}
        </p>
        <p>
          {stream.endedReason === 'limit' && `${t('It had reached the longest time that this server allows.')} `}
          {t(OVER_WORDS[stream.recordingStatus])}
        </p>
        <div class="empty-actions">
          {recorded && (
            <LinkButton look="primary" icon="play" href={viewerPage(stream)}>
              {t('Watch the recording')}
            </LinkButton>
          )}
          <LinkButton href="/dashboard">{t('To my streams')}</LinkButton>
        </div>
      </Empty>
      <StreamRecordings stream={stream} onChanged={() => {}} />
    </div>
  );
}

function NoWay({ why, stream }: { why: 'insecure' | 'unsupported'; stream: Stream }) {
  const insecure = why === 'insecure';
  useTitle(stream.title);
  return (
    <div class="page page-narrow">
      <h1 class="hidden-text">{t('Broadcast: {title}', { title: stream.title })}</h1>
      <Empty icon="warning" title={insecure ? t('Browsers give no camera to this address') : t('This browser cannot go live')}>
        {insecure ? (
          <p>
            {tx('This page came over plain http from {what}. Browsers give camera and microphone only to pages that came over https, or from this computer itself (http://localhost). Ask for the server’s https address, or set up a certificate ({code}, {code2}).', { what: <b>{location.host}</b>, code: <code>--tls-cert</code>, code2: <code>--tls-key</code> })}
          </p>
        ) : (
          <p>{t('It has no WebRTC, or it is switched off. Use a current Chrome, Edge, Firefox or Safari.')}</p>
        )}
        <p>{t('With OBS or another program you can go live in any case.')}</p>
        <LinkButton look="primary" href={managePage(stream)}>
          {t('Stream with OBS')}
        </LinkButton>
      </Empty>
    </div>
  );
}

/** What an encoder sends goes to another server, which takes nothing of a browser's. */
function ForEncoders({ stream, onChanged }: { stream: Stream; onChanged: (s: Stream) => void }) {
  const [error, setError] = useState<string | null>(null);
  async function change() {
    try {
      onChanged(await client.editStream(stream.id, { streamType: 'BROWSER' }));
    } catch (e) {
      setError(e instanceof ApiError ? e.message : t('Something went wrong.'));
    }
  }
  return (
    <div class="page page-narrow">
      <h1 class="hidden-text">{stream.title}</h1>
      <Empty icon="info" title={t('This stream is for an encoder')}>
        {stream.status === 'CREATED' ? (
          <p>{t('It can be yours to send from this browser instead. Its stream key stops working then.')}</p>
        ) : (
          <p>{t('It has been live from one, so it cannot be sent from a browser any more. Make a new stream for that.')}</p>
        )}
        {error && (
          <p class="strip" role="alert">
            {error}
          </p>
        )}
        <div class="empty-actions">
          {stream.status === 'CREATED' && (
            <Button look="primary" icon="camera" onClick={change}>
              {t('Send it from this browser')}
            </Button>
          )}
          <LinkButton href={`/dashboard/${encodeURIComponent(stream.id)}`}>{t('To the stream')}</LinkButton>
        </div>
      </Empty>
    </div>
  );
}

function Mine({ id, user }: { id: string; user: User }) {
  const chat = useMemo(() => createChat(client, id), [id]);
  const store = useMemo(() => createWatch(client, id, { role: 'owner', room: chat }), [chat]);
  useEffect(() => () => store.close(), [store]);
  const watch = useStore(store);
  const { phase, stream } = watch;
  if (phase === 'loading')
    return (
      <div class="page" aria-busy="true">
        <h1 class="hidden-text">{t('Loading the stream')}</h1>
        <div class="skeleton skeleton-block" />
      </div>
    );
  if (phase === 'not-found' || phase === 'deleted' || (stream && stream.user.id !== user.id))
    return (
      <div class="page page-narrow">
        <h1 class="hidden-text">{t('Broadcast')}</h1>
        <Empty icon="info" title={phase === 'deleted' ? t('This stream was deleted') : phase === 'not-found' ? t('There is no such stream') : t('This is not your stream')}>
          {stream && phase !== 'deleted' && <p>{t('Only the person who made it can go live here.')}</p>}
          <div class="empty-actions">
            {stream && phase !== 'deleted' && <LinkButton href={viewerPage(stream)}>{t('Watch it')}</LinkButton>}
            <LinkButton href="/dashboard" look="primary">
              {t('To my streams')}
            </LinkButton>
          </div>
        </Empty>
      </div>
    );
  if (!stream)
    return (
      <div class="page page-narrow">
        <h1 class="hidden-text">{t('Broadcast')}</h1>
        <Failed title={t('The stream could not be loaded')} text={watch.error} onRetry={() => store.retry()} />
      </div>
    );
  if (isOver(stream)) return <Over stream={stream} />;
  if (stream.ingest && !stream.ingest.whipUrl) return <ForEncoders stream={stream} onChanged={(s) => store.apply(s)} />;
  const why = whyNot({ isSecureContext, hasDevices: !!navigator.mediaDevices?.getUserMedia, hasPeer: typeof RTCPeerConnection !== 'undefined' });
  if (why) return <NoWay why={why} stream={stream} />;
  return <Studio store={store} chat={chat} watch={{ ...watch, stream }} />;
}

export function Broadcast({ id }: { id: string }) {
  return <ForUser stay={() => onAir}>{(user) => <Mine key={user.id} id={id} user={user} />}</ForUser>;
}
