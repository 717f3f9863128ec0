// SPDX-License-Identifier: MIT
// Before a stream that was announced: how long still, or how late, or that it will not be.
import { clock } from '../app';
import type { Stream } from '../api/types';
import { t, tn } from '../i18n/t';
import { fullTime } from '../store/format';
import { FollowButton } from './follow';
import { Icon } from './icons';
import { parts } from './schedule';
import { useStore } from './use-store';

const two = (n: number) => String(n).padStart(2, '0');

function Digits({ at }: { at: number }) {
  const [d, h, m, s] = parts(at, useStore(clock));
  const unit = (n: string, name: string) => (
    <span class="countdown-unit">
      <b>{n}</b>
      <small>{name}</small>
    </span>
  );
  return (
    <p class="countdown-digits numbers" role="timer" aria-label={t('Time until the start')}>
      {d > 0 && unit(String(d), tn(d, 'day', 'days'))}
      {unit(two(h), tn(h, 'hour', 'hours'))}
      {unit(two(m), tn(m, 'minute', 'minutes'))}
      {unit(two(s), tn(s, 'second', 'seconds'))}
    </p>
  );
}

export const calendarUrl = (stream: Stream) => `/stream/${encodeURIComponent(stream.id)}.ics`;

/** On the cover of the stream's page. */
export function Countdown({ stream }: { stream: Stream }) {
  const now = useStore(clock);
  const at = Date.parse(stream.scheduledAt ?? stream.wasScheduledAt ?? '');
  if (!stream.scheduledAt)
    return (
      <div class="countdown">
        <p class="player-cover-title">{t('This stream was cancelled')}</p>
        {stream.wasScheduledAt && <p>{t('It was to start on {time}.', { time: fullTime(stream.wasScheduledAt) })}</p>}
      </div>
    );
  const late = now >= at;
  return (
    <div class="countdown">
      <p class="player-cover-title">{late ? t('It begins any moment') : t('Starts in')}</p>
      {!late && <Digits at={at} />}
      <p>
        <time dateTime={stream.scheduledAt}>
          {late ? t('It was to start on {time}.', { time: zoned(stream.scheduledAt) }) : zoned(stream.scheduledAt)}
        </time>
      </p>
      <p class="countdown-stay">{t('Stay here: it starts by itself.')}</p>
      <div class="countdown-actions">
        {stream.user.handle && <FollowButton handle={stream.user.handle} />}
        <a class="button button-plain button-small" href={calendarUrl(stream)} download={`${stream.id}.ics`}>
          <Icon name="calendar" size={16} /> {t('Add to calendar')}
        </a>
      </div>
    </div>
  );
}

/** The whole date and time with the reader's zone. */
function zoned(iso: string): string {
  const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' }).formatToParts(Date.parse(iso)).find((p) => p.type === 'timeZoneName')?.value;
  return zone ? `${fullTime(iso)} ${zone}` : fullTime(iso);
}
