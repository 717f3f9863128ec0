// SPDX-License-Identifier: MIT
/** The mark: a node, and what goes out from it. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="mark-ground" width="32" height="32" rx="9" />
      <circle class="mark-node" cx="10.5" cy="16" r="4.2" />
      <path class="mark-wave" d="M17.2 9.8a9 9 0 0 1 0 12.4M21.6 6.2a14 14 0 0 1 0 19.6" />
    </svg>
  );
}

export function Logo() {
  return (
    <span class="logo">
      <Mark />
      <span class="logo-word">
        bsp<b>node</b>
      </span>
    </span>
  );
}
