// SPDX-License-Identifier: MIT
// Who is here: unknown until the server has said, then a guest or a user.
import { ApiError, type Client } from '../api/client';
import { backoffMs } from '../api/backoff';
import type { User } from '../api/types';
import { createStore, type Readable } from './store';

export type Session = { phase: 'unknown' } | { phase: 'guest' } | { phase: 'user'; user: User };

export interface SessionStore extends Readable<Session> {
  /** Asks the server until it answers. */
  start(): Promise<void>;
  register(name: string, email: string, password: string, invite?: string): Promise<void>;
  login(email: string, password: string, code?: string): Promise<void>;
  logout(): Promise<void>;
  /** The user has changed something of theirs. */
  update(user: User): void;
  /** The account has changed: asked for anew. */
  refresh(): Promise<void>;
  /** The server no longer knows the session. */
  expired(): void;
}

const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

export function createSession(client: () => Client, wait: (ms: number) => Promise<void> = sleep): SessionStore {
  const store = createStore<Session>({ phase: 'unknown' });
  const enter = (user: User) => store.set({ phase: 'user', user });
  return {
    get: store.get,
    subscribe: store.subscribe,
    async start() {
      for (let attempt = 0; store.get().phase === 'unknown'; attempt++) {
        try {
          const user = await client().me();
          if (store.get().phase === 'unknown') enter(user);
        } catch (e) {
          if (!(e instanceof ApiError) || !e.temporary) {
            if (store.get().phase === 'unknown') store.set({ phase: 'guest' });
            return;
          }
          await wait(backoffMs(attempt));
        }
      }
    },
    async register(name, email, password, invite) {
      enter(await client().register(name, email, password, invite));
    },
    async login(email, password, code) {
      enter(await client().login(email, password, code));
    },
    async logout() {
      await client().logout();
      store.set({ phase: 'guest' });
    },
    update: enter,
    async refresh() {
      enter(await client().me());
    },
    expired: () => store.set({ phase: 'guest' }),
  };
}
