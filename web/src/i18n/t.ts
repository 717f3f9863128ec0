// SPDX-License-Identifier: MIT
// What the pages say, in the reader's language. The English text is the key of the message table:
// de.ts and es.ts hold the same sentence in theirs, and are fetched only by those who read them.

export type Table = Record<string, string>;
export type Values = Record<string, string | number>;

let table: Table = {};

/** `t('{n} viewers', { n: 3 })`: the sentence in the reader's language, its places filled. */
export function t(text: string, values: Values = {}): string {
  const said = table[text] ?? text;
  return said.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

export function useTable(next: Table): void {
  table = next;
}
