// SPDX-License-Identifier: MIT
// Who may see a stream, as its owner sets it, and as a badge.
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import type { Invitation, Stream, Visibility } from '../api/types';
import { announce, client } from '../app';
import { msg, t } from '../i18n/t';
import { Button } from './button';
import { Field } from './field';
import { Problem, useForm } from './form';

const KINDS: { kind: Visibility; name: string; words: string }[] = [
  { kind: 'PUBLIC', name: msg('Public'), words: msg('Everybody; it is in the lobby and on your page.') },
  { kind: 'UNLISTED', name: msg('Unlisted'), words: msg('Whoever has the link. It is in no list.') },
  { kind: 'PRIVATE', name: msg('Private'), words: msg('Those you invite, and whoever knows its password.') },
];

export interface VisibilityInput {
  visibility?: Visibility;
  password?: string | null;
}

export interface VisibilityValue {
  kind: Visibility;
  password: string;
  /** It has one, and keeps it while nothing is typed. */
  has: boolean;
}

export const visibilityOf = (stream: Stream | null): VisibilityValue => ({
  kind: stream?.visibility ?? 'PUBLIC',
  password: '',
  has: stream?.hasPassword === true,
});

/** What is to be sent: only what is another. */
export function visibilityInput(value: VisibilityValue, before: VisibilityValue): VisibilityInput {
  const out: VisibilityInput = {};
  if (value.kind !== before.kind) out.visibility = value.kind;
  if (value.kind === 'PRIVATE' && value.password) out.password = value.password;
  else if (before.has && !value.has) out.password = null;
  return out;
}

export function VisibilityFields({ value, onValue, error }: { value: VisibilityValue; onValue: (v: VisibilityValue) => void; error?: string | undefined }) {
  return (
    <>
      <fieldset class="methods visibility">
        <legend>{t('Who may watch?')}</legend>
        {KINDS.map((k) => (
          <label key={k.kind} class="method">
            <input type="radio" name="visibility" value={k.kind} checked={value.kind === k.kind} onChange={() => onValue({ ...value, kind: k.kind })} />
            <span>
              <b>{t(k.name)}</b>
              <small>{t(k.words)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      {value.kind === 'PRIVATE' && (
        <div class="visibility-password">
          <Field
            label={value.has ? t('New password for viewers') : t('Password for viewers')}
            name="password"
            type="password"
            optional
            autocomplete="new-password"
            value={value.password}
            onValue={(password) => onValue({ ...value, password })}
            hint={value.has ? t('It has one. Another one ends what the old one let in.') : t('Without one only those you invite can watch.')}
            error={error}
          />
          {value.has && !value.password && (
            <Button small icon="trash" onClick={() => onValue({ ...value, has: false })}>
              {t('Take the password away')}
            </Button>
          )}
        </div>
      )}
    </>
  );
}

/** Who was invited to a private stream. */
export function Invitations({ stream }: { stream: Stream }) {
  const [all, setAll] = useState<Invitation[] | null>(null);
  const [email, setEmail] = useState('');
  const [trouble, setTrouble] = useState<string | null>(null);
  const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));
  useEffect(() => void client.listInvitations(stream.id).then(setAll, (e) => setTrouble(words(e))), [stream.id]);
  const form = useForm(
    ['email'],
    (): Record<string, string> => (email.trim() ? {} : { email: t('Enter an e-mail address.') }),
    async () => {
      const made = await client.invite(stream.id, email.trim());
      setAll((before) => [...(before ?? []).filter((i) => i.id !== made.id), made]);
      setEmail('');
      announce(t('Invited.'));
    },
  );
  async function remove(one: Invitation) {
    try {
      await client.uninvite(stream.id, one.id);
      setAll((before) => (before ?? []).filter((i) => i.id !== one.id));
      announce(t('{email} is no longer invited.', { email: one.email }));
    } catch (e) {
      setTrouble(words(e));
    }
  }
  return (
    <section class="panel" aria-labelledby="invited-title">
      <h2 id="invited-title">{t('Invited')}</h2>
      <p>{t('They watch when they are logged in with an account of that address. Nothing is sent to them: give them the link.')}</p>
      <Problem text={trouble} />
      <form class="form invite" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field label={t('E-mail address')} name="email" type="email" autocomplete="off" value={email} onValue={setEmail} error={form.errors.email} />
        <Button type="submit" busy={form.busy}>
          {t('Invite')}
        </Button>
      </form>
      {all && all.length === 0 && <p>{t('Nobody yet.')}</p>}
      {all && all.length > 0 && (
        <ul class="invited">
          {all.map((i) => (
            <li key={i.id}>
              <span>{i.email}</span>
              <Button small look="quiet" icon="trash" aria-label={t('No longer invite {email}', { email: i.email })} onClick={() => void remove(i)}>
                {t('Remove')}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
