// SPDX-License-Identifier: MIT
import { t } from '../i18n/t';
import { LinkButton } from '../ui/button';
import { useTitle } from '../ui/page';
import { Empty } from '../ui/states';

export function NotFound() {
  useTitle(t('Page not found'));
  return (
    <div class="page page-narrow">
      <h1 class="hidden-text">{t('Page not found')}</h1>
      <Empty icon="info" title={t('There is no such page')}>
        <p>{t('The address may be mistyped, or the page has moved.')}</p>
        <LinkButton href="/" look="primary">
          {t('To the lobby')}
        </LinkButton>
      </Empty>
    </div>
  );
}
