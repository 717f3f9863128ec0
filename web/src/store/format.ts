// SPDX-License-Identifier: MIT
// Times and numbers as people read them, in the reader's own zone and language.
import { locale, t, tn } from '../i18n/t';

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
  const words = (n: number, unit: string) =>
    new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'long' }).format(n);
  return said.length === 0 ? words(0, 'second') : said.map(([n, unit]) => words(n, unit)).join(' ');
}

const STEPS: [limit: number, divisor: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86_400, 3600, 'hour'],
  [7 * 86_400, 86_400, 'day'],
];

/** "5 minutes ago"; after a week, the date. */
export function timeAgo(iso: string, now: number, spoken = locale()): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  const seconds = (now - at) / 1000;
  if (seconds < 10) return t('just now');
  for (const [limit, divisor, unit] of STEPS) {
    if (seconds < limit)
      return new Intl.RelativeTimeFormat(spoken, { numeric: 'auto' }).format(-Math.floor(seconds / divisor), unit);
  }
  return new Intl.DateTimeFormat(spoken, { dateStyle: 'medium' }).format(at);
}

/** The whole date and time, in the reader's zone. */
export function fullTime(iso: string, spoken = locale(), timeZone?: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  const options: Intl.DateTimeFormatOptions = { dateStyle: 'full', timeStyle: 'short' };
  if (timeZone) options.timeZone = timeZone;
  return new Intl.DateTimeFormat(spoken, options).format(at);
}

/** Day and time, short, in the reader's zone. */
export function shortTime(iso: string, spoken = locale(), timeZone?: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  const options: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };
  if (timeZone) options.timeZone = timeZone;
  return new Intl.DateTimeFormat(spoken, options).format(at);
}

/** With so many digits behind the point or comma. */
/** "today, 20:00", "tomorrow", then day and date; always with the zone, since it is about a meeting. */
export function startTime(iso: string, now: number, spoken = locale(), timeZone?: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  const zone = timeZone ? { timeZone } : {};
  const day = (ms: number) => new Intl.DateTimeFormat('en-CA', zone).format(ms);
  const time = new Intl.DateTimeFormat(spoken, { hour: 'numeric', minute: '2-digit', timeZoneName: 'short', ...zone }).format(at);
  if (day(at) === day(now)) return t('Today, {time}', { time });
  if (day(at) === day(now + 86_400_000)) return t('Tomorrow, {time}', { time });
  const far = Math.abs(at - now) > 180 * 86_400_000;
  const date = new Intl.DateTimeFormat(spoken, { weekday: 'short', day: 'numeric', month: 'short', ...(far && { year: 'numeric' }), ...zone }).format(at);
  return t('{date}, {time}', { date, time });
}

export const decimal = (n: number, digits: number) =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);

/** Bits a second: "2.5 Mbit/s", "128 kbit/s". */
export function bitrate(bits: number): string {
  if (bits >= 1_000_000) return `${decimal(bits / 1_000_000, 1)} Mbit/s`;
  return `${decimal(bits / 1000, 0)} kbit/s`;
}

/** Bytes: "640 kB", "12.5 MB", "1.20 GB". */
export function size(bytes: number): string {
  if (bytes >= 1_000_000_000) return `${decimal(bytes / 1_000_000_000, 2)} GB`;
  if (bytes >= 1_000_000) return `${decimal(bytes / 1_000_000, 1)} MB`;
  return `${decimal(bytes / 1000, 0)} kB`;
}

/** "1 viewer", "1,204 viewers". */
export const viewers = (count: number): string => tn(count, '{n} viewer', '{n} viewers');
