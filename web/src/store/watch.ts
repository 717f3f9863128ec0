// SPDX-License-Identifier: MIT
// The viewer page as one small state machine, fed by the API and by server-sent events.
import { ApiError, type Client } from '../api/client';
import { backoffMs } from '../api/backoff';
import { browserEvents, openEvents, type EventsClock } from '../api/events';
import type { Stream } from '../api/types';
import { t } from '../i18n/t';
import { createStore, type Readable } from './store';

export type WatchPhase =
  | 'loading'
  | 'waiting' // made, not live yet
  | 'live'
  | 'reconnecting' // live, the encoder is away but in its window
  | 'ended-processing' // over, the recording is not ready yet
  | 'ended-recorded'
  | 'ended'
  | 'deleted'
  | 'not-found'
  | 'locked' // private, and not for this viewer: see `lock`
  | 'error';

export interface Watch {
  phase: WatchPhase;
  stream: Stream | null;
  viewers: number;
  /** Their pages: one viewer may have several. */
  pages: number;
  error: string | null;
  /** What the door of a private stream wants. */
  lock: 'password' | 'invitation' | null;
  /** What the server warns of while live: the time limit is near. */
  warning: string | null;
  /** The line to the server's events is up. */
  online: boolean;
}

export interface WatchStore extends Readable<Watch> {
  retry(): void;
  close(): void;
  /** The owner's page has a fresh answer to an action. */
  apply(stream: Stream): void;
}

/** PROCESSING right at the end is the server closing its own recording; later it is an upload. */
const uploadedLater = (s: Stream) =>
  s.recordingStatus === 'UPLOADING' || (s.recordingStatus === 'PROCESSING' && s.endedAt !== null && s.updatedAt > s.endedAt);

export function phaseOf(stream: Stream): WatchPhase {
  switch (stream.status) {
    case 'LIVE':
      return stream.connected === false ? 'reconnecting' : 'live';
    case 'ENDED':
      // One that failed has a URL when its beginning was kept (the disk was full).
      if (['READY', 'FAILED'].includes(stream.recordingStatus) && recordingUrl(stream)) return 'ended-recorded';
      // While the browser's own is uploaded and prepared, the server's is there already.
      if (recordingUrl(stream) && uploadedLater(stream)) return 'ended-recorded';
      if (['RECORDING', 'UPLOADING', 'PROCESSING'].includes(stream.recordingStatus)) return 'ended-processing';
      return 'ended';
    default:
      return 'waiting';
  }
}

/** The recording's playlist. */
export function recordingUrl(stream: Stream): string | null {
  return stream.recordingUrl ?? null;
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null;

/** Who listens to the room on the same line. */
export interface Room {
  onEvent(type: string, data: Record<string, unknown>): void;
  /** The line is up; `again`: after a gap, of which the server tells what was missed. */
  onOpen(again: boolean): void;
}
const ROOM = ['chat', 'chat-deleted', 'chat-settings', 'chat-pinned', 'chat-member', 'chat-reset', 'reaction'];

export interface WatchOptions {
  role?: 'owner';
  clock?: EventsClock;
  room?: Room;
  /** What this browser is known by, so that it counts once. */
  viewer?: string;
}

export function createWatch(client: Client, id: string, { role, clock = browserEvents, room, viewer = '' }: WatchOptions = {}): WatchStore {
  const store = createStore<Watch>({
    phase: 'loading',
    stream: null,
    viewers: 0,
    pages: 0,
    error: null,
    lock: null,
    warning: null,
    online: true,
  });
  let attempt = 0;
  let losses = 0;
  let closed = false;
  let fetching = false;
  let again = false;
  let cancelRetry = () => {};
  let cancelRenew = () => {};

  /** The addresses of a private stream are asked for again before they end. */
  function renewInTime(stream: Stream) {
    cancelRenew();
    const until = Date.parse(stream.playback?.expiresAt ?? '');
    if (until) cancelRenew = clock.after(Math.max((until - Date.now()) / 2, 1000), () => void fetchStream());
  }

  function accept(stream: Stream) {
    // An event carries what everybody may see; what only the owner was told stays.
    const ingest = stream.ingest ?? store.get().stream?.ingest;
    const merged = ingest ? { ...stream, ingest } : stream;
    store.patch({ stream: merged, phase: phaseOf(merged), viewers: merged.viewerCount ?? 0, error: null });
    if (merged.status !== 'LIVE') store.patch({ warning: null });
    renewInTime(merged);
  }

  async function fetchStream() {
    if (closed) return;
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    cancelRetry();
    try {
      const stream = await client.getStream(id);
      attempt = 0;
      // An event may have overtaken the answer: the state it told is the newer one.
      const known = store.get().stream;
      if (!closed && !(known && Date.parse(stream.updatedAt) < Date.parse(known.updatedAt))) accept(stream);
    } catch (e) {
      if (!closed) failed(e);
    }
    fetching = false;
    if (again) {
      again = false;
      void fetchStream();
    }
  }

  function failed(e: unknown) {
    const error = e instanceof ApiError ? e : new ApiError(0, 'unknown', t('Something went wrong.'));
    if (error.status === 404) {
      store.patch({ phase: store.get().stream ? 'deleted' : 'not-found' });
      events.close();
      return;
    }
    if (error.status === 403) {
      store.patch({ phase: 'locked', stream: null, lock: error.code === 'password_needed' ? 'password' : 'invitation' });
      events.close();
      return;
    }
    // What is on the screen stays there while we try again.
    if (!store.get().stream) store.patch({ phase: 'error', error: error.message });
    if (error.temporary) cancelRetry = clock.after(backoffMs(attempt++), () => void fetchStream());
  }

  const events = openEvents(
    client.eventsUrl(id, role, role ? '' : viewer),
    ['stream', 'viewers', 'warning', ...(room ? ROOM : [])],
    {
      onOpen(reopened) {
        losses = 0;
        store.patch({ online: true });
        room?.onOpen(reopened);
        if (reopened) void fetchStream(); // whatever was missed
      },
      onLost() {
        store.patch({ online: false });
        // Perhaps the stream is gone and not the server: ask, unless that is under way.
        if (++losses > 1) void fetchStream();
      },
      onEvent(type, data) {
        if (!isObject(data)) return;
        if (ROOM.includes(type)) {
          room?.onEvent(type, data);
        } else if (type === 'viewers') {
          if (typeof data.count === 'number') store.patch({ viewers: data.count, pages: typeof data.pages === 'number' ? data.pages : data.count });
        } else if (type === 'warning') {
          if (typeof data.message === 'string') store.patch({ warning: data.message });
        } else if (data.deleted === true) {
          store.patch({ phase: 'deleted' });
        } else {
          const known = store.get().stream;
          if (typeof data.status !== 'string' || !known) void fetchStream();
          else {
            accept({ ...known, ...(data as Partial<Stream>) });
            // Of a private stream, or by another name of the server, an event says only that there is something;
            // and the encoder's key may be there now.
            const bare = Object.keys(data).every((k) => k === 'id' || k === 'status');
            if (bare || known.ingest?.streamKey === null) void fetchStream();
          }
        }
      },
    },
    clock,
  );

  void fetchStream();
  return {
    get: store.get,
    subscribe: store.subscribe,
    retry() {
      attempt = 0;
      if (!store.get().stream) store.patch({ phase: 'loading', error: null });
      void fetchStream();
    },
    apply(stream) {
      accept(stream);
      // An event may have overtaken the answer, and be newer.
      void fetchStream();
    },
    close() {
      closed = true;
      cancelRetry();
      cancelRenew();
      events.close();
    },
  };
}
