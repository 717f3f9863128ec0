// SPDX-License-Identifier: MIT
// A streamer's page: who they are, and a way to hear that something begins or ends anywhere.
import { ApiError, type Client } from '../api/client';
import { backoffMs } from '../api/backoff';
import { browserEvents, openEvents, type EventsClock } from '../api/events';
import type { Channel, Following } from '../api/types';
import { t } from '../i18n/t';
import { createStore, type Readable } from './store';

export interface ChannelState {
  phase: 'loading' | 'ready' | 'missing' | 'error';
  channel: Channel | null;
  error: string | null;
}

export interface ChannelStore extends Readable<ChannelState> {
  load(): Promise<void>;
  followed(following: Following | null): void;
  apply(channel: Channel): void;
}

export function createChannel(client: Client, handle: string): ChannelStore {
  const store = createStore<ChannelState>({ phase: 'loading', channel: null, error: null });
  return {
    get: store.get,
    subscribe: store.subscribe,
    async load() {
      store.patch({ phase: 'loading', error: null });
      try {
        store.patch({ phase: 'ready', channel: await client.getChannel(handle) });
      } catch (e) {
        const missing = e instanceof ApiError && e.status === 404;
        store.patch({ phase: missing ? 'missing' : 'error', error: e instanceof ApiError ? e.message : t('Something went wrong.') });
      }
    },
    followed(following) {
      const { channel } = store.get();
      if (!channel) return;
      const more = Number(following !== null) - Number(channel.following !== null);
      store.patch({ channel: { ...channel, following, followers: channel.followers + more } });
    },
    apply: (channel) => store.patch({ channel }),
  };
}

/** Lists are asked for again when the server says that something has changed: soon, but not by everybody
 *  at once; and now and then in any case. Nothing is asked for while nobody looks. Returns what ends it. */
export function watchLobby(
  refresh: () => Promise<unknown>,
  { spreadMs = 1500, everyMs = 30_000, clock = browserEvents }: { spreadMs?: number; everyMs?: number; clock?: EventsClock } = {},
): () => void {
  let events: { close(): void } | null = null;
  let cancel = () => {};
  let due = false;
  let running = false;
  let failures = 0;

  async function run() {
    due = false;
    running = true;
    const ok = await refresh().then(
      (r) => r !== false,
      () => false,
    );
    running = false;
    failures = ok ? 0 : failures + 1;
    if (!events) return;
    if (due) soon();
    else cancel = clock.after(ok ? everyMs : backoffMs(failures), () => void run());
  }
  function soon() {
    if (running) {
      due = true;
      return;
    }
    if (due) return;
    due = true;
    cancel();
    cancel = clock.after(Math.random() * spreadMs, () => void run());
  }
  function open() {
    events = openEvents('/api/lobby/events', ['lobby'], { onEvent: soon, onOpen: (again) => again && soon(), onLost() {} }, clock);
    void run();
  }
  function close() {
    cancel();
    due = false;
    events?.close();
    events = null;
  }
  const seen = () => (document.hidden ? close() : events || open());
  document.addEventListener('visibilitychange', seen);
  seen();
  return () => {
    document.removeEventListener('visibilitychange', seen);
    close();
  };
}
