// SPDX-License-Identifier: MIT
// What an account is told of, by mail and in its browsers: a part of the account page.
import { useEffect, useId, useState } from 'preact/hooks';
import { announce, client } from '../app';
import { ApiError } from '../api/client';
import type { NotifyPrefs, NotifyWhat } from '../api/types';
import { msg, t, tn } from '../i18n/t';
import { pushHere, pushOff, pushOn, type PushHere } from '../store/push';
import { Button } from './button';
import { Failed, Skeleton } from './states';

const ROWS: { what: NotifyWhat; label: string }[] = [
  { what: 'live', label: msg('Somebody I follow goes live') },
  { what: 'schedule', label: msg('A stream is planned, moved or cancelled') },
  { what: 'reminder', label: msg('Ten minutes before a planned stream') },
];

const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));

/** Whether this browser itself is told, and the button that changes it. */
function ThisBrowser({ prefs, onChange }: { prefs: NotifyPrefs; onChange: () => void }) {
  const [here, setHere] = useState<PushHere | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    void pushHere().then(setHere);
  }, []);

  async function change() {
    setBusy(true);
    setProblem(null);
    try {
      if (here === 'on') await pushOff();
      else await pushOn(prefs.push.publicKey);
      announce(here === 'on' ? t('This browser is no longer notified.') : t('This browser is notified from now on.'));
      onChange();
    } catch (e) {
      setProblem(e instanceof Error ? e.message : words(e));
    }
    setHere(await pushHere());
    setBusy(false);
  }

  return (
    <div class="notify-browser">
      <p>
        {here === 'on' && t('This browser is notified.')}
        {here === 'off' && t('This browser is not notified yet.')}
        {here === 'blocked' && t('Notifications of this site are blocked in the settings of your browser.')}
        {here === 'none' && t('This browser cannot be notified. On an iPhone or iPad, add this site to the home screen first.')}{' '}
        {prefs.push.browsers > 0 && tn(prefs.push.browsers, '{n} browser of yours is notified.', '{n} browsers of yours are notified.')}
      </p>
      {(here === 'on' || here === 'off') && (
        <Button onClick={() => void change()} busy={busy}>
          {here === 'on' ? t('Stop notifying this browser') : t('Notify this browser')}
        </Button>
      )}
      <div role="alert">{problem && <p class="problem">{problem}</p>}</div>
    </div>
  );
}

/** `alone`: it is the whole page, and its title the page's. */
export function NotifySettings({ alone }: { alone?: boolean }) {
  const id = useId();
  const [prefs, setPrefs] = useState<NotifyPrefs | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const load = () => {
    setProblem(null);
    client.getNotifyPrefs().then(setPrefs, (e) => setProblem(words(e)));
  };
  useEffect(load, []);

  async function choose(way: 'mail' | 'push', what: NotifyWhat, on: boolean) {
    if (!prefs) return;
    const before = prefs;
    setPrefs({ ...prefs, [way]: { ...prefs[way], [what]: on } });
    try {
      setPrefs(await client.changeNotifyPrefs({ [`${way}${what[0]?.toUpperCase()}${what.slice(1)}`]: on }));
    } catch (e) {
      setPrefs(before);
      announce(words(e), { kind: 'error' });
    }
  }

  const ways = prefs?.mail.available ? (['mail', 'push'] as const) : (['push'] as const);
  return (
    <section class="notify" aria-labelledby={`${id}-title`}>
      {alone ? <h1 id={`${id}-title`}>{t('Notifications')}</h1> : <h2 id={`${id}-title`}>{t('Notifications')}</h2>}
      {!prefs && problem && <Failed title={t('Your choices could not be loaded')} text={problem} onRetry={load} />}
      {!prefs && !problem && <Skeleton kind="row" count={2} />}
      {prefs && (
        <>
          <p class="notify-hint">{t('About everybody you follow. “Notices” beside a channel’s Follow button is for that channel alone.')}</p>
          <table class="notify-table">
            <thead>
              <tr>
                <td />
                {ways.map((way) => (
                  <th scope="col" key={way}>
                    {way === 'mail' ? t('E-mail') : t('Browser')}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {ROWS.map(({ what, label }) => (
                <tr key={what}>
                  <th scope="row">{t(label)}</th>
                  {ways.map((way) => (
                    <td key={way}>
                      <label class="notify-box">
                        <input type="checkbox" checked={prefs[way][what]} onChange={(e) => void choose(way, what, e.currentTarget.checked)} />
                        <span class="hidden-text">
                          {t(label)}: {way === 'mail' ? t('E-mail') : t('Browser')}
                        </span>
                      </label>
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {!prefs.mail.available && <p class="notify-hint">{t('This server sends no mail.')}</p>}
          <ThisBrowser prefs={prefs} onChange={load} />
        </>
      )}
    </section>
  );
}
