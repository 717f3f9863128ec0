// SPDX-License-Identifier: MIT
// What the pages say, in the reader's language. The English text is the key of the message table:
// de.ts and es.ts hold the same sentence in theirs, and are fetched only by those who read them.
// Call these while drawing, never when a module is loaded: the language is not known yet, and may change.

export type Table = Record<string, string>;
export type Values = Record<string, string | number>;

let table: Table = {};
let spoken = 'en';

/** What Intl is to be asked with: the reader's own variant of the language that is shown ("en-GB", "de-AT"). */
export const locale = (): string => spoken;

export function useTable(next: Table, nextLocale: string): void {
  table = next;
  spoken = nextLocale;
}

const fill = (text: string, values: Values) =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? new Intl.NumberFormat(spoken).format(value) : (value ?? place);
  });

/** `t('{n} minutes', { n: 3 })`: the sentence in the reader's language, its places filled; numbers as the
 *  reader writes them (give a string for one that is a name, as a port is). */
export const t = (text: string, values: Values = {}): string => fill(table[text] ?? text, values);

/** `tn(3, '{n} viewer', '{n} viewers')`: the sentence for one or for more. {n} is the number. */
export const tn = (n: number, one: string, other: string, values: Values = {}): string =>
  t(new Intl.PluralRules(spoken).select(n) === 'one' ? one : other, { n, ...values });

/** A sentence with elements in its places: `tx('By {who}', { who: <b>Ada</b> })`. */
export const tx = <T>(text: string, parts: Record<string, T>): (string | T)[] =>
  t(text)
    .split(/\{(\w+)\}/)
    .map((piece, i) => (i % 2 === 0 ? piece : (parts[piece] ?? `{${piece}}`)));

/** A sentence of the server's, which comes in English with its numbers in it: its line has {1}, {2}, … in their
 *  places. One that has no line stays as it came. */
export function told(text: string): string {
  const numbers: string[] = [];
  const line = table[text] ?? table[text.replace(/\d+(?:\.\d+)?/g, (n) => `{${numbers.push(n)}}`)];
  return line === undefined ? text : line.replace(/\{(\d+)\}/g, (place, i: string) => numbers[Number(i) - 1] ?? place);
}

/** Marks a text in a constant; `t(...)` says it later. */
export const msg = <T extends string>(text: T): T => text;
