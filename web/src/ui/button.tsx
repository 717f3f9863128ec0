// SPDX-License-Identifier: MIT
import type { ComponentChildren, JSX } from 'preact';
import { Icon, type IconName } from './icons';

type Look = 'primary' | 'plain' | 'quiet' | 'danger' | 'live';

interface Common {
  look?: Look;
  icon?: IconName;
  small?: boolean;
  children?: ComponentChildren;
}

const classes = ({ look = 'plain', small }: Common) => `button button-${look}${small ? ' button-small' : ''}`;

export function Button({
  look,
  icon,
  small,
  busy,
  children,
  ...rest
}: Common & { busy?: boolean } & Omit<JSX.IntrinsicElements['button'], 'icon' | 'class'>) {
  // A busy button keeps its name and its place in the tab order; it only does nothing.
  const onClick: unknown = busy ? (e: Event) => e.preventDefault() : rest.onClick;
  return (
    <button
      type="button"
      {...rest}
      onClick={onClick as typeof rest.onClick}
      class={classes({ look: look ?? 'plain', small: small ?? false })}
      aria-disabled={busy ? 'true' : undefined}
      aria-busy={busy ? 'true' : undefined}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </button>
  );
}

export function LinkButton({
  look,
  icon,
  small,
  children,
  href,
  target,
}: Common & { href: string; target?: string }) {
  return (
    <a
      href={href}
      target={target}
      rel={target ? 'noopener' : undefined}
      class={classes({ look: look ?? 'plain', small: small ?? false })}
    >
      {icon && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </a>
  );
}
