// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'preact/hooks';
import type { Readable } from '../store/store';

/** The store's value; draws again when it changes. */
export function useStore<T>(store: Readable<T>): T {
  const [, redraw] = useState({});
  useEffect(() => {
    const seen = store.get();
    const unsubscribe = store.subscribe(() => redraw({}));
    if (!Object.is(seen, store.get())) redraw({});
    return unsubscribe;
  }, [store]);
  return store.get();
}
