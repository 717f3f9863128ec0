// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { session } from '../app';
import { ApiError } from '../api/client';
import { t, tx } from '../i18n/t';
import { place } from '../store/router';
import { checkLogin, safeNext } from '../store/rules';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Problem, useForm } from '../ui/form';
import { useGuestOnly } from '../ui/guard';
import { Mark } from '../ui/logo';
import { useTitle } from '../ui/page';
import { SignInWith } from '../ui/sign-in-with';

export function Login() {
  useTitle(t('Log in'));
  const search = place.get().search;
  useGuestOnly(safeNext(new URLSearchParams(search).get('next')));
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  // Null: not asked for.
  const [code, setCode] = useState<string | null>(null);
  const form = useForm(
    ['email', 'password', 'code'],
    () => ({ ...checkLogin({ email, password }), ...(code?.trim() === '' ? { code: t('Enter the code of your authenticator app.') } : {}) }),
    async () => {
      try {
        await session.login(email.trim(), password, code?.trim());
      } catch (e) {
        if (!(e instanceof ApiError) || e.code !== 'totp_required') throw e;
        setCode('');
      }
    },
  );
  return (
    <div class="page page-form">
      <Mark size={44} />
      <h1>{t('Log in')}</h1>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field label={t('E-mail')} name="email" type="email" autocomplete="username" value={email} onValue={setEmail} error={form.errors.email} />
        <Field label={t('Password')} name="password" type="password" autocomplete="current-password" value={password} onValue={setPassword} error={form.errors.password} />
        {code !== null && (
          <Field label={t('Code')} name="code" autocomplete="one-time-code" focus value={code} onValue={setCode} error={form.errors.code} hint={t('Of your authenticator app, or a recovery code.')} />
        )}
        <Button type="submit" look="primary" busy={form.busy}>
          {t('Log in')}
        </Button>
      </form>
      <SignInWith next={safeNext(new URLSearchParams(search).get('next'))} />
      <p class="form-other">
        <a href="/forgot">{t('Forgot your password?')}</a>
      </p>
      <p class="form-other">
        {tx('New here? {link}', { link: <a href={`/register${search}`}>{t('Create an account')}</a> })}
      </p>
    </div>
  );
}
