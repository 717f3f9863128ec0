// SPDX-License-Identifier: MIT
// The broadcast page's code is its own file, fetched when somebody comes here.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/t';
import { loadPart } from '../store/part';
import { useTitle } from '../ui/page';
import { Failed } from '../ui/states';
import type { Broadcast } from './broadcast';

let loaded: typeof Broadcast | null = null;

export function BroadcastLoader({ id }: { id: string }) {
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>(loaded ? 'ready' : 'loading');
  const [attempt, setAttempt] = useState(0);
  useTitle('Broadcast');
  useEffect(() => {
    if (loaded) return;
    setState('loading');
    loadPart(() => import('./broadcast')).then(
      (m) => {
        loaded = m.Broadcast;
        setState('ready');
      },
      () => setState('failed'),
    );
  }, [attempt]);
  if (state === 'ready' && loaded) {
    const Page = loaded;
    return <Page id={id} />;
  }
  if (state === 'failed')
    return (
      <div class="page page-narrow">
        <h1 class="hidden-text">{t('Broadcast')}</h1>
        <Failed title={t('The page could not be loaded')} text={t('The server cannot be reached right now.')} onRetry={() => setAttempt(attempt + 1)} />
      </div>
    );
  return (
    <div class="page" aria-busy="true">
      <h1 class="hidden-text">{t('Loading the broadcast page')}</h1>
      <div class="skeleton skeleton-block" />
    </div>
  );
}
