// SPDX-License-Identifier: MIT
// What is live now, with an end to it.
import { useEffect, useState } from 'preact/hooks';
import { announce } from '../../app';
import { locale, t } from '../../i18n/t';
import { poll } from '../../store/poller';
import { Button } from '../button';
import { Confirm } from '../dialog';
import { Badge } from '../kit/badge';
import { Table } from '../kit/table';
import { Elapsed } from '../time';
import { ask, one, usePages, type LiveStream } from './api';
import { List } from './list';

const REFRESH_MS = 5000;
const SOURCES: Record<string, string> = { rtmp: 'RTMP', rtmps: 'RTMPS', whip: 'WebRTC', browser: 'WebRTC', mux: 'Mux' };
const rate = (bps: number) => `${new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(bps / 1e6)} Mbit/s`;

export function Streams() {
  const pages = usePages<LiveStream>('/admin/streams', 'streams');
  const [ending, setEnding] = useState<LiveStream | null>(null);
  useEffect(() => poll(() => pages.reload(), REFRESH_MS), []);
  return (
    <>
      <List pages={pages} empty={t('Nobody is live.')}>
        {(rows) => (
          <div class="admin-streams">
          <Table
            caption={t('Live now')}
            columns={[{ name: t('Stream') }, { name: t('Source') }, { name: t('Viewers'), number: true }, { name: t('Bit rate'), number: true }, { name: t('For') }, { name: t('Actions') }]}
          >
            {rows.map((s) => (
              <tr key={s.id}>
                <th scope="row" class="admin-who">
                  <a href={`/stream/${encodeURIComponent(s.id)}`}>{s.title}</a> {!s.connected && <Badge look="warn">{t('Reconnecting')}</Badge>}
                  <small>
                    <bdi>{s.user.name}</bdi>
                  </small>
                </th>
                <td>{SOURCES[s.source] ?? s.source}</td>
                <td class="table-number">{s.viewers}</td>
                <td class="table-number">{s.bitrate > 0 ? rate(s.bitrate) : '–'}</td>
                <td>{s.startedAt && <Elapsed since={s.startedAt} />}</td>
                <td>
                  <Button small icon="stop" onClick={() => setEnding(s)} aria-label={t('End {title}', { title: s.title })}>
                    {t('End')}
                  </Button>
                </td>
              </tr>
            ))}
          </Table>
          </div>
        )}
      </List>
      {ending && (
        <Confirm
          title={t('End this stream?')}
          action={t('End the stream')}
          onClose={() => setEnding(null)}
          onConfirm={async () => {
            await ask('POST', `${one('streams', ending.id)}/end`, {});
            announce(t('The stream has ended.'));
            void pages.reload();
          }}
        >
          <p>{t('“{title}” by {name} ends for good. Its recording stays.', { title: ending.title, name: ending.user.name })}</p>
        </Confirm>
      )}
    </>
  );
}
