// SPDX-License-Identifier: MIT
import { clock } from '../app';
import { startTime, clockDuration, fullTime, spokenDuration, timeAgo } from '../store/format';
import { useStore } from './use-store';

/** "5 minutes ago", with the whole date as a tooltip. */
export function Ago({ at }: { at: string }) {
  const now = useStore(clock);
  return (
    <time dateTime={at} title={fullTime(at)}>
      {timeAgo(at, now)}
    </time>
  );
}

/** When something is to begin, in the reader's zone. */
export function StartsAt({ at }: { at: string }) {
  const now = useStore(clock);
  return (
    <time dateTime={at} title={fullTime(at)}>
      {startTime(at, now)}
    </time>
  );
}

export function Duration({ seconds }: { seconds: number }) {
  return (
    <span class="numbers">
      <span aria-hidden="true">{clockDuration(seconds)}</span>
      <span class="hidden-text">{spokenDuration(seconds)}</span>
    </span>
  );
}

/** How long since, counting. */
export function Elapsed({ since }: { since: string }) {
  const now = useStore(clock);
  return <Duration seconds={(now - Date.parse(since)) / 1000} />;
}
