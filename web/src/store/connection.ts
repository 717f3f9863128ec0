// SPDX-License-Identifier: MIT
// Whether the server answers. Whoever meets silence says lost(); from then on the page's own address is
// asked for, with back-off, until it is there again. Its text tells too whether the server was given other
// pages meanwhile: their files have other names, and those of this page may be gone.
import { backoffMs } from '../api/backoff';
import { createStore, type Readable } from './store';

export interface Connection {
  online: boolean;
  /** The server has other pages than this one by now: the next page is loaded anew. */
  outdated: boolean;
}

export interface ConnectionWorld {
  /** The first page's text; rejects when there is none. */
  page(): Promise<string>;
  /** The main script that runs here, as the page's text names it. */
  script(): string;
  after(ms: number, fn: () => void): () => void;
}

export interface ConnectionStore extends Readable<Connection> {
  lost(): void;
  /** Asks at once: something was answered, or the browser says that the network is back. */
  ask(): Promise<boolean>;
}

const QUICK_MS = 300;

export function createConnection(world: ConnectionWorld): ConnectionStore {
  const store = createStore<Connection>({ online: true, outdated: false });
  let cancel = () => {};
  let attempt = 0;

  async function ask(): Promise<boolean> {
    cancel();
    try {
      const text = await world.page();
      cancel();
      attempt = 0;
      const script = world.script();
      store.set({ online: true, outdated: store.get().outdated || (script !== '' && !text.includes(script)) });
      return true;
    } catch {
      cancel();
      if (store.get().online) store.patch({ online: false });
      cancel = world.after(backoffMs(attempt++), () => void ask());
      return false;
    }
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    lost() {
      if (!store.get().online) return;
      store.patch({ online: false });
      cancel = world.after(QUICK_MS, () => void ask());
    },
    ask,
  };
}

const TIMEOUT_MS = 10_000;

export const connection = createConnection({
  async page() {
    const response = await fetch('/', { cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(String(response.status));
    return response.text();
  },
  script: () => {
    const element = document.querySelector<HTMLScriptElement>('script[type=module][src*="/assets/main-"]');
    return element?.getAttribute('src') ?? '';
  },
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
});

/** What fetch() met. A proxy that stands before a server that is away answers in its place. */
export function noteAnswer(status: number): void {
  if (status === 502 || status === 504) connection.lost();
  else if (!connection.get().online) void connection.ask();
}

export function startConnection(): void {
  addEventListener('offline', () => connection.lost());
  addEventListener('online', () => void connection.ask());
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && !connection.get().online) void connection.ask();
  });
}
