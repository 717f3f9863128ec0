// SPDX-License-Identifier: MIT
// /embed/{playbackId}: the player and nothing else, for other people's pages.
import './styles/app.css';
import { render } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError } from './api/client';
import { backoffMs } from './api/backoff';
import { here, lookAt } from './api/playlist';
import type { Stream } from './api/types';
import { client } from './app';
import { t } from './i18n/t';
import { startLanguage } from './i18n/language';
import { keepPass, withPass } from './store/pass';
import { createWatch } from './store/watch';
import { pageOptions } from './store/play-options';
import { Ways } from './ui/delay';
import { Gate, lockOf, type Lock } from './ui/gate';
import { Player } from './ui/player';
import { usePicture } from './ui/use-picture';
import { useStore } from './ui/use-store';

function Cover({ title, busy, children }: { title?: string; busy?: boolean; children?: preact.ComponentChildren }) {
  return (
    <div class="player">
      <div class="player-cover" role="status">
        {busy && <span class="spinner spinner-large" aria-hidden="true" />}
        {title && <p class="player-cover-title">{title}</p>}
        {children}
      </div>
    </div>
  );
}

type State = 'looking' | 'waiting' | 'live' | 'recorded' | 'missing';

/** What is behind an address that belongs to no stream's page: a recording, or a stream of the media API. */
function Alone({ src }: { src: string }) {
  const [state, setState] = useState<State>('looking');
  const [round, setRound] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let stopped = false;
    let attempt = 0;
    async function turn() {
      const found = await lookAt(withPass(src));
      if (stopped) return;
      if (found === 'failed') {
        timer = setTimeout(turn, backoffMs(attempt++));
      } else if (found === 'not-live') {
        setState('waiting');
        timer = setTimeout(turn, 3000);
      } else {
        setState(found === 'starting' ? 'live' : found); // the player waits for the rest
      }
    }
    void turn();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [src, round]);
  if (state === 'live' || state === 'recorded')
    return (
      <Player
        picture={{ way: 'hls', src, mode: state, fromStart: false }}
        title={t('Stream')}
        onEnded={() => state === 'live' && setRound(round + 1)}
      />
    );
  if (state === 'looking') return <Cover busy />;
  return <Cover title={state === 'waiting' ? t('Not live at the moment') : t('There is no such video')} />;
}

function Screen({ stream, phase }: { stream: Stream; phase: Parameters<typeof usePicture>[1] }) {
  const shown = usePicture(stream, phase);
  const { picture, note, choices } = shown;
  const [seen, setSeen] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setSeen(note), 10_000);
    return () => clearTimeout(timer);
  }, [note]);
  if (!picture) {
    if (shown.phase === 'ended-processing') return <Cover title={t('The stream has ended')}>{t('The recording will be here in a moment.')}</Cover>;
    return <Cover title={shown.phase === 'ended' ? t('The stream has ended') : t('Not live at the moment')} />;
  }
  return (
    <>
      <Player
        picture={picture}
        title={stream.title}
        connected={shown.phase === 'live'}
        onEnded={picture.mode === 'live' ? shown.onPlayedOut : undefined}
        onTrouble={shown.onTrouble}
      />
      <div class="embed-top">
        <Ways all={choices} current={shown.choice} onChoose={shown.choose} />
      </div>
      <p class="embed-note" role="status">
        {shown.phase === 'reconnecting' ? t('The streamer lost the connection.') : note !== seen && note}
      </p>
    </>
  );
}

function Locked({ id, lock, onOpened }: { id: string; lock: Lock; onOpened: () => void }) {
  return (
    <div class="player">
      <div class="player-cover embed-locked">
        <Gate id={id} lock={lock} framed onEntered={onOpened} onRetry={onOpened} />
      </div>
    </div>
  );
}

function OfStream({ first, onOpened }: { first: Stream; onOpened: () => void }) {
  const store = useMemo(() => createWatch(client, first.id), [first.id]);
  useEffect(() => () => store.close(), [store]);
  const { phase, stream, lock } = useStore(store);
  if (phase === 'locked') return <Locked id={first.id} lock={lock ?? 'invitation'} onOpened={onOpened} />;
  if (phase === 'deleted' || phase === 'not-found') return <Cover title={t('There is no such video')} />;
  return stream ? <Screen stream={stream} phase={phase} /> : <Cover busy />;
}

function Embed({ id }: { id: string }) {
  const src = `/${id}.m3u8`;
  /** null: shown by itself. */
  const [stream, setStream] = useState<Stream | Lock | null | undefined>(undefined);
  const [round, setRound] = useState(0);
  const again = () => setRound(round + 1);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let attempt = 0;
    async function ask() {
      try {
        const found = await client.getPlayed(id);
        // One of its other recordings.
        const other = found.status === 'ENDED' && !found.playback?.remote && found.playback?.playbackId !== id && found.visibility !== 'PRIVATE' && (await lookAt(src)) === 'recorded';
        setStream(other ? null : found);
      } catch (e) {
        const lock = lockOf(e);
        if (lock) setStream(lock);
        else if (e instanceof ApiError && e.temporary) timer = setTimeout(ask, backoffMs(attempt++));
        else setStream(null);
      }
    }
    void ask();
    return () => clearTimeout(timer);
  }, [id, round]);
  if (stream === 'password' || stream === 'invitation') return <Locked id={id} lock={stream} onOpened={again} />;
  if (stream === undefined) return <Cover busy />;
  // One recording stays that recording, whatever its stream does next.
  const recording = stream?.recordingUrl;
  if (recording && here(recording).split('?')[0] === src) return <Alone src={stream.playback?.remote ? recording : keepPass(here(recording))} />;
  if (!stream) return <Alone src={src} />;
  return <OfStream key={String(round)} first={stream} onOpened={again} />;
}

const [, id] = /^\/embed\/([A-Za-z0-9_-]+)\/?$/.exec(location.pathname) ?? [];
const root = document.getElementById('app');
document.documentElement.classList.add('embedded');
if (!pageOptions().controls) document.documentElement.classList.add('embed-bare');
if (root)
  void startLanguage().then(() => {
    root.replaceChildren();
    render(
      <main class="embed">
        <h1 class="hidden-text">{t('bspnode player')}</h1>
        <Embed id={id ?? 'missing'} />
      </main>,
      root,
    );
  });
