// SPDX-License-Identifier: MIT
// A room's settings, its words, who is banned, who moderates, and what was done: one dialog.
import { useEffect, useState } from 'preact/hooks';
import { announce, client } from '../app';
import { chatCalls, type ChatBan, type ChatCalls, type ChatLogLine, type RoomChange } from '../api/chat';
import { ApiError } from '../api/client';
import type { ChatRoom, Person, Stream } from '../api/types';
import { locale, msg, t } from '../i18n/t';
import type { ChatStore } from '../store/chat';
import { Button } from './button';
import { span } from './chat-line';
import { Dialog } from './dialog';
import { Field } from './field';
import { Problem, useForm } from './form';
import { Select } from './kit/select';
import { Tabs } from './kit/tabs';
import { Avatar } from './poster';
import { Failed, Skeleton } from './states';
import { useStore } from './use-store';

type Part = 'settings' | 'words' | 'bans' | 'moderators' | 'log';
const when = (iso: string) => new Date(iso).toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'short' });

/** Asks when it is shown, and again after a change. */
function useAsked<T>(ask: () => Promise<T>): { value: T | null; failed: string | null; again: () => Promise<void>; set: (v: T) => void } {
  const [value, setValue] = useState<T | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const again = async () => {
    setFailed(null);
    try {
      setValue(await ask());
    } catch (e) {
      setFailed(e instanceof ApiError ? e.message : t('Something went wrong.'));
    }
  };
  useEffect(() => void again(), []);
  return { value, failed, again, set: setValue };
}

function Waiting({ failed, again }: { failed: string | null; again: () => Promise<void> }) {
  return failed ? <Failed title={t('This could not be loaded')} text={failed} onRetry={() => void again()} /> : <Skeleton kind="row" count={3} />;
}

const SLOW = [0, 5, 10, 30, 60, 120, 300, 600];
const FOLLOWED = [0, 600, 3600, 86_400, 604_800, 2_592_000];
/** What is set is among them, also when a program has set it. */
const choices = (all: number[], now: number) => [...new Set([...all, now])].sort((a, b) => a - b);

function Settings({ room, save }: { room: ChatRoom; save: (input: RoomChange) => Promise<void> }) {
  const { mode, slowMode, followAge } = room.settings;
  return (
    <div class="form keep-form">
      <Select
        label={t('Who may write')}
        value={mode}
        options={[
          { value: 'open', text: t('Everybody with an account') },
          { value: 'followers', text: t('Followers only') },
          { value: 'off', text: t('Nobody: the chat is off') },
        ]}
        onValue={(v) => void save({ mode: v })}
      />
      {mode === 'followers' && (
        <Select
          label={t('They must have followed for')}
          value={String(followAge)}
          options={choices(FOLLOWED, followAge).map((s) => ({ value: String(s), text: s ? span(s) : t('No time') }))}
          onValue={(v) => void save({ followAge: Number(v) })}
        />
      )}
      <Select
        label={t('Slow mode: between two messages of somebody')}
        value={String(slowMode)}
        options={choices(SLOW, slowMode).map((s) => ({ value: String(s), text: s ? span(s) : t('Off') }))}
        onValue={(v) => void save({ slowMode: Number(v) })}
      />
      <p class="field-hint">{t('A change holds at once, here and in the streams you make later. You and the moderators need not wait.')}</p>
    </div>
  );
}

function Words({ room, save }: { room: ChatRoom; save: (input: RoomChange) => Promise<void> }) {
  const [text, setText] = useState((room.words ?? []).join('\n'));
  const form = useForm(['words'], () => ({}), async () => {
    await save({ words: text.split('\n').map((w) => w.trim()).filter(Boolean) });
    announce(t('Saved.'));
  });
  return (
    <form class="form keep-form" ref={form.formRef} onSubmit={form.submit} noValidate>
      <Problem text={form.problem} />
      <Field
        label={t('Words that are not taken')}
        name="words"
        optional
        rows={8}
        value={text}
        onValue={setText}
        error={form.errors.words}
        hint={t('One a line, at most 200. They stand for whole words, in any case; * stands for any letters. A message with one of them is refused.')}
      />
      <div class="dialog-actions">
        <Button type="submit" look="primary" busy={form.busy}>
          {t('Save')}
        </Button>
      </div>
    </form>
  );
}

function PersonLine({ person, children, action }: { person: Person; children?: preact.ComponentChildren; action: preact.ComponentChildren }) {
  return (
    <li class="keep-person">
      <Avatar id={person.id} name={person.name} size={32} />
      <span class="keep-who">
        <b>
          <bdi>{person.name}</bdi>
        </b>
        {children && <small>{children}</small>}
      </span>
      {action}
    </li>
  );
}

async function doing(what: () => Promise<unknown>, then: () => Promise<void>): Promise<void> {
  try {
    await what();
  } catch (e) {
    announce(e instanceof ApiError ? e.message : t('Something went wrong.'), { kind: 'error' });
  }
  await then();
}

function Bans({ calls }: { calls: ChatCalls }) {
  const { value, failed, again, set } = useAsked(() => calls.bans(null));
  if (!value) return <Waiting failed={failed} again={again} />;
  const facts = (b: ChatBan) =>
    [b.until ? t('until {time}', { time: when(b.until) }) : t('for good'), b.address && t('with their address'), b.by && t('by {name}', { name: b.by }), b.reason].filter(Boolean).join(' · ');
  const more = async () => {
    const next = await calls.bans(value.nextBefore);
    set({ bans: [...value.bans, ...next.bans], nextBefore: next.nextBefore });
  };
  if (value.bans.length === 0) return <p class="keep-empty">{t('Nobody is banned or timed out.')}</p>;
  return (
    <>
      <ul class="keep-list">
        {value.bans.map((b) => (
          <PersonLine
            key={b.id}
            person={b.user}
            action={
              <Button small aria-label={t('Let {name} write again', { name: b.user.name })} onClick={() => void doing(() => calls.unban(b.id), again)}>
                {t('Let write again')}
              </Button>
            }
          >
            {facts(b)}
          </PersonLine>
        ))}
      </ul>
      {value.nextBefore && <Button onClick={() => void doing(more, async () => {})}>{t('More')}</Button>}
    </>
  );
}

function FindPeople({ calls, known, onAdded }: { calls: ChatCalls; known: Person[]; onAdded: () => Promise<void> }) {
  const [text, setText] = useState('');
  const [found, setFound] = useState<Person[] | null>(null);
  const form = useForm(['q'], () => (text.trim() ? {} : { q: t('Whom do you look for?') }), async () => setFound(await calls.people(text.trim())));
  const add = async (p: Person) => {
    await doing(() => calls.addModerator(p.id), onAdded);
    setFound(null);
    setText('');
  };
  return (
    <>
      <form class="keep-find" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Field label={t('Name, or the whole e-mail address')} name="q" autocomplete="off" value={text} onValue={setText} error={form.errors.q ?? form.problem ?? undefined} />
        <Button type="submit" busy={form.busy}>
          {t('Search')}
        </Button>
      </form>
      <div role="status">{found?.length === 0 && <p class="keep-empty">{t('Nobody is called that here.')}</p>}</div>
      {found && found.length > 0 && (
        <ul class="keep-list" aria-label={t('Found')}>
          {found.map((p) => (
            <PersonLine
              key={p.id}
              person={p}
              action={
                known.some((k) => k.id === p.id) ? (
                  <small>{t('Moderates already')}</small>
                ) : (
                  <Button small look="primary" aria-label={t('Make {name} a moderator', { name: p.name })} onClick={() => void add(p)}>
                    {t('Make a moderator')}
                  </Button>
                )
              }
            />
          ))}
        </ul>
      )}
    </>
  );
}

function Moderators({ calls, mine }: { calls: ChatCalls; mine: boolean }) {
  const { value, failed, again } = useAsked(() => calls.moderators());
  if (!value) return <Waiting failed={failed} again={again} />;
  return (
    <>
      {value.length === 0 && <p class="keep-empty">{t('There are no moderators yet.')}</p>}
      <ul class="keep-list" aria-label={t('Moderators')}>
        {value.map((p) => (
          <PersonLine
            key={p.id}
            person={p}
            action={
              mine && (
                <Button small aria-label={t('{name} moderates no longer', { name: p.name })} onClick={() => void doing(() => calls.removeModerator(p.id), again)}>
                  {t('Remove')}
                </Button>
              )
            }
          />
        ))}
      </ul>
      {mine ? <FindPeople calls={calls} known={value} onAdded={again} /> : <p class="field-hint">{t('The streamer names them.')}</p>}
    </>
  );
}

const ACTIONS: Record<ChatLogLine['action'], string> = {
  delete: msg('{by} deleted a message of {user}'),
  timeout: msg('{by} timed {user} out'),
  ban: msg('{by} banned {user}'),
  unban: msg('{by} let {user} write again'),
  settings: msg('{by} changed the settings'),
  moderator: msg('{by} made {user} a moderator'),
  unmoderator: msg('{by} took moderation from {user}'),
  pin: msg('{by} pinned a message of {user}'),
  unpin: msg('{by} took the pin away'),
};

/** "seconds=600 address advertising", for people. */
function facts(l: ChatLogLine): string {
  const ban = /^seconds=(\d+)( address)?(?: (.*))?$/s.exec(l.detail);
  if (!ban) return l.detail;
  const [, seconds, address, reason] = ban;
  return [Number(seconds) ? span(Number(seconds)) : t('for good'), address && t('with their address'), reason].filter(Boolean).join(' · ');
}

function Log({ calls }: { calls: ChatCalls }) {
  const { value, failed, again, set } = useAsked(() => calls.log(null));
  if (!value) return <Waiting failed={failed} again={again} />;
  const name = (p: Person | null) => p?.name ?? t('somebody who has left');
  const more = async () => {
    const next = await calls.log(value.nextBefore);
    set({ log: [...value.log, ...next.log], nextBefore: next.nextBefore });
  };
  if (value.log.length === 0) return <p class="keep-empty">{t('Nothing has been done yet.')}</p>;
  return (
    <>
      <ol class="keep-list keep-log">
        {value.log.map((l) => (
          <li key={l.id}>
            <span>
              <bdi>{t(ACTIONS[l.action] ?? l.action, { by: name(l.by), user: name(l.user) })}</bdi> <time dateTime={l.at}>{when(l.at)}</time>
            </span>
            {l.content && (
              <q>
                <bdi>{l.content}</bdi>
              </q>
            )}
            {l.detail && <small>{facts(l)}</small>}
          </li>
        ))}
      </ol>
      {value.nextBefore && <Button onClick={() => void doing(more, async () => {})}>{t('More')}</Button>}
    </>
  );
}

export function KeepDialog({ chat, stream, onClose }: { chat: ChatStore; stream: Stream; onClose: () => void }) {
  const calls = chatCalls(client, stream.id);
  const [part, setPart] = useState<Part>('settings');
  const { me, settings } = useStore(chat);
  const asked = useAsked(() => calls.get());
  const room = asked.value;
  const save = async (input: RoomChange) => asked.set(await calls.change(input));
  const choose = (input: RoomChange) => doing(() => save(input), async () => {});
  return (
    <Dialog title={t('Moderate the chat')} wide onClose={onClose}>
      <div class="keep">
        <Tabs
          label={t('Moderate the chat')}
          value={part}
          onValue={setPart}
          tabs={[
            { value: 'settings', text: t('Settings') },
            { value: 'words', text: t('Words') },
            { value: 'bans', text: t('Bans') },
            { value: 'moderators', text: t('Moderators') },
            { value: 'log', text: t('Log') },
          ]}
        >
          {(part === 'settings' || part === 'words') && !room && <Waiting failed={asked.failed} again={asked.again} />}
          {part === 'settings' && room && <Settings room={{ ...room, settings: settings ?? room.settings }} save={choose} />}
          {part === 'words' && room && <Words room={room} save={save} />}
          {part === 'bans' && <Bans calls={calls} />}
          {part === 'moderators' && <Moderators calls={calls} mine={me?.role === 'owner'} />}
          {part === 'log' && <Log calls={calls} />}
        </Tabs>
      </div>
      <div class="dialog-actions">
        <Button onClick={onClose}>{t('Close')}</Button>
      </div>
    </Dialog>
  );
}
