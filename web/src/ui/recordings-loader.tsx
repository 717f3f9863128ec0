// SPDX-License-Identifier: MIT
// Most visitors have recorded nothing: only who has anything lying in this browser loads what shows it.
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadPart } from '../store/part';

type Props = { userId: string; streamId: string | null };

let loaded: FunctionComponent<Props> | null = null;

async function anything(): Promise<boolean> {
  try {
    const dir = await (await navigator.storage.getDirectory()).getDirectoryHandle('recordings');
    for await (const _ of (dir as unknown as { keys(): AsyncIterable<string> }).keys()) return true;
  } catch {
    // no storage, or nothing in it
  }
  return false;
}

export function KeptRecordings(props: Props) {
  const [ready, setReady] = useState(loaded !== null);
  useEffect(() => {
    if (loaded) return;
    void anything().then(async (yes) => {
      if (!yes) return;
      const m = await loadPart(() => import('./recordings')).catch(() => null);
      if (!m) return;
      loaded = m.Recordings;
      setReady(true);
    });
  }, []);
  if (!ready || !loaded) return null;
  const Shown = loaded;
  return <Shown {...props} />;
}
