// SPDX-License-Identifier: MIT
// German. Addressed as "du"; names of formats and programs as they are.
// @ts-nocheck Two areas may bring the same line; the last one counts.
import type { Table } from './t';

export const de: Table = {
  'just now': 'gerade eben',
  '{n} viewer': '{n} Zuschauer',
  '{n} viewers': '{n} Zuschauer',
  'The language could not be loaded. Try again.': 'Die Sprache konnte nicht geladen werden. Versuch es noch einmal.',
  'bspnode: live streaming in one program.': 'bspnode: Live-Streaming in einem Programm.',
  'Language': 'Sprache',
  'Colours': 'Farben',
  'As the system': 'Wie das System',
  'Light': 'Hell',
  'Dark': 'Dunkel',
};
