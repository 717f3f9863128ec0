// SPDX-License-Identifier: MIT
import type { Stream } from '../api/types';
import { t } from '../i18n/t';
import { viewers } from '../store/format';
import { StateBadge } from './badge';
import { Avatar, Poster } from './poster';
import { Ago, Duration, Elapsed } from './time';

/** One stream in the lobby. The title is the link; the whole card is its target. */
export function StreamCard({ stream }: { stream: Stream }) {
  const live = stream.status === 'LIVE';
  return (
    <article class="card">
      <div class="card-picture">
        <Poster stream={stream} />
        <span class="card-badge">
          <StateBadge stream={stream} />
        </span>
        <span class="card-length">
          {live && stream.startedAt && <Elapsed since={stream.startedAt} />}
          {!live && stream.duration !== null && <Duration seconds={stream.duration} />}
        </span>
      </div>
      <div class="card-text">
        <Avatar id={stream.user.id} name={stream.user.name} image={stream.user.image} />
        <div class="card-words">
          <h3>
            <a href={`/stream/${encodeURIComponent(stream.id)}`}>{stream.title}</a>
          </h3>
          <p>{stream.user.name}</p>
          <p>
            {live ? viewers(stream.viewerCount) : <Ago at={stream.endedAt ?? stream.createdAt} />}
            {!live && stream.peakViewers > 0 && ` · ${t('{viewers} at peak', { viewers: viewers(stream.peakViewers) })}`}
          </p>
        </div>
      </div>
    </article>
  );
}
