// SPDX-License-Identifier: MIT
// Tells when a live picture stands still although it should move, so that the player is made anew: a
// server that restarted, a network that changed. Plain arithmetic over (position, playing?) samples.

export interface StallWatch {
  /** One look at the player. True: it has stood still for too long, load it again. */
  sample(nowMs: number, position: number, shouldPlay: boolean): boolean;
  /** The player was loaded again. */
  reloaded(nowMs: number): void;
}

/** First after `patienceMs` of standstill, then after twice as long each time, up to eight times, until it
 * moves again. */
export function createStallWatch(patienceMs = 10_000): StallWatch {
  let last = -1;
  let movedAt: number | null = null;
  let factor = 1;
  return {
    sample(now, position, shouldPlay) {
      if (movedAt === null || !shouldPlay || position !== last) {
        if (movedAt !== null && shouldPlay && position > last && last >= 0) factor = 1;
        last = position;
        movedAt = now;
        return false;
      }
      return now - movedAt >= patienceMs * factor;
    },
    reloaded(now) {
      last = -1;
      movedAt = now;
      factor = Math.min(8, factor * 2);
    },
  };
}
