// SPDX-License-Identifier: MIT
// Where the link at the end of a mail leads: a button, and it is done. No session is needed.
import { useEffect, useState } from 'preact/hooks';
import { client } from '../app';
import { ApiError } from '../api/client';
import { t } from '../i18n/t';
import { Button, LinkButton } from '../ui/button';
import { Problem } from '../ui/form';
import { useTitle } from '../ui/page';
import { Empty, Failed, Skeleton } from '../ui/states';

export function Unsubscribe() {
  const token = new URLSearchParams(location.search).get('token') ?? '';
  const [name, setName] = useState<string | null>(null);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState<'one' | 'all' | null>(null);
  const [done, setDone] = useState<'one' | 'all' | null>(null);
  useTitle(t('Unsubscribe'));

  const load = () => {
    setFailure(null);
    client.aboutUnsubscribe(token).then(
      (about) => setName(about.name),
      (e) => setFailure(e instanceof ApiError ? e : new ApiError(0, 'unknown', t('Something went wrong.'))),
    );
  };
  useEffect(load, [token]);

  async function stop(what: 'one' | 'all') {
    setBusy(what);
    setProblem(null);
    try {
      await client.unsubscribe(token, what === 'all');
      setDone(what);
    } catch (e) {
      setProblem(e instanceof ApiError ? e.message : t('Something went wrong.'));
    }
    setBusy(null);
  }

  const who = name || t('this channel');
  return (
    <div class="page page-narrow" aria-busy={name === null && !failure}>
      <h1>{t('Unsubscribe')}</h1>
      {failure?.status === 404 && (
        <Empty icon="warning" title={t('This link is not complete')}>
          <p>{t('Open it once more from the mail. Your account page has all your choices, too.')}</p>
        </Empty>
      )}
      {failure && failure.status !== 404 && <Failed title={t('The page could not be loaded')} text={failure.message} onRetry={load} />}
      {name === null && !failure && <Skeleton kind="row" count={1} />}
      {name !== null && (
        <div class="unsubscribe">
          <p role="status">
            {done === 'one' && t('Done: no more mail about {who}. You still follow.', { who })}
            {done === 'all' && t('Done: no more notices by mail at all.')}
            {!done && t('No more mail when {who} goes live or plans a stream?', { who })}
          </p>
          <Problem text={problem} />
          <div class="unsubscribe-actions">
            {!done && (
              <Button look="primary" busy={busy === 'one'} onClick={() => void stop('one')}>
                {t('Stop mail about {who}', { who })}
              </Button>
            )}
            {done !== 'all' && (
              <Button busy={busy === 'all'} onClick={() => void stop('all')}>
                {t('Stop all notices by mail')}
              </Button>
            )}
            {done && <LinkButton href="/notifications">{t('Notifications')}</LinkButton>}
            {done && <LinkButton href="/">{t('To the streams')}</LinkButton>}
          </div>
        </div>
      )}
    </div>
  );
}
