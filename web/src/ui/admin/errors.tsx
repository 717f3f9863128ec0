// SPDX-License-Identifier: MIT
// The last warnings and errors of the server's log.
import { t } from '../../i18n/t';
import { Button } from '../button';
import { Badge } from '../kit/badge';
import { Table } from '../kit/table';
import { Ago } from '../time';
import { usePages, type LogLine } from './api';
import { List } from './list';

export function Errors() {
  const pages = usePages<LogLine>('/admin/errors', 'errors');
  return (
    <>
      <p class="page-lead">{t('Since the server was started; the newest first.')}</p>
      <List pages={pages} empty={t('Nothing has gone wrong.')}>
        {(rows) => (
          <Table caption={t('Recent errors')} columns={[{ name: t('When') }, { name: t('What') }, { name: t('In words') }]}>
            {rows.map((e, i) => (
              <tr key={i}>
                <td>
                  <Ago at={e.at} />
                </td>
                <td>
                  <Badge look={e.level === 'error' ? 'fail' : 'warn'}>{e.event}</Badge>
                </td>
                <td class="admin-text">{e.text}</td>
              </tr>
            ))}
          </Table>
        )}
      </List>
      <Button icon="refresh" busy={pages.busy} onClick={() => void pages.reload()}>
        {t('Look again')}
      </Button>
    </>
  );
}
