// SPDX-License-Identifier: MIT
// The players are many times larger than everything else here: each is fetched by the pages that need it, once.
import { loadPart } from '../store/part';

/** True when it is there. After a failure the next call tries again. */
function once(load: () => Promise<unknown>): () => Promise<boolean> {
  let loading: Promise<boolean> | null = null;
  return () => {
    loading ??= loadPart(load).then(
      () => true,
      () => {
        loading = null;
        return false;
      },
    );
    return loading;
  };
}

/** <mux-player> */
export const loadPlayer = once(() => import('./style-nonce').then(() => import('@mux/mux-player')));

/** <bsp-whep> and its controls */
export const loadWhep = once(() => import('./style-nonce').then(() => import('./whep-parts')));
