// SPDX-License-Identifier: MIT
// "Report": a small button; its dialog is a file of its own, fetched when somebody presses it.
import type { FunctionComponent } from 'preact';
import { useState } from 'preact/hooks';
import { announce } from '../app';
import { t } from '../i18n/t';
import { loadPart } from '../store/part';
import { Button } from './button';
import { Icon } from './icons';
import type { ReportProps } from './report';

type Props = Omit<ReportProps, 'onClose'> & {
  /** Of a message: who wrote it. A sign, not a word, as there are many. */
  by?: string;
};

export function ReportButton({ streamId, messageId, by }: Props) {
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
      {by === undefined ? (
        <Button small look="quiet" onClick={() => void show()}>
          {t('Report')}
        </Button>
      ) : (
        <button type="button" class="chat-report" aria-label={t('Report the message of {name}', { name: by })} onClick={() => void show()}>
          <Icon name="flag" size={16} />
        </button>
      )}
      {open && Shown && <Shown streamId={streamId} messageId={messageId} onClose={() => setOpen(false)} />}
    </>
  );
}
