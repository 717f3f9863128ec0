// SPDX-License-Identifier: MIT
// What is felt at a moment of the programme: shown when the viewer's own picture gets there, one's own at once.
import { ApiError, type Client } from '../api/client';
import { t } from '../i18n/t';
import { createStore, type Readable } from './store';
import type { Room } from './watch';

export const KINDS = ['heart', 'laugh', 'wow', 'clap', 'fire'] as const;
export type Kind = (typeof KINDS)[number];
export type Totals = Record<Kind, number>;

export interface Felt {
  kind: Kind;
  count: number;
  /** Milliseconds since 1970, a whole second. */
  at: number;
}

export interface Reactions {
  totals: Totals | null;
  /** Why the last ones were not taken. */
  error: string | null;
}

export interface ReactionStore extends Readable<Reactions>, Room {
  /** The stream is over: they are asked for as the recording plays. */
  replay(): void;
  tap(kind: Kind, programTime: number | null): void;
  /** What has become due since the last call. After a jump, nothing of what was jumped over. */
  due(playhead: number | null): Felt[];
  close(): void;
}

const isKind = (v: unknown): v is Kind => KINDS.includes(v as Kind);
const NONE: Totals = { heart: 0, laugh: 0, wow: 0, clap: 0, fire: 0 };
/** Taps are sent together. */
const GATHER_MS = 400;
const MOST_AT_ONCE = 20;
/** More than this between two looks is a jump. */
const JUMP_MS = 5000;
/** What is asked for ahead of a replay. */
const AHEAD_MS = 30_000;
const KEPT = 5000;

export interface Timers {
  after(ms: number, run: () => void): () => void;
}
const browser: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export function createReactions(client: Client, streamId: string, timers: Timers = browser): ReactionStore {
  const store = createStore<Reactions>({ totals: null, error: null });
  let waiting: Felt[] = [];
  const own = new Map<string, number>(); // one's own are on the screen when the server tells of them
  let tapped = new Map<Kind, { count: number; at: number | null }>();
  let cancel = () => {};
  let last: number | null = null;
  let replaying = false;
  let asking = false;
  let until = 0; // of a replay: everything up to here has been asked for
  let ended = false;

  const ownKey = (kind: Kind, at: number) => `${kind} ${Math.floor(at / 1000)}`;

  async function load() {
    try {
      const page = await client.reactions(streamId, null);
      store.patch({ totals: page.totals });
    } catch {
      /* the numbers stay as they are */
    }
  }

  async function ask(from: number) {
    asking = true;
    try {
      const page = await client.reactions(streamId, Math.floor(from / 1000) - 1);
      const more = page.timeline.map(([s, kind, count]) => ({ kind, count, at: s * 1000 })).filter((f) => isKind(f.kind));
      waiting = [...waiting.filter((f) => f.at < from), ...more];
      until = page.nextAfter === null ? Infinity : page.nextAfter * 1000;
      store.patch({ totals: page.totals });
    } catch {
      until = from + AHEAD_MS; // a while without them
    }
    asking = false;
  }

  async function send() {
    const all = tapped;
    tapped = new Map();
    for (const [kind, { count, at }] of all)
      try {
        await client.react(streamId, kind, Math.min(count, MOST_AT_ONCE), at === null ? null : new Date(at).toISOString());
        store.patch({ error: null });
      } catch (e) {
        const error = e instanceof ApiError ? e : null;
        // Too many is no failure to tell of: hearts come in crowds.
        if (error?.status !== 429) store.patch({ error: error?.message ?? t('Something went wrong.') });
      }
  }

  function hear(data: Record<string, unknown>) {
    const at = typeof data.programTime === 'string' ? Date.parse(data.programTime) : NaN;
    if (!isKind(data.kind) || typeof data.count !== 'number' || !Number.isFinite(at)) return;
    const totals = store.get().totals ?? NONE;
    store.patch({ totals: { ...totals, [data.kind]: totals[data.kind] + data.count } });
    const key = ownKey(data.kind, at);
    const mine = Math.min(own.get(key) ?? 0, data.count);
    if (mine) own.set(key, (own.get(key) ?? 0) - mine);
    if (data.count > mine) waiting = [...waiting, { kind: data.kind, count: data.count - mine, at }].slice(-KEPT);
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    onEvent(type, data) {
      if (type === 'reaction') hear(data);
    },
    onOpen() {
      void load();
    },
    replay() {
      replaying = true;
    },
    tap(kind, programTime) {
      const t = tapped.get(kind) ?? { count: 0, at: programTime };
      tapped.set(kind, { ...t, count: t.count + 1 });
      const key = ownKey(kind, t.at ?? Date.now());
      if (t.count < MOST_AT_ONCE) own.set(key, (own.get(key) ?? 0) + 1);
      if (own.size > 100) own.delete(own.keys().next().value as string);
      cancel();
      if (!ended) cancel = timers.after(GATHER_MS, () => void send());
    },
    due(playhead) {
      if (playhead === null) {
        const all = replaying ? [] : waiting;
        if (!replaying) waiting = [];
        return all;
      }
      const from = last;
      last = playhead;
      const jumped = from === null || playhead < from || playhead - from > JUMP_MS;
      if (replaying && !asking && playhead > 0) {
        if (jumped) until = 0;
        if (playhead + AHEAD_MS > until) void ask(Math.max(playhead, until));
      }
      const due = waiting.filter((f) => f.at <= playhead);
      waiting = waiting.filter((f) => f.at > playhead);
      if (!jumped || !replaying) return due.filter((f) => f.at > playhead - JUMP_MS);
      return [];
    },
    close() {
      ended = true;
      cancel();
    },
  };
}
