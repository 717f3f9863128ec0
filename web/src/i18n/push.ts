// SPDX-License-Identifier: MIT
// What a notification says, in the browser's language. The service worker has no page beside it whose message table
// it could ask, so its few sentences are here.
import { pickLanguage, pickLocale, type Language } from './choose';

/** As the server sends it (src/product/notice_text.c). */
export interface Message {
  kind: string;
  name: string;
  title: string;
  url: string;
  tag: string;
  /** RFC 3339, or "". */
  at: string;
}

const WORDS: Record<Language, Record<string, string>> = {
  en: {
    live: '{name} is live',
    scheduled: '{name} has planned a stream: {at}',
    moved: '{name} has another time: {at}',
    cancelled: '{name} has cancelled a stream',
    soon: '{name} begins at {at}',
    other: 'There is something new',
  },
  de: {
    live: '{name} ist live',
    scheduled: '{name} plant einen Stream: {at}',
    moved: '{name} hat eine neue Zeit: {at}',
    cancelled: '{name} hat einen Stream abgesagt',
    soon: '{name} beginnt um {at}',
    other: 'Es gibt etwas Neues',
  },
  es: {
    live: '{name} está en directo',
    scheduled: '{name} ha programado una emisión: {at}',
    moved: '{name} ha cambiado la hora: {at}',
    cancelled: '{name} ha cancelado una emisión',
    soon: '{name} empieza a las {at}',
    other: 'Hay novedades',
  },
};

export function sentence(message: Message | null, languages: readonly string[]): { title: string; body: string } {
  const language = pickLanguage(null, languages);
  const words = WORDS[language];
  const pattern = message && Object.hasOwn(words, message.kind) ? words[message.kind] : undefined;
  if (!message || !pattern) return { title: 'bspnode', body: words.other ?? '' };
  const when = new Date(message.at);
  const style: Intl.DateTimeFormatOptions = message.kind === 'soon' ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' };
  const at = Number.isNaN(when.getTime()) ? '' : new Intl.DateTimeFormat(pickLocale(language, languages), style).format(when);
  // In one go: a name may hold "{at}".
  return { title: pattern.replace(/\{(name|at)\}/g, (_, key: 'name' | 'at') => ({ name: message.name, at })[key]), body: message.title };
}
