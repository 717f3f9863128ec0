// SPDX-License-Identifier: MIT
// Who did what.
import { useState } from 'preact/hooks';
import { locale, t } from '../../i18n/t';
import { fullTime } from '../../store/format';
import { Button } from '../button';
import { Select } from '../kit/select';
import { Table } from '../kit/table';
import { usePages, type AuditLine } from './api';
import { List } from './list';

const DAY_MS = 86_400_000;

export function Audit() {
  const [action, setAction] = useState('');
  const [days, setDays] = useState('0');
  const [actor, setActor] = useState<{ id: string; name: string } | null>(null);
  const [object, setObject] = useState<{ id: string; name: string } | null>(null);
  const from = days === '0' ? '' : new Date(Math.floor(Date.now() / DAY_MS - Number(days)) * DAY_MS).toISOString();
  const query = new URLSearchParams({ action, from, actor: actor?.id ?? '', object: object?.id ?? '' });
  const pages = usePages<AuditLine>(`/admin/audit?${query.toString()}`, 'lines');
  return (
    <>
      <div class="admin-filters">
        <Select
          label={t('About')}
          value={action}
          onValue={setAction}
          options={[
            { value: '', text: t('Everything') },
            { value: 'user', text: t('Accounts') },
            { value: 'stream', text: t('Streams') },
            { value: 'chat', text: t('Chat') },
            { value: 'report', text: t('Reports') },
            { value: 'setting', text: t('Limits') },
            { value: 'invite', text: t('Invitations') },
            { value: 'token', text: t('Access tokens') },
            { value: 'admin', text: t('Logins of administrators') },
          ]}
        />
        <Select
          label={t('Since')}
          value={days}
          onValue={setDays}
          options={[
            { value: '0', text: t('Always') },
            { value: '1', text: t('Yesterday') },
            { value: '7', text: t('A week') },
            { value: '30', text: t('A month') },
          ]}
        />
        {(actor || object) && (
          <Button icon="back" onClick={() => (setActor(null), setObject(null))}>
            {t('Not only {name}', { name: actor?.name ?? object?.name ?? '' })}
          </Button>
        )}
      </div>
      <List pages={pages} empty={t('Nothing of the kind was done.')}>
        {(rows) => (
          <Table caption={t('Audit log')} columns={[{ name: t('When') }, { name: t('Who') }, { name: t('Did') }, { name: t('To what') }]}>
            {rows.map((l) => (
              <tr key={l.id}>
                <td>
                  <time dateTime={l.at} title={fullTime(l.at)}>
                    {new Date(l.at).toLocaleString(locale(), { dateStyle: 'short', timeStyle: 'short' })}
                  </time>
                </td>
                <td>
                  <button type="button" class="admin-link" onClick={() => setActor(l.actor ?? { id: '-', name: t('Terminal') })}>
                    <bdi>{l.actor ? l.actor.name || l.actor.id : t('Terminal')}</bdi>
                  </button>
                </td>
                <td>
                  <code>{l.action}</code>
                </td>
                <td class="admin-text">
                  {l.detail || '–'}{' '}
                  {l.objectId && (
                    <button type="button" class="admin-link" onClick={() => setObject({ id: l.objectId, name: l.objectId })}>
                      <small>{`${l.objectKind} ${l.objectId.slice(0, 20)}`}</small>
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </List>
    </>
  );
}
