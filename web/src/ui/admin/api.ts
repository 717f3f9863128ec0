// SPDX-License-Identifier: MIT
// What /api/admin says, and how a list of it is read page by page.
import { useEffect, useRef, useState } from 'preact/hooks';
import { client } from '../../app';
import { ApiError } from '../../api/client';
import { t } from '../../i18n/t';

export interface AdminUser {
  id: string;
  name: string;
  email: string;
  role: 'user' | 'admin';
  createdAt: string;
  lastSeenAt: string | null;
  suspendedAt: string | null;
  suspendedReason: string;
  streams: number;
  live: number;
  bytes: number;
  /** Null: the server's. 0: no limit. */
  ownQuota: number | null;
  quota: number;
}

export interface LiveStream {
  id: string;
  title: string;
  user: { id: string; name: string };
  source: string;
  viewers: number;
  bitrate: number;
  startedAt: string | null;
  connected: boolean;
}

export interface Report {
  id: string;
  stream: { id: string; title: string; live: boolean; user: { id: string; name: string } };
  message: { id: string; by: string; text: string } | null;
  reporter: string;
  reason: string;
  text: string;
  state: 'open' | 'resolved' | 'dismissed';
  note: string;
  closedAt: string | null;
  closedBy: string;
  createdAt: string;
}

export interface AuditLine {
  id: string;
  at: string;
  actor: { id: string; name: string } | null;
  action: string;
  objectKind: string;
  objectId: string;
  detail: string;
}

export interface LogLine {
  at: string;
  level: 'warn' | 'error';
  event: string;
  text: string;
}

export interface Limits {
  registration: 'open' | 'invite' | 'closed';
  streamsPerUser: number;
  storageQuota: number;
  fixed: { name: string; value: number | string | boolean; unit: string }[];
}

export interface Invite {
  id: string;
  note: string;
  usesLeft: number;
  expiresAt: string;
  createdAt: string;
}

export interface Overview {
  users: number;
  suspended: number;
  streams: number;
  live: number;
  reportsOpen: number;
  storage: { recordings: number; uploads: number; quota: number };
  disk: { free: number; total: number; reserved: number } | null;
  version: string;
}

export const ask = client.call;
export const one = (kind: string, id: string) => `/admin/${kind}/${encodeURIComponent(id)}`;
export const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** "1.5 GB" */
export function size(bytes: number, locale: string): string {
  const at = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(bytes / 1000 ** at)} ${UNITS[at]}`;
}

export interface Pages<T> {
  rows: T[] | null;
  next: string | null;
  error: string | null;
  busy: boolean;
  more: () => Promise<void>;
  reload: () => Promise<boolean>;
}

/** The list at `path` (with its query), read anew when that changes. An answer that comes late is dropped. */
export function usePages<T>(path: string, field: string): Pages<T> {
  const [state, setState] = useState<{ rows: T[] | null; next: string | null; error: string | null; busy: boolean }>({ rows: null, next: null, error: null, busy: false });
  const turn = useRef(0);
  async function load(cursor: string | null, before: T[]): Promise<boolean> {
    const mine = ++turn.current;
    setState((s) => ({ ...s, busy: true, error: null }));
    try {
      const page = await ask<Record<string, unknown>>('GET', `${path}${cursor ? `${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}` : ''}`);
      if (mine === turn.current)
        setState({ rows: [...before, ...(page[field] as T[])], next: (page.nextCursor as string | null | undefined) ?? null, error: null, busy: false });
      return true;
    } catch (e) {
      if (mine === turn.current) setState((s) => ({ ...s, busy: false, error: words(e) }));
      return false;
    }
  }
  useEffect(() => {
    void load(null, []);
    return () => void turn.current++;
  }, [path]);
  return { ...state, more: async () => void (await load(state.next, state.rows ?? [])), reload: () => load(null, []) };
}
