// SPDX-License-Identifier: MIT
import { useLayoutEffect, useState } from 'preact/hooks';
import type { Readable } from '../store/store';

/** The store's value; draws again when it changes. */
export function useStore<T>(store: Readable<T>): T {
  const [, redraw] = useState({});
  const drawn = store.get();
  useLayoutEffect(() => {
    const unsubscribe = store.subscribe(() => redraw({}));
    // It may have changed between drawing and now.
    if (!Object.is(drawn, store.get())) redraw({});
    return unsubscribe;
  }, [store]);
  return drawn;
}
