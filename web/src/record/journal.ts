// SPDX-License-Identifier: MIT
// What is known of a recording that lies in this browser: lines of JSON, each with what has changed. A crash
// leaves at most one broken line, the last.

export interface Journal {
  id: string;
  userId: string;
  streamId: string;
  title: string;
  mime: string;
  /** With no viewers. */
  only: boolean;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** Null: still being made, or cut off. */
  endedAt: number | null;
  uploadUrl: string | null;
  /** Bytes that the server has, as far as this browser has heard. */
  acked: number;
}

export const journalLine = (part: Partial<Journal>): string => `${JSON.stringify(part)}\n`;

const text = (v: unknown): v is string => typeof v === 'string' && v !== '';
const count = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v) && v >= 0;

const RULES: { [K in keyof Journal]: (v: unknown) => boolean } = {
  id: text,
  userId: text,
  streamId: text,
  title: (v) => typeof v === 'string',
  mime: text,
  only: (v) => typeof v === 'boolean',
  startedAt: count,
  endedAt: (v) => v === null || count(v),
  uploadUrl: (v) => v === null || text(v),
  acked: count,
};
const NAMES = Object.keys(RULES) as (keyof Journal)[];

/** Null: there is not enough to go by. */
export function readJournal(lines: string): Journal | null {
  const out: Record<string, unknown> = {};
  for (const line of lines.split('\n')) {
    let part: unknown;
    try {
      part = JSON.parse(line);
    } catch {
      continue; // cut off, or empty
    }
    if (typeof part !== 'object' || part === null) continue;
    for (const name of NAMES) {
      const v = (part as Record<string, unknown>)[name];
      if (v !== undefined && RULES[name](v)) out[name] = v;
    }
  }
  return NAMES.every((name) => name in out) ? (out as unknown as Journal) : null;
}

// --- its upload

/** The id of an upload, of its address. */
export const uploadIdOf = (url: string): string | null => /\/upload\/([^/?]+)/.exec(url)?.[1] ?? null;

/** What the server knows an upload by: when its answer is lost and it is asked again, it makes no second one.
 * An upload that is gone is another matter. */
export const uploadKey = (id: string, lost: string | null): string =>
  (lost === null ? id : `${id}.${uploadIdOf(lost) ?? lost.replace(/\W/g, '').slice(-40)}`).slice(0, 120);

// --- where it lies

export const FOLDER = 'recordings';
export const journalName = (id: string) => `${id}.journal`;
export const mediaName = (id: string) => `${id}.media`;
/** Held by the page that records or uploads it. */
export const lockName = (id: string) => `bspnode-recording-${id}`;
