// SPDX-License-Identifier: MIT
// Runs before the first paint, so that a chosen theme does not flash and the language's file is on its way
// early. A file of its own because the Content-Security-Policy allows no inline script.
import { chosenLanguage, pickLanguage } from './i18n/choose';

const root = document.documentElement;
// build.mjs puts the files' names on the script's element: data-de, data-es.
const files = document.currentScript?.dataset;
const language = pickLanguage(chosenLanguage(), navigator.languages);
root.lang = language;
const file = files?.[language];
if (file) {
  const link = document.createElement('link');
  link.rel = 'modulepreload';
  link.href = file;
  document.head.append(link);
}
try {
  const theme = localStorage.getItem('bspnode-theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
} catch {
  // no storage: the system's theme
}
