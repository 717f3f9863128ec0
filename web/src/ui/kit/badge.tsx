// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';

export type BadgeLook = 'live' | 'warn' | 'done' | 'calm' | 'fail';

/** A state in a word or two. The word says it; the colour only helps. */
export function Badge({ look, children }: { look: BadgeLook; children: ComponentChildren }) {
  return (
    <span class={`badge badge-${look}`}>
      {look === 'live' && <span class="badge-dot" aria-hidden="true" />}
      {children}
    </span>
  );
}
