// SPDX-License-Identifier: MIT
// /embed/{playbackId}: the player and nothing else, for other people's pages.
import './styles/app.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { backoffMs } from './api/backoff';
import { lookAt } from './api/playlist';
import { Player } from './ui/player';

type State = 'looking' | 'waiting' | 'live' | 'recorded' | 'missing';

function Embed({ src }: { src: string }) {
  const [state, setState] = useState<State>('looking');
  const [round, setRound] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let stopped = false;
    let attempt = 0;
    async function turn() {
      const found = await lookAt(src);
      if (stopped) return;
      if (found === 'failed') {
        timer = setTimeout(turn, backoffMs(attempt++));
      } else if (found === 'not-live') {
        setState('waiting');
        timer = setTimeout(turn, 3000);
      } else {
        setState(found === 'starting' ? 'live' : found); // the player waits for the rest
      }
    }
    void turn();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [src, round]);
  if (state === 'live' || state === 'recorded')
    return (
      <Player
        picture={{ way: 'hls', src, mode: state, fromStart: false }}
        title="Stream"
        onEnded={() => state === 'live' && setRound(round + 1)}
      />
    );
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
