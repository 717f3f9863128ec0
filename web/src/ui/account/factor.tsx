// SPDX-License-Identifier: MIT
// The second factor: set up with an app, ten codes for the day on which that is lost, turned off.
import { useEffect, useState } from 'preact/hooks';
import { announce } from '../../app';
import { account, type AccountState } from '../../api/account';
import { t, tn } from '../../i18n/t';
import { Button } from '../button';
import { CopyField, CopyLines } from '../copy';
import { Dialog } from '../dialog';
import { Field } from '../field';
import { Problem, useForm } from '../form';
import { Badge } from './badge';
import { ProofDialog } from './proof';

/** Each row of squares as one path: M x y h 1 v 1 h -1 z. Drawn dark on light whatever the page's colours. */
function Qr({ text }: { text: string }) {
  const [code, setCode] = useState<{ size: number; path: string } | null>(null);
  useEffect(() => {
    let here = true;
    void import('uqr').then(({ encode }) => {
      const { data, size } = encode(text, { ecc: 'M', border: 4 });
      const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
      if (here) setCode({ size, path });
    });
    return () => void (here = false);
  }, [text]);
  if (!code) return <div class="account-qr" aria-busy="true" />;
  return (
    <svg class="account-qr" viewBox={`0 0 ${code.size} ${code.size}`} role="img" aria-label={t('QR code for your authenticator app')} shape-rendering="crispEdges">
      <path class="account-qr-ground" d={`M0 0h${code.size}v${code.size}h-${code.size}z`} />
      <path class="account-qr-ink" d={code.path} />
    </svg>
  );
}

function CodesDialog({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  return (
    <Dialog title={t('Your recovery codes')} firm onClose={onClose}>
      <div class="dialog-text">
        <p>{t('Each of them lets you in once without the app. Keep them where you would find them without your phone. They are shown now and never again.')}</p>
      </div>
      <CopyLines label={t('Recovery codes')} what={t('recovery codes')} text={codes.join('\n')} />
      <div class="dialog-actions">
        <Button look="primary" onClick={onClose}>
          {t('I have kept them')}
        </Button>
      </div>
    </Dialog>
  );
}

function SetUpDialog({ secret, uri, onClose, onDone }: { secret: string; uri: string; onClose: () => void; onDone: (codes: string[]) => void }) {
  const [code, setCode] = useState('');
  const form = useForm(
    ['code'],
    () => (/^\s*\d{3} ?\d{3}\s*$/.test(code) ? {} : { code: t('Enter the six digits that the app shows.') }),
    async () => onDone(await account.confirmTotp(code.replace(/\s/g, ''))),
  );
  return (
    <Dialog title={t('Set up two-step login')} firm onClose={onClose}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <p>{t('Scan this with an authenticator app, or type the key into it. Then enter the code that it shows.')}</p>
        <Qr text={uri} />
        <CopyField label={t('Key')} what={t('key')} value={secret} />
        <Field label={t('Code')} name="code" autocomplete="one-time-code" value={code} onValue={setCode} error={form.errors.code} />
        <div class="dialog-actions">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={form.busy}>
            {t('Turn on')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

type Open = { what: 'begin' | 'off' | 'renew' } | { what: 'set-up'; secret: string; uri: string } | { what: 'codes'; codes: string[] } | null;

export function Factor({ state, reload }: { state: AccountState; reload: () => Promise<unknown> }) {
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const { enabled, recoveryCodesLeft: left } = state.totp;
  return (
    <>
      <div class="account-row">
        <div class="account-words">
          <p>
            <Badge on={enabled}>{enabled ? t('On') : t('Off')}</Badge>
          </p>
          <p class={`account-note${enabled && left < 3 ? ' account-warn' : ''}`}>
            {enabled ? tn(left, 'There is {n} recovery code left.', 'There are {n} recovery codes left.') : t('With an app on your phone, a stolen password is not enough to log in as you.')}
          </p>
        </div>
        <div class="account-actions">
          {enabled ? (
            <>
              <Button onClick={() => setOpen({ what: 'renew' })}>{t('New recovery codes')}</Button>
              <Button onClick={() => setOpen({ what: 'off' })}>{t('Turn off')}</Button>
            </>
          ) : (
            <Button icon="key" onClick={() => setOpen({ what: 'begin' })}>
              {t('Set up')}
            </Button>
          )}
        </div>
      </div>
      {open?.what === 'begin' && (
        <ProofDialog state={state} title={t('Set up two-step login')} action={t('Continue')} onClose={close} onSend={async (proof) => setOpen({ what: 'set-up', ...(await account.beginTotp(proof)) })}>
          {() => <p>{t('You need an authenticator app on your phone or computer.')}</p>}
        </ProofDialog>
      )}
      {open?.what === 'set-up' && (
        <SetUpDialog
          secret={open.secret}
          uri={open.uri}
          onClose={close}
          onDone={(codes) => {
            setOpen({ what: 'codes', codes });
            void reload();
          }}
        />
      )}
      {open?.what === 'codes' && <CodesDialog codes={open.codes} onClose={close} />}
      {open?.what === 'renew' && (
        <ProofDialog
          state={state}
          title={t('New recovery codes')}
          action={t('Make new codes')}
          onClose={close}
          onSend={async (proof) => {
            setOpen({ what: 'codes', codes: await account.renewCodes(proof) });
            await reload();
          }}
        >
          {() => <p>{t('The codes that you have are good no more.')}</p>}
        </ProofDialog>
      )}
      {open?.what === 'off' && (
        <ProofDialog
          state={state}
          title={t('Turn off two-step login?')}
          action={t('Turn off')}
          danger
          onClose={close}
          onSend={async (proof) => {
            await account.endTotp(proof);
            await reload();
            close();
            announce(t('Two-step login is off.'));
          }}
        >
          {() => <p>{t('Your password alone is enough then.')}</p>}
        </ProofDialog>
      )}
    </>
  );
}
