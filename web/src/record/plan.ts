// SPDX-License-Identifier: MIT
// What the browser's own recording is made of, and what of it is uploaded next. Pure arithmetic.
import { pictureBitrate, soundBitrate, type Quality } from '../rtc/plan';

/** Best first: H.264 needs no new encoding on the server; AAC before Opus for the same reason. Level 4.2 is
 * 1080p at 60 frames. All of them may be cut off anywhere: fragments, clusters. */
const TYPES = [
  'video/mp4;codecs=avc1.64002A,mp4a.40.2',
  'video/mp4;codecs=avc1.42E02A,mp4a.40.2',
  'video/mp4;codecs=avc1.64002A,opus',
  'video/mp4;codecs=avc1.42E02A,opus',
  'video/webm;codecs=h264,opus',
  'video/webm;codecs=vp9,opus',
  'video/webm;codecs=vp8,opus',
  'video/mp4',
  'video/webm',
];

/** What this browser can record, best first; none: it cannot. */
export const typesToTry = (supported: (type: string) => boolean): string[] => TYPES.filter(supported);

/** Bits a second. Twice what is sent: a recording waits for no line. */
export function studioRates(q: Quality): { video: number; audio: number } {
  return { video: Math.min(16_000_000, pictureBitrate(q) * 2), audio: Math.max(128_000, soundBitrate(q) * 1.5) };
}

/** Less room than this is not worth a beginning: a minute, at least 64 MB. */
export function roomNeeded(q: Quality): number {
  const { video, audio } = studioRates(q);
  return Math.max(64 * 1024 * 1024, ((video + audio) / 8) * 60);
}

/** When to warn of the limit, in seconds from the start; null: there is none. */
export const warnAt = (limitS: number): number | null => (limitS > 0 ? limitS - Math.min(60, limitS / 5) : null);

// --- pieces of an upload

/** All pieces but the last are multiples of this (the protocol of direct uploads). */
export const STEP = 256 * 1024;
export const PIECE_MAX = 8 * 1024 * 1024;

export interface Piece {
  from: number;
  /** Exclusive. */
  to: number;
  last: boolean;
}

/** The next piece of at most `want` bytes; null: not enough yet. `total` null: it still grows. Then the last
 * byte always stays back, so that there is something to say the total with. */
export function nextPiece(acked: number, written: number, total: number | null, want: number): Piece | null {
  const left = (total ?? written - 1) - acked;
  if (total !== null && left > 0 && left <= want) return { from: acked, to: total, last: true };
  const size = Math.floor(Math.min(left, want) / STEP) * STEP;
  return size > 0 ? { from: acked, to: acked + size, last: false } : null;
}

/** Pieces of some seconds each: fewer requests on a fast line, little lost on a bad one. */
export function pieceSize(before: number, tookMs: number): number {
  if (tookMs < 1000) return Math.min(PIECE_MAX, before * 2);
  return tookMs > 6000 ? Math.max(STEP, Math.floor(before / 2 / STEP) * STEP) : before;
}

export const contentRange = ({ from, to, last }: Piece): string => `bytes ${from}-${to - 1}/${last ? to : '*'}`;

/** How many bytes the server has, from "bytes=0-N"; no header: none. Null: not to be understood. */
export function ackedOf(range: string | null): number | null {
  if (range === null) return 0;
  const m = /^\s*bytes\s*[= ]\s*0-(\d{1,15})\s*$/.exec(range);
  return m ? Number(m[1]) + 1 : null;
}
