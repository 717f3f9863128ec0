// SPDX-License-Identifier: MIT
// A list of streams, page by page, kept fresh: the lobby's two lists and "my streams".
import { ApiError, type Client, type StreamQuery } from '../api/client';
import type { Stream } from '../api/types';
import { t } from '../i18n/t';
import { createStore, type Readable } from './store';

export interface StreamList {
  phase: 'loading' | 'ready' | 'error';
  streams: Stream[];
  nextCursor: string | null;
  /** The button that loads the next page. */
  more: 'idle' | 'loading' | 'error';
  /** A refresh failed: what is shown may be old. */
  stale: boolean;
  error: string | null;
}

export interface StreamListStore extends Readable<StreamList> {
  load(): Promise<void>;
  loadMore(): Promise<void>;
  /** Fetches the first page again, keeping what later pages brought. True when it worked. */
  refresh(): Promise<boolean>;
  remove(id: string): void;
}

const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));

/** The fresh first page, then everything older that was already here and is not in it. Streams that
 * should have been on the fresh page but are not have left the list. */
export function mergeFirstPage(old: Stream[], fresh: Stream[], complete: boolean): Stream[] {
  if (complete) return fresh;
  const ids = new Set(fresh.map((s) => s.id));
  const last = fresh[fresh.length - 1];
  const lastAt = last ? old.findIndex((s) => s.id === last.id) : -1;
  const tail = lastAt < 0 ? [] : old.slice(lastAt + 1);
  return [...fresh, ...tail.filter((s) => !ids.has(s.id))];
}

export function createStreamList(client: Client, query: StreamQuery): StreamListStore {
  const store = createStore<StreamList>({
    phase: 'loading',
    streams: [],
    nextCursor: null,
    more: 'idle',
    stale: false,
    error: null,
  });

  async function load() {
    store.patch({ phase: 'loading', error: null });
    try {
      const page = await client.listStreams(query);
      store.patch({ phase: 'ready', streams: page.streams, nextCursor: page.nextCursor ?? null, stale: false });
    } catch (e) {
      store.patch({ phase: 'error', error: words(e) });
    }
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    load,
    async loadMore() {
      const { nextCursor, more } = store.get();
      if (!nextCursor || more === 'loading') return;
      store.patch({ more: 'loading' });
      try {
        const page = await client.listStreams({ ...query, cursor: nextCursor });
        const known = new Set(store.get().streams.map((s) => s.id));
        store.patch({
          streams: [...store.get().streams, ...page.streams.filter((s) => !known.has(s.id))],
          nextCursor: page.nextCursor ?? null,
          more: 'idle',
        });
      } catch {
        store.patch({ more: 'error' });
      }
    },
    async refresh() {
      if (store.get().phase !== 'ready') {
        await load();
        return store.get().phase === 'ready';
      }
      try {
        const page = await client.listStreams(query);
        const cursor = page.nextCursor ?? null;
        const streams = mergeFirstPage(store.get().streams, page.streams, cursor === null);
        const grown = streams.length > page.streams.length;
        store.patch({ streams, nextCursor: grown ? store.get().nextCursor : cursor, stale: false });
        return true;
      } catch {
        store.patch({ stale: true });
        return false;
      }
    },
    remove(id) {
      store.patch({ streams: store.get().streams.filter((s) => s.id !== id) });
    },
  };
}
