// SPDX-License-Identifier: MIT
// The composer's own thread. Frames come in as streams, one goes out a tick; a hidden page slows neither
// down. Without streams (`tick` alone) it is only a clock for the page, whose own timers do slow down.
import { draw, type Piece, type Scene } from './draw';

export type ToComposer =
  | { type: 'canvas'; width: number; height: number; writable: WritableStream<VideoFrame> }
  | { type: 'source'; name: 'screen' | 'camera'; readable: ReadableStream<VideoFrame> | null }
  | { type: 'scene'; scene: Pick<Scene, 'corner' | 'title' | 'note'> }
  | { type: 'rate'; fps: number }
  | { type: 'size'; width: number; height: number }
  | { type: 'end' };

const post = (message: 'ready' | 'tick' | 'ended') => (self as unknown as { postMessage(m: unknown): void }).postMessage(message);

const frames: Record<'screen' | 'camera', VideoFrame | null> = { screen: null, camera: null };
const readers: Record<'screen' | 'camera', ReadableStreamDefaultReader<VideoFrame> | null> = { screen: null, camera: null };
let scene: Pick<Scene, 'corner' | 'title' | 'note'> = { corner: 'bottom-right', title: '', note: '' };
let canvas: OffscreenCanvas | null = null;
let ctx: OffscreenCanvasRenderingContext2D | null = null;
let writer: WritableStreamDefaultWriter<VideoFrame> | null = null;
let timer: ReturnType<typeof setInterval> | undefined;

function keep(name: 'screen' | 'camera', frame: VideoFrame | null) {
  frames[name]?.close();
  frames[name] = frame;
}

async function read(name: 'screen' | 'camera', readable: ReadableStream<VideoFrame> | null) {
  void readers[name]?.cancel().catch(() => {});
  readers[name] = null;
  keep(name, null);
  if (!readable) return;
  const reader = (readers[name] = readable.getReader());
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (readers[name] !== reader) return value?.close();
      if (done) break;
      keep(name, value);
    }
  } catch {
    // the track has ended: the page says so, and sets another source
  }
  if (readers[name] === reader) keep(name, null);
}

const piece = (frame: VideoFrame | null): Piece | null =>
  frame && { image: frame, width: frame.displayWidth, height: frame.displayHeight };

function tick() {
  if (!canvas || !ctx || !writer) return post('tick');
  if ((writer.desiredSize ?? 0) <= 0) return; // the encoder is behind: one less
  draw(ctx, canvas.width, canvas.height, { ...scene, screen: piece(frames.screen), camera: piece(frames.camera) });
  const frame = new VideoFrame(canvas, { timestamp: Math.round(performance.now() * 1000), alpha: 'discard' });
  writer.write(frame).catch(() => frame.close());
}

/** Frames that nobody closes stall the camera that they come from. */
async function end() {
  clearInterval(timer);
  for (const name of ['screen', 'camera'] as const) void read(name, null);
  await writer?.close().catch(() => {});
  post('ended');
}

self.onmessage = ({ data }: MessageEvent<ToComposer>) => {
  switch (data.type) {
    case 'canvas':
      canvas = new OffscreenCanvas(data.width, data.height);
      ctx = canvas.getContext('2d', { alpha: false });
      writer = data.writable.getWriter();
      return;
    case 'source':
      return void read(data.name, data.readable);
    case 'scene':
      scene = data.scene;
      return;
    case 'size':
      if (canvas) Object.assign(canvas, { width: data.width, height: data.height });
      return;
    case 'rate':
      clearInterval(timer);
      timer = setInterval(tick, 1000 / data.fps);
      return;
    case 'end':
      void end();
  }
};
post('ready');
