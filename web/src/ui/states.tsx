// SPDX-License-Identifier: MIT
// What a page shows instead of its content: nothing yet, nothing there, something wrong.
import type { ComponentChildren } from 'preact';
import { Button } from './button';
import { Icon, type IconName } from './icons';

export function Skeleton({ count, kind }: { count: number; kind: 'card' | 'row' }) {
  return (
    <div class={`skeletons skeletons-${kind}`} role="img" aria-label="Loading">
      {Array.from({ length: count }, (_, i) => (
        <div key={i} class={`skeleton skeleton-${kind}`}>
          <span />
          <span />
          <span />
        </div>
      ))}
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={24} />
      </span>
      <p class="empty-title">{title}</p>
      {children && <div class="empty-text">{children}</div>}
    </div>
  );
}

export function Failed({ title, text, onRetry }: { title: string; text: string | null; onRetry: () => void }) {
  return (
    <Empty icon="warning" title={title}>
      {text && <p>{text}</p>}
      <Button icon="refresh" onClick={onRetry}>
        Try again
      </Button>
    </Empty>
  );
}
