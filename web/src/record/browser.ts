// SPDX-License-Identifier: MIT
// The browser's parts, for recording: its MediaRecorder, its storage, its locks.
import { announce, client } from '../app';
import { t } from '../i18n/t';
import { widthOf } from '../rtc/plan';
import { createMixer } from '../rtc/sound';
import type { NoRecorder, RecordingWorld } from '../store/recording';
import { createRecordings, findKept, isBusy } from '../store/recordings';
import source from 'worker:./keeper-worker.ts';
import type { FromKeeper } from './keeper-worker';
import { roomNeeded, typesToTry } from './plan';
import { createRecorder } from './recorder';
import { createRelay } from './relay';

function safely<T>(what: () => T): T | null {
  try {
    return what();
  } catch {
    return null;
  }
}

/** The one store of this page; it stays when pages change. */
export const recordings = createRecordings({
  keeper(on) {
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    const worker = new Worker(url);
    worker.onmessage = ({ data }: MessageEvent<FromKeeper>) => on(data);
    worker.onerror = (e) => on({ type: 'failed', message: e.message || t('The browser could not start it.'), elsewhere: false });
    return {
      post: (m) => worker.postMessage(m),
      close() {
        worker.terminate();
        URL.revokeObjectURL(url);
      },
    };
  },
  origin: () => location.origin,
  find: findKept,
  async locks() {
    const all = await navigator.locks?.query().catch(() => null);
    return (all?.held ?? []).map((l) => l.name ?? '');
  },
  endStream: (id) => client.endStream(id),
  announce: (text, kind = 'info') => announce(text, { kind }),
});

// Closing the page would leave something half done: the browser asks.
const warn = (e: BeforeUnloadEvent) => {
  e.preventDefault();
  e.returnValue = 'uploading';
};
let warns = false;
recordings.subscribe(() => {
  const busy = recordings.get().some(isBusy);
  if (busy === warns) return;
  warns = busy;
  if (busy) addEventListener('beforeunload', warn);
  else removeEventListener('beforeunload', warn);
});

const supported = (type: string) => MediaRecorder.isTypeSupported(type);

export const recordingWorld: RecordingWorld = {
  async able(q): Promise<NoRecorder | null> {
    if (typeof MediaRecorder === 'undefined' || typesToTry(supported).length === 0) return 'no-recorder';
    try {
      await navigator.storage.getDirectory();
      if (!navigator.locks) return 'no-storage';
    } catch {
      return 'no-storage';
    }
    const { quota, usage } = await navigator.storage.estimate().catch(() => ({}) as StorageEstimate);
    return quota !== undefined && quota - (usage ?? 0) < roomNeeded(q) ? 'no-room' : null;
  },
  async limits() {
    const s = await client.getSettings();
    return { seconds: s.maxRecordingDuration, bytes: s.maxUploadSize };
  },
  recorder: (tracks, quality, handlers) =>
    createRecorder(
      {
        supported,
        relay: (q) => createRelay({ width: widthOf(q.height), height: q.height, fps: q.fps }),
        mixer: () => safely(createMixer),
        stream: (all) => new MediaStream(all),
        recorder: (stream, options) => new MediaRecorder(stream, options),
      },
      tracks,
      quality,
      handlers,
    ),
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  newId: () => crypto.randomUUID(),
  read: (key) => safely(() => localStorage.getItem(key)),
  write: (key, text) => void safely(() => localStorage.setItem(key, text)),
  every(ms, fn) {
    const timer = setInterval(fn, ms);
    return () => clearInterval(timer);
  },
};
