// SPDX-License-Identifier: MIT
import { useId } from 'preact/hooks';

interface SelectProps<T extends string> {
  label: string;
  value: T;
  /** In the order they are shown; `lang` where a word is of another language than the page. */
  options: readonly { value: T; text: string; lang?: string }[];
  onValue: (value: T) => void;
  /** The label beside it in small letters, for a choice that is not part of a form. */
  small?: boolean;
}

/** One of a few. The browser's own list: it works on a telephone and by keyboard. */
export function Select<T extends string>({ label, value, options, onValue, small }: SelectProps<T>) {
  const id = useId();
  return (
    <div class={small ? 'select select-small' : 'field select'}>
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(e) => onValue(e.currentTarget.value as T)}>
        {options.map((o) => (
          <option key={o.value} value={o.value} lang={o.lang}>
            {o.text}
          </option>
        ))}
      </select>
    </div>
  );
}
