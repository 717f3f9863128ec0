// SPDX-License-Identifier: MIT
// Spanish. Addressed as "tú"; names of formats and programs as they are.
import type { Table } from './t';

export const es: Table = {
};
