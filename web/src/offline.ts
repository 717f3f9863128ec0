// SPDX-License-Identifier: MIT
// The page that the service worker shows when there is no network: its words, and a way back.
import { chosenLanguage, pickLanguage } from './i18n/choose';
import { WORDS } from './i18n/offline';

const language = pickLanguage(chosenLanguage(), navigator.languages);
document.documentElement.lang = language;
const [title, text, again] = WORDS[language];
document.title = `${title} · bspnode`;
const say = (id: string, words: string) => {
  const element = document.getElementById(id);
  if (element) element.textContent = words;
};
say('title', title);
say('text', text);
say('again', again);
document.getElementById('again')?.addEventListener('click', () => location.reload());

// The network can come back before anybody listens, and it can be there without the server.
const ASK_MS = 3000;
const ask = () =>
  fetch('/healthz', { cache: 'no-store' }).then(
    (r) => r.ok && location.reload(),
    () => {},
  );
addEventListener('online', () => void ask());
setInterval(() => void ask(), ASK_MS);
