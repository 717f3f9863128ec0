// SPDX-License-Identifier: MIT
// Light or dark: what the system says, until somebody chooses. The choice is put on <html> before the
// first paint by theme-early.ts.
import { createStore } from './store';

export type Theme = 'light' | 'dark';
export type ThemeChoice = Theme | 'system';
const KEY = 'bspnode-theme';

const system = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
const chosen = document.documentElement.dataset.theme as Theme | undefined;

export const themeChoice = createStore<ThemeChoice>(chosen ?? 'system');
/** What is shown. */
export const theme = createStore<Theme>(chosen ?? system());

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  if (themeChoice.get() === 'system') theme.set(system());
});

export function chooseTheme(next: ThemeChoice): void {
  if (next === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // private mode: the choice lasts until the page is closed
  }
  themeChoice.set(next);
  theme.set(next === 'system' ? system() : next);
}

export const toggleTheme = (): void => chooseTheme(theme.get() === 'dark' ? 'light' : 'dark');
