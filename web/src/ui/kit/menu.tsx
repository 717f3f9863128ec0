// SPDX-License-Identifier: MIT
// A button with a few actions behind it, as the ARIA Authoring Practices have it: arrows go through them,
// Escape and a click elsewhere close, and the keyboard is back on the button then.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from '../icons';

export interface MenuItem {
  text: string;
  icon?: IconName;
  danger?: boolean;
  onChoose: () => void;
}

export function Menu({ label, icon, items }: { label: string; icon: IconName; items: readonly MenuItem[] }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const entries = () => [...(box.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
  function close(back: boolean) {
    setOpen(false);
    if (back) button.current?.focus();
  }
  useEffect(() => {
    if (!open) return;
    entries()[0]?.focus();
    const outside = (e: Event) => !box.current?.contains(e.target as Node) && close(false);
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);
  function onKeyDown(e: KeyboardEvent) {
    if (!open) return;
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key];
    if (e.key === 'Tab') return close(false);
    if (e.key !== 'Escape' && to === undefined) return;
    e.preventDefault();
    e.stopPropagation(); // a dialog around it stays
    if (e.key === 'Escape') close(true);
    else all[((to ?? 0) + all.length) % all.length]?.focus();
  }
  return (
    <div class="menu" ref={box} onKeyDown={onKeyDown}>
      <button
        type="button"
        ref={button}
        class="icon-button"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <Icon name={icon} />
      </button>
      {open && (
        <ul class="menu-list" role="menu" id={id} aria-label={label}>
          {items.map((item) => (
            <li key={item.text} role="none">
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                class={item.danger ? 'menu-item menu-danger' : 'menu-item'}
                onClick={() => {
                  close(true);
                  item.onChoose();
                }}
              >
                {item.icon && <Icon name={item.icon} size={18} />} {item.text}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
