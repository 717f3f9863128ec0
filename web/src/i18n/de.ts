// SPDX-License-Identifier: MIT
// German. Addressed as "du"; names of formats and programs as they are.
import type { Table } from './t';

export const de: Table = {
};
