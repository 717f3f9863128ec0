// SPDX-License-Identifier: MIT
// The box that pictures come and go in. A new one is made under the old one and takes its place, its
// volume and its silence when it moves: who changes the way of watching sees no black and hears no gap.
import type { WhepState } from '../rtc/whep';
import { pageOptions } from '../store/play-options';
import type { Picture, Trouble } from '../store/source';
import { createStore, type Readable } from '../store/store';
import type { Media, Numbers, View } from './view';
import { openHls } from './view-hls';
import { openWhep } from './view-whep';

/** Live, and nothing comes by WebRTC for this long although the streamer is there: HLS may have it. */
const ABSENT_MS = 8000;
const LOOK_MS = 1000;

export interface StageState {
  cover: 'loading' | 'gone' | 'no-script' | null;
  /** The browser let it play without sound only. */
  silenced: boolean;
  /** By what the moving picture comes. */
  way: Picture['way'] | null;
}

export interface StageEvents {
  onEnded(): void;
  onTrouble(t: Trouble): void;
  /** Is there a streamer who sends? */
  connected(): boolean;
}

export interface Stage extends Readable<StageState> {
  show(picture: Picture, title: string): void;
  unmute(): void;
  numbers(): Promise<Numbers | null>;
  close(): void;
}

export const samePicture = (a: Picture | null, b: Picture): boolean =>
  a !== null && a.way === b.way && a.src === b.src && a.mode === b.mode && a.fromStart === b.fromStart;

export function createStage(box: HTMLElement, events: StageEvents): Stage {
  const store = createStore<StageState>({ cover: 'loading', silenced: false, way: null });
  let picture: Picture | null = null; // what was asked for last
  let current: View | null = null; // what is seen
  let seen: Picture | null = null; // the picture of it
  let incoming: View | null = null; // what will be, once it moves
  let waiting = false;
  let absentMs = 0;
  const patience = setInterval(() => {
    absentMs = waiting && events.connected() ? absentMs + LOOK_MS : 0;
    if (absentMs < ABSENT_MS) return;
    waiting = false;
    events.onTrouble('absent');
  }, LOOK_MS);

  function takeOver(view: View, media: Media, next: Picture) {
    const old = current;
    current = view;
    seen = next;
    incoming = null;
    if (old?.media) {
      media.volume = old.media.volume;
      if (!old.media.muted) {
        media.muted = false;
        // A browser that allows no sound here stops the picture instead.
        if (media.paused) {
          media.muted = true;
          void media.play().catch(() => {});
          store.patch({ silenced: true });
        }
      }
    }
    old?.close();
    store.patch({ cover: null });
  }

  function onWhepState(state: WhepState) {
    if (state === 'waiting') waiting = true;
    else if (state === 'playing' || state === 'closed') waiting = false; // while it asks again, it still waits
  }

  function show(next: Picture, title: string) {
    if (samePicture(picture, next)) return;
    picture = next;
    waiting = false;
    incoming?.close();
    incoming = null;
    if (current && samePicture(seen, next)) return; // the other one came to nothing: this one never stopped
    const mine = () => view === incoming || view === current;
    let played = false;
    const common = {
      onMedia(media: Media) {
        media.addEventListener('volumechange', () => !media.muted && store.patch({ silenced: false }));
        // A recording waits for its viewer; and what has nothing to hide behind is seen at once.
        if (view === incoming && (!current || next.mode === 'recorded')) takeOver(view, media, next);
      },
      onPlaying(media: Media) {
        if (view === incoming) takeOver(view, media, next);
        else if (view === current && !played && !muted) store.patch({ silenced: media.muted });
        played = true;
        if (view === current) store.patch({ way: next.way });
      },
      onEnded: () => view === current && events.onEnded(),
      onGone(why: 'gone' | 'no-script') {
        if (!mine()) return;
        current?.close();
        current = incoming = seen = null;
        store.patch({ cover: why, way: null });
      },
    };
    if (!current) store.patch({ cover: 'loading' });
    const muted = current !== null || pageOptions().muted; // until it takes over
    const view: View =
      next.way === 'webrtc'
        ? openWhep(box, next, title, muted, { ...common, onState: (state) => mine() && onWhepState(state), onTrouble: (t) => mine() && events.onTrouble(t) })
        : openHls(box, next, title, muted, common);
    incoming = view;
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    show,
    unmute() {
      if (current?.media) current.media.muted = false;
      store.patch({ silenced: false });
    },
    numbers: async () => (await current?.numbers()) ?? null,
    close() {
      clearInterval(patience);
      incoming?.close();
      current?.close();
      incoming = current = picture = seen = null;
    },
  };
}
