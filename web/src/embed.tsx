// SPDX-License-Identifier: MIT
// /embed/{playbackId}: the player and nothing else, for other people's pages.
import './styles/app.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { backoffMs } from './api/backoff';
import { Player } from './ui/player';

type State = 'looking' | 'waiting' | 'live' | 'recorded' | 'missing';

/** Live or recorded: a media playlist that has its end written is recorded. */
async function look(src: string): Promise<State | 'failed'> {
  const get = (url: string) => fetch(url, { cache: 'no-store' }).catch(() => null);
  const master = await get(src);
  if (!master) return 'failed';
  if (master.status === 404) return 'missing';
  if (master.status === 412) return 'waiting';
  if (!master.ok) return 'failed';
  const first = (await master.text()).split('\n').find((line) => line && !line.startsWith('#'));
  if (!first) return 'failed';
  const media = await get(new URL(first, master.url).href);
  if (!media?.ok) return 'failed';
  return (await media.text()).includes('#EXT-X-ENDLIST') ? 'recorded' : 'live';
}

function Embed({ src }: { src: string }) {
  const [state, setState] = useState<State>('looking');
  const [round, setRound] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let stopped = false;
    let attempt = 0;
    async function turn() {
      const found = await look(src);
      if (stopped) return;
      if (found !== 'failed') setState(found);
      if (found === 'waiting') timer = setTimeout(turn, 3000);
      if (found === 'failed') timer = setTimeout(turn, backoffMs(attempt++));
    }
    void turn();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [src, round]);
  if (state === 'live' || state === 'recorded')
    return <Player src={src} mode={state} title="Stream" onEnded={() => state === 'live' && setRound(round + 1)} />;
  return (
    <div class="player">
      <div class="player-cover" role="status">
        {state === 'looking' && <span class="spinner spinner-large" aria-hidden="true" />}
        {state === 'waiting' && <p class="player-cover-title">Not live at the moment</p>}
        {state === 'missing' && <p class="player-cover-title">There is no such video</p>}
      </div>
    </div>
  );
}

const [, id] = /^\/embed\/([A-Za-z0-9_-]+)\/?$/.exec(location.pathname) ?? [];
const root = document.getElementById('app');
document.documentElement.classList.add('embedded');
if (root) {
  root.replaceChildren();
  render(<main class="embed"><h1 class="hidden-text">bspnode player</h1><Embed src={`/${id ?? 'missing'}.m3u8`} /></main>, root);
}
