// SPDX-License-Identifier: MIT
// The language that is shown. English is in the pages themselves; the others are files, fetched when they
// are read. theme-early.ts has asked for the file before, so that the first picture waits little.
import { loadPart } from '../store/part';
import { createStore } from '../store/store';
import { chosenLanguage, LANGUAGE_KEY, pickLanguage, pickLocale, type Language } from './choose';
import { useTable, type Table } from './t';

const FILES: Record<Exclude<Language, 'en'>, () => Promise<Table>> = {
  de: () => loadPart(() => import('./de')).then((m) => m.de),
  es: () => loadPart(() => import('./es')).then((m) => m.es),
};

/** Changes when everything is to be drawn again (App). */
export const language = createStore<Language>('en');

async function speak(next: Language): Promise<void> {
  const table = next === 'en' ? {} : await FILES[next]();
  useTable(table, pickLocale(next, navigator.languages));
  document.documentElement.lang = next;
  language.set(next);
}

/** To be waited for before anything is drawn; a language that cannot be fetched leaves English. */
export const startLanguage = (): Promise<void> =>
  speak(pickLanguage(chosenLanguage(), navigator.languages)).catch(() => speak('en'));

/** Rejects when the file cannot be fetched; the pages stay as they are. */
export async function chooseLanguage(next: Language): Promise<void> {
  await speak(next);
  try {
    localStorage.setItem(LANGUAGE_KEY, next);
  } catch {
    // private mode: the choice lasts until the page is closed
  }
}
