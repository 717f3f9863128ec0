// SPDX-License-Identifier: MIT
// The few things there is one of: the API client, the session, the clock, the announcements.
import { createClient } from './api/client';
import { connection, noteAnswer } from './store/connection';
import { createSession } from './store/session';
import { createStore } from './store/store';

export const client = createClient(
  (url, init) =>
    fetch(url, init).then(
      (response) => {
        noteAnswer(response.status);
        return response;
      },
      (e) => {
        connection.lost();
        throw e;
      },
    ),
  () => session.expired(),
);
export const session = createSession(() => client);

/** The time, once a second, for everything that counts. */
export const clock = createStore(Date.now());
setInterval(() => {
  if (!document.hidden) clock.set(Date.now());
}, 1000);

export interface Notice {
  id: number;
  text: string;
  kind: 'info' | 'error';
  /** Spoken, not shown: what is told is on the screen anyway. */
  quiet: boolean;
}

/** The last announcements: drawn and spoken by the page's one live region (ui/notices.tsx). */
export const notices = createStore<Notice[]>([]);
let nextNotice = 1;

export function announce(text: string, options: { kind?: 'info' | 'error'; quiet?: boolean } = {}): void {
  const notice: Notice = { id: nextNotice++, text, kind: options.kind ?? 'info', quiet: options.quiet ?? false };
  notices.set([...notices.get().slice(-2), notice]);
  setTimeout(() => notices.set(notices.get().filter((n) => n.id !== notice.id)), 5000);
}
