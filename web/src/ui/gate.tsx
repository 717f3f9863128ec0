// SPDX-License-Identifier: MIT
// The door of a private stream: its password, or a way in for who was invited.
import { useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import type { Stream } from '../api/types';
import { client } from '../app';
import { t } from '../i18n/t';
import { Button } from './button';
import { Field } from './field';
import { Problem, useForm } from './form';
import { Icon } from './icons';

/** What a refusal says of the door; null: it is about something else. */
export type Lock = 'password' | 'invitation';
export const lockOf = (e: unknown): Lock | null =>
  e instanceof ApiError && e.status === 403 ? (e.code === 'password_needed' ? 'password' : e.code === 'not_invited' ? 'invitation' : null) : null;

interface GateProps {
  /** Of the stream, or what it plays by. */
  id: string;
  lock: Lock;
  onEntered: (stream: Stream) => void;
  onRetry: () => void;
  /** In a frame there is nobody to log in. */
  framed?: boolean;
}

function PasswordForm({ id, onEntered }: Pick<GateProps, 'id' | 'onEntered'>) {
  const [password, setPassword] = useState('');
  const form = useForm(
    ['password'],
    (): Record<string, string> => (password ? {} : { password: t('Enter the password of the stream.') }),
    async () => onEntered(await client.enterStream(id, password)),
  );
  return (
    <form class="form gate-form" ref={form.formRef} onSubmit={form.submit} noValidate>
      <Problem text={form.problem} />
      <Field label={t('Password of the stream')} name="password" type="password" autocomplete="off" value={password} onValue={setPassword} error={form.errors.password} />
      <Button type="submit" look="primary" icon="play" busy={form.busy}>
        {t('Watch')}
      </Button>
    </form>
  );
}

export function Gate({ id, lock, onEntered, onRetry, framed }: GateProps) {
  const login = `/login?next=${encodeURIComponent(location.pathname)}`;
  return (
    <section class="gate" aria-labelledby="gate-title">
      <Icon name="eyeOff" size={32} />
      <h2 id="gate-title">{t('This stream is private')}</h2>
      {lock === 'password' ? (
        <>
          <p>{t('Whoever gave you the link has its password.')}</p>
          <PasswordForm id={id} onEntered={onEntered} />
        </>
      ) : (
        <p>{t('It is for those whom the streamer has invited.')}</p>
      )}
      {!framed && (
        <p class="gate-more">
          {t('Invited by e-mail address? Log in with an account of that address.')}{' '}
          <a href={login}>{t('Log in')}</a>
        </p>
      )}
      {lock === 'invitation' && (
        <Button icon="refresh" onClick={onRetry}>
          {t('Try again')}
        </Button>
      )}
    </section>
  );
}
