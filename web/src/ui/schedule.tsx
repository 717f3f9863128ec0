// SPDX-License-Identifier: MIT
// When a stream is to begin: asked for in the streamer's own zone.
import { useId } from 'preact/hooks';
import type { FieldErrors } from '../store/rules';
import { locale, t } from '../i18n/t';
import { Button } from './button';
import { Icon } from './icons';

const two = (n: number) => String(n).padStart(2, '0');

/** Days, hours, minutes, seconds until then; all 0 when it has passed. */
export function parts(until: number, now: number): [days: number, hours: number, minutes: number, seconds: number] {
  const s = Math.max(0, Math.ceil((until - now) / 1000));
  return [Math.floor(s / 86_400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60, s % 60];
}

/** What <input type=datetime-local> holds for this moment; '' for none. */
export function toLocal(iso: string | null): string {
  const d = iso ? new Date(iso) : null;
  if (!d || Number.isNaN(d.getTime())) return '';
  return `${String(d.getFullYear()).padStart(4, '0')}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** The moment that such a field means; null for none. */
export function fromLocal(text: string): string | null {
  const at = new Date(text).getTime();
  return text === '' || Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** Of a field that was `before`: a time that has passed may stay, and may not be chosen. */
export function checkSchedule(text: string, before: string | null): FieldErrors {
  const at = fromLocal(text);
  if (text !== '' && !at) return { scheduledAt: t('This is not a time.') };
  if (at && text !== toLocal(before) && Date.parse(at) < Date.now() - 60_000) return { scheduledAt: t('This time is in the past.') };
  return {};
}

/** What is to be sent: undefined when nothing has changed. */
export function scheduleChange(text: string, before: string | null): string | null | undefined {
  return text === toLocal(before) ? undefined : fromLocal(text);
}

/** "Europe/Berlin (GMT+1)" */
function zone(): string {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const part = new Intl.DateTimeFormat(locale(), { timeZoneName: 'short' }).formatToParts(Date.now()).find((p) => p.type === 'timeZoneName');
  return part && part.value !== name ? `${name} (${part.value})` : name;
}

export function ScheduleField({ value, onValue, error, announced }: { value: string; onValue: (v: string) => void; error?: string | undefined; announced?: boolean }) {
  const id = useId();
  return (
    <div class={`field${error ? ' field-wrong' : ''}`}>
      <label for={id}>
        {t('Starts at')}
        <span class="field-optional">{t('(optional)')}</span>
      </label>
      <div class="schedule-row">
        <input
          id={id}
          name="scheduledAt"
          type="datetime-local"
          step={60}
          min={toLocal(new Date().toISOString())}
          value={value}
          aria-invalid={error ? 'true' : undefined}
          aria-describedby={`${id}-hint${error ? ` ${id}-error` : ''}`}
          onInput={(e) => onValue(e.currentTarget.value)}
        />
        {value !== '' && (
          <Button small look="quiet" onClick={() => onValue('')}>
            {announced ? t('Cancel the date') : t('Clear')}
          </Button>
        )}
      </div>
      <p class="field-hint" id={`${id}-hint`}>
        {announced && value === ''
          ? t('The announced start is cancelled when you save. Followers are told.')
          : t('Announces the stream with a countdown. Your time zone: {zone}', { zone: zone() })}
      </p>
      {error && (
        <p class="field-error" id={`${id}-error`}>
          <Icon name="warning" size={16} /> {error}
        </p>
      )}
    </div>
  );
}
