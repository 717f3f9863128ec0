// SPDX-License-Identifier: MIT
// The picture comes first: what is felt about it is fetched after.
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadPart } from '../store/part';
import type { ReactionsProps } from './reactions';

let loaded: FunctionComponent<ReactionsProps> | null = null;

export function ReactionsLoader(props: ReactionsProps) {
  const [ready, setReady] = useState(loaded !== null);
  useEffect(() => {
    if (loaded) return;
    void loadPart(() => import('./reactions')).then(
      (m) => {
        loaded = m.Reactions;
        setReady(true);
      },
      () => {},
    );
  }, []);
  if (!ready || !loaded) return <div class="reactions-place" />;
  const Shown = loaded;
  return <Shown {...props} />;
}
