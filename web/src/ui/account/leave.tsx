// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { announce, session } from '../../app';
import { account, type AccountState } from '../../api/account';
import { t } from '../../i18n/t';
import { navigate } from '../../store/router';
import { Button } from '../button';
import { ProofDialog } from './proof';

export function Leave({ state }: { state: AccountState }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <div class="account-row">
        <p class="account-words">{t('Your streams, recordings, messages and everything else of yours is removed.')}</p>
        <Button look="danger" icon="trash" onClick={() => setAsking(true)}>
          {t('Delete account')}
        </Button>
      </div>
      {asking && (
        <ProofDialog
          state={state}
          title={t('Delete your account?')}
          action={t('Delete account')}
          danger
          onClose={() => setAsking(false)}
          onSend={async (proof) => {
            await account.remove(proof);
            navigate('/', { force: true });
            session.expired();
            announce(t('Your account is deleted.'));
          }}
        >
          {() => (
            <>
              <p>{t('What is live is ended. Your streams, recordings, uploads, chat messages and access tokens are removed, now and for good. Nobody can bring them back.')}</p>
              <p>{t('Export what you want to keep before.')}</p>
            </>
          )}
        </ProofDialog>
      )}
    </>
  );
}
