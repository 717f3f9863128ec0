// SPDX-License-Identifier: MIT
import { notices } from '../app';
import { useStore } from './use-store';

/** The page's one polite live region. */
export function Notices() {
  const list = useStore(notices);
  return (
    <div class="notices" role="status" aria-live="polite" aria-atomic="false">
      {list.map((n) => (
        <p key={n.id} class={n.quiet ? 'hidden-text' : `notice notice-${n.kind}`}>
          {n.text}
        </p>
      ))}
    </div>
  );
}
