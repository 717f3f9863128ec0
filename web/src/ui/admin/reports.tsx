// SPDX-License-Identifier: MIT
// What viewers complain of, and what became of it.
import { useState } from 'preact/hooks';
import { announce } from '../../app';
import { t, tx } from '../../i18n/t';
import { Button } from '../button';
import { Dialog } from '../dialog';
import { Field } from '../field';
import { Problem, useForm } from '../form';
import { Badge } from '../kit/badge';
import { Select } from '../kit/select';
import { Ago } from '../time';
import { ask, one, usePages, type Report } from './api';
import { List } from './list';
import { REASONS } from './reasons';

type Closing = { report: Report; state: 'resolved' | 'dismissed' } | null;

function Close({ closing, close, done }: { closing: NonNullable<Closing>; close: () => void; done: () => void }) {
  const [note, setNote] = useState('');
  const resolved = closing.state === 'resolved';
  const form = useForm(['note'], () => ({}), async () => {
    await ask('POST', `${one('reports', closing.report.id)}/close`, { state: closing.state, note: note.trim() });
    announce(t('The report is closed.'));
    close();
    done();
  });
  return (
    <Dialog title={resolved ? t('Something was done about it') : t('Nothing is to be done')} onClose={close}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field label={t('Note')} name="note" optional rows={3} value={note} onValue={setNote} error={form.errors.note} hint={t('For the other administrators.')} />
        <div class="dialog-actions">
          <Button onClick={close}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={form.busy}>
            {resolved ? t('Resolve') : t('Dismiss')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Card({ r, onClose }: { r: Report; onClose: (state: 'resolved' | 'dismissed') => void }) {
  return (
    <article class="hook admin-report">
      <div class="row-words">
        <h2>
          <a href={`/stream/${encodeURIComponent(r.stream.id)}`}>{r.stream.title}</a> {r.stream.live && <Badge look="live">{t('Live')}</Badge>}
        </h2>
        <p>
          <Badge look="warn">{t(REASONS[r.reason] ?? r.reason)}</Badge>
          <span>{tx('Stream of {name}', { name: <bdi>{r.stream.user.name || '–'}</bdi> })}</span>
          <span>
            <Ago at={r.createdAt} />
          </span>
          <span>{r.reporter ? tx('by {name}', { name: <bdi>{r.reporter}</bdi> }) : t('by a guest')}</span>
        </p>
        {r.message && (
          <blockquote class="admin-quote">
            <b>
              <bdi>{r.message.by}</bdi>
            </b>{' '}
            <bdi>{r.message.text}</bdi>
          </blockquote>
        )}
        {r.text && <p class="admin-text">{r.text}</p>}
        {r.state !== 'open' && (
          <p>
            <Badge look={r.state === 'resolved' ? 'done' : 'calm'}>{r.state === 'resolved' ? t('Resolved') : t('Dismissed')}</Badge> <span>{r.closedBy}</span> <span class="admin-text">{r.note}</span>
          </p>
        )}
      </div>
      {r.state === 'open' && (
        <div class="hook-actions">
          <Button small icon="check" onClick={() => onClose('resolved')}>
            {t('Resolve')}
          </Button>
          <Button small look="quiet" onClick={() => onClose('dismissed')}>
            {t('Dismiss')}
          </Button>
        </div>
      )}
    </article>
  );
}

export function Reports() {
  const [state, setState] = useState<'open' | 'resolved' | 'dismissed'>('open');
  const [closing, setClosing] = useState<Closing>(null);
  const pages = usePages<Report>(`/admin/reports?state=${state}`, 'reports');
  return (
    <>
      <div class="admin-filters">
        <Select
          label={t('Show')}
          value={state}
          onValue={setState}
          options={[
            { value: 'open', text: t('Open reports') },
            { value: 'resolved', text: t('Resolved ones') },
            { value: 'dismissed', text: t('Dismissed ones') },
          ]}
        />
      </div>
      <List pages={pages} empty={t('There are no such reports.')}>
        {(rows) => rows.map((r) => <Card key={r.id} r={r} onClose={(to) => setClosing({ report: r, state: to })} />)}
      </List>
      {closing && <Close closing={closing} close={() => setClosing(null)} done={() => void pages.reload()} />}
    </>
  );
}
