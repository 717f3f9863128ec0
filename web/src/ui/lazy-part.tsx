// SPDX-License-Identifier: MIT
// A part that the first picture does not need: its place stays empty until its file is there.
import type { ComponentType, FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadPart } from '../store/part';

export function lazyPart<P extends object>(load: () => Promise<ComponentType<P>>): FunctionComponent<P> {
  let loaded: ComponentType<P> | null = null;
  return function LazyPart(props: P) {
    const [, setReady] = useState(loaded !== null);
    useEffect(() => {
      let gone = false;
      if (!loaded)
        loadPart(load).then(
          (part) => {
            loaded = part;
            if (!gone) setReady(true);
          },
          () => {}, // the page works without it
        );
      return () => void (gone = true);
    }, []);
    const Part = loaded;
    return Part ? <Part {...props} /> : null;
  };
}
