// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { AccountState, Proof } from '../../api/account';
import { ApiError } from '../../api/client';
import { t } from '../../i18n/t';
import type { FieldErrors } from '../../store/rules';
import { Button } from '../button';
import { Dialog } from '../dialog';
import { Field } from '../field';
import { Problem, useForm } from '../form';

export const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));

/** Something that the account's owner alone may do: the password, and a code where one is needed. */
export function ProofDialog({
  state,
  title,
  action,
  danger,
  fields = [],
  check = () => ({}),
  onSend,
  onClose,
  children,
}: {
  state: AccountState;
  title: string;
  action: string;
  danger?: boolean;
  /** Names of the fields among the children, before the password. */
  fields?: string[];
  check?: () => FieldErrors;
  /** Closes the dialog by `onClose`, when that is wanted. */
  onSend: (proof: Proof) => Promise<void>;
  onClose: () => void;
  children: (errors: FieldErrors) => ComponentChildren;
}) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const form = useForm(
    [...fields, 'password', 'code'],
    () => ({
      ...check(),
      ...(state.hasPassword && !password ? { password: t('Enter your password.') } : {}),
      ...(state.totp.enabled && !code.trim() ? { code: t('Enter the code of your authenticator app.') } : {}),
    }),
    () => onSend({ password, code: code.trim() }),
  );
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        {children(form.errors)}
        {state.hasPassword && (
          <Field label={t('Your password')} name="password" type="password" autocomplete="current-password" value={password} onValue={setPassword} error={form.errors.password} />
        )}
        {state.totp.enabled && (
          <Field label={t('Code')} name="code" autocomplete="one-time-code" value={code} onValue={setCode} error={form.errors.code} hint={t('Of your authenticator app, or a recovery code.')} />
        )}
        <div class="dialog-actions">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look={danger ? 'danger' : 'primary'} busy={form.busy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
