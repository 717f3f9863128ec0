// SPDX-License-Identifier: MIT
// The button to follow a streamer, and how one wants to be told.
import { useEffect, useRef, useState } from 'preact/hooks';
import { announce, client, session } from '../app';
import { ApiError } from '../api/client';
import type { Channel, Following } from '../api/types';
import { t } from '../i18n/t';
import { place } from '../store/router';
import { Button, LinkButton } from './button';
import { useStore } from './use-store';

const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));

function Choice({ following, onChange }: { following: Following; onChange: (c: { mail?: boolean; push?: boolean }) => void }) {
  const ref = useRef<HTMLDetailsElement>(null);
  // A click elsewhere and Escape close it, as menus do.
  useEffect(() => {
    const away = (e: Event) => {
      const d = ref.current;
      if (!d?.open) return;
      const escape = e instanceof KeyboardEvent && e.key === 'Escape';
      if (!escape && (e instanceof KeyboardEvent || d.contains(e.target as Node))) return;
      d.open = false;
      if (escape) d.querySelector('summary')?.focus();
    };
    addEventListener('keydown', away);
    addEventListener('click', away);
    return () => {
      removeEventListener('keydown', away);
      removeEventListener('click', away);
    };
  }, []);
  return (
    <details class="follow-choice" ref={ref}>
      <summary class="button button-plain button-small">{t('Notices')}</summary>
      <fieldset class="follow-menu">
        <legend>{t('Tell me when a stream begins or its date changes')}</legend>
        <label>
          <input type="checkbox" checked={following.mail} onChange={(e) => onChange({ mail: e.currentTarget.checked })} /> {t('By e-mail')}
        </label>
        <label>
          <input type="checkbox" checked={following.push} onChange={(e) => onChange({ push: e.currentTarget.checked })} /> {t('By notification in my browsers')}
        </label>
        <a href="/notifications">{t('All notifications, and this browser')}</a>
      </fieldset>
    </details>
  );
}

/** `known`: the channel when the page has it; else it is asked for. */
export function FollowButton({ handle, known, onChange }: { handle: string; known?: Channel; onChange?: (following: Following | null) => void }) {
  const who = useStore(session);
  const { path } = useStore(place);
  const [following, setFollowing] = useState<Following | null | undefined>(known?.following);
  const [busy, setBusy] = useState(false);
  const me = who.phase === 'user' ? who.user : null;
  useEffect(() => {
    if (known || !me) return;
    let gone = false;
    client.getChannel(handle).then(
      (c) => !gone && setFollowing(c.following),
      () => {}, // the button stays away
    );
    return () => void (gone = true);
  }, [handle, me?.id]);
  if (who.phase === 'unknown' || me?.handle === handle) return null;
  if (!me)
    return (
      <LinkButton small icon="plus" href={`/login?next=${encodeURIComponent(path)}`}>
        {t('Follow')}
      </LinkButton>
    );
  if (following === undefined) return null;
  const change = async (make: () => Promise<Following | null>, said: string | null, before = following) => {
    setBusy(true);
    try {
      const now = await make();
      setFollowing(now);
      onChange?.(now);
      if (said) announce(said, { quiet: true });
    } catch (e) {
      setFollowing(before);
      announce(words(e), { kind: 'error' });
    }
    setBusy(false);
  };
  // A box shows at once what was chosen; a refusal takes it back.
  const choose = (c: { mail?: boolean; push?: boolean }) => {
    if (!following) return;
    setFollowing({ ...following, ...c });
    void change(() => client.follow(handle, c), null, following);
  };
  const toggle = () =>
    following
      ? change(() => client.unfollow(handle).then(() => null), t('You no longer follow this channel.'))
      : change(() => client.follow(handle), t('You follow this channel now.'));
  return (
    <span class="follow">
      <Button small look={following ? 'plain' : 'primary'} icon={following ? 'check' : 'plus'} busy={busy} onClick={() => void toggle()}>
        {following ? t('Following') : t('Follow')}
      </Button>
      {following && <Choice following={following} onChange={choose} />}
    </span>
  );
}
