// SPDX-License-Identifier: MIT
// Accounts: found, suspended, made administrators, given room and passwords, deleted.
import { useEffect, useState } from 'preact/hooks';
import { announce, session } from '../../app';
import { locale, t } from '../../i18n/t';
import { Button } from '../button';
import { CopyField } from '../copy';
import { Confirm, Dialog } from '../dialog';
import { Field } from '../field';
import { Problem, useForm } from '../form';
import { Badge } from '../kit/badge';
import { Menu } from '../kit/menu';
import { Select } from '../kit/select';
import { Table } from '../kit/table';
import { Ago } from '../time';
import { useStore } from '../use-store';
import { ask, one, size, usePages, type AdminUser } from './api';
import { List } from './list';

type What = 'suspend' | 'unsuspend' | 'role' | 'quota' | 'password' | 'delete';
type Question = { what: What; user: AdminUser } | null;

const GB = 1e9;

export const quotaText = (u: { quota: number }) => (u.quota > 0 ? size(u.quota, locale()) : t('no limit'));

function Row({ user, me, onAsk }: { user: AdminUser; me: string; onAsk: (what: What) => void }) {
  const mine = user.id === me;
  const items = [
    user.suspendedAt
      ? { text: t('End the suspension'), onChoose: () => onAsk('unsuspend') }
      : { text: t('Suspend'), danger: true, onChoose: () => onAsk('suspend') },
    { text: user.role === 'admin' ? t('Take the role away') : t('Make an administrator'), onChoose: () => onAsk('role') },
    { text: t('Set the quota'), onChoose: () => onAsk('quota') },
    { text: t('New password'), onChoose: () => onAsk('password') },
    { text: t('Delete'), danger: true, onChoose: () => onAsk('delete') },
  ];
  return (
    <tr>
      <th scope="row" class="admin-who">
        <bdi>{user.name}</bdi> {user.role === 'admin' && <Badge look="done">{t('Administrator')}</Badge>} {user.suspendedAt && <Badge look="fail">{t('Suspended')}</Badge>}{' '}
        {user.live > 0 && <Badge look="live">{t('Live')}</Badge>}
        <small>{user.email}</small>
        {user.suspendedReason && <small>{user.suspendedReason}</small>}
      </th>
      <td class="table-number">{user.streams}</td>
      <td class="table-number">
        {size(user.bytes, locale())}
        {user.ownQuota !== null && <small>{t('of {size}', { size: quotaText(user) })}</small>}
      </td>
      <td>{user.lastSeenAt ? <Ago at={user.lastSeenAt} /> : t('never')}</td>
      <td>
        <Ago at={user.createdAt} />
      </td>
      <td>{!mine && <Menu label={t('Actions for {name}', { name: user.name })} icon="edit" items={items} />}</td>
    </tr>
  );
}

function Suspend({ user, close, done }: { user: AdminUser; close: () => void; done: () => void }) {
  const [reason, setReason] = useState('');
  const form = useForm(['reason'], () => ({}), async () => {
    await ask('POST', `${one('users', user.id)}/suspend`, { reason });
    announce(t('{name} is suspended.', { name: user.name }));
    done();
  });
  return (
    <Dialog title={t('Suspend {name}?', { name: user.name })} onClose={close}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <p>{t('The account cannot sign in, publish or write. Its live streams end, its sessions and access tokens are removed.')}</p>
        <Problem text={form.problem} />
        <Field label={t('Reason')} name="reason" optional autocomplete="off" value={reason} onValue={setReason} error={form.errors.reason} hint={t('Its owner reads this when they try to sign in.')} />
        <div class="dialog-actions">
          <Button onClick={close}>{t('Cancel')}</Button>
          <Button type="submit" look="danger" busy={form.busy}>
            {t('Suspend')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Quota({ user, close, done }: { user: AdminUser; close: () => void; done: () => void }) {
  const [kind, setKind] = useState<'server' | 'none' | 'own'>(user.ownQuota === null ? 'server' : user.ownQuota === 0 ? 'none' : 'own');
  const [gb, setGb] = useState(user.ownQuota ? String(user.ownQuota / GB) : '10');
  const bytes = Math.round(Number(gb.replace(',', '.')) * GB);
  const form = useForm(
    ['bytes'],
    () => (kind !== 'own' || bytes > 0 ? {} : { bytes: t('Give a number above 0.') }),
    async () => {
      await ask('POST', `${one('users', user.id)}/quota`, kind === 'server' ? {} : { bytes: kind === 'none' ? 0 : bytes });
      announce(t('The quota is changed.'));
      done();
    },
  );
  return (
    <Dialog title={t('Quota of {name}', { name: user.name })} onClose={close}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Select
          label={t('What may be kept')}
          value={kind}
          onValue={setKind}
          options={[
            { value: 'server', text: t('As the server has it') },
            { value: 'own', text: t('A size of its own') },
            { value: 'none', text: t('No limit') },
          ]}
        />
        {kind === 'own' && <Field label={t('Gigabytes')} name="bytes" autocomplete="off" value={gb} onValue={setGb} error={form.errors.bytes} />}
        <div class="dialog-actions">
          <Button onClick={close}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={form.busy}>
            {t('Save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Questions({ question, close, done, onPassword }: { question: NonNullable<Question>; close: () => void; done: () => void; onPassword: (p: string) => void }) {
  const { what, user } = question;
  const path = one('users', user.id);
  if (what === 'suspend') return <Suspend user={user} close={close} done={() => (close(), done())} />;
  if (what === 'quota') return <Quota user={user} close={close} done={() => (close(), done())} />;
  if (what === 'password')
    return (
      <Confirm
        title={t('A new password for {name}?', { name: user.name })}
        action={t('Make a new password')}
        onClose={close}
        onConfirm={async () => {
          const made = await ask<{ password?: string }>('POST', `${path}/password`);
          if (made.password) onPassword(made.password);
          else announce(t('A link to choose a new password was sent to {name}.', { name: user.name }));
        }}
      >
        <p>{t('Where mail is set up, its owner gets a link. Else all sessions end, and you are shown the new password once.')}</p>
      </Confirm>
    );
  if (what === 'delete')
    return (
      <Confirm
        title={t('Delete {name}?', { name: user.name })}
        action={t('Delete the account')}
        onClose={close}
        onConfirm={async () => {
          await ask('DELETE', path);
          announce(t('The account is deleted.'));
          done();
        }}
      >
        <p>{t('All its streams, recordings and messages go with it. This cannot be taken back.')}</p>
      </Confirm>
    );
  const role = user.role === 'admin' ? 'user' : 'admin';
  const suspension = what === 'unsuspend';
  return (
    <Confirm
      title={suspension ? t('End the suspension of {name}?', { name: user.name }) : role === 'admin' ? t('Make {name} an administrator?', { name: user.name }) : t('Take the role from {name}?', { name: user.name })}
      action={suspension ? t('End the suspension') : role === 'admin' ? t('Make an administrator') : t('Take the role away')}
      danger={!suspension}
      onClose={close}
      onConfirm={async () => {
        await (suspension ? ask('POST', `${path}/unsuspend`) : ask('POST', `${path}/role`, { role }));
        announce(t('Done.'));
        done();
      }}
    >
      <p>
        {suspension
          ? t('The account can sign in again. Access tokens have to be made anew.')
          : role === 'admin'
            ? t('Administrators see and change everything here, also other administrators.')
            : t('The account keeps its streams and loses this page at once.')}
      </p>
    </Confirm>
  );
}

export function Users({ sort = 'new' }: { sort?: 'new' | 'storage' }) {
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  const [filter, setFilter] = useState<'all' | 'suspended' | 'admins' | 'live'>('all');
  const [question, setQuestion] = useState<Question>(null);
  const [fresh, setFresh] = useState<string | null>(null);
  const who = useStore(session);
  useEffect(() => {
    const later = setTimeout(() => setSearch(typed.trim().slice(0, 100)), 300);
    return () => clearTimeout(later);
  }, [typed]);
  const pages = usePages<AdminUser>(`/admin/users?${new URLSearchParams({ sort, filter, search }).toString()}`, 'users');
  return (
    <>
      <div class="admin-filters">
        <Field label={t('Search by name or address')} name="search" optional autocomplete="off" value={typed} onValue={setTyped} />
        <Select
          label={t('Show')}
          value={filter}
          onValue={setFilter}
          options={[
            { value: 'all', text: t('All accounts') },
            { value: 'live', text: t('Who is live') },
            { value: 'suspended', text: t('Suspended ones') },
            { value: 'admins', text: t('Administrators') },
          ]}
        />
      </div>
      <List pages={pages} empty={t('No account is like that.')}>
        {(rows) => (
          <div class="admin-users">
          <Table
            caption={t('Accounts')}
            columns={[{ name: t('Account') }, { name: t('Streams'), number: true }, { name: t('Storage'), number: true }, { name: t('Last seen') }, { name: t('Created') }, { name: t('Actions') }]}
          >
            {rows.map((u) => (
              <Row key={u.id} user={u} me={who.phase === 'user' ? who.user.id : ''} onAsk={(what) => setQuestion({ what, user: u })} />
            ))}
          </Table>
          </div>
        )}
      </List>
      {question && <Questions question={question} close={() => setQuestion(null)} done={() => void pages.reload()} onPassword={setFresh} />}
      {fresh && (
        <Dialog title={t('The new password')} firm onClose={() => setFresh(null)}>
          <p>{t('Give it to its owner by a safe way. It is shown now and never again.')}</p>
          <CopyField label={t('Password')} what={t('password')} value={fresh} />
          <div class="dialog-actions">
            <Button look="primary" onClick={() => setFresh(null)}>
              {t('Done')}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

