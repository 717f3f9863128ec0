// SPDX-License-Identifier: MIT
// A list of administration: nothing yet, nothing there, something wrong, or its rows and "more".
import type { ComponentChildren } from 'preact';
import { t } from '../../i18n/t';
import { Button } from '../button';
import { Empty, Failed, Skeleton } from '../states';
import type { Pages } from './api';

interface ListProps<T> {
  pages: Pages<T>;
  empty: string;
  children: (rows: T[]) => ComponentChildren;
}

export function List<T>({ pages, empty, children }: ListProps<T>) {
  if (!pages.rows) {
    if (pages.error) return <Failed title={t('The list could not be loaded')} text={pages.error} onRetry={() => void pages.reload()} />;
    return <Skeleton kind="row" count={4} />;
  }
  if (pages.rows.length === 0) return <Empty icon="info" title={empty} />;
  return (
    <div class="admin-list" aria-busy={pages.busy}>
      {children(pages.rows)}
      {pages.error && (
        <p class="problem" role="alert">
          {pages.error}
        </p>
      )}
      {pages.next && (
        <div class="admin-more">
          <Button busy={pages.busy} onClick={() => void pages.more()}>
            {t('Show more')}
          </Button>
        </div>
      )}
    </div>
  );
}
