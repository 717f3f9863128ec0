// SPDX-License-Identifier: MIT
// The recording that this page makes while it broadcasts, or instead: when it begins, when it ends, and what
// to say of it.
import type { Recorder, RecorderHandlers } from '../record/recorder';
import { warnAt } from '../record/plan';
import type { Quality } from '../rtc/plan';
import type { Tracks } from '../rtc/whip';
import type { Situation } from './broadcast';
import type { Recording, RecordingsStore } from './recordings';
import { createStore, type Readable } from './store';
import type { StudioStore } from './studio';

/** Why this browser cannot record. */
export type NoRecorder = 'no-recorder' | 'no-storage' | 'no-room';

export type RecordingPhase =
  | 'off'
  | 'recording'
  | 'limit' // it has reached its longest time
  | 'full' // no room any more
  | 'broken'; // the browser stopped it, or could not begin

export interface RecordingState {
  /** Null: not known yet. */
  able: boolean | null;
  why: NoRecorder | null;
  /** The person's wish. */
  on: boolean;
  /** Nobody watches. */
  only: boolean;
  phase: RecordingPhase;
  /** Performance time when it began; null: it has not. */
  sinceMs: number | null;
  /** Of the store of recordings. */
  id: string | null;
  /** The longest, in seconds; 0: no limit. */
  limitS: number;
  /** The end is near. */
  warned: boolean;
}

export interface RecordingWorld {
  able(q: Quality): Promise<NoRecorder | null>;
  limits(): Promise<{ seconds: number; bytes: number }>;
  recorder(tracks: Tracks, quality: Quality, handlers: RecorderHandlers): Recorder;
  nowMs(): number;
  wallMs(): number;
  newId(): string;
  read(key: string): string | null;
  write(key: string, text: string): void;
  every(ms: number, fn: () => void): () => void;
}

export interface RecordingStore extends Readable<RecordingState> {
  setOn(on: boolean): void;
  setOnly(only: boolean): void;
  /** The broadcast's situation, whenever it changes. */
  see(situation: Situation): void;
  /** Record only: begins now. */
  start(): void;
  end(): void;
  /** The live stream needs the line. */
  hold(on: boolean): void;
  close(): void;
}

const ON_KEY = 'bspnode-record';
/** Leaves the upload's limit some room for the last piece. */
const SPARE_BYTES = 4 * 1024 * 1024;

interface Of {
  userId: string;
  streamId: string;
  title: string;
}

export function createRecording(world: RecordingWorld, recordings: RecordingsStore, studio: StudioStore, of: Of): RecordingStore {
  const store = createStore<RecordingState>({
    able: null,
    why: null,
    on: world.read(ON_KEY) !== 'off',
    only: false,
    phase: 'off',
    sinceMs: null,
    id: null,
    limitS: 0,
    warned: false,
  });
  let recorder: Recorder | null = null;
  let kept: Recording | null = null;
  let maxBytes = 0;
  let program = studio.get().program;
  let situation: Situation = 'prepare';
  let held = false;
  let closed = false;

  const unStudio = studio.subscribe(() => {
    const next = studio.get().program;
    if (next === program) return;
    program = next;
    recorder?.replace(program);
  });

  void world.able(studio.get().quality).then((why) => {
    if (closed) return;
    store.patch({ able: why === null, why, ...(why && { only: false }) });
    consider();
  });
  void world.limits().then(({ seconds, bytes }) => {
    maxBytes = bytes;
    store.patch({ limitS: seconds });
  }, () => {}); // it cannot say: then the server has the last word

  function begin() {
    program = studio.get().program;
    if (recorder || !program.video) return;
    const { only } = store.get();
    let mine: Recorder | null = null;
    let into: Recording | null = null;
    store.patch({ phase: 'recording', sinceMs: world.nowMs(), id: null, warned: false });
    mine = recorder = world.recorder(program, studio.get().quality, {
      onPiece(piece, type) {
        if (!into) {
          into = kept = recordings.begin({ ...of, mime: type, only }, world.wallMs(), world.newId());
          if (held) into.hold(true);
          store.patch({ id: into.id });
        }
        into.piece(piece);
        tick(); // a hidden page's timers are slow
      },
      onEnd(problem) {
        into?.end();
        if (kept === into) kept = null;
        if (mine !== null && recorder !== mine) return;
        recorder = null;
        if (problem !== null) store.patch({ phase: 'broken' });
        else if (store.get().phase === 'recording') store.patch({ phase: 'off' });
      },
    });
    // It could not even begin.
    if (store.get().phase === 'broken') recorder = null;
  }

  function stop(phase: RecordingPhase) {
    if (!recorder) return;
    const old = recorder;
    store.patch({ phase, warned: false });
    recorder = null;
    old.stop();
  }

  /** Live and wanted: it begins. Not sent any more: it ends. One broadcast is recorded once. */
  function consider() {
    const { able, on, only, phase } = store.get();
    if (only) return;
    if (situation === 'live' && able && on && phase === 'off') begin();
    const goesOn = situation === 'live' || situation === 'recovering' || situation === 'starting';
    if (!goesOn) {
      stop('off');
      if (phase !== 'recording') store.patch({ phase: 'off' });
    }
  }

  function tick() {
    const { phase, sinceMs, limitS, id, warned } = store.get();
    if (phase !== 'recording' || sinceMs === null) return;
    const seconds = (world.nowMs() - sinceMs) / 1000;
    const mine = recordings.get().find((k) => k.id === id);
    const near = warnAt(limitS);
    if (mine?.full) stop('full');
    else if (id !== null && !mine) stop('broken'); // there was no place for it
    else if ((limitS > 0 && seconds >= limitS) || (maxBytes > 0 && (mine?.written ?? 0) > maxBytes - SPARE_BYTES)) stop('limit');
    else if (!warned && near !== null && seconds >= near) store.patch({ warned: true });
  }
  const unTick = world.every(1000, tick);

  return {
    get: store.get,
    subscribe: store.subscribe,
    setOn(on) {
      world.write(ON_KEY, on ? 'on' : 'off');
      store.patch({ on });
      if (on) consider();
      else if (!store.get().only) stop('off');
    },
    setOnly(only) {
      if (store.get().phase !== 'recording') store.patch({ only: only && store.get().able === true, phase: 'off' });
    },
    see(next) {
      if (next === situation) return;
      situation = next;
      consider();
    },
    start() {
      studio.hold(true);
      begin();
    },
    end() {
      stop('off');
      if (store.get().only) studio.hold(false);
    },
    hold(on) {
      held = on;
      kept?.hold(on);
    },
    close() {
      closed = true;
      stop('off');
      unStudio();
      unTick();
    },
  };
}
