// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'preact/hooks';
import { client, session } from '../app';
import { t, tx } from '../i18n/t';
import { place } from '../store/router';
import { checkRegister, PASSWORD_MIN, safeNext } from '../store/rules';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Problem, useForm } from '../ui/form';
import { useGuestOnly } from '../ui/guard';
import { Mark } from '../ui/logo';
import { useTitle } from '../ui/page';

export function Register() {
  useTitle(t('Create an account'));
  const search = place.get().search;
  useGuestOnly(safeNext(new URLSearchParams(search).get('next')));
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [invite, setInvite] = useState(new URLSearchParams(search).get('invite') ?? '');
  const [asked, setAsked] = useState(invite !== '');
  useEffect(() => {
    client.getSettings().then((s) => s.registration === 'invite' && setAsked(true), () => {});
  }, []);
  const form = useForm(
    ['name', 'email', 'password', 'invite'],
    () => checkRegister({ name, email, password }),
    () => session.register(name.trim(), email.trim(), password, invite.trim()),
  );
  return (
    <div class="page page-form">
      <Mark size={44} />
      <h1>{t('Create an account')}</h1>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field label={t('Name')} name="name" autocomplete="name" value={name} onValue={setName} error={form.errors.name} hint={t('Viewers see this name.')} />
        <Field label={t('E-mail')} name="email" type="email" autocomplete="username" value={email} onValue={setEmail} error={form.errors.email} />
        <Field
          label={t('Password')}
          name="password"
          type="password"
          autocomplete="new-password"
          value={password}
          onValue={setPassword}
          error={form.errors.password}
          hint={t('At least {n} characters. A few unrelated words are easy to remember and hard to guess.', { n: PASSWORD_MIN })}
        />
        {asked && <Field label={t('Invitation')} name="invite" autocomplete="off" value={invite} onValue={setInvite} error={form.errors.invite} />}
        <Button type="submit" look="primary" busy={form.busy}>
          {t('Create account')}
        </Button>
      </form>
      <p class="form-other">
        {tx('Already have one? {link}', { link: <a href={`/login${search}`}>{t('Log in')}</a> })}
      </p>
    </div>
  );
}
