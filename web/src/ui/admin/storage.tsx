// SPDX-License-Identifier: MIT
// What is kept, in total and by whom.
import { useEffect, useState } from 'preact/hooks';
import { locale, t } from '../../i18n/t';
import { Panel } from '../kit/card';
import { Progress } from '../kit/progress';
import { Failed, Skeleton } from '../states';
import { ask, size, words, type Overview } from './api';
import { Users } from './users';

export function Storage() {
  const [all, setAll] = useState<Overview | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = () =>
    ask<Overview>('GET', '/admin/overview').then(
      (o) => (setAll(o), setError(null)),
      (e: unknown) => setError(words(e)),
    );
  useEffect(() => void load(), []);
  const s = (bytes: number) => size(bytes, locale());
  if (error) return <Failed title={t('The numbers could not be loaded')} text={error} onRetry={() => void load()} />;
  if (!all) return <Skeleton kind="row" count={2} />;
  const { disk, storage } = all;
  return (
    <>
      <div class="admin-numbers">
        <Panel title={t('Disk')}>
          {disk ? (
            <>
              <p>{t('{free} free of {total}', { free: s(disk.free), total: s(disk.total) })}</p>
              <Progress label={t('Used part of the disk')} value={disk.total - disk.free} max={disk.total} />
              <p class="field-hint">{t('Recording stops below {size} free.', { size: s(disk.reserved) })}</p>
            </>
          ) : (
            <p>{t('Not known.')}</p>
          )}
        </Panel>
        <Panel title={t('Kept here')}>
          <p>{t('{size} of recordings', { size: s(storage.recordings) })}</p>
          <p>{t('{size} of uploads on their way', { size: s(storage.uploads) })}</p>
          <p class="field-hint">{storage.quota > 0 ? t('An account may keep {size}.', { size: s(storage.quota) }) : t('Accounts have no quota.')}</p>
        </Panel>
      </div>
      <h2 class="admin-part">{t('By account')}</h2>
      <Users sort="storage" />
    </>
  );
}
