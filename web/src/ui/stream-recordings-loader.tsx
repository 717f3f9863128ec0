// SPDX-License-Identifier: MIT
// The list of a stream's recordings, loaded where there is one: it brings a player along.
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Stream } from '../api/types';
import { loadPart } from '../store/part';

type Props = { stream: Stream; onChanged: () => void };

let loaded: FunctionComponent<Props> | null = null;

export function StreamRecordings(props: Props) {
  const [ready, setReady] = useState(loaded !== null);
  const { status, recordingStatus } = props.stream;
  const wanted = status !== 'CREATED' || recordingStatus !== 'NONE';
  useEffect(() => {
    if (loaded || !wanted) return;
    loadPart(() => import('./stream-recordings')).then(
      (m) => {
        loaded = m.StreamRecordings;
        setReady(true);
      },
      () => {}, // the rest of the page works without; its own connection says that the server is away
    );
  }, [wanted]);
  if (!wanted || !ready || !loaded) return null;
  const Shown = loaded;
  return <Shown {...props} />;
}
