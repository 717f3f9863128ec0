// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { session } from '../app';
import { account } from '../api/account';
import { t } from '../i18n/t';
import { takeLinkToken } from '../store/link-token';
import { Button, LinkButton } from '../ui/button';
import { words } from '../ui/account/proof';
import { Problem } from '../ui/form';
import { Mark } from '../ui/logo';
import { useTitle } from '../ui/page';

/** Asks for a click: programs that look at every link of a mail do not confirm anything. */
export function Confirm() {
  useTitle(t('Confirm your address'));
  const [token] = useState(takeLinkToken);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [email, setEmail] = useState<string | null>(null);
  async function confirm() {
    setBusy(true);
    setProblem(null);
    try {
      setEmail((await account.confirm(token)).email);
      if (session.get().phase === 'user') await session.refresh();
    } catch (e) {
      setProblem(words(e));
    }
    setBusy(false);
  }
  return (
    <div class="page page-form">
      <Mark size={44} />
      <h1>{t('Confirm your address')}</h1>
      <Problem text={problem} />
      <div role="status">{email && <p>{t('{email} is confirmed.', { email })}</p>}</div>
      {email ? (
        <LinkButton look="primary" href="/account">
          {t('To your account')}
        </LinkButton>
      ) : token ? (
        <Button look="primary" busy={busy} onClick={confirm}>
          {t('This is my address')}
        </Button>
      ) : (
        <p>{t('Open the link in the mail once more: a part of it is missing here.')}</p>
      )}
    </div>
  );
}
