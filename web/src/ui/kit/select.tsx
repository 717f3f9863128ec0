// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export interface Option<T extends string> {
  value: T;
  text: string;
  /** Where the word is of another language than the page. */
  lang?: string;
}

interface SelectProps<T extends string> {
  label: string;
  value: T;
  onValue: (value: T) => void;
  /** In the order they are shown; or <option>s as children. */
  options?: readonly Option<T>[];
  children?: ComponentChildren;
  disabled?: boolean;
  hint?: string;
  /** The label beside it in small letters, for a choice that is not part of a form. */
  small?: boolean;
}

/** One of a few. The browser's own list: it works on a telephone and by keyboard. */
export function Select<T extends string>({ label, value, options, children, onValue, disabled, hint, small }: SelectProps<T>) {
  const id = useId();
  return (
    <div class={small ? 'select-small' : 'field'}>
      <label for={id}>{label}</label>
      <select
        id={id}
        class="select"
        value={value}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(e) => onValue(e.currentTarget.value as T)}
      >
        {options?.map((o) => (
          <option key={o.value} value={o.value} lang={o.lang}>
            {o.text}
          </option>
        ))}
        {children}
      </select>
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
