// SPDX-License-Identifier: MIT
// A page that most people never open is a file of its own, fetched when somebody comes to it.
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/t';
import { loadPart } from '../store/part';
import { useTitle } from './page';
import { Failed, Skeleton } from './states';

/** `title` by msg(): it is said while drawing. `load` imports the page. Until it is there, a skeleton under the page's title. */
export function lazyPage(title: string, load: () => Promise<FunctionComponent>): FunctionComponent {
  let loaded: FunctionComponent | null = null;
  return function LazyPage() {
    const [state, setState] = useState<'loading' | 'ready' | 'failed'>(loaded ? 'ready' : 'loading');
    const [attempt, setAttempt] = useState(0);
    useTitle(t(title));
    useEffect(() => {
      if (loaded) return;
      setState('loading');
      loadPart(load).then(
        (page) => {
          loaded = page;
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
        <h1 class="hidden-text">{t(title)}</h1>
        {state === 'failed' ? (
          <Failed title={t('The page could not be loaded')} text={t('The server cannot be reached right now.')} onRetry={() => setAttempt(attempt + 1)} />
        ) : (
          <Skeleton kind="row" count={3} />
        )}
      </div>
    );
  };
}
