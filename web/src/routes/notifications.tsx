// SPDX-License-Identifier: MIT
import { t } from '../i18n/t';
import { ForUser } from '../ui/guard';
import { NotifySettings } from '../ui/notify-settings';
import { useTitle } from '../ui/page';

export function Notifications() {
  useTitle(t('Notifications'));
  return (
    <ForUser>
      {() => (
        <div class="page page-narrow">
          <NotifySettings alone />
        </div>
      )}
    </ForUser>
  );
}
