// SPDX-License-Identifier: MIT
// A viewer's complaint about a stream, or about a message of its chat: the dialog.
import { useState } from 'preact/hooks';
import { announce, client } from '../app';
import { t } from '../i18n/t';
import { REASONS } from './admin/reasons';
import { Button } from './button';
import { Dialog } from './dialog';
import { Field } from './field';
import { Problem, useForm } from './form';
import { Select } from './kit/select';

export interface ReportProps {
  streamId: string;
  /** The message of the chat that it is about. */
  messageId?: string | undefined;
  onClose: () => void;
}

export function Report({ streamId, messageId, onClose }: ReportProps) {
  const [reason, setReason] = useState('spam');
  const [text, setText] = useState('');
  const form = useForm(
    ['text'],
    () => ({}),
    async () => {
      await client.call('POST', `/streams/${encodeURIComponent(streamId)}/report`, { reason, text: text.trim(), messageId: messageId ?? null });
      announce(t('Thank you. An administrator will look at it.'));
      onClose();
    },
  );
  return (
    <Dialog title={messageId ? t('Report this message') : t('Report this stream')} onClose={onClose}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Select label={t('What is wrong?')} value={reason} onValue={setReason} options={Object.entries(REASONS).map(([value, words]) => ({ value, text: t(words) }))} />
        <Field label={t('In your words')} name="text" optional rows={3} value={text} onValue={setText} error={form.errors.text} hint={t('Administrators read it, the streamer does not.')} />
        <div class="dialog-actions">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={form.busy}>
            {t('Send the report')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
