// SPDX-License-Identifier: MIT
// Title and description: of a new stream, and of one that is there.
import { useState } from 'preact/hooks';
import { client } from '../app';
import type { Stream, StreamType } from '../api/types';
import { msg, t } from '../i18n/t';
import { checkStream } from '../store/rules';
import { Button } from './button';
import { Dialog } from './dialog';
import { Field } from './field';
import { Problem, useForm } from './form';
import { checkSchedule, fromLocal, ScheduleField, scheduleChange, toLocal } from './schedule';
import { VisibilityFields, visibilityInput, visibilityOf } from './visibility';

const METHODS: { type: StreamType; name: string; words: string }[] = [
  { type: 'BROWSER', name: msg('Go live from browser'), words: msg('Camera, microphone and screen, nothing to install.') },
  { type: 'RTMP', name: msg('Stream with OBS'), words: msg('OBS Studio, ffmpeg or any encoder that speaks RTMP.') },
];

function MethodChoice({ type, onType }: { type: StreamType; onType: (type: StreamType) => void }) {
  return (
    <fieldset class="methods">
      <legend>{t('How do you stream?')}</legend>
      {METHODS.map((m) => (
        <label key={m.type} class="method">
          <input type="radio" name="method" value={m.type} checked={type === m.type} onChange={() => onType(m.type)} />
          <span>
            <b>{t(m.name)}</b>
            <small>{t(m.words)}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function CreateDialog({ onClose, onCreated }: { onClose: () => void; onCreated: (stream: Stream) => void }) {
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const [streamType, setStreamType] = useState<StreamType>('RTMP');
  const [start, setStart] = useState('');
  const [visibility, setVisibility] = useState(visibilityOf(null));
  const form = useForm(
    ['title', 'description', 'scheduledAt', 'password'],
    () => ({ ...checkStream({ title, description }), ...checkSchedule(start, null) }),
    async () => {
      const scheduledAt = fromLocal(start);
      const input = { title: title.trim(), streamType, ...(scheduledAt && { scheduledAt }), ...visibilityInput(visibility, visibilityOf(null)) };
      const about = description.trim();
      onCreated(await client.createStream(about ? { ...input, description: about } : input));
    },
  );
  return (
    <Dialog title={t('New stream')} onClose={onClose}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field label={t('Title')} name="title" autocomplete="off" value={title} onValue={setTitle} error={form.errors.title} />
        <Field label={t('Description')} name="description" optional rows={3} value={description} onValue={setDescription} error={form.errors.description} />
        <ScheduleField value={start} onValue={setStart} error={form.errors.scheduledAt} />
        <MethodChoice type={streamType} onType={setStreamType} />
        <VisibilityFields value={visibility} onValue={setVisibility} error={form.errors.password} />
        <div class="dialog-actions">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={form.busy}>
            {t('Create stream')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export function EditDialog({
  stream,
  onClose,
  onSaved,
}: {
  stream: Stream;
  onClose: () => void;
  onSaved: (stream: Stream) => void;
}) {
  const [title, setTitle] = useState(stream.title);
  const [description, setDescription] = useState(stream.description ?? '');
  const [start, setStart] = useState(toLocal(stream.scheduledAt));
  const before = visibilityOf(stream);
  const [visibility, setVisibility] = useState(before);
  const form = useForm(
    ['title', 'description', 'scheduledAt', 'password'],
    () => ({ ...checkStream({ title, description }), ...checkSchedule(start, stream.scheduledAt) }),
    async () => {
      const scheduledAt = scheduleChange(start, stream.scheduledAt);
      const input = { title: title.trim(), description: description.trim(), ...(scheduledAt !== undefined && { scheduledAt }), ...visibilityInput(visibility, before) };
      onSaved(await client.editStream(stream.id, input));
    },
  );
  return (
    <Dialog title={t('Edit details')} onClose={onClose}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field label={t('Title')} name="title" autocomplete="off" value={title} onValue={setTitle} error={form.errors.title} />
        <Field label={t('Description')} name="description" optional rows={4} value={description} onValue={setDescription} error={form.errors.description} />
        {stream.status === 'CREATED' && (
          <ScheduleField value={start} onValue={setStart} error={form.errors.scheduledAt} announced={stream.scheduledAt !== null} />
        )}
        <VisibilityFields value={visibility} onValue={setVisibility} error={form.errors.password} />
        <div class="dialog-actions">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={form.busy}>
            {t('Save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
