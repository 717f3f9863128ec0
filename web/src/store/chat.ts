// SPDX-License-Identifier: MIT
// A stream's room: what was written, in the order of its ids, each once whichever way it came.
import { ApiError, type Client } from '../api/client';
import type { ChatMe, ChatMessage, ChatRoom, ChatSettings } from '../api/types';
import { t } from '../i18n/t';
import { createStore, type Readable } from './store';
import type { Room } from './watch';

/** Kept at most: a page that is open for a day must not grow for a day. */
const KEPT = 2000;

export interface Chat {
  phase: 'loading' | 'ready' | 'failed';
  messages: ChatMessage[];
  /** There are older ones to ask for. */
  older: boolean;
  loadingOlder: boolean;
  sending: boolean;
  /** Why the last one was not taken; what was typed stays. */
  error: string | null;
  /** Null until the room has been asked for. */
  settings: ChatSettings | null;
  pinned: ChatMessage | null;
  me: ChatMe | null;
  /** When one may write again, by this computer's clock; null: now, or it is not known. */
  waitUntil: number | null;
}

export interface ChatStore extends Readable<Chat>, Room {
  load(): Promise<void>;
  loadOlder(): Promise<void>;
  /** True: it is written. */
  send(content: string, programTime: number | null): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Who reads here; null: a guest. From then on the store knows how the room is kept. */
  know(userId: string | null): void;
  /** Asks anew what one may do here. */
  refresh(): Promise<void>;
}

const wordsOf = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));
const order = (a: ChatMessage, b: ChatMessage) => Number(a.id) - Number(b.id);

function merged(old: ChatMessage[], more: ChatMessage[], gone: Set<string>): ChatMessage[] {
  const all = new Map(old.map((m) => [m.id, m]));
  for (const m of more) if (!gone.has(m.id)) all.set(m.id, m);
  return [...all.values()].sort(order).slice(-KEPT);
}

export function createChat(client: Client, streamId: string): ChatStore {
  const store = createStore<Chat>({ phase: 'loading', messages: [], older: false, loadingOlder: false, sending: false, error: null, settings: null, pinned: null, me: null, waitUntil: null });
  const gone = new Set<string>(); // a deletion may overtake the list
  let before: string | null = null;
  const add = (more: ChatMessage[]) => store.patch({ messages: merged(store.get().messages, more, gone) });

  function drop(...ids: string[]) {
    for (const id of ids) gone.add(id);
    store.patch({ messages: store.get().messages.filter((m) => !gone.has(m.id)) });
  }

  let reader: string | null | undefined;
  let newest = 0; // the version of settings and pin that are shown
  let asked = 0;
  const until = (me: ChatMe | null) => (me?.seconds ? Date.now() + me.seconds * 1000 : null);

  function take(room: ChatRoom) {
    store.patch({ me: room.me, waitUntil: until(room.me) });
    if (Number(room.settings.version) < newest) return; // an event has overtaken the answer
    newest = Number(room.settings.version);
    store.patch({ settings: room.settings, pinned: room.pinned });
  }

  async function refresh() {
    const mine = ++asked;
    try {
      const room = await client.chatRoom(streamId);
      if (mine === asked) take(room);
    } catch {
      // The messages can be read without; the next event or the next try brings it.
    }
  }

  function onRoom(type: string, data: Record<string, unknown>) {
    const version = Number(data.version);
    if (type === 'chat-member') {
      if (data.userId === reader) void refresh();
    } else if (version > newest) {
      newest = version;
      if (type === 'chat-pinned') store.patch({ pinned: data.message as ChatMessage | null });
      else {
        store.patch({ settings: data as unknown as ChatSettings });
        // What that means for whom: not all of them in the same moment.
        if (reader) setTimeout(() => void refresh(), Math.random() * 1500);
      }
    }
  }

  /** A room in slow mode makes everybody wait but those who keep it. */
  function wrote() {
    const { settings, me } = store.get();
    if (settings?.slowMode && !me?.role) store.patch({ waitUntil: Date.now() + settings.slowMode * 1000 });
  }

  function refused(e: unknown) {
    const known = e instanceof ApiError ? e : null;
    if (known?.code === 'slow_mode' && known.retryAfter) {
      store.patch({ sending: false, waitUntil: Date.now() + known.retryAfter * 1000 });
      return;
    }
    store.patch({ sending: false, error: wordsOf(e) });
    if (known && (known.status === 403 || known.code === 'chat_off')) void refresh();
  }

  async function load() {
    try {
      const page = await client.messages(streamId, null);
      before = page.nextBefore;
      add(page.messages);
      store.patch({ phase: 'ready', older: before !== null });
    } catch {
      if (store.get().phase !== 'ready') store.patch({ phase: 'failed' });
    }
  }

  async function loadOlder() {
    if (!before || store.get().loadingOlder) return;
    store.patch({ loadingOlder: true });
    try {
      const page = await client.messages(streamId, before);
      before = page.nextBefore;
      add(page.messages);
      store.patch({ older: before !== null && store.get().messages.length < KEPT });
    } catch (e) {
      store.patch({ error: wordsOf(e) });
    }
    store.patch({ loadingOlder: false });
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    load,
    loadOlder,
    onEvent(type, data) {
      if (type === 'chat' && typeof data.id === 'string') add([data as unknown as ChatMessage]);
      else if (type === 'chat-deleted') drop(...(Array.isArray(data.ids) ? (data.ids as string[]) : [String(data.id)]));
      else if (type === 'chat-reset') {
        store.patch({ messages: [] });
        void load();
      } else onRoom(type, data);
    },
    // Listen first, then ask: nothing falls between.
    onOpen(again) {
      if (store.get().phase !== 'ready') void load();
      if (again && reader !== undefined) void refresh();
    },
    know(userId) {
      if (reader === userId) return;
      reader = userId;
      void refresh();
    },
    refresh,
    async send(content, programTime) {
      store.patch({ sending: true, error: null });
      try {
        add([await client.say(streamId, content, programTime ? new Date(programTime).toISOString() : null)]);
        store.patch({ sending: false });
        wrote();
        return true;
      } catch (e) {
        refused(e);
        return false;
      }
    },
    async remove(id) {
      try {
        await client.unsay(streamId, id);
        drop(id);
      } catch (e) {
        if (e instanceof ApiError && e.status === 404) drop(id);
        else store.patch({ error: wordsOf(e) });
      }
    },
  };
}

/** What is due at `playhead` (null: everything): each viewer is shown a message when their own picture gets
 * to where its writer's was. What one has written oneself is there at once. */
export function due(messages: ChatMessage[], playhead: number | null, mine: string | null): ChatMessage[] {
  if (playhead === null) return messages;
  return messages.filter((m) => m.user.id === mine || Date.parse(m.programTime) <= playhead);
}

export interface Piece {
  text: string;
  href: string | null;
}

/** Addresses of pages become links, and nothing else becomes anything. */
export function pieces(content: string): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  for (const m of content.matchAll(/https?:\/\/[^\s<>"']+/g)) {
    const text = m[0].replace(/[.,;:!?)\]}]+$/, '');
    let href: string | null = null;
    try {
      href = new URL(text).href;
    } catch {
      continue; // not an address after all
    }
    if (m.index > at) out.push({ text: content.slice(at, m.index), href: null });
    out.push({ text, href });
    at = m.index + text.length;
  }
  if (at < content.length) out.push({ text: content.slice(at), href: null });
  return out;
}
