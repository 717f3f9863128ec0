// SPDX-License-Identifier: MIT
// One's own account.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { account, type AccountState } from '../api/account';
import type { User } from '../api/types';
import { t } from '../i18n/t';
import { Export } from '../ui/account/export';
import { Factor } from '../ui/account/factor';
import { Leave } from '../ui/account/leave';
import { Email, Name, Password } from '../ui/account/profile';
import { words } from '../ui/account/proof';
import { Sessions } from '../ui/account/sessions';
import { AvatarEditor } from '../ui/avatar-editor';
import { ForUser } from '../ui/guard';
import { Identities } from '../ui/identities';
import { NotifySettings } from '../ui/notify-settings';
import { useTitle } from '../ui/page';
import { Failed, Skeleton } from '../ui/states';

function Section({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section class="panel account-part" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}

function Page({ user }: { user: User }) {
  const [state, setState] = useState<AccountState | null>(null);
  const [error, setError] = useState<string | null>(null);
  const reload = () =>
    account.state().then(
      (s) => (setState(s), setError(null)),
      (e: unknown) => setError(words(e)),
    );
  useEffect(() => void reload(), []);
  if (!state)
    return (
      <div class="page page-narrow" aria-busy={error === null}>
        <h1>{t('Account')}</h1>
        {error ? <Failed title={t('Your account could not be loaded')} text={error} onRetry={() => void reload()} /> : <Skeleton kind="row" count={4} />}
      </div>
    );
  const part = { state, reload };
  return (
    <div class="page page-narrow account">
      <h1>{t('Account')}</h1>
      <Section id="profile" title={t('Profile')}>
        <AvatarEditor user={user} />
        <Name {...part} />
      </Section>
      <Section id="email" title={t('E-mail address')}>
        <Email {...part} />
      </Section>
      <Section id="password" title={t('Password')}>
        <Password {...part} />
      </Section>
      <Identities />
      <Section id="factor" title={t('Two-step login')}>
        <Factor {...part} />
      </Section>
      <Section id="sessions" title={t('Where you are logged in')}>
        <Sessions />
      </Section>
      <NotifySettings />
      <Section id="export" title={t('Your data')}>
        <Export />
      </Section>
      <Section id="leave" title={t('Delete account')}>
        <Leave state={state} />
      </Section>
    </div>
  );
}

export function Account() {
  useTitle(t('Account'));
  return <ForUser>{(user) => <Page key={user.id} user={user} />}</ForUser>;
}
