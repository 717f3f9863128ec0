// SPDX-License-Identifier: MIT
// The player is many times larger than everything else here: it is fetched by the pages that play, once.
let loading: Promise<boolean> | null = null;

/** True when <mux-player> is there. After a failure the next call tries again. */
export function loadPlayer(): Promise<boolean> {
  loading ??= import('@mux/mux-player').then(
    () => true,
    () => {
      loading = null;
      return false;
    },
  );
  return loading;
}
