// SPDX-License-Identifier: MIT
// The webhooks page is a file of its own: most people never come here.
import { useEffect, useState } from 'preact/hooks';
import { useTitle } from '../ui/page';
import { Failed, Skeleton } from '../ui/states';
import type { Webhooks } from './webhooks';

let loaded: typeof Webhooks | null = null;

export function WebhooksLoader() {
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>(loaded ? 'ready' : 'loading');
  const [attempt, setAttempt] = useState(0);
  useTitle('Webhooks');
  useEffect(() => {
    if (loaded) return;
    setState('loading');
    import('./webhooks').then(
      (m) => {
        loaded = m.Webhooks;
        setState('ready');
      },
      () => setState('failed'),
    );
  }, [attempt]);
  if (state === 'ready' && loaded) {
    const Page = loaded;
    return <Page />;
  }
  return (
    <div class="page" aria-busy={state === 'loading'}>
      <h1 class="hidden-text">Webhooks</h1>
      {state === 'failed' ? (
        <Failed title="The page could not be loaded" text="The server cannot be reached right now." onRetry={() => setAttempt(attempt + 1)} />
      ) : (
        <Skeleton kind="row" count={3} />
      )}
    </div>
  );
}
