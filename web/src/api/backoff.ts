// SPDX-License-Identifier: MIT
/** Waits between attempts: 1, 2, 4, 8, 15, 15 … seconds, each shortened by up to a quarter by chance, so
 * that the viewers of a server that restarts do not all come back in the same moment. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(15_000, 1000 * 2 ** Math.min(attempt, 10));
  return Math.round(full * (1 - random() / 4));
}
