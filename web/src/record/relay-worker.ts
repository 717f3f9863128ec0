// SPDX-License-Identifier: MIT
// Frames of whatever source there is now into one track of one size and one kind: all of them are drawn, because a
// camera's and a composed picture's differ in their colours' description, which an MP4 file has only once.
import { fit } from '../rtc/layout';

export type ToRelay =
  | { type: 'out'; writable: WritableStream<VideoFrame> }
  | { type: 'source'; readable: ReadableStream<VideoFrame> | null }
  | { type: 'end' };

/** A source that gives nothing (a telephone's camera held back) is stood in for by its last picture. */
const STILL_MS = 500;

let writer: WritableStreamDefaultWriter<VideoFrame> | null = null;
let reader: ReadableStreamDefaultReader<VideoFrame> | null = null;
let canvas: OffscreenCanvas | null = null;
let last: VideoFrame | null = null;
let size: { width: number; height: number } | null = null;
let stillSince = 0;

const stamp = () => Math.round(performance.now() * 1000);

function write(frame: VideoFrame) {
  if (!writer || (writer.desiredSize ?? 0) <= 0) return frame.close(); // the encoder is behind: one less
  writer.write(frame).catch(() => frame.close());
}

function fitted(frame: VideoFrame): VideoFrame {
  size ??= { width: frame.displayWidth & ~1, height: frame.displayHeight & ~1 };
  const { width, height } = size;
  canvas ??= new OffscreenCanvas(width, height);
  const ctx = canvas.getContext('2d', { alpha: false });
  const at = fit({ width: frame.displayWidth, height: frame.displayHeight }, { x: 0, y: 0, width, height });
  if (at.width < width || at.height < height) ctx?.clearRect(0, 0, width, height);
  ctx?.drawImage(frame, at.x, at.y, at.width, at.height);
  return new VideoFrame(canvas, { timestamp: stamp(), alpha: 'discard' });
}

function keep(frame: VideoFrame | null) {
  last?.close();
  last = frame;
}

async function read(readable: ReadableStream<VideoFrame> | null) {
  void reader?.cancel().catch(() => {});
  reader = null;
  if (!readable) return;
  const mine = (reader = readable.getReader());
  try {
    for (;;) {
      const { value, done } = await mine.read();
      if (reader !== mine) return value?.close();
      if (done) return;
      const out = fitted(value);
      value.close();
      keep(out.clone());
      stillSince = performance.now();
      write(out);
    }
  } catch {
    // the track has ended: the page says so, and sets another source
  }
}

const timer = setInterval(() => {
  if (!last || performance.now() - stillSince < STILL_MS) return;
  stillSince = performance.now();
  write(new VideoFrame(last, { timestamp: stamp() }));
}, STILL_MS);

async function end() {
  clearInterval(timer);
  void read(null);
  keep(null);
  await writer?.close().catch(() => {});
  close();
}

self.onmessage = ({ data }: MessageEvent<ToRelay>) => {
  if (data.type === 'out') writer = data.writable.getWriter();
  else if (data.type === 'source') void read(data.readable);
  else void end();
};
