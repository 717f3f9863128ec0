// SPDX-License-Identifier: MIT
import { useEffect } from 'preact/hooks';

/** The document's title; the new page's name is spoken after a change of pages (main.tsx). */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = title === '' ? 'bspnode' : `${title} · bspnode`;
  }, [title]);
}
