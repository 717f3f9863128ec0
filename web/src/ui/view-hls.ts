// SPDX-License-Identifier: MIT
// <mux-player> on a playlist's address: loaded when it is first needed, and made anew when the picture
// stands still or the connection breaks, where it was.
import { backoffMs } from '../api/backoff';
import { lookAt } from '../api/playlist';
import { passOf, withPass } from '../store/pass';
import { pageOptions } from '../store/play-options';
import type { Picture, PlayerMode } from '../store/source';
import { createStallWatch } from '../store/stall';
import { loadPlayer } from './player-script';
import type { Media, Numbers, View, ViewEvents } from './view';

type MuxPlayer = Media & {
  error: { code: number } | null;
  videoWidth: number;
  videoHeight: number;
  /** The programme's date at the playhead; invalid while it is not known. */
  currentPdt?: Date;
  _hlsConfig: Record<string, unknown>;
  _hls?: { latency?: number; bandwidthEstimate?: number; levels?: { bitrate?: number }[]; currentLevel?: number } | undefined;
};

const MEDIA_ERR_DECODE = 3;
const STREAM_TYPE: Record<PlayerMode, string> = { live: 'll-live', rewind: 'live', recorded: 'on-demand' };

interface Made {
  picture: Picture;
  title: string;
  startAt: number;
  autoplay: boolean;
  muted: boolean;
}

/** Beside a recording's playlist are its picture and the pictures of its time line; with Mux they have a host
 * of their own. */
function images(src: string): Record<string, string> {
  const list = src.replace(/^https:\/\/stream\./, 'https://image.');
  const beside = list.replace(/\.m3u8$/, '');
  const pass = passOf(src) && `&${passOf(src)}`;
  return beside === list ? {} : { poster: `${beside}/thumbnail.webp?width=1280${pass}`, 'storyboard-src': `${beside}/storyboard.vtt?format=webp${pass}` };
}

function element({ picture, title, startAt, autoplay, muted }: Made): MuxPlayer {
  const el = document.createElement('mux-player') as unknown as MuxPlayer;
  // Who starts late, or stalls once, gets back to the live edge by playing a little faster.
  if (picture.mode === 'live') el._hlsConfig = { maxLiveSyncPlaybackRate: 1.1 };
  const attributes: Record<string, string> = {
    'stream-type': STREAM_TYPE[picture.mode],
    'prefer-playback': 'mse',
    'disable-tracking': '',
    'disable-cookies': '',
    'metadata-video-title': title,
    'video-title': '',
    'accent-color': '#5fd4bd',
    'primary-color': '#ffffff',
    src: withPass(picture.src),
  };
  if (picture.mode === 'recorded') Object.assign(attributes, images(picture.src));
  if (autoplay) attributes.autoplay = 'any'; // with sound where the browser allows it, else muted
  if (muted) attributes.muted = '';
  if (picture.mode === 'rewind') attributes['target-live-window'] = 'Infinity';
  if (startAt > 0) attributes['start-time'] = String(startAt);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  return el;
}

/** Waits until the playlist is there: a stream that has just gone live has none for a moment. False: there
 * is nothing to wait for. */
async function whenPlayable(src: string, stopped: () => boolean): Promise<boolean> {
  let failures = 0;
  while (!stopped()) {
    const found = await lookAt(withPass(src));
    if (found === 'live' || found === 'recorded') return true;
    if (found === 'missing') return false;
    const wait = found === 'failed' ? backoffMs(failures++) : 400;
    await new Promise((done) => setTimeout(done, wait));
  }
  return false;
}

/** Before the first picture there is none, and nothing of the room is due yet. */
function programTime(media: MuxPlayer): number {
  const at = media.currentPdt?.getTime();
  return at !== undefined && at > 0 ? at : 0;
}

function numbersOf(media: MuxPlayer): Numbers {
  const hls = media._hls;
  const level = hls?.levels?.[hls.currentLevel ?? -1];
  const latency = hls?.latency;
  return {
    delay: latency !== undefined && latency > 0 ? latency : null,
    width: media.videoWidth || null,
    height: media.videoHeight || null,
    fps: null,
    bitrate: level?.bitrate ?? null,
    loss: null,
    codec: null,
    programTime: programTime(media),
  };
}

/** `muted`: another picture is still heard. */
export function openHls(box: HTMLElement, picture: Picture, title: string, muted: boolean, events: ViewEvents): View {
  const live = picture.mode === 'live';
  let stopped = false;
  let media: MuxPlayer | null = null;
  let reloads = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stall = createStallWatch();

  function mount(startAt: number, autoplay: boolean) {
    const old = media;
    const el = element({ picture, title, startAt, autoplay, muted: old ? old.muted : muted });
    media = el;
    el.addEventListener('ended', () => events.onEnded());
    el.addEventListener('playing', () => {
      reloads = 0;
      if (media === el) events.onPlaying(el);
    });
    el.addEventListener('error', () => {
      // A stream that cannot be decoded does not get better by asking again.
      if (el.error?.code !== MEDIA_ERR_DECODE || live) reload(backoffMs(reloads++));
    });
    if (old) old.replaceWith(el);
    else box.append(el);
    if (old) el.volume = old.volume;
    events.onMedia(el);
  }

  function reload(afterMs: number) {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (!(await whenPlayable(picture.src, () => stopped)) || stopped) return;
      stall.reloaded(performance.now());
      const wasPaused = media?.paused === true && !media.error;
      mount(live ? 0 : (media?.currentTime ?? 0), live || !wasPaused);
    }, afterMs);
  }

  async function start() {
    const script = loadPlayer();
    const playable = await whenPlayable(picture.src, () => stopped);
    if (stopped) return;
    if (!(await script)) return events.onGone('no-script');
    if (stopped) return;
    if (!playable) return events.onGone('gone');
    // A growing recording is joined at its end, unless told otherwise. A finished one waits to be started, unless
    // that was what the person pressed.
    const { startAt, autoplay } = pageOptions();
    const usual = picture.mode !== 'recorded' || picture.fromStart;
    mount(picture.fromStart ? 0.01 : picture.mode === 'recorded' ? startAt : 0, autoplay ?? usual);
  }

  const watch = setInterval(() => {
    if (!media || !live) return;
    const shouldPlay = !media.paused && !media.ended && !document.hidden;
    if (stall.sample(performance.now(), media.currentTime, shouldPlay)) reload(0);
  }, 1000);

  void start();
  return {
    get media() {
      return media;
    },
    numbers: async () => (media ? numbersOf(media) : null),
    close() {
      stopped = true;
      clearTimeout(timer);
      clearInterval(watch);
      media?.remove();
    },
  };
}
