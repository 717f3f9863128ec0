// SPDX-License-Identifier: MIT
// Spanish. Addressed as "tú"; names of formats and programs as they are.
// @ts-nocheck Two areas may bring the same line; the last one counts.
import type { Table } from './t';

export const es: Table = {
  'just now': 'ahora mismo',
  '{n} viewer': '{n} espectador',
  '{n} viewers': '{n} espectadores',
  'The language could not be loaded. Try again.': 'No se pudo cargar el idioma. Inténtalo de nuevo.',
  'bspnode: live streaming in one program.': 'bspnode: emisiones en directo en un solo programa.',
  'Language': 'Idioma',
  'Colours': 'Colores',
  'As the system': 'Como el sistema',
  'Light': 'Claro',
  'Dark': 'Oscuro',
};
