// SPDX-License-Identifier: MIT
// Which picture is played now, and by which way: the stream's state, what the viewer has chosen, and what
// went wrong. Plain rules; the player does as it is told (ui/stage.ts).
import { here } from '../api/playlist';
import type { Stream, StreamType } from '../api/types';
import { t } from '../i18n/t';
import type { WhepTrouble } from '../rtc/whep-rules';
import { keepPass } from './pass';
import { createStore, type Readable } from './store';

/** The ways to watch what is live. */
export type Choice =
  | 'lowest' // WebRTC: under half a second
  | 'steady' // low-latency HLS: a few seconds, through every network
  | 'rewind'; // the recording while it grows: the whole broadcast to go back in

export type PlayerMode = 'live' | 'rewind' | 'recorded';

/** One thing to play. Equal pictures are the same player. */
export interface Picture {
  way: 'webrtc' | 'hls';
  src: string;
  mode: PlayerMode;
  /** Of `rewind`: from the first second, or from now. */
  fromStart: boolean;
}

export type Trouble =
  | WhepTrouble
  | 'absent'; // live, and nothing of it comes by WebRTC

/** What is known of the stream. */
export interface Sight {
  onAir: boolean;
  /** On air, and the streamer's connection is up. */
  connected: boolean;
  /** Over, and the recording can be watched. */
  recorded: boolean;
  kind: StreamType;
  hlsUrl: string | null;
  whepUrl: string | null;
  recordingUrl: string | null;
}

export interface Wish {
  /** Null: whatever suits the stream. */
  choice: Choice | null;
  /** The recording that is gone back in: the address is missing for a moment while the broadcast ends. */
  rewind: string | null;
  fromStart: boolean;
  /** Why WebRTC is not used although it would be. */
  trouble: Trouble | null;
}

export function sightOf(stream: Stream, phase: { onAir: boolean; recorded: boolean }): Sight {
  const address = (url?: string | null) => (!url ? null : stream.playback?.remote ? url : keepPass(here(url, 'http://localhost')));
  return {
    ...phase,
    connected: phase.onAir && stream.connected !== false,
    kind: stream.streamType,
    hlsUrl: address(stream.playback?.hlsUrl),
    whepUrl: address(stream.playback?.whepUrl),
    recordingUrl: address(stream.recordingUrl),
  };
}

/** Every way that is open, best first, whatever has gone wrong: the viewer may ask for it again. */
export function choicesOf(s: Sight, canWebrtc: boolean): Choice[] {
  if (!s.onAir) return [];
  const all: Choice[] = [];
  if (canWebrtc && s.whepUrl) all.push('lowest');
  if (s.hlsUrl) all.push('steady');
  if (s.recordingUrl) all.push('rewind');
  return all;
}

/** LIVE and BROWSER opens WebRTC, LIVE and RTMP opens HLS, unless the viewer has chosen; HLS where WebRTC
 * does not go. Null: there is nothing to choose. */
export function choiceOf(s: Sight, w: Wish, canWebrtc: boolean): Choice | null {
  const open = choicesOf(s, canWebrtc);
  const wished = w.choice ?? (s.kind === 'BROWSER' ? 'lowest' : 'steady');
  if (wished === 'lowest' && w.trouble && open.includes('steady')) return 'steady';
  return open.includes(wished) ? wished : (open.find((c) => c !== 'lowest' || !w.trouble) ?? null);
}

export function pictureOf(s: Sight, w: Wish, canWebrtc: boolean): Picture | null {
  // Who has gone back stays there when the stream ends.
  if (w.choice === 'rewind' && w.rewind && (s.onAir || s.recorded))
    return { way: 'hls', src: w.rewind, mode: 'rewind', fromStart: w.fromStart };
  if (s.recorded) return s.recordingUrl ? { way: 'hls', src: s.recordingUrl, mode: 'recorded', fromStart: false } : null;
  const choice = choiceOf(s, w, canWebrtc);
  if (choice === 'lowest' && s.whepUrl) return { way: 'webrtc', src: s.whepUrl, mode: 'live', fromStart: false };
  return choice && s.hlsUrl ? { way: 'hls', src: s.hlsUrl, mode: 'live', fromStart: false } : null;
}

/** Said quietly while the picture comes another way than it would. */
export function noteOf(s: Sight, w: Wish, canWebrtc: boolean): string | null {
  if (!w.trouble || w.choice === 'rewind' || choiceOf(s, w, canWebrtc) !== 'steady') return null;
  switch (w.trouble) {
    case 'blocked':
      return t('This network does not let the fastest way through. You are watching a few seconds behind.');
    case 'stalled':
      return t('The fastest way broke off. You are watching a few seconds behind.');
    default:
      return t('This stream cannot be had the fastest way now. You are watching a few seconds behind.');
  }
}

/** Where a choice is kept from visit to visit; localStorage, or nothing where that is forbidden. */
export interface Shelf {
  get(): string | null;
  put(value: string): void;
}

const KEY = 'bspnode-watch';

export const browserShelf: Shelf = {
  get() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  },
  put(value) {
    try {
      localStorage.setItem(KEY, value);
    } catch {
      // kept for this visit only
    }
  },
};

export interface WishStore extends Readable<Wish> {
  choose(choice: Exclude<Choice, 'rewind'>): void;
  /** Into the growing recording at `url`. */
  rewind(url: string, from?: 'start'): void;
  /** Back from the growing recording to what was watched before. */
  backToLive(): void;
  trouble(t: Trouble): void;
  /** The stream as it is now: a streamer who comes back is tried anew. */
  seen(s: Sight): void;
  /** The network is another one. */
  networkChanged(): void;
}

const remembered = (v: string | null): Choice | null => (v === 'lowest' || v === 'steady' ? v : null);

export function createWish(shelf: Shelf = browserShelf): WishStore {
  const store = createStore<Wish>({ choice: remembered(shelf.get()), rewind: null, fromStart: false, trouble: null });
  let connected = false;
  return {
    get: store.get,
    subscribe: store.subscribe,
    choose(choice) {
      shelf.put(choice); // how far behind one watches is for always; going back in a stream is for now
      store.set({ choice, rewind: null, fromStart: false, trouble: choice === 'lowest' ? null : store.get().trouble });
    },
    rewind(url, from) {
      store.patch({ choice: 'rewind', rewind: url, fromStart: from === 'start' });
    },
    backToLive() {
      store.patch({ choice: remembered(shelf.get()), rewind: null, fromStart: false });
    },
    trouble(t) {
      store.patch({ trouble: t });
    },
    seen(s) {
      const returned = s.connected && !connected;
      connected = s.connected;
      const { trouble, rewind } = store.get();
      // Live again, with a new recording: what was gone back in is another broadcast.
      if (rewind && s.recordingUrl && s.recordingUrl !== rewind) this.backToLive();
      if (returned && trouble && trouble !== 'blocked') store.patch({ trouble: null });
    },
    networkChanged() {
      const { trouble } = store.get();
      if (trouble === 'blocked' || trouble === 'stalled') store.patch({ trouble: null });
    },
  };
}
