// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';

/** A short word about the thing beside it. */
export const Badge = ({ children, on = true }: { children: ComponentChildren; on?: boolean }) => <span class={`account-badge${on ? ' account-badge-on' : ''}`}>{children}</span>;
