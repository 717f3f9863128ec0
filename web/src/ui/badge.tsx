// SPDX-License-Identifier: MIT
import { phaseOf, type WatchPhase } from '../store/watch';
import type { Stream } from '../api/types';

const WORDS: Partial<Record<WatchPhase, [look: string, text: string]>> = {
  live: ['live', 'Live'],
  reconnecting: ['warn', 'Reconnecting'],
  waiting: ['calm', 'Not live yet'],
  'ended-recorded': ['done', 'Recorded'],
  'ended-processing': ['calm', 'Finishing'],
  ended: ['calm', 'Ended'],
};

export function StateBadge({ stream }: { stream: Stream }) {
  const [look, text] = WORDS[phaseOf(stream)] ?? ['calm', 'Ended'];
  return (
    <span class={`badge badge-${look}`}>
      {look === 'live' && <span class="badge-dot" aria-hidden="true" />}
      {text}
    </span>
  );
}
