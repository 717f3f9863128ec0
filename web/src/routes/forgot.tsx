// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { account } from '../api/account';
import { ApiError } from '../api/client';
import { t } from '../i18n/t';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Problem, useForm } from '../ui/form';
import { Mark } from '../ui/logo';
import { useTitle } from '../ui/page';

export function Forgot() {
  useTitle(t('Forgotten password'));
  const [email, setEmail] = useState('');
  const [state, setState] = useState<'asking' | 'sent' | 'no-mail'>('asking');
  const form = useForm(
    ['email'],
    () => (email.trim() ? {} : { email: t('Enter your e-mail address.') }),
    async () => {
      try {
        await account.forgot(email.trim());
        setState('sent');
      } catch (e) {
        if (!(e instanceof ApiError) || e.code !== 'no_mail') throw e;
        setState('no-mail');
      }
    },
  );
  return (
    <div class="page page-form">
      <Mark size={44} />
      <h1>{t('Forgotten password')}</h1>
      <div role="status">
        {state === 'sent' && <p>{t('If there is an account with this address, a mail with a link is on its way. The link is good for an hour.')}</p>}
        {state === 'no-mail' && <p>{t('This server sends no mail. Ask its administrator for a new password.')}</p>}
      </div>
      {state === 'asking' && (
        <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
          <Problem text={form.problem} />
          <Field label={t('E-mail')} name="email" type="email" autocomplete="username" value={email} onValue={setEmail} error={form.errors.email} hint={t('We send you a link with which you set a new one.')} />
          <Button type="submit" look="primary" busy={form.busy}>
            {t('Send link')}
          </Button>
        </form>
      )}
      <p class="form-other">
        <a href="/login">{t('Log in')}</a>
      </p>
    </div>
  );
}
