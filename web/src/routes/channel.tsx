// SPDX-License-Identifier: MIT
// A streamer's page: who they are, what is live, what comes, what was.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { announce, client, session } from '../app';
import type { Channel as ChannelData } from '../api/types';
import { t, tn } from '../i18n/t';
import { viewers } from '../store/format';
import { createChannel, watchLobby, type ChannelStore } from '../store/channel';
import { pieces } from '../store/chat';
import { place } from '../store/router';
import { createStreamList, type StreamListStore } from '../store/stream-list';
import { StateBadge } from '../ui/badge';
import { Button, LinkButton } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { FollowButton } from '../ui/follow';
import { Problem, useForm } from '../ui/form';
import { Icon } from '../ui/icons';
import { channelUrl } from '../ui/person';
import { useTitle } from '../ui/page';
import { Avatar, Poster } from '../ui/poster';
import { Shelf } from '../ui/shelf';
import { Empty, Failed, Skeleton } from '../ui/states';
import { Elapsed } from '../ui/time';
import { useStore } from '../ui/use-store';

const ABOUT_MAX = 2000;
const HANDLE = /^@?[A-Za-z0-9]\w{2,24}$/;

function About({ text }: { text: string }) {
  return (
    <p class="channel-about">
      {pieces(text).map((p) =>
        p.href ? (
          <a href={p.href} target="_blank" rel="nofollow noopener noreferrer ugc">
            {p.text}
          </a>
        ) : (
          p.text
        ),
      )}
    </p>
  );
}

function Edit({ channel, onClose, onSaved }: { channel: ChannelData; onClose: () => void; onSaved: (c: ChannelData) => void }) {
  const [handle, setHandle] = useState(channel.handle);
  const [about, setAbout] = useState(channel.about);
  const form = useForm(
    ['handle', 'about'],
    (): Record<string, string> => {
      if (!HANDLE.test(handle.trim())) return { handle: t('Use 3 to 25 letters (a to z), digits or underscores.') };
      return [...about].length > ABOUT_MAX ? { about: t('Use at most {n} characters.', { n: ABOUT_MAX }) } : {};
    },
    async () => onSaved(await client.editChannel({ handle: handle.trim(), about })),
  );
  return (
    <Dialog title={t('Edit channel')} onClose={onClose}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field
          label={t('Handle')}
          name="handle"
          autocomplete="off"
          value={handle}
          onValue={setHandle}
          hint={t('Your address here: {address}. Links to the old one stop working.', { address: `${location.host}/@${handle.replace(/^@/, '').toLowerCase()}` })}
          error={form.errors.handle}
        />
        <Field label={t('About')} name="about" optional rows={5} value={about} onValue={setAbout} error={form.errors.about} />
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

function Head({ store, channel }: { store: ChannelStore; channel: ChannelData }) {
  const who = useStore(session);
  const [editing, setEditing] = useState(false);
  const own = who.phase === 'user' && who.user.id === channel.id;
  const saved = (c: ChannelData) => {
    setEditing(false);
    announce(t('Saved.'));
    store.apply(c);
    if (c.handle !== channel.handle) location.replace(channelUrl(c.handle));
  };
  return (
    <header class="channel-head">
      <Avatar id={channel.id} name={channel.name} image={channel.image} size={96} />
      <div class="channel-words">
        <h1>
          <bdi>{channel.name}</bdi>
        </h1>
        <p class="channel-facts">
          <span>@{channel.handle}</span>
          <span>{tn(channel.followers, '{n} follower', '{n} followers')}</span>
        </p>
        {channel.about && <About text={channel.about} />}
        {own && !channel.about && <p class="channel-about channel-none">{t('Say something about yourself: viewers read it here.')}</p>}
      </div>
      <div class="channel-actions">
        <FollowButton key={who.phase} handle={channel.handle} known={channel} onChange={(f) => store.followed(f)} />
        <a class="button button-plain button-small" href={`${channelUrl(channel.handle)}.ics`} download={`${channel.handle}.ics`}>
          <Icon name="calendar" size={16} /> {t('Calendar')}
        </a>
        {own && (
          <Button small icon="edit" onClick={() => setEditing(true)}>
            {t('Edit channel')}
          </Button>
        )}
      </div>
      {editing && <Edit channel={channel} onClose={() => setEditing(false)} onSaved={saved} />}
    </header>
  );
}

/** What is live, large: for whoever comes here just now it is what they came for. */
function LiveNow({ list }: { list: StreamListStore }) {
  const { streams } = useStore(list);
  return (
    <>
      {streams.map((s) => (
        <article class="channel-live" key={s.id}>
          <div class="channel-live-picture">
            <Poster stream={s} />
            <span class="card-badge">
              <StateBadge stream={s} />
            </span>
          </div>
          <div class="channel-live-words">
            <h2>
              <a href={`/stream/${encodeURIComponent(s.id)}`}>{s.title}</a>
            </h2>
            <p>
              {viewers(s.viewerCount)}
              {s.startedAt && (
                <>
                  {' · '}
                  <Elapsed since={s.startedAt} />
                </>
              )}
            </p>
            {s.description && <p class="channel-live-text">{s.description}</p>}
            <LinkButton look="live" icon="play" href={`/stream/${encodeURIComponent(s.id)}`}>
              {t('Watch now')}
            </LinkButton>
          </div>
        </article>
      ))}
    </>
  );
}

function Loaded({ store, channel }: { store: ChannelStore; channel: ChannelData }) {
  const user = channel.id;
  const live = useMemo(() => createStreamList(client, { status: 'LIVE', user, limit: 10 }), [user]);
  const next = useMemo(() => createStreamList(client, { status: 'SCHEDULED', user, limit: 12 }), [user]);
  const past = useMemo(() => createStreamList(client, { status: 'ENDED', user, limit: 12 }), [user]);
  useEffect(() => watchLobby(() => Promise.all([live.refresh(), next.refresh(), past.refresh()]).then((a) => a.every(Boolean))), [live]);
  return (
    <div class="page channel">
      <Head store={store} channel={channel} />
      <LiveNow list={live} />
      <Shelf id="next" title={t('Next')} list={next} />
      <Shelf
        id="past"
        title={t('Past streams')}
        list={past}
        empty={
          <Empty icon="play" title={t('No past streams')}>
            <p>{t('What {name} has streamed is here to watch again.', { name: channel.name })}</p>
          </Empty>
        }
      />
    </div>
  );
}

export function Channel() {
  const { route } = useStore(place);
  const handle = route.name === 'channel' ? route.handle : '';
  const store = useMemo(() => createChannel(client, handle), [handle]);
  const who = useStore(session);
  // Whether one follows depends on who one is.
  useEffect(() => void (who.phase !== 'unknown' && store.load()), [store, who.phase]);
  const { phase, channel, error } = useStore(store);
  useTitle(channel ? `${channel.name} (@${channel.handle})` : phase === 'missing' ? t('Channel not found') : `@${handle}`);
  if (channel && phase !== 'missing') return <Loaded key={channel.id} store={store} channel={channel} />;
  if (phase === 'loading')
    return (
      <div class="page" aria-busy="true">
        <h1 class="hidden-text">@{handle}</h1>
        <Skeleton kind="card" count={3} />
      </div>
    );
  return (
    <div class="page page-narrow">
      <h1 class="hidden-text">{t('Channel not found')}</h1>
      {phase === 'missing' ? (
        <Empty icon="info" title={t('There is no such channel')}>
          <p>{t('@{handle} may have another name now, or the link is wrong.', { handle })}</p>
          <LinkButton href="/" look="primary">
            {t('To the lobby')}
          </LinkButton>
        </Empty>
      ) : (
        <Failed title={t('The channel could not be loaded')} text={error} onRetry={() => void store.load()} />
      )}
    </div>
  );
}
