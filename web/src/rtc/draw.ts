// SPDX-License-Identifier: MIT
// Draws one composed picture: the screen with the camera over it, or a card when there is neither. The same
// in the worker and on the page.
import { fit, insetBox, type Corner } from './layout';

export interface Piece {
  image: CanvasImageSource;
  width: number;
  height: number;
}

export interface Scene {
  screen: Piece | null;
  camera: Piece | null;
  corner: Corner;
  /** Words on the card. */
  title: string;
  note: string;
}

type Canvas2d = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

function card(ctx: Canvas2d, width: number, height: number, { title, note }: Scene) {
  ctx.fillStyle = '#14212a';
  ctx.fillRect(0, 0, width, height);
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillStyle = '#f5f4ef';
  ctx.font = `600 ${Math.round(height / 14)}px system-ui, sans-serif`;
  ctx.fillText(title, width / 2, height * 0.46, width * 0.86);
  ctx.fillStyle = '#a9bbc4';
  ctx.font = `400 ${Math.round(height / 24)}px system-ui, sans-serif`;
  ctx.fillText(note, width / 2, height * 0.57, width * 0.86);
}

export function draw(ctx: Canvas2d, width: number, height: number, scene: Scene): void {
  const { screen, camera, corner } = scene;
  if (!screen) return card(ctx, width, height, scene);
  const at = fit(screen, { x: 0, y: 0, width, height });
  if (at.width < width || at.height < height) {
    ctx.fillStyle = '#000';
    ctx.fillRect(0, 0, width, height);
  }
  ctx.drawImage(screen.image, at.x, at.y, at.width, at.height);
  if (!camera) return;
  const box = insetBox(camera, { width, height }, corner);
  ctx.save();
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.width, box.height, Math.round(height / 60));
  ctx.clip();
  ctx.drawImage(camera.image, box.x, box.y, box.width, box.height);
  ctx.restore();
}
