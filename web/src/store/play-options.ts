// SPDX-License-Identifier: MIT
// What an address says of how to play: ?t=90 everywhere; ?autoplay=1, ?muted=1 and ?controls=0 for a frame.

export interface PlayOptions {
  /** Seconds into a recording. */
  startAt: number;
  /** Undefined: as is usual for what is played. */
  autoplay: boolean | undefined;
  muted: boolean;
  controls: boolean;
}

/** "90", "90s", "1m30s", "1:30", "1:02:03"; 0 for anything else. */
export function seconds(text: string): number {
  const clock = /^(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2})$/.exec(text.trim());
  if (clock) return Number(clock[1] ?? 0) * 3600 + Number(clock[2]) * 60 + Number(clock[3]);
  const units = /^(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s?)?$/.exec(text.trim());
  return units ? Number(units[1] ?? 0) * 3600 + Number(units[2] ?? 0) * 60 + Number(units[3] ?? 0) : 0;
}

const flag = (text: string | null): boolean | undefined => (text === null ? undefined : !['0', 'false', 'no'].includes(text));

export function playOptions(search: string, framed: boolean): PlayOptions {
  const params = new URLSearchParams(search);
  const startAt = seconds(params.get('t') ?? params.get('start') ?? '');
  if (!framed) return { startAt, autoplay: undefined, muted: false, controls: true };
  return {
    startAt,
    autoplay: flag(params.get('autoplay')),
    muted: flag(params.get('muted')) ?? false,
    controls: flag(params.get('controls')) ?? true,
  };
}

export const pageOptions = (): PlayOptions =>
  playOptions(location.search, document.documentElement.classList.contains('embedded'));
