// SPDX-License-Identifier: MIT
// The recordings that lie in this browser: being made, being uploaded, or left from a visit that ended early.
// They outlive the page that made them, and the tab.
import { t } from '../i18n/t';
import type { FromKeeper, ToKeeper } from '../record/keeper-worker';
import { FOLDER, lockName, mediaName, readJournal, type Journal } from '../record/journal';
import { createStore, type Readable } from './store';

export type KeptPhase =
  | 'recording'
  | 'uploading'
  | 'retrying' // the line, or the server
  | 'stopped' // refused; `problem` says why
  | 'left' // nobody is busy with it
  | 'elsewhere'; // another tab is

export interface Kept extends Journal {
  phase: KeptPhase;
  written: number;
  /** The live stream needs the line; the upload goes on when there is room. */
  held: boolean;
  problem: string | null;
  /** This browser has no room for more of it. */
  full: boolean;
}

export interface KeeperPort {
  post(message: ToKeeper): void;
  close(): void;
}

/** What lies in the browser's storage. */
export interface Found {
  journal: string;
  written: number;
}

export interface RecordingsWorld {
  keeper(on: (message: FromKeeper) => void): KeeperPort;
  origin(): string;
  /** Empty when there is no storage. */
  find(): Promise<Found[]>;
  /** Names of the locks that are held, here or in another tab. */
  locks(): Promise<string[]>;
  /** A stream that nobody watched ends with its recording. */
  endStream(id: string): Promise<unknown>;
  /** What has been uploaded, and what has not. */
  announce(text: string, kind?: 'info' | 'error'): void;
}

export interface Recording {
  readonly id: string;
  piece(blob: Blob): void;
  end(): void;
  hold(on: boolean): void;
}

export interface RecordingsStore extends Readable<readonly Kept[]> {
  /** Looks at what is there; only this person's is told of. */
  look(userId: string): Promise<void>;
  begin(of: Pick<Journal, 'userId' | 'streamId' | 'title' | 'mime' | 'only'>, now: number, id: string): Recording;
  resume(id: string): void;
  retry(id: string): void;
  discard(id: string): void;
}

/** Something would be lost, or left half done, if the page closed. */
export const isBusy = (k: Kept) => k.phase === 'recording' || k.phase === 'uploading' || k.phase === 'retrying';

export function createRecordings(world: RecordingsWorld): RecordingsStore {
  const store = createStore<readonly Kept[]>([]);
  const ports = new Map<string, KeeperPort>();

  const get = (id: string) => store.get().find((k) => k.id === id);
  const put = (k: Kept) => store.set([...store.get().filter((o) => o.id !== k.id), k].sort((a, b) => b.startedAt - a.startedAt));
  const drop = (id: string) => store.set(store.get().filter((k) => k.id !== id));
  const patch = (id: string, part: Partial<Kept>) => {
    const k = get(id);
    if (k) put({ ...k, ...part });
  };

  function close(id: string) {
    ports.get(id)?.close();
    ports.delete(id);
  }

  function open(id: string, first: ToKeeper) {
    const hear = (m: FromKeeper) => {
      const k = get(id);
      if (!k) return;
      switch (m.type) {
        case 'opened':
          return put({ ...k, ...m.journal, written: m.written, acked: Math.min(m.journal.acked, m.written) });
        case 'state': {
          const { phase, acked, problem } = m.upload;
          const rest = { written: m.written, acked, held: phase === 'held' };
          if (phase === 'stopped') return put({ ...k, ...rest, phase: k.endedAt === null ? k.phase : 'stopped', problem });
          const after = phase === 'retrying' ? 'retrying' : 'uploading';
          return put({ ...k, ...rest, phase: k.endedAt === null ? 'recording' : after, problem });
        }
        case 'full':
          return put({ ...k, written: m.written, full: true });
        case 'failed':
          close(id);
          if (k.written === 0) return drop(id);
          if (m.elsewhere) return put({ ...k, phase: 'elsewhere' });
          return put({ ...k, phase: 'stopped', problem: m.message });
        case 'gone':
          close(id);
          drop(id);
          if (m.uploaded) world.announce(t('The recording of “{title}” is uploaded. The server prepares it now.', { title: k.title }));
      }
    };
    const port = world.keeper(hear);
    ports.set(id, port);
    port.post(first);
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    async look(userId) {
      const found = await world.find();
      const locks = new Set(await world.locks());
      const theirs = new Set<string>();
      for (const { journal: text, written } of found) {
        const journal = readJournal(text);
        if (!journal || journal.userId !== userId) continue;
        theirs.add(journal.id);
        if (ports.has(journal.id)) continue;
        const phase = locks.has(lockName(journal.id)) ? 'elsewhere' : 'left';
        const had = get(journal.id);
        if (phase === 'left' && written === 0) continue;
        if (had?.phase === 'stopped' && phase === 'left') continue; // its reason stays
        put({ ...journal, acked: Math.min(journal.acked, written), written, phase, held: false, problem: null, full: false });
      }
      for (const k of store.get()) if (!ports.has(k.id) && (!theirs.has(k.id) || k.userId !== userId)) drop(k.id);
    },
    begin(of, now, id) {
      const journal: Journal = { ...of, id, startedAt: now, endedAt: null, uploadUrl: null, acked: 0 };
      put({ ...journal, phase: 'recording', written: 0, held: false, problem: null, full: false });
      open(id, { type: 'start', origin: world.origin(), journal });
      const post = (m: ToKeeper) => ports.get(id)?.post(m);
      return {
        id,
        piece: (blob) => post({ type: 'piece', blob }),
        end() {
          const k = get(id);
          if (k && ports.has(id)) put({ ...k, endedAt: Date.now(), phase: k.phase === 'recording' ? 'uploading' : k.phase });
          post({ type: 'end' });
        },
        hold: (on) => post({ type: 'hold', on }),
      };
    },
    resume(id) {
      const k = get(id);
      if (!k || ports.has(id)) return;
      put({ ...k, phase: 'uploading', endedAt: k.endedAt ?? Date.now(), problem: null });
      // What was cut off belongs to a stream that nobody ended.
      if (k.only) void world.endStream(k.streamId).catch(() => {});
      open(id, { type: 'resume', origin: world.origin(), id });
    },
    retry(id) {
      const k = get(id);
      if (!k) return;
      if (!ports.has(id)) return this.resume(id);
      patch(id, { phase: k.endedAt === null ? 'recording' : 'uploading', problem: null });
      ports.get(id)?.post({ type: 'retry' });
    },
    discard(id) {
      const k = get(id);
      if (!k) return;
      if (!ports.has(id)) open(id, { type: 'resume', origin: world.origin(), id });
      ports.get(id)?.post({ type: 'discard' });
    },
  };
}

// --- the browser's side

async function folder(): Promise<FileSystemDirectoryHandle | null> {
  try {
    return await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER);
  } catch {
    return null; // none yet, or no storage
  }
}

type Entries = { entries(): AsyncIterable<[string, FileSystemHandle]> };

export async function findKept(): Promise<Found[]> {
  const dir = await folder();
  const out: Found[] = [];
  if (!dir) return out;
  for await (const [name] of (dir as unknown as Entries).entries()) {
    const id = /^(.+)\.journal$/.exec(name)?.[1];
    if (!id) continue;
    try {
      const journal = await (await (await dir.getFileHandle(name)).getFile()).text();
      const written = (await (await dir.getFileHandle(mediaName(id))).getFile()).size;
      out.push({ journal, written });
    } catch {
      // just being made, or just being removed
    }
  }
  return out;
}

/** The recording as a file, for saving it by hand. */
export async function fileOf(id: string): Promise<File | null> {
  try {
    const dir = await folder();
    return dir && (await (await dir.getFileHandle(mediaName(id))).getFile());
  } catch {
    return null;
  }
}
