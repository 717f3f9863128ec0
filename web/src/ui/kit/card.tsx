// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** A part of a page with a heading of its own. */
export function Panel({ title, foot, children }: { title: string; foot?: ComponentChildren; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
      {foot && <div class="panel-foot">{foot}</div>}
    </section>
  );
}
