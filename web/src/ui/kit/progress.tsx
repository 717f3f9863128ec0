// SPDX-License-Identifier: MIT
/** How much of something is done; without `value` it is only known that it goes on. */
export function Progress({ label, value, max = 1 }: { label: string; value?: number; max?: number }) {
  return <progress class="bar" aria-label={label} max={max} value={value === undefined ? undefined : Math.min(value, max)} />;
}
