// SPDX-License-Identifier: MIT
// Server-sent events that come back. The browser's EventSource reconnects after a lost connection, but
// gives up for good after an answer other than 200 (a proxy's 502 while the server restarts); here every
// end is followed by another attempt, with back-off, until close().
import { connection } from '../store/connection';
import { backoffMs } from './backoff';

export interface EventsHandlers {
  /** One event; `data` is parsed JSON. */
  onEvent(type: string, data: unknown): void;
  /** Connected (again). `again` is true after a gap: what happened in it may have been missed. */
  onOpen(again: boolean): void;
  onLost(): void;
}

/** The parts of EventSource that are used, so that a test can stand in for it. */
export interface EventSourceLike {
  readyState: number;
  onopen: ((e: Event) => void) | null;
  onerror: ((e: Event) => void) | null;
  addEventListener(type: string, listener: (e: MessageEvent<string>) => void): void;
  close(): void;
}

export interface EventsClock {
  connect(url: string): EventSourceLike;
  after(ms: number, fn: () => void): () => void;
}

export const browserEvents: EventsClock = {
  connect(url) {
    const source = new EventSource(url);
    source.addEventListener('error', () => connection.lost());
    return source;
  },
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

export function openEvents(
  url: string,
  types: readonly string[],
  handlers: EventsHandlers,
  clock: EventsClock = browserEvents,
): { close(): void } {
  let source: EventSourceLike | null = null;
  let cancelRetry = () => {};
  let attempt = 0;
  let wasOpen = false;
  let lastId = '';
  let closed = false;

  function connect() {
    // A new EventSource knows nothing of the old one's last id.
    source = clock.connect(lastId ? `${url}${url.includes('?') ? '&' : '?'}lastEventId=${encodeURIComponent(lastId)}` : url);
    source.onopen = () => {
      attempt = 0;
      handlers.onOpen(wasOpen);
      wasOpen = true;
    };
    source.onerror = () => {
      if (closed) return;
      handlers.onLost();
      // Our own retry, always: the browser's has no back-off and is not kept up in every case.
      source?.close();
      cancelRetry = clock.after(backoffMs(attempt++), connect);
    };
    for (const type of types) {
      source.addEventListener(type, (e) => {
        if (e.lastEventId) lastId = e.lastEventId;
        let data: unknown;
        try {
          data = JSON.parse(e.data);
        } catch {
          return; // not for us
        }
        handlers.onEvent(type, data);
      });
    }
  }

  connect();
  return {
    close() {
      closed = true;
      cancelRetry();
      source?.close();
    },
  };
}
