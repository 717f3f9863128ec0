// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { announce, session } from '../../app';
import { account, type AccountState } from '../../api/account';
import { t, tx } from '../../i18n/t';
import { PASSWORD_MIN } from '../../store/rules';
import { Button } from '../button';
import { Field } from '../field';
import { Problem, useForm } from '../form';
import { ProofDialog, words } from './proof';

interface Part {
  state: AccountState;
  reload: () => Promise<unknown>;
}

export function Name({ state, reload }: Part) {
  const [name, setName] = useState(state.user.name);
  const form = useForm(
    ['name'],
    () => (name.trim() ? {} : { name: t('Enter the name that viewers will see.') }),
    async () => {
      await account.rename(name.trim());
      await Promise.all([session.refresh(), reload()]);
      announce(t('Your name is changed.'));
    },
  );
  return (
    <form class="form account-line" ref={form.formRef} onSubmit={form.submit} noValidate>
      <Problem text={form.problem} />
      <Field label={t('Name')} name="name" autocomplete="name" value={name} onValue={setName} error={form.errors.name} hint={t('Viewers see this name.')} />
      <Button type="submit" busy={form.busy}>
        {t('Save name')}
      </Button>
    </form>
  );
}

function EmailDialog({ state, reload, onClose }: Part & { onClose: () => void }) {
  const [email, setEmail] = useState('');
  return (
    <ProofDialog
      state={state}
      title={t('Change your e-mail address')}
      action={t('Change address')}
      fields={['email']}
      check={() => (email.trim() ? {} : { email: t('Enter your e-mail address.') })}
      onClose={onClose}
      onSend={async (proof) => {
        const { sent } = await account.changeEmail(email.trim(), proof);
        await Promise.all([session.refresh(), reload()]);
        onClose();
        announce(sent ? t('Open the link in the mail to {email}.', { email: email.trim() }) : t('Your address is changed.'));
      }}
    >
      {(errors) => (
        <>
          <p>
            {state.mail
              ? t('We send a link to the new address. When you open it, your account changes to it; the old one is told.')
              : t('This server sends no mail: the address changes at once, and nobody checks that it is yours.')}
          </p>
          <Field label={t('New e-mail address')} name="email" type="email" autocomplete="email" value={email} onValue={setEmail} error={errors.email} />
        </>
      )}
    </ProofDialog>
  );
}

export function Email({ state, reload }: Part) {
  const [changing, setChanging] = useState(false);
  const act = (what: () => Promise<unknown>, done: string) => async () => {
    try {
      await what();
      await reload();
      announce(done);
    } catch (e) {
      announce(words(e), { kind: 'error' });
    }
  };
  return (
    <>
      <div class="account-row">
        <div class="account-words">
          <p class="account-value">{state.user.email}</p>
          {state.mail && (
            <p class={`account-note${state.emailConfirmed ? '' : ' account-warn'}`}>{state.emailConfirmed ? t('Confirmed') : t('Not confirmed yet')}</p>
          )}
        </div>
        <div class="account-actions">
          {state.mail && !state.emailConfirmed && (
            <Button onClick={act(account.askConfirm, t('The mail is on its way.'))}>{t('Send the mail again')}</Button>
          )}
          <Button icon="edit" onClick={() => setChanging(true)}>
            {t('Change address')}
          </Button>
        </div>
      </div>
      {state.pendingEmail && (
        <div class="account-row">
          <p class="account-words">{tx('Waits for the link in the mail to {email}.', { email: <b class="account-value">{state.pendingEmail}</b> })}</p>
          <Button onClick={act(account.keepEmail, t('Your address stays as it is.'))}>{t('Keep the old one')}</Button>
        </div>
      )}
      {changing && <EmailDialog state={state} reload={reload} onClose={() => setChanging(false)} />}
    </>
  );
}

export function Password({ state, reload }: Part) {
  const [changing, setChanging] = useState(false);
  const [fresh, setFresh] = useState('');
  return (
    <>
      <div class="account-row">
        <p class="account-words">{state.hasPassword ? t('Changing it logs you out everywhere else.') : t('You log in with another provider. With a password you can log in here too.')}</p>
        <Button icon="key" onClick={() => setChanging(true)}>
          {state.hasPassword ? t('Change password') : t('Set a password')}
        </Button>
      </div>
      {changing && (
        <ProofDialog
          state={state}
          title={state.hasPassword ? t('Change your password') : t('Set a password')}
          action={state.hasPassword ? t('Change password') : t('Set a password')}
          fields={['newPassword']}
          check={() => ([...fresh].length < PASSWORD_MIN ? { newPassword: t('Use at least {n} characters.', { n: PASSWORD_MIN }) } : {})}
          onClose={() => setChanging(false)}
          onSend={async (proof) => {
            await account.changePassword(fresh, proof);
            await reload();
            setFresh('');
            setChanging(false);
            announce(t('Your password is changed.'));
          }}
        >
          {(errors) => (
            <Field
              label={t('New password')}
              name="newPassword"
              type="password"
              autocomplete="new-password"
              value={fresh}
              onValue={setFresh}
              error={errors.newPassword}
              hint={t('At least {n} characters. A few unrelated words are easy to remember and hard to guess.', { n: PASSWORD_MIN })}
            />
          )}
        </ProofDialog>
      )}
    </>
  );
}
