// SPDX-License-Identifier: MIT
// The tools of those who keep a room are a file of their own: most readers never need them.
import { useEffect, useState } from 'preact/hooks';

type Tools = typeof import('./chat-tools');

let loaded: Tools | null = null;

/** Null until they are there, and for those who have none. */
export function useChatTools(wanted: boolean): Tools | null {
  const [ready, setReady] = useState(loaded !== null);
  useEffect(() => {
    if (loaded || !wanted) return;
    import('./chat-tools').then(
      (m) => {
        loaded = m;
        setReady(true);
      },
      () => {}, // the chat works without; its own connection says that the server is away
    );
  }, [wanted]);
  return wanted && ready ? loaded : null;
}
