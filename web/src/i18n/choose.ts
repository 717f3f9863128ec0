// SPDX-License-Identifier: MIT
// Which language: the one that the reader has chosen, else the first of the browser's that the pages know.
export const LANGUAGES = { en: 'English', de: 'Deutsch', es: 'Español' } as const;
export type Language = keyof typeof LANGUAGES;
export const LANGUAGE_KEY = 'bspnode-language';

const known = (name: string | undefined | null): name is Language => !!name && Object.hasOwn(LANGUAGES, name);
const base = (tag: string) => tag.toLowerCase().split('-')[0];

export function pickLanguage(chosen: string | null, wanted: readonly string[]): Language {
  return known(chosen) ? chosen : (wanted.map(base).find(known) ?? 'en');
}

/** The reader's variant of it, for dates and numbers. */
export const pickLocale = (language: Language, wanted: readonly string[]): string =>
  wanted.find((tag) => base(tag) === language) ?? language;

export function chosenLanguage(): string | null {
  try {
    return localStorage.getItem(LANGUAGE_KEY);
  } catch {
    return null; // no storage: the browser's
  }
}
