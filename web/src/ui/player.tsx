// SPDX-License-Identifier: MIT
// <mux-player> on a playlist's address: loaded when it is first needed, and made anew when the picture
// stands still or the connection breaks, where it was.
import { useEffect, useRef, useState } from 'preact/hooks';
import { backoffMs } from '../api/backoff';
import { here, lookAt } from '../api/playlist';
import { createStallWatch } from '../store/stall';
import { Button } from './button';
import { loadPlayer } from './player-script';

/** At the live edge; live, from its beginning (the recording while it grows); over. */
export type PlayerMode = 'live' | 'rewind' | 'recorded';

export interface PlayerProps {
  src: string;
  mode: PlayerMode;
  title: string;
  onEnded?: (() => void) | undefined;
}

type MediaLike = HTMLElement & {
  currentTime: number;
  paused: boolean;
  ended: boolean;
  muted: boolean;
  _hlsConfig: Record<string, unknown>;
  error: { code: number } | null;
};

const MEDIA_ERR_DECODE = 3;

function element(props: PlayerProps, startAt: number, autoplay: boolean): MediaLike {
  const el = document.createElement('mux-player') as unknown as MediaLike;
  // Who starts late, or stalls once, gets back to the live edge by playing a little faster.
  if (props.mode === 'live') el._hlsConfig = { maxLiveSyncPlaybackRate: 1.1 };
  const attributes: Record<string, string> = {
    'stream-type': { live: 'll-live', rewind: 'live', recorded: 'on-demand' }[props.mode],
    'prefer-playback': 'mse',
    'disable-tracking': '',
    'disable-cookies': '',
    'metadata-video-title': props.title,
    'video-title': '',
    'accent-color': '#5fd4bd',
    'primary-color': '#ffffff',
    src: here(props.src),
  };
  if (autoplay) attributes.autoplay = 'any'; // with sound where the browser allows it, else muted
  if (props.mode === 'rewind') attributes['target-live-window'] = 'Infinity';
  if (startAt > 0) attributes['start-time'] = String(startAt);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  return el;
}

/** Waits until the playlist is there: a stream that has just gone live has none for a moment. False: there
 * is nothing to wait for. */
async function whenPlayable(src: string, stopped: () => boolean): Promise<boolean> {
  let failures = 0;
  while (!stopped()) {
    const found = await lookAt(here(src));
    if (found === 'live' || found === 'recorded') return true;
    if (found === 'missing') return false;
    const wait = found === 'failed' ? backoffMs(failures++) : 400;
    await new Promise((done) => setTimeout(done, wait));
  }
  return false;
}

export function Player(props: PlayerProps) {
  const { src, mode, title } = props;
  const live = mode === 'live';
  const box = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'loading' | 'playing' | 'gone' | 'no-script'>('loading');
  // Browsers start pictures with sound only where the viewer has clicked before.
  const [silenced, setSilenced] = useState(false);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    let stopped = false;
    let media: MediaLike | null = null;
    let reloads = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stall = createStallWatch();

    function mount(startAt: number, autoplay: boolean) {
      media = element(latest.current, startAt, autoplay);
      media.addEventListener('ended', () => latest.current.onEnded?.());
      media.addEventListener('playing', () => (reloads = 0));
      if (autoplay) media.addEventListener('playing', () => setSilenced(media?.muted ?? false), { once: true });
      media.addEventListener('volumechange', () => !media?.muted && setSilenced(false));
      media.addEventListener('error', () => {
        // A stream that cannot be decoded does not get better by asking again.
        if (media?.error?.code !== MEDIA_ERR_DECODE || live) reload(backoffMs(reloads++));
      });
      box.current?.replaceChildren(media);
      setState('playing');
    }

    function reload(afterMs: number) {
      clearTimeout(timer);
      timer = setTimeout(async () => {
        if (!(await whenPlayable(src, () => stopped)) || stopped) return;
        stall.reloaded(performance.now());
        const wasPaused = media?.paused === true && !media.error;
        mount(live ? 0 : (media?.currentTime ?? 0), live || !wasPaused);
      }, afterMs);
    }

    async function start() {
      setState('loading');
      const script = loadPlayer();
      const playable = await whenPlayable(src, () => stopped);
      if (!(await script)) return stopped || setState('no-script');
      if (stopped) return;
      if (!playable) return setState('gone');
      // A growing recording would be joined at its end.
      mount(mode === 'rewind' ? 0.01 : 0, mode !== 'recorded');
    }

    const watch = setInterval(() => {
      if (!media || !live) return;
      const shouldPlay = !media.paused && !media.ended && !document.hidden;
      if (stall.sample(performance.now(), media.currentTime, shouldPlay)) reload(0);
    }, 1000);

    void start();
    return () => {
      stopped = true;
      clearTimeout(timer);
      clearInterval(watch);
      media?.remove();
    };
  }, [src, mode]);

  function unmute() {
    const media = box.current?.querySelector<MediaLike>('mux-player');
    if (media) media.muted = false;
    setSilenced(false);
  }

  return (
    <div class="player" role="region" aria-label={`Video: ${title}`}>
      <div class="player-media" ref={box} />
      {state === 'playing' && silenced && (
        <div class="player-sound">
          <Button small icon="muted" onClick={unmute}>
            Turn on the sound
          </Button>
        </div>
      )}
      {state === 'loading' && (
        <div class="player-cover">
          <span class="spinner spinner-large" aria-hidden="true" />
          <p>{live ? 'The picture is on its way.' : 'Loading.'}</p>
        </div>
      )}
      {state === 'gone' && (
        <div class="player-cover">
          <p>The video is not there any more.</p>
        </div>
      )}
      {state === 'no-script' && (
        <div class="player-cover">
          <p>The player could not be loaded.</p>
          <Button icon="refresh" onClick={() => location.reload()}>
            Load the page again
          </Button>
        </div>
      )}
    </div>
  );
}
