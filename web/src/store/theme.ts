// SPDX-License-Identifier: MIT
// Light or dark: what the system says, until somebody chooses. The choice is put on <html> before the
// first paint by theme-early.ts.
import { createStore } from './store';

export type Theme = 'light' | 'dark';
const KEY = 'bspnode-theme';

const system = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
const chosen = document.documentElement.dataset.theme as Theme | undefined;

export const theme = createStore<Theme>(chosen ?? system());

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  if (!document.documentElement.dataset.theme) theme.set(system());
});

export function toggleTheme(): void {
  const next = theme.get() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // private mode: the choice lasts until the page is closed
  }
  theme.set(next);
}
