// SPDX-License-Identifier: MIT
// What may be changed while the server runs, what may not, and invitations.
import { useEffect, useState } from 'preact/hooks';
import { announce } from '../../app';
import { locale, t, tn } from '../../i18n/t';
import { Button } from '../button';
import { CopyField } from '../copy';
import { Dialog } from '../dialog';
import { Field } from '../field';
import { Problem, useForm } from '../form';
import { Panel } from '../kit/card';
import { Select } from '../kit/select';
import { Table } from '../kit/table';
import { Failed, Skeleton } from '../states';
import { Ago } from '../time';
import { ask, one, size, words, type Invite, type Limits as All } from './api';

const GB = 1e9;

function Form({ all, onSaved }: { all: All; onSaved: (all: All) => void }) {
  const [registration, setRegistration] = useState(all.registration);
  const [streams, setStreams] = useState(String(all.streamsPerUser));
  const [gb, setGb] = useState(String(all.storageQuota / GB));
  const quota = Math.round(Number(gb.replace(',', '.')) * GB);
  const form = useForm(
    ['streamsPerUser', 'storageQuota'],
    () => ({
      ...(/^\d{1,4}$/.test(streams.trim()) ? {} : { streamsPerUser: t('Give a number from 0 to 1000.') }),
      ...(quota >= 0 && gb.trim() !== '' ? {} : { storageQuota: t('Give a number, or 0 for no limit.') }),
    }),
    async () => {
      onSaved(await ask<All>('PATCH', '/admin/settings', { registration, streamsPerUser: Number(streams), storageQuota: quota }));
      announce(t('Saved. It holds from now on.'));
    },
  );
  return (
    <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
      <Problem text={form.problem} />
      <Select
        label={t('New accounts')}
        value={registration}
        onValue={setRegistration}
        options={[
          { value: 'open', text: t('Anybody may make one') },
          { value: 'invite', text: t('By invitation') },
          { value: 'closed', text: t('None') },
        ]}
      />
      <Field label={t('Streams of an account')} name="streamsPerUser" autocomplete="off" value={streams} onValue={setStreams} error={form.errors.streamsPerUser} />
      <Field label={t('Storage of an account, in gigabytes')} name="storageQuota" autocomplete="off" value={gb} onValue={setGb} error={form.errors.storageQuota} hint={t('0: no limit. An account may have a quota of its own.')} />
      <div>
        <Button type="submit" look="primary" busy={form.busy}>
          {t('Save')}
        </Button>
      </div>
    </form>
  );
}

function Invites() {
  const [rows, setRows] = useState<Invite[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [note, setNote] = useState('');
  const [made, setMade] = useState<string | null>(null);
  const load = () =>
    ask<{ invites: Invite[] }>('GET', '/admin/invites').then(
      (r) => (setRows(r.invites), setError(null)),
      (e: unknown) => setError(words(e)),
    );
  useEffect(() => void load(), []);
  const form = useForm(['note'], () => ({}), async () => {
    const { code } = await ask<{ code: string }>('POST', '/admin/invites', { note: note.trim() });
    setMade(`${location.origin}/register?invite=${code}`);
    setNote('');
    await load();
  });
  async function drop(i: Invite) {
    try {
      await ask('DELETE', one('invites', i.id));
    } catch (e) {
      announce(words(e), { kind: 'error' });
    }
    await load();
  }
  return (
    <Panel title={t('Invitations')}>
      <form class="admin-filters" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Field label={t('For whom')} name="note" optional autocomplete="off" value={note} onValue={setNote} error={form.errors.note} />
        <Button type="submit" icon="plus" busy={form.busy}>
          {t('New invitation')}
        </Button>
      </form>
      <Problem text={form.problem ?? error} />
      {rows && rows.length > 0 && (
        <Table caption={t('Open invitations')} columns={[{ name: t('For whom') }, { name: t('Uses left'), number: true }, { name: t('Created') }, { name: t('Actions') }]}>
          {rows.map((i) => (
            <tr key={i.id}>
              <th scope="row">{i.note || '–'}</th>
              <td class="table-number">{i.usesLeft}</td>
              <td>
                <Ago at={i.createdAt} />
              </td>
              <td>
                <Button small icon="trash" onClick={() => void drop(i)}>
                  {t('Withdraw')}
                </Button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {made && (
        <Dialog title={t('An invitation')} firm onClose={() => setMade(null)}>
          <p>{t('This link makes one account within two weeks. It is shown now and never again.')}</p>
          <CopyField label={t('Link')} what={t('link')} value={made} />
          <div class="dialog-actions">
            <Button look="primary" onClick={() => setMade(null)}>
              {t('Done')}
            </Button>
          </div>
        </Dialog>
      )}
    </Panel>
  );
}

function value(f: All['fixed'][number]): string {
  if (typeof f.value === 'boolean') return f.value ? t('yes') : t('no');
  if (typeof f.value === 'string') return f.value;
  if (f.value === 0) return t('no limit');
  if (f.unit === 'bytes') return size(f.value, locale());
  return f.value % 60 === 0 ? tn(f.value / 60, '{n} minute', '{n} minutes') : t('{n} seconds', { n: f.value });
}

export function Limits() {
  const [all, setAll] = useState<All | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = () =>
    ask<All>('GET', '/admin/settings').then(
      (a) => (setAll(a), setError(null)),
      (e: unknown) => setError(words(e)),
    );
  useEffect(() => void load(), []);
  if (error) return <Failed title={t('The limits could not be loaded')} text={error} onRetry={() => void load()} />;
  if (!all) return <Skeleton kind="row" count={3} />;
  return (
    <div class="admin-numbers">
      <Panel title={t('Changed here')}>
        <Form all={all} onSaved={setAll} />
      </Panel>
      <Invites />
      <Panel title={t('Settings of the server')}>
        <p class="field-hint">{t('They are changed where the server is started.')}</p>
        <Table caption={t('Fixed settings')} columns={[{ name: t('Setting') }, { name: t('Value'), number: true }]}>
          {all.fixed.map((f) => (
            <tr key={f.name}>
              <th scope="row">
                <code>{f.name}</code>
              </th>
              <td class="table-number">{value(f)}</td>
            </tr>
          ))}
        </Table>
      </Panel>
    </div>
  );
}
