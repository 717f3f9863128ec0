// SPDX-License-Identifier: MIT
// One picture track that stays, whatever feeds it: a MediaRecorder ends when its tracks change.
import source from 'worker:./relay-worker.ts';
import { createComposer, TrackGenerator, TrackProcessor, type ComposerFormat } from '../rtc/compose';
import type { ToRelay } from './relay-worker';

export interface Relay {
  readonly track: MediaStreamTrack;
  set(from: MediaStreamTrack | null): void;
  close(): void;
}

/** Where frames cannot go through a worker, the picture is drawn again. */
function drawn(at: ComposerFormat): Relay {
  const composer = createComposer(at);
  return {
    track: composer.track,
    set: (screen) => composer.set({ screen, camera: null, corner: 'bottom-right', title: '', note: '' }),
    close: () => composer.close(),
  };
}

export function createRelay(at: ComposerFormat): Relay {
  const TP = TrackProcessor;
  if (!TP || !TrackGenerator) return drawn(at);
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  const track = new TrackGenerator({ kind: 'video' });
  const tell = (message: ToRelay, transfer: Transferable[] = []) => worker.postMessage(message, transfer);
  tell({ type: 'out', writable: track.writable }, [track.writable]);
  let now: MediaStreamTrack | null = null;
  return {
    track,
    set(from) {
      if (from === now) return;
      now = from;
      const readable = from && from.readyState === 'live' ? new TP({ track: from, maxBufferSize: 2 }).readable : null;
      tell({ type: 'source', readable }, readable ? [readable] : []);
    },
    close() {
      track.stop();
      tell({ type: 'end' });
      URL.revokeObjectURL(url);
    },
  };
}
