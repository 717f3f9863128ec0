// SPDX-License-Identifier: MIT
// The identities at other providers by which one can sign in: connected, and taken away again.
import { useEffect, useState } from 'preact/hooks';
import { announce, client } from '../app';
import { ApiError } from '../api/client';
import type { Identity } from '../api/types';
import { locale, t } from '../i18n/t';
import { place } from '../store/router';
import { Button } from './button';
import { Problem } from './form';
import { signInProblem, useLeave, useProvider } from './sign-in-with';
import { Skeleton } from './states';
import '../styles/avatar.css';

const host = (issuer: string) => {
  try {
    return new URL(issuer).host;
  } catch {
    return issuer;
  }
};
const day = (at: string) => new Date(at).toLocaleDateString(locale(), { dateStyle: 'medium' });

/** For the account page. Nothing when this server has no provider and nothing is connected. */
export function Identities() {
  const label = useProvider();
  const [list, setList] = useState<Identity[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState<string | null>(null);
  const { busy: leaving, problem: leaveProblem, leave } = useLeave('/account', true);
  const words = (e: unknown) => setProblem(e instanceof ApiError ? e.message : t('Something went wrong.'));
  useEffect(() => {
    client.identities().then(setList, words);
  }, []);

  async function disconnect(one: Identity) {
    setBusy(one.id);
    setProblem(null);
    try {
      await client.disconnect(one.id);
      setList((l) => l?.filter((i) => i.id !== one.id) ?? null);
      announce(t('{provider} is disconnected.', { provider: host(one.issuer) }));
    } catch (e) {
      words(e);
    } finally {
      setBusy(null);
    }
  }

  if (!label && list?.length === 0) return null;
  return (
    <section aria-label={t('Sign in with another service')}>
      <h2>{t('Sign in with another service')}</h2>
      <Problem text={problem ?? leaveProblem ?? signInProblem(place.get().search)} />
      {!list && !problem && <Skeleton kind="row" count={1} />}
      {list && list.length > 0 && (
        <ul class="identities">
          {list.map((i) => (
            <li class="identity" key={i.id}>
              <span class="identity-words">
                <b>{host(i.issuer)}</b>
                <small>
                  {i.email && <bdi>{i.email}</bdi>} {t('last used {day}', { day: day(i.usedAt) })}
                </small>
              </span>
              <Button small look="danger" busy={busy === i.id} aria-label={t('Disconnect {provider}', { provider: host(i.issuer) })} onClick={() => void disconnect(i)}>
                {t('Disconnect')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {label && (
        <Button busy={leaving} onClick={() => void leave()}>
          {t('Connect {provider}', { provider: label })}
        </Button>
      )}
    </section>
  );
}
