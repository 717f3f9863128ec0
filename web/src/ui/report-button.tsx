// SPDX-License-Identifier: MIT
// "Report": a small button; its dialog is a file of its own, fetched when somebody presses it.
import type { FunctionComponent } from 'preact';
import { useState } from 'preact/hooks';
import { announce } from '../app';
import { t } from '../i18n/t';
import { loadPart } from '../store/part';
import { Button } from './button';
import type { ReportProps } from './report';

export function ReportButton({ streamId, messageId }: Omit<ReportProps, 'onClose'>) {
  const [dialog, setDialog] = useState<FunctionComponent<ReportProps> | null>(null);
  const [open, setOpen] = useState(false);
  async function show() {
    try {
      const loaded = dialog ?? (await loadPart(() => import('./report').then((m) => m.Report)));
      setDialog(() => loaded);
      setOpen(true);
    } catch {
      announce(t('Something went wrong.'), { kind: 'error' });
    }
  }
  const Shown = dialog;
  return (
    <>
      <Button small look="quiet" onClick={() => void show()}>
        {t('Report')}
      </Button>
      {open && Shown && <Shown streamId={streamId} messageId={messageId} onClose={() => setOpen(false)} />}
    </>
  );
}
