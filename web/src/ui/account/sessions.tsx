// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'preact/hooks';
import { announce, session } from '../../app';
import { account, type SessionRow } from '../../api/account';
import { t, tx } from '../../i18n/t';
import { agentOf } from '../../store/agent';
import { navigate } from '../../store/router';
import { Badge } from './badge';
import { Button } from '../button';
import { Confirm } from '../dialog';
import { Failed, Skeleton } from '../states';
import { Ago } from '../time';
import { words } from './proof';

function nameOf({ userAgent }: SessionRow): string {
  const { browser, system } = agentOf(userAgent);
  if (browser && system) return t('{browser} on {system}', { browser, system });
  return browser ?? system ?? t('Unknown browser');
}

async function leave() {
  try {
    await session.logout();
    announce(t('You are logged out.'));
    navigate('/');
  } catch (e) {
    announce(words(e), { kind: 'error' });
  }
}

export function Sessions() {
  const [rows, setRows] = useState<SessionRow[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [ending, setEnding] = useState(false);
  const load = () =>
    account.sessions().then(
      (all) => (setRows(all), setError(null)),
      (e: unknown) => setError(words(e)),
    );
  useEffect(() => void load(), []);
  async function end(row: SessionRow) {
    try {
      await account.endSession(row.id);
      announce(t('The session is ended.'));
    } catch (e) {
      announce(words(e), { kind: 'error' });
    }
    await load();
  }
  if (!rows && error) return <Failed title={t('Your sessions could not be loaded')} text={error} onRetry={() => void load()} />;
  if (!rows) return <Skeleton kind="row" count={2} />;
  return (
    <>
      <ul class="rows">
        {rows.map((row) => (
          <li key={row.id} class="account-row account-card">
            <div class="account-words">
              <h3>
                {nameOf(row)} {row.current && <Badge>{t('This one')}</Badge>}
              </h3>
              <p class="account-note">
                {row.current ? tx('Since {when}', { when: <Ago at={row.createdAt} /> }) : tx('Since {when}, last used {used}', { when: <Ago at={row.createdAt} />, used: <Ago at={row.lastUsedAt} /> })}
                {row.address && ` · ${t('network {address}', { address: row.address })}`}
              </p>
            </div>
            {row.current ? (
              <Button small onClick={() => void leave()}>
                {t('Log out')}
              </Button>
            ) : (
              <Button small aria-label={t('End the session: {name}', { name: nameOf(row) })} onClick={() => void end(row)}>
                {t('End')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {rows.length > 1 && (
        <div>
          <Button onClick={() => setEnding(true)}>{t('End all others')}</Button>
        </div>
      )}
      {ending && (
        <Confirm
          title={t('End all other sessions?')}
          action={t('End all others')}
          onClose={() => setEnding(false)}
          onConfirm={async () => {
            await account.endOthers();
            announce(t('All other sessions are ended.'));
            await load();
          }}
        >
          <p>{t('Whoever is logged in as you elsewhere has to log in again.')}</p>
        </Confirm>
      )}
    </>
  );
}
