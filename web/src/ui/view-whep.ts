// SPDX-License-Identifier: MIT
// <bsp-whep> under media-chrome's controls. It mends itself; what it cannot mend is told by onTrouble.
import { here } from '../api/playlist';
import { t } from '../i18n/t';
import type { BspWhep } from '../rtc/bsp-whep';
import type { WhepState } from '../rtc/whep';
import type { WhepTrouble } from '../rtc/whep-rules';
import { withPass } from '../store/pass';
import type { Picture } from '../store/source';
import { loadWhep } from './player-script';
import type { Media, View, ViewEvents } from './view';

export interface WhepEvents extends ViewEvents {
  onState(state: WhepState): void;
  onTrouble(why: WhepTrouble): void;
}

const BAR = `
  <media-loading-indicator slot="centered-chrome" noautohide></media-loading-indicator>
  <media-control-bar>
    <media-play-button></media-play-button>
    <media-live-button></media-live-button>
    <media-mute-button></media-mute-button>
    <media-volume-range></media-volume-range>
    <span class="whep-space"></span>
    <media-pip-button></media-pip-button>
    <media-fullscreen-button></media-fullscreen-button>
  </media-control-bar>`;

/** Its bar gets a quality menu as soon as there is something to choose. */
async function addMenu(controller: HTMLElement) {
  await import('./quality-menu');
  const pip = controller.querySelector('media-pip-button');
  if (!pip || controller.querySelector('media-rendition-menu')) return;
  const menu = document.createElement('media-rendition-menu');
  menu.hidden = true;
  menu.setAttribute('anchor', 'auto');
  controller.append(menu);
  pip.before(document.createElement('media-rendition-menu-button'));
}

export function openWhep(box: HTMLElement, picture: Picture, title: string, muted: boolean, events: WhepEvents): View {
  let stopped = false;
  let media: BspWhep | null = null;
  const controller = document.createElement('media-controller');
  controller.className = 'whep';
  controller.setAttribute('aria-label', t('Video player: {title}', { title }));

  async function start() {
    if (!(await loadWhep())) return stopped || events.onGone('no-script');
    if (stopped) return;
    const el = document.createElement('bsp-whep') as BspWhep;
    media = el;
    el.slot = 'media';
    el.setAttribute('autoplay', '');
    el.setAttribute('playsinline', '');
    if (muted) el.setAttribute('muted', '');
    el.addEventListener('playing', () => events.onPlaying(el as unknown as Media));
    el.addEventListener('whepstate', (e) => events.onState((e as CustomEvent<WhepState>).detail));
    el.addEventListener('error', () => el.trouble && events.onTrouble(el.trouble));
    el.videoRenditions.addEventListener('addrendition', () => void addMenu(controller));
    controller.innerHTML = BAR;
    controller.prepend(el);
    el.src = here(withPass(picture.src));
    box.append(controller);
    events.onMedia(el as unknown as Media);
  }

  void start();
  return {
    get media() {
      return media as unknown as Media | null;
    },
    numbers: async () => {
      const n = await media?.stats();
      return n ? { ...n, programTime: null } : null;
    },
    close() {
      stopped = true;
      controller.remove();
    },
  };
}
