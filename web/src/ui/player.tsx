// SPDX-License-Identifier: MIT
// The player of the viewer page and of the embedded one: a picture, or why there is none yet.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/t';
import type { Picture, Trouble } from '../store/source';
import { Button } from './button';
import { createStage, type Stage, type StageState } from './stage';
import type { Numbers } from './view';

export interface PlayerProps {
  picture: Picture;
  title: string;
  /** The streamer sends; false while they are away. */
  connected?: boolean;
  onEnded?: (() => void) | undefined;
  onTrouble?: (t: Trouble) => void;
  /** How the picture comes, every second. */
  onNumbers?: (n: Numbers | null) => void;
}

const NUMBERS_MS = 1000;

export function Player(props: PlayerProps) {
  const { picture, title } = props;
  const box = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage | null>(null);
  const [state, setState] = useState<StageState>({ cover: 'loading', silenced: false, way: null });
  const latest = useRef(props);
  latest.current = props;

  useLayoutEffect(() => {
    if (!box.current) return;
    const mine = createStage(box.current, {
      onEnded: () => latest.current.onEnded?.(),
      onTrouble: (t) => latest.current.onTrouble?.(t),
      connected: () => latest.current.connected !== false,
    });
    stage.current = mine;
    const unsubscribe = mine.subscribe(() => setState(mine.get()));
    const numbers = setInterval(async () => {
      const tell = latest.current.onNumbers;
      if (tell && !document.hidden) tell(await mine.numbers());
    }, NUMBERS_MS);
    return () => {
      clearInterval(numbers);
      unsubscribe();
      mine.close();
    };
  }, []);

  useEffect(() => stage.current?.show(picture, title), [picture.way, picture.src, picture.mode, picture.fromStart]);

  const { cover, silenced, way } = state;
  return (
    <div class="player" role="region" aria-label={`Video: ${title}`} data-way={way ?? undefined}>
      <div class="player-media" ref={box} />
      {cover === null && silenced && (
        <div class="player-sound">
          <Button small icon="muted" onClick={() => stage.current?.unmute()}>
            {t('Turn on the sound')}
          </Button>
        </div>
      )}
      {cover === 'loading' && (
        <div class="player-cover">
          <span class="spinner spinner-large" aria-hidden="true" />
          <p>{picture.mode === 'live' ? t('The picture is on its way.') : t('Loading.')}</p>
        </div>
      )}
      {cover === 'gone' && (
        <div class="player-cover">
          <p>{t('The video is not there any more.')}</p>
        </div>
      )}
      {cover === 'no-script' && (
        <div class="player-cover">
          <p>{t('The player could not be loaded.')}</p>
          <Button icon="refresh" onClick={() => location.reload()}>
            {t('Load the page again')}
          </Button>
        </div>
      )}
    </div>
  );
}
