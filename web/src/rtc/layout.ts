// SPDX-License-Identifier: MIT
// Where the pieces of the composed picture stand. Pure geometry, in pixels of the whole.

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type Corner = 'bottom-right' | 'bottom-left' | 'top-right' | 'top-left';
export const CORNERS: readonly Corner[] = ['bottom-right', 'bottom-left', 'top-right', 'top-left'];

interface Size {
  width: number;
  height: number;
}

/** The largest box of the piece's own shape inside `into`, centred. */
export function fit(piece: Size, into: Box): Box {
  if (!(piece.width > 0 && piece.height > 0)) return into;
  const scale = Math.min(into.width / piece.width, into.height / piece.height);
  const width = Math.round(piece.width * scale);
  const height = Math.round(piece.height * scale);
  return { x: into.x + Math.round((into.width - width) / 2), y: into.y + Math.round((into.height - height) / 2), width, height };
}

/** The camera over a screen: a quarter of the width, in its own shape, away from the edge. */
export function insetBox(camera: Size, whole: Size, corner: Corner): Box {
  const width = Math.round(whole.width / 4);
  const shape = camera.width > 0 && camera.height > 0 ? camera.height / camera.width : 9 / 16;
  const height = Math.min(Math.round(width * shape), Math.round(whole.height / 2));
  const margin = Math.round(whole.width / 40);
  const w = Math.round(height / shape);
  return {
    x: corner.endsWith('left') ? margin : whole.width - margin - w,
    y: corner.startsWith('top') ? margin : whole.height - margin - height,
    width: w,
    height,
  };
}
