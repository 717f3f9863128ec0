// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { session } from '../app';
import { place } from '../store/router';
import { checkRegister, PASSWORD_MIN, safeNext } from '../store/rules';
import { Button } from '../ui/button';
import { Field } from '../ui/field';
import { Problem, useForm } from '../ui/form';
import { useGuestOnly } from '../ui/guard';
import { Mark } from '../ui/logo';
import { useTitle } from '../ui/page';

export function Register() {
  useTitle('Create an account');
  const search = place.get().search;
  useGuestOnly(safeNext(new URLSearchParams(search).get('next')));
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const form = useForm(
    ['name', 'email', 'password'],
    () => checkRegister({ name, email, password }),
    () => session.register(name.trim(), email.trim(), password),
  );
  return (
    <div class="page page-form">
      <Mark size={44} />
      <h1>Create an account</h1>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field label="Name" name="name" autocomplete="name" value={name} onValue={setName} error={form.errors.name} hint="Viewers see this name." />
        <Field label="E-mail" name="email" type="email" autocomplete="username" value={email} onValue={setEmail} error={form.errors.email} />
        <Field
          label="Password"
          name="password"
          type="password"
          autocomplete="new-password"
          value={password}
          onValue={setPassword}
          error={form.errors.password}
          hint={`At least ${PASSWORD_MIN} characters. A few unrelated words are easy to remember and hard to guess.`}
        />
        <Button type="submit" look="primary" busy={form.busy}>
          Create account
        </Button>
      </form>
      <p class="form-other">
        Already have one? <a href={`/login${search}`}>Log in</a>
      </p>
    </div>
  );
}
