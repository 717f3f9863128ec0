// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { announce, client, session } from '../../app';
import { ApiError } from '../../api/client';
import { t } from '../../i18n/t';
import { Button } from '../button';
import { Icon } from '../icons';
import { useStore } from '../use-store';

/** Reminds of the mail that confirms the address; nothing is kept from who has not opened it. */
export function ConfirmBanner() {
  const who = useStore(session);
  const [gone, setGone] = useState(false);
  const [busy, setBusy] = useState(false);
  if (who.phase !== 'user' || !who.user.confirmEmail || gone) return null;
  async function again() {
    setBusy(true);
    try {
      await client.call('POST', '/me/email/confirmation');
      announce(t('The mail is on its way.'));
      setGone(true);
    } catch (e) {
      if (e instanceof ApiError && e.code === 'confirmed') void session.refresh();
      else announce(e instanceof ApiError ? e.message : t('Something went wrong.'), { kind: 'error' });
    }
    setBusy(false);
  }
  return (
    <aside class="confirm-banner" aria-label={t('Your e-mail address')}>
      <Icon name="info" size={18} />
      <p>{t('Open the mail that we have sent to {email}, and your address is confirmed.', { email: who.user.email })}</p>
      <Button small busy={busy} onClick={again}>
        {t('Send it again')}
      </Button>
      <Button small look="quiet" onClick={() => setGone(true)}>
        {t('Later')}
      </Button>
    </aside>
  );
}
