// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from '../icons';

interface StripProps {
  look?: 'warn' | 'error' | 'calm';
  icon?: IconName;
  /** Spoken at once instead of at the next pause. */
  urgent?: boolean;
  children: ComponentChildren;
}

/** A line across the page: something about all of it. */
export function Strip({ look = 'warn', icon = 'warning', urgent, children }: StripProps) {
  return (
    <p class={look === 'error' ? 'strip' : `strip strip-${look}`} role={urgent ? 'alert' : 'status'}>
      <Icon name={icon} size={18} /> {children}
    </p>
  );
}
