// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { announce, session } from '../app';
import { account } from '../api/account';
import { t } from '../i18n/t';
import { takeLinkToken } from '../store/link-token';
import { navigate } from '../store/router';
import { PASSWORD_MIN } from '../store/rules';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Problem, useForm } from '../ui/form';
import { Mark } from '../ui/logo';
import { useTitle } from '../ui/page';

export function Reset() {
  useTitle(t('New password'));
  const [token] = useState(takeLinkToken);
  const [password, setPassword] = useState('');
  const form = useForm(
    ['password'],
    () => ([...password].length < PASSWORD_MIN ? { password: t('Use at least {n} characters.', { n: PASSWORD_MIN }) } : {}),
    async () => {
      await account.reset(token, password);
      session.expired();
      announce(t('Your password is changed. Log in with it.'));
      navigate('/login', { replace: true });
    },
  );
  return (
    <div class="page page-form">
      <Mark size={44} />
      <h1>{t('New password')}</h1>
      {token ? (
        <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
          <Problem text={form.problem} />
          <Field
            label={t('New password')}
            name="password"
            type="password"
            autocomplete="new-password"
            value={password}
            onValue={setPassword}
            error={form.errors.password}
            hint={t('At least {n} characters. A few unrelated words are easy to remember and hard to guess.', { n: PASSWORD_MIN })}
          />
          <Button type="submit" look="primary" busy={form.busy}>
            {t('Change password')}
          </Button>
        </form>
      ) : (
        <p>{t('Open the link in the mail once more: a part of it is missing here.')}</p>
      )}
      <p class="form-other">
        <a href="/forgot">{t('Ask for another link')}</a>
      </p>
    </div>
  );
}
