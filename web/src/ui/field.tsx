// SPDX-License-Identifier: MIT
import { useId, useLayoutEffect, useState } from 'preact/hooks';
import { t } from '../i18n/t';
import { Icon } from './icons';

interface FieldProps {
  label: string;
  name: string;
  value: string;
  onValue: (value: string) => void;
  hint?: string | undefined;
  error?: string | undefined;
  optional?: boolean;
  type?: 'text' | 'email' | 'password';
  autocomplete?: 'name' | 'username' | 'new-password' | 'current-password' | 'one-time-code' | 'email' | 'off';
  rows?: number;
  /** It has come while the form was in use: the keyboard goes on here. */
  focus?: boolean;
}

/** A labelled input with its hint and error; a password gets a button that shows it. */
export function Field(props: FieldProps) {
  const { label, name, value, onValue, hint, error, optional, type = 'text', rows } = props;
  const id = useId();
  const [shown, setShown] = useState(false);
  useLayoutEffect(() => {
    if (props.focus) document.getElementById(id)?.focus();
  }, []);
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  const shared = {
    id,
    name,
    value,
    autocomplete: props.autocomplete,
    'aria-invalid': error ? ('true' as const) : undefined,
    'aria-describedby': described || undefined,
    'aria-required': optional ? undefined : ('true' as const),
  };
  return (
    <div class={`field${error ? ' field-wrong' : ''}`}>
      <label for={id}>
        {label}
        {optional && <span class="field-optional"> {t('(optional)')}</span>}
      </label>
      {rows ? (
        <textarea {...shared} rows={rows} onInput={(e) => onValue(e.currentTarget.value)} />
      ) : (
        <div class="field-box">
          <input
            {...shared}
            type={(type === 'password' && shown ? 'text' : type) as 'text'}
            onInput={(e) => onValue(e.currentTarget.value)}
            spellcheck={type === 'text' ? undefined : false}
            autocapitalize={type === 'text' ? undefined : 'none'}
          />
          {type === 'password' && (
            <button
              type="button"
              class="field-toggle"
              aria-pressed={shown}
              aria-label={t('Show password')}
              title={shown ? t('Hide password') : t('Show password')}
              onClick={() => setShown(!shown)}
            >
              <Icon name={shown ? 'eyeOff' : 'eye'} />
            </button>
          )}
        </div>
      )}
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          <Icon name="warning" size={16} /> {error}
        </p>
      )}
    </div>
  );
}
