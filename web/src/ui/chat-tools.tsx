// SPDX-License-Identifier: MIT
// What those who keep a room have at hand: a menu at each message, and the room's settings, bans, moderators
// and log in one dialog.
import { useState } from 'preact/hooks';
import { announce, client } from '../app';
import { chatCalls } from '../api/chat';
import { ApiError } from '../api/client';
import type { ChatMessage, Stream } from '../api/types';
import { t } from '../i18n/t';
import type { ChatStore } from '../store/chat';
import { Button } from './button';
import { span } from './chat-line';
import { KeepDialog } from './chat-keep';
import { Dialog } from './dialog';
import { Field } from './field';
import { Problem, useForm } from './form';
import { Check } from './kit/check';
import { Menu, type MenuItem } from './kit/menu';

const TIMEOUTS = [60, 600, 3600];

/** Does it, and says what was done or why not. */
async function tell(done: string, what: () => Promise<unknown>): Promise<void> {
  try {
    await what();
    announce(done);
  } catch (e) {
    announce(e instanceof ApiError ? e.message : t('Something went wrong.'), { kind: 'error' });
  }
}

export const unpin = (stream: Stream) => tell(t('The message is not pinned any more.'), () => chatCalls(client, stream.id).unpin());

function BanDialog({ m, stream, onClose }: { m: ChatMessage; stream: Stream; onClose: () => void }) {
  const [address, setAddress] = useState(false);
  const [deleteMessages, setDelete] = useState(true);
  const [reason, setReason] = useState('');
  const { name } = m.user;
  const form = useForm(
    ['reason'],
    () => ({}),
    async () => {
      await chatCalls(client, stream.id).ban({ userId: m.user.id, address, deleteMessages, ...(reason.trim() && { reason: reason.trim() }) });
      onClose();
      announce(t('{name} is banned.', { name }));
    },
  );
  return (
    <Dialog title={t('Ban {name}?', { name })} onClose={onClose}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <p class="dialog-text">{t('Whoever is banned can read along, but not write, in all chats of this channel.')}</p>
        <Check label={t('Delete their last messages here')} checked={deleteMessages} onChecked={setDelete} />
        <Check
          label={t('Ban what they write from, too')}
          hint={t('Their address, for 30 days: that stops other accounts of theirs, but also others behind the same connection.')}
          checked={address}
          onChecked={setAddress}
        />
        <Field label={t('Reason')} name="reason" optional value={reason} onValue={setReason} error={form.errors.reason} hint={t('For the other moderators.')} />
        <div class="dialog-actions">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="danger" busy={form.busy}>
            {t('Ban')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface ToolsProps {
  m: ChatMessage;
  chat: ChatStore;
  stream: Stream;
  me: string | null;
}

export function MessageTools({ m, chat, stream, me }: ToolsProps) {
  const [asking, setAsking] = useState(false);
  const { name } = m.user;
  const calls = chatCalls(client, stream.id);
  const items: MenuItem[] = [
    { text: t('Pin'), icon: 'pin', onChoose: () => void tell(t('The message is pinned.'), () => calls.pin(m.id)) },
    { text: t('Delete'), icon: 'trash', onChoose: () => void chat.remove(m.id) },
  ];
  // Whom the server would refuse anyway are not offered.
  if (m.user.id !== me && m.user.id !== stream.user.id)
    items.push(
      ...TIMEOUTS.map(
        (seconds): MenuItem => ({
          text: t('Time out for {time}', { time: span(seconds) }),
          icon: 'pause',
          onChoose: () => void tell(t('{name} can write again in {time}.', { name, time: span(seconds) }), () => calls.ban({ userId: m.user.id, seconds })),
        }),
      ),
      { text: t('Ban…'), icon: 'ban', danger: true, onChoose: () => setAsking(true) },
    );
  return (
    <>
      <Menu label={t('Message of {name}: what to do', { name })} icon="more" items={items} />
      {asking && <BanDialog m={m} stream={stream} onClose={() => setAsking(false)} />}
    </>
  );
}

/** The button that opens all the rest. */
export function KeepRoom({ chat, stream }: { chat: ChatStore; stream: Stream }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button small look="quiet" icon="shield" onClick={() => setOpen(true)}>
        {t('Moderate')}
      </Button>
      {open && <KeepDialog chat={chat} stream={stream} onClose={() => setOpen(false)} />}
    </>
  );
}
