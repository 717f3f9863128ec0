// SPDX-License-Identifier: MIT
// A file that grows, uploaded in pieces as it grows. What the line loses is asked for and sent again; what the
// server refuses stops it, in words. The network and the file are handed in.
import { ApiError } from '../api/client';
import { backoffMs } from '../api/backoff';
import { msg, t } from '../i18n/t';
import { ackedOf, contentRange, nextPiece, pieceSize, STEP, type Piece } from './plan';

export type UploadPhase =
  | 'sending'
  | 'idle' // everything that there is so far has arrived
  | 'held' // the live stream needs the line
  | 'retrying'
  | 'stopped' // for good, unless it is asked to try again
  | 'done';

export interface UploadState {
  phase: UploadPhase;
  acked: number;
  problem: string | null;
}

export interface Answer {
  status: number;
  range: string | null;
  /** The server's words, of a refusal. */
  message: string | null;
}

export interface UploadWorld {
  /** A new upload's address, instead of the one that is lost; throws ApiError. */
  create(lost: string | null): Promise<string>;
  /** Throws when there is no answer. */
  put(url: string, range: string, body: Uint8Array | null): Promise<Answer>;
  read(from: number, to: number): Uint8Array;
  /** For the journal. */
  note(part: { uploadUrl?: string | null; acked?: number }): void;
  tell(state: UploadState): void;
  after(ms: number, fn: () => void): () => void;
  nowMs(): number;
}

export interface Uploader {
  /** So many bytes can be read. */
  grown(written: number): void;
  /** It will not grow any more. */
  end(): void;
  hold(on: boolean): void;
  /** Now, instead of after the wait; also after it has stopped. */
  retry(): void;
  close(): void;
}

/** Uploads that are gone (timed out, cleaned away) are begun anew, so many times. */
const NEW_UPLOADS = 3;
/** An odd refusal may mean that the two lost count: ask, and try again, so many times. */
const REFUSALS = 3;

class Stop extends Error {}

export function createUploader(world: UploadWorld, known: { uploadUrl: string | null; acked: number }): Uploader {
  let url = known.uploadUrl;
  let lost: string | null = null;
  let acked = known.acked;
  let written = 0;
  let ended = false;
  let held = false;
  let synced = url === null;
  let closed = false;
  let failures = 0;
  let refusals = 0;
  let made = 0;
  let want = 4 * STEP;
  let state: UploadState | null = null;
  let wake = () => {};
  let retryNow = () => {};

  function tell(phase: UploadPhase, problem: string | null = null) {
    if (state?.phase === phase && state.acked === acked && state.problem === problem) return;
    state = { phase, acked, problem };
    if (!closed) world.tell(state);
  }

  function heard(bytes: number) {
    if (bytes !== acked) {
      acked = bytes;
      world.note({ acked });
    }
  }

  async function ensure(): Promise<void> {
    if (url !== null) return;
    if (made >= NEW_UPLOADS) throw new Stop(msg('The server lost the upload again and again.'));
    url = await world.create(lost);
    made++;
    synced = true;
    acked = 0;
    world.note({ uploadUrl: url, acked: 0 });
  }

  /** The upload is gone: from the beginning, with another one. */
  function forget() {
    lost = url;
    url = null;
    acked = 0;
    synced = true;
  }

  /** Whether it is complete. */
  function judge({ status, range, message }: Answer, piece: Piece | null): boolean {
    if (status === 200 || status === 201) return true;
    if (status === 308) {
      // Not every server lets pages of other names read how far it is.
      const has = piece && range === null ? piece.to : ackedOf(range);
      if (has === null) throw new Error('not to be understood');
      // More than is here: the end of the file was lost in a crash of the whole computer.
      if (has > written) forget();
      else if (piece && has <= acked) throw new Error('no progress');
      else heard(has);
      synced = true;
      refusals = failures = 0;
      return false;
    }
    if (status === 404 || status === 410) {
      forget();
      return false;
    }
    if (status >= 500 || status === 408 || status === 425 || status === 429) throw new Error(`status ${status}`);
    synced = false;
    if (status === 413 || ++refusals >= REFUSALS) throw new Stop(message ?? t('The server refused the upload ({status}).', { status }));
    return false;
  }

  /** One turn; true: complete. */
  async function turn(): Promise<boolean> {
    if (!synced && url !== null) return judge(await world.put(url, 'bytes */*', null), null);
    if (held && !ended) {
      tell('held');
      await new Promise<void>((done) => (wake = done));
      return false;
    }
    await ensure();
    const total = ended ? written : null;
    const piece = url === null ? null : nextPiece(acked, written, total, want);
    if (!piece || url === null) {
      if (total !== null && acked >= total) synced = false; // all is there, and it was not said: ask
      else {
        tell('idle');
        await new Promise<void>((done) => (wake = done));
      }
      return false;
    }
    tell('sending');
    const began = world.nowMs();
    const complete = judge(await world.put(url, contentRange(piece), world.read(piece.from, piece.to)), piece);
    want = pieceSize(want, world.nowMs() - began);
    if (complete) heard(piece.to);
    return complete;
  }

  const pause = (ms: number | null) =>
    new Promise<void>((done) => {
      const cancel = ms === null ? () => {} : world.after(ms, done);
      retryNow = () => {
        cancel();
        done();
      };
    });

  async function failed(e: unknown) {
    const refused = e instanceof Stop || (e instanceof ApiError && !e.temporary);
    if (refused) {
      tell('stopped', e.message);
      await pause(null);
      made = refusals = 0;
    } else {
      // The line, or the server: it may have got more than it could say.
      tell('retrying', e instanceof ApiError ? e.message : msg('The server cannot be reached right now.'));
      want = pieceSize(want, Infinity);
      await pause(backoffMs(failures++));
    }
    state = null; // what comes is told, also when it is the same again
    synced = url === null;
  }

  async function run() {
    let questions = 0;
    while (!closed) {
      try {
        const asks = !synced;
        if (await turn()) return tell('done');
        // It has everything and does not say that it is complete.
        questions = asks && ended && acked >= written ? questions + 1 : 0;
        if (questions > 2) throw new Error('not complete');
      } catch (e) {
        if (closed) return;
        questions = 0;
        await failed(e);
      }
    }
  }
  void run();

  const stir = () => {
    const w = wake;
    wake = () => {};
    w();
  };
  return {
    grown(bytes) {
      written = bytes;
      stir();
    },
    end() {
      ended = true;
      stir();
      if (state?.phase === 'retrying' || state?.phase === 'stopped') retryNow();
    },
    hold(on) {
      held = on;
      stir();
    },
    retry: () => retryNow(),
    close() {
      closed = true;
      stir();
      retryNow();
    },
  };
}
