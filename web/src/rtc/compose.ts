// SPDX-License-Identifier: MIT
// The composed picture as a track: the screen, the camera over it, or a card. Where the browser lets frames
// through a worker (MediaStreamTrackProcessor), all of it happens there; elsewhere the page draws, and only the
// clock is a worker's. Either goes on in a hidden tab, which requestAnimationFrame does not.
import source from 'worker:./compose-worker.ts';
import type { ToComposer } from './compose-worker';
import { draw, type Piece, type Scene } from './draw';
import type { Corner } from './layout';

export interface ComposerScene {
  screen: MediaStreamTrack | null;
  camera: MediaStreamTrack | null;
  corner: Corner;
  title: string;
  note: string;
}

export interface ComposerFormat {
  width: number;
  height: number;
  fps: number;
}

export interface Composer {
  readonly track: MediaStreamTrack;
  set(scene: ComposerScene): void;
  format(to: ComposerFormat): void;
  close(): void;
}

// Chromium's, not in TypeScript's library.
type Processor = new (init: { track: MediaStreamTrack; maxBufferSize?: number }) => { readable: ReadableStream<VideoFrame> };
type Generator = new (init: { kind: 'video' }) => MediaStreamTrack & { writable: WritableStream<VideoFrame> };
export const { MediaStreamTrackProcessor: TrackProcessor, MediaStreamTrackGenerator: TrackGenerator } = globalThis as unknown as {
  MediaStreamTrackProcessor?: Processor;
  MediaStreamTrackGenerator?: Generator;
};

function startWorker(onTick: () => void = () => {}): Worker {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }: MessageEvent<'ready' | 'tick' | 'ended'>) => {
    if (data === 'tick') onTick();
    else if (data === 'ready') URL.revokeObjectURL(url);
    else worker.terminate();
  };
  return worker;
}

function inWorker(at: ComposerFormat, TP: Processor, TG: Generator): Composer {
  const worker = startWorker();
  const track = new TG({ kind: 'video' });
  const tell = (message: ToComposer, transfer: Transferable[] = []) => worker.postMessage(message, transfer);
  const now: Record<'screen' | 'camera', MediaStreamTrack | null> = { screen: null, camera: null };
  tell({ type: 'canvas', width: at.width, height: at.height, writable: track.writable }, [track.writable]);
  tell({ type: 'rate', fps: at.fps });
  return {
    track,
    set(scene) {
      tell({ type: 'scene', scene: { corner: scene.corner, title: scene.title, note: scene.note } });
      for (const name of ['screen', 'camera'] as const) {
        if (now[name] === scene[name]) continue;
        const from = (now[name] = scene[name]);
        const readable = from && from.readyState === 'live' ? new TP({ track: from, maxBufferSize: 1 }).readable : null;
        tell({ type: 'source', name, readable }, readable ? [readable] : []);
      }
    },
    format(to) {
      tell({ type: 'size', width: to.width, height: to.height });
      tell({ type: 'rate', fps: to.fps });
    },
    close() {
      track.stop();
      tell({ type: 'end' });
    },
  };
}

function onPage(at: ComposerFormat): Composer {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: at.width, height: at.height });
  const ctx = canvas.getContext('2d', { alpha: false });
  const videos: Record<'screen' | 'camera', HTMLVideoElement | null> = { screen: null, camera: null };
  let words: Pick<Scene, 'corner' | 'title' | 'note'> = { corner: 'bottom-right', title: '', note: '' };
  const piece = (v: HTMLVideoElement | null): Piece | null =>
    v && v.readyState >= 2 ? { image: v, width: v.videoWidth, height: v.videoHeight } : null;
  const paint = () => {
    if (ctx) draw(ctx, canvas.width, canvas.height, { ...words, screen: piece(videos.screen), camera: piece(videos.camera) });
  };
  paint();
  const track = canvas.captureStream(at.fps).getVideoTracks()[0];
  if (!track) throw new Error('This browser cannot make a picture of its own.');
  const worker = startWorker(paint);
  worker.postMessage({ type: 'rate', fps: at.fps } satisfies ToComposer);
  return {
    track,
    set(scene) {
      words = { corner: scene.corner, title: scene.title, note: scene.note };
      for (const name of ['screen', 'camera'] as const) {
        const from = scene[name];
        const had = (videos[name]?.srcObject as MediaStream | null)?.getVideoTracks()[0] ?? null;
        if (had === from) continue;
        if (videos[name]) videos[name].srcObject = null;
        videos[name] = null;
        if (!from) continue;
        const video = (videos[name] = document.createElement('video'));
        video.muted = true;
        video.playsInline = true;
        video.srcObject = new MediaStream([from]);
        void video.play().catch(() => {});
      }
    },
    format(to) {
      Object.assign(canvas, { width: to.width, height: to.height });
      worker.postMessage({ type: 'rate', fps: to.fps } satisfies ToComposer);
    },
    close() {
      track.stop();
      worker.terminate();
      for (const v of Object.values(videos)) if (v) v.srcObject = null;
    },
  };
}

export function createComposer(at: ComposerFormat): Composer {
  if (TrackProcessor && TrackGenerator) return inWorker(at, TrackProcessor, TrackGenerator);
  return onPage(at);
}
