// SPDX-License-Identifier: MIT
// What a page shows instead of its content: nothing yet, nothing there, something wrong.
import type { ComponentChildren } from 'preact';
import { t } from '../i18n/t';
import { useReturn } from './connection';
import { Button } from './button';
import { Icon, type IconName } from './icons';

export function Skeleton({ count, kind }: { count: number; kind: 'card' | 'row' }) {
  return (
    <div class={`skeletons skeletons-${kind}`} role="img" aria-label={t('Loading')}>
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
  useReturn(onRetry); // it comes back by itself, too
  return (
    <Empty icon="warning" title={title}>
      {text && <p>{text}</p>}
      <Button icon="refresh" onClick={onRetry}>
        {t('Try again')}
      </Button>
    </Empty>
  );
}

interface NoStreamProps {
  /** Still asking, not there, or neither: it could not be asked for. */
  why: 'loading' | 'missing' | 'failed';
  error: string | null;
  onRetry: () => void;
  wide?: boolean;
  /** The place of what is being loaded. */
  skeleton: ComponentChildren;
  /** Said when it is missing. */
  children: ComponentChildren;
}

/** The whole page of a stream that cannot be shown. */
export function NoStream({ why, error, onRetry, wide, skeleton, children }: NoStreamProps) {
  if (why === 'loading')
    return (
      <div class={wide ? 'page page-watch' : 'page'} aria-busy="true">
        <h1 class="hidden-text">{t('Loading the stream')}</h1>
        {skeleton}
      </div>
    );
  return (
    <div class="page page-narrow">
      <h1 class="hidden-text">{why === 'missing' ? t('Stream not found') : t('Stream')}</h1>
      {why === 'missing' ? children : <Failed title={t('The stream could not be loaded')} text={error} onRetry={onRetry} />}
    </div>
  );
}
