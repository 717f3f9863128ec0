// SPDX-License-Identifier: MIT
// Times and numbers as people read them, in the reader's own zone and language.

/** 75 -> "1:15", 3675 -> "1:01:15". */
export function clockDuration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** "1 hour 2 minutes", for assistive technology. */
export function spokenDuration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const parts = [
    [Math.floor(s / 3600), 'hour'],
    [Math.floor((s % 3600) / 60), 'minute'],
    [s % 60, 'second'],
  ] as const;
  const said = parts.filter(([n]) => n > 0).slice(0, 2);
  if (said.length === 0) return '0 seconds';
  return said.map(([n, unit]) => `${n} ${unit}${n === 1 ? '' : 's'}`).join(' ');
}

const STEPS: [limit: number, divisor: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86_400, 3600, 'hour'],
  [7 * 86_400, 86_400, 'day'],
];

/** "5 minutes ago"; after a week, the date. */
export function timeAgo(iso: string, now: number, locale?: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  const seconds = (now - at) / 1000;
  if (seconds < 10) return 'just now';
  for (const [limit, divisor, unit] of STEPS) {
    if (seconds < limit)
      return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(-Math.floor(seconds / divisor), unit);
  }
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(at);
}

/** The whole date and time, in the reader's zone. */
export function fullTime(iso: string, locale?: string, timeZone?: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  const options: Intl.DateTimeFormatOptions = { dateStyle: 'full', timeStyle: 'short' };
  if (timeZone) options.timeZone = timeZone;
  return new Intl.DateTimeFormat(locale, options).format(at);
}

/** Day and time, short, in the reader's zone. */
export function shortTime(iso: string, locale?: string, timeZone?: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  const options: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };
  if (timeZone) options.timeZone = timeZone;
  return new Intl.DateTimeFormat(locale, options).format(at);
}

/** Bits a second: "2.5 Mbit/s", "128 kbit/s". */
export function bitrate(bits: number): string {
  if (bits >= 1_000_000) return `${(bits / 1_000_000).toFixed(1)} Mbit/s`;
  return `${Math.round(bits / 1000)} kbit/s`;
}

/** Bytes: "640 kB", "12.5 MB", "1.20 GB". */
export function size(bytes: number): string {
  if (bytes >= 1_000_000_000) return `${(bytes / 1_000_000_000).toFixed(2)} GB`;
  if (bytes >= 1_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${Math.round(bytes / 1000)} kB`;
}

/** "1 viewer", "1,204 viewers". */
export function viewers(count: number, locale?: string): string {
  return `${new Intl.NumberFormat(locale).format(count)} ${count === 1 ? 'viewer' : 'viewers'}`;
}
