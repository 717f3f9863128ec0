// SPDX-License-Identifier: MIT
// A line for owners whose storage is nearly or wholly used.
import { useEffect, useState } from 'preact/hooks';
import { client } from '../app';
import { locale, t } from '../i18n/t';
import { Strip } from './kit/strip';

const size = (bytes: number) => `${new Intl.NumberFormat(locale(), { maximumFractionDigits: 2 }).format(bytes / 1e9)} GB`;

export function StorageNote() {
  const [mine, setMine] = useState<{ used: number; quota: number; percent: number } | null>(null);
  useEffect(() => {
    client.call<{ used: number; quota: number; percent: number }>('GET', '/me/storage').then(setMine, () => {});
  }, []);
  if (!mine || mine.percent < 80) return null;
  const values = { used: size(mine.used), quota: size(mine.quota) };
  return (
    <div class="storage-note">
      <Strip look={mine.percent >= 100 ? 'error' : 'warn'}>
        {mine.percent >= 100
          ? t('Your storage is full ({used} of {quota}): nothing is recorded or uploaded until you delete some recordings. Live streams go on.', values)
          : t('Your storage is nearly full: {used} of {quota}. When it is full, recording stops; live streams go on.', values)}
      </Strip>
    </div>
  );
}
