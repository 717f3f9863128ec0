// SPDX-License-Identifier: MIT
import type { Stream } from '../api/types';
import { t } from '../i18n/t';
import { viewers } from '../store/format';
import { StateBadge } from './badge';
import { PersonName } from './person';
import { Avatar, Poster } from './poster';
import { Ago, Duration, Elapsed, StartsAt } from './time';

/** One stream in the lobby. The title is the link; the whole card is its target. */
export function StreamCard({ stream }: { stream: Stream }) {
  const live = stream.status === 'LIVE';
  const announced = stream.status === 'CREATED' && stream.scheduledAt !== null;
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
          <p>
            <PersonName person={stream.user} />
          </p>
          <p>
            {live && viewers(stream.viewerCount)}
            {announced && stream.scheduledAt && <StartsAt at={stream.scheduledAt} />}
            {!live && !announced && <Ago at={stream.endedAt ?? stream.createdAt} />}
            {!live && stream.peakViewers > 0 && ` · ${t('{viewers} at peak', { viewers: viewers(stream.peakViewers) })}`}
          </p>
        </div>
      </div>
    </article>
  );
}
