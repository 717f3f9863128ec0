// SPDX-License-Identifier: MIT
// What a WHEP viewer does next, as plain arithmetic: after a refusal, and when pictures stop coming.
import { backoffMs } from '../api/backoff';
import { temporary, type Refusal } from './signalling';

/** Why WebRTC is given up here. The player goes to HLS, or says that there is nothing. */
export type WhepTrouble =
  | 'blocked' // the server was never reached by media: UDP is closed on the way
  | 'stalled' // it was, and pictures stopped and did not return
  | 'no-webrtc' // this broadcast cannot be had by WebRTC now
  | 'missing' // no such address
  | 'refused'; // busy for long, or an offer that the server does not take

export type Step = { waitMs: number; notLive: boolean } | { giveUp: WhepTrouble };

/** How often a server that is busy is asked again before the other way is taken. */
const BUSY_TRIES = 3;
const NOT_LIVE_S = 2;

/** `attempt`: how often the same has been heard in a row before. */
export function afterRefusal(r: Refusal, attempt: number, random: () => number = Math.random): Step {
  const later = (seconds: number) => Math.round(seconds * 1000 * (1 + random() / 4)); // not all viewers at once
  if (r.status === 409 && r.code === 'no_webrtc') return { giveUp: 'no-webrtc' };
  if (r.status === 409) return { waitMs: later(r.retryAfter ?? NOT_LIVE_S), notLive: true };
  if (r.status === 404 || r.status === 410) return { giveUp: 'missing' };
  const busy = r.status === 503 || r.status === 429;
  if (!temporary(r) || (busy && attempt + 1 >= BUSY_TRIES)) return { giveUp: 'refused' };
  return { waitMs: r.retryAfter ? later(r.retryAfter) : backoffMs(attempt, random), notLive: false };
}

/** One look at a session. Counters only grow within a session. */
export interface Sample {
  now: number;
  /** ICE found a way and has not lost it. */
  connected: boolean;
  /** Packets of anything. */
  packets: number;
  videoPackets: number;
  framesDecoded: number;
  /** Nobody looks (a hidden tab, a paused picture): browsers may leave out decoding. */
  hidden: boolean;
}

export type Verdict =
  | 'fine'
  | 'restart' // ICE: a new way in the same session
  | 'renew' // a new session
  | 'undecodable'; // packets come and no picture is made of them

/** Patience, in milliseconds. */
export const CONNECT_MS = 6000;
const SILENCE_RESTART_MS = 2500;
const SILENCE_RENEW_MS = 5000;
/** Longer than a long distance between key frames. */
const UNDECODABLE_MS = 12_000;

export interface Pulse {
  sample(s: Sample): Verdict;
  /** Media has come in this session. */
  readonly began: boolean;
  /** The last look found more than the one before. */
  readonly moving: boolean;
}

/** Watches one session's counters. A verdict other than 'fine' is given once for each silence. */
export function createPulse(startedAt: number): Pulse {
  let packets = 0;
  let movedAt = startedAt;
  let frames = 0;
  let video = 0;
  let decodedAt = startedAt;
  let restarted = false;
  let moving = false;
  return {
    get moving() {
      return moving;
    },
    get began() {
      return packets > 0;
    },
    sample(s) {
      moving = s.packets > packets;
      if (moving) {
        packets = s.packets;
        movedAt = s.now;
        restarted = false;
      }
      if (s.framesDecoded > frames || s.hidden || s.videoPackets === video) {
        frames = s.framesDecoded;
        decodedAt = s.now;
      }
      video = s.videoPackets;
      const silent = s.now - movedAt;
      if (silent >= SILENCE_RENEW_MS) return 'renew';
      if (!s.connected && silent >= SILENCE_RESTART_MS && packets > 0 && !restarted) {
        restarted = true;
        return 'restart';
      }
      return s.now - decodedAt >= UNDECODABLE_MS ? 'undecodable' : 'fine';
    },
  };
}
