// SPDX-License-Identifier: MIT
// What one sets for the pages as a whole: their language and their colours.
import { announce } from '../app';
import { LANGUAGES, type Language } from '../i18n/choose';
import { chooseLanguage, language } from '../i18n/language';
import { t } from '../i18n/t';
import { chooseTheme, themeChoice, type ThemeChoice } from '../store/theme';
import { Select } from './kit/select';
import { useStore } from './use-store';

async function speak(next: Language) {
  try {
    await chooseLanguage(next);
  } catch {
    announce(t('The language could not be loaded. Try again.'), { kind: 'error' });
  }
}

export function Footer() {
  const spoken = useStore(language);
  const colours = useStore(themeChoice);
  const names = Object.entries(LANGUAGES) as [Language, string][];
  return (
    <footer class="footer">
      <p>{t('bspnode: live streaming in one program.')}</p>
      <div class="footer-choices">
        <Select
          small
          label={t('Language')}
          value={spoken}
          options={names.map(([value, text]) => ({ value, text, lang: value }))}
          onValue={(next) => void speak(next)}
        />
        <Select<ThemeChoice>
          small
          label={t('Colours')}
          value={colours}
          options={[
            { value: 'system', text: t('As the system') },
            { value: 'light', text: t('Light') },
            { value: 'dark', text: t('Dark') },
          ]}
          onValue={chooseTheme}
        />
      </div>
    </footer>
  );
}
