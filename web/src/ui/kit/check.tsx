// SPDX-License-Identifier: MIT
import { useId } from 'preact/hooks';

interface CheckProps {
  label: string;
  hint?: string;
  checked: boolean;
  onChecked: (on: boolean) => void;
  disabled?: boolean;
  /** Looks and is named like a switch: what takes effect at once, without a "Save". */
  toggle?: boolean;
}

/** Yes or no. */
export function Check({ label, hint, checked, onChecked, disabled, toggle }: CheckProps) {
  const id = useId();
  return (
    <div class={toggle ? 'check check-switch' : 'check'}>
      <input
        id={id}
        type="checkbox"
        role={toggle ? 'switch' : undefined}
        checked={checked}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(e) => onChecked(e.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}
