// SPDX-License-Identifier: MIT
// Keeps one recording: writes its pieces to the browser's own storage (OPFS) and uploads what it has written.
// A thread of its own, because only there files are written at once, and because a hidden tab does not slow it.
import { ApiError, createClient } from '../api/client';
import { here } from '../api/playlist';
import { msg } from '../i18n/t';
import { FOLDER, journalLine, journalName, lockName, mediaName, readJournal, uploadIdOf, uploadKey, type Journal } from './journal';
import { createUploader, type Answer, type Uploader, type UploadState } from './uploader';

export type ToKeeper =
  | { type: 'start'; origin: string; journal: Journal }
  | { type: 'resume'; origin: string; id: string }
  | { type: 'piece'; blob: Blob }
  | { type: 'end' }
  | { type: 'hold'; on: boolean }
  | { type: 'retry' }
  | { type: 'discard' };

export type FromKeeper =
  | { type: 'opened'; journal: Journal; written: number }
  | { type: 'state'; written: number; upload: UploadState }
  | { type: 'full'; written: number }
  /** It could not be opened, or was not there. */
  | { type: 'failed'; message: string; elsewhere: boolean }
  /** Nothing of it is in this browser any more. */
  | { type: 'gone'; uploaded: boolean };

// Workers', not in TypeScript's library of pages.
interface SyncHandle {
  read(into: Uint8Array, at: { at: number }): number;
  write(from: Uint8Array, at: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

const PUT_TIMEOUT_MS = 120_000;

const post = (message: FromKeeper) => (self as unknown as { postMessage(m: unknown): void }).postMessage(message);
const bytesOf = (text: string) => new TextEncoder().encode(text);

let origin = '';
let folder: FileSystemDirectoryHandle | null = null;
let media: SyncHandle | null = null;
let log: SyncHandle | null = null;
let journal: Journal | null = null;
let written = 0;
let full = false;
let uploader: Uploader | null = null;
let last: UploadState = { phase: 'idle', acked: 0, problem: null };
let letGo = () => {};

async function open(name: string, create: boolean): Promise<SyncHandle> {
  const file = await folder!.getFileHandle(name, { create });
  return (file as unknown as { createSyncAccessHandle(): Promise<SyncHandle> }).createSyncAccessHandle();
}

function note(part: Partial<Journal>) {
  if (!journal || !log) return;
  Object.assign(journal, part);
  const line = bytesOf(journalLine(part));
  try {
    // Without room the journal stays behind: the server is asked anyway.
    log.write(line, { at: log.getSize() });
    log.flush();
  } catch {}
}

/** Only one page at a time; a page that crashes lets go. */
async function lock(id: string): Promise<boolean> {
  return new Promise((done) => {
    void navigator.locks.request(lockName(id), { ifAvailable: true }, (held) => {
      done(held !== null);
      return held && new Promise<void>((free) => (letGo = free));
    });
  });
}

async function answerOf(response: Response): Promise<Answer> {
  let message: string | null = null;
  if (response.status >= 400) {
    const body = (await response.json().catch(() => null)) as { error?: { message?: unknown; messages?: unknown } } | null;
    const said = body?.error?.message ?? (Array.isArray(body?.error?.messages) ? body.error.messages[0] : null);
    if (typeof said === 'string' && said !== '') message = said;
  }
  return { status: response.status, range: response.headers.get('Range'), message };
}

const client = createClient((url, init) => fetch(origin + url, init));

function upload() {
  const j = journal!;
  const tell = (state: UploadState) => {
    last = state;
    if (state.phase === 'done') return void gone(true);
    post({ type: 'state', written, upload: state });
  };
  uploader = createUploader(
    {
      async create(lost) {
        const { uploadUrl, remote } = await client.uploadRecording(j.streamId, j.mime, uploadKey(j.id, lost));
        // On this server: where this page came from, whatever name the server calls itself by.
        return remote ? uploadUrl : here(uploadUrl, origin);
      },
      async put(url, range, body) {
        const to = new URL(url, origin).href;
        const init: RequestInit = { method: 'PUT', credentials: 'omit', headers: { 'Content-Range': range }, signal: AbortSignal.timeout(PUT_TIMEOUT_MS) };
        if (body) init.body = body as Uint8Array<ArrayBuffer>;
        return answerOf(await fetch(to, init));
      },
      read(from, to) {
        const out = new Uint8Array(to - from);
        if (media!.read(out, { at: from }) !== out.length) throw new ApiError(400, 'file', msg('The recording in this browser cannot be read.'));
        return out;
      },
      note,
      tell,
      after(ms, fn) {
        const timer = setTimeout(fn, ms);
        return () => clearTimeout(timer);
      },
      nowMs: () => performance.now(),
    },
    j,
  );
  uploader.grown(written);
}

async function begin(message: Extract<ToKeeper, { type: 'start' | 'resume' }>) {
  origin = message.origin;
  const id = message.type === 'start' ? message.journal.id : message.id;
  if (!(await lock(id))) return post({ type: 'failed', message: msg('Another tab is busy with this recording.'), elsewhere: true });
  folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  const fresh = message.type === 'start';
  log = await open(journalName(id), fresh);
  media = await open(mediaName(id), fresh);
  if (fresh) {
    journal = { ...message.journal };
    note(message.journal);
  } else {
    const lines = new Uint8Array(log.getSize());
    log.read(lines, { at: 0 });
    journal = readJournal(new TextDecoder().decode(lines));
    written = media.getSize();
    if (!journal || written === 0) return gone(false);
    // The broken line, if there is one, is ended.
    log.write(bytesOf('\n'), { at: log.getSize() });
    if (journal.endedAt === null) note({ endedAt: Date.now() });
  }
  post({ type: 'opened', journal, written });
  upload();
  if (!fresh) uploader!.end();
}

async function piece(blob: Blob) {
  if (full || !media || blob.size === 0) return;
  const bytes = new Uint8Array(await blob.arrayBuffer());
  try {
    const n = media.write(bytes, { at: written });
    media.flush();
    written += n;
    full = n < bytes.length;
  } catch {
    full = true; // QuotaExceededError; what was written stays
    written = Math.min(written, media.getSize());
  }
  uploader?.grown(written);
  if (full) post({ type: 'full', written });
  else post({ type: 'state', written, upload: last });
}

function close() {
  uploader?.close();
  uploader = null;
  media?.close();
  log?.close();
  media = log = null;
}

async function remove() {
  const id = journal?.id;
  close();
  if (id) for (const name of [mediaName(id), journalName(id)]) await folder?.removeEntry(name).catch(() => {});
  letGo();
}

async function gone(uploaded: boolean) {
  await remove();
  post({ type: 'gone', uploaded });
}

/** The server is told, as far as it can be reached, so that it does not wait for the rest. */
async function discard() {
  const { streamId = '', uploadUrl = null } = journal ?? {};
  const upload = uploadUrl && uploadIdOf(uploadUrl);
  await remove();
  if (upload) await client.cancelRecording(streamId, upload).catch(() => {});
  post({ type: 'gone', uploaded: false });
}

async function take(message: ToKeeper) {
  switch (message.type) {
    case 'start':
    case 'resume':
      return begin(message);
    case 'piece':
      return piece(message.blob);
    case 'end':
      if (!journal || journal.endedAt !== null) return;
      note({ endedAt: Date.now() });
      if (written === 0) return discard();
      return uploader?.end();
    case 'hold':
      return uploader?.hold(message.on);
    case 'retry':
      return uploader?.retry();
    case 'discard':
      return discard();
  }
}

// In order, each after the one before it.
let queue: Promise<unknown> = Promise.resolve();
self.onmessage = ({ data }: MessageEvent<ToKeeper>) => {
  queue = queue
    .then(() => take(data))
    .catch((e: unknown) => {
      // No storage in private mode; a file that is gone.
      close();
      letGo();
      post({ type: 'failed', message: e instanceof Error ? e.message : String(e), elsewhere: false });
    });
};
addEventListener('online', () => uploader?.retry());
