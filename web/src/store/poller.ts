// SPDX-License-Identifier: MIT
// Does something again and again while somebody looks: at once, then every `intervalMs`; after failures
// with back-off; not while the page is hidden, and at once when it is shown again.
import { backoffMs } from '../api/backoff';

export interface PollerWorld {
  hidden(): boolean;
  onVisible(fn: () => void): () => void;
  after(ms: number, fn: () => void): () => void;
}

export const browserWorld: PollerWorld = {
  hidden: () => document.hidden,
  onVisible(fn) {
    const listener = () => !document.hidden && fn();
    document.addEventListener('visibilitychange', listener);
    return () => document.removeEventListener('visibilitychange', listener);
  },
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

/** `task` answers whether it worked. Returns the function that stops it. */
export function poll(task: () => Promise<boolean>, intervalMs: number, world: PollerWorld = browserWorld): () => void {
  let stopped = false;
  let running = false;
  let failures = 0;
  let cancel = () => {};

  async function turn() {
    cancel();
    if (stopped || running) return;
    if (world.hidden()) return; // onVisible wakes it
    running = true;
    const ok = await task().catch(() => false);
    running = false;
    if (stopped) return;
    failures = ok ? 0 : failures + 1;
    cancel = world.after(ok ? intervalMs : Math.max(intervalMs, backoffMs(failures)), turn);
  }

  const unwatch = world.onVisible(() => void turn());
  void turn();
  return () => {
    stopped = true;
    cancel();
    unwatch();
  };
}
