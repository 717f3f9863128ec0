// SPDX-License-Identifier: MIT
// The streamer's side of the direct preview: a switch, and what it does at the moment.
import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import { msg, t } from '../../i18n/t';
import { announce } from '../../app';
import type { Stream } from '../../api/types';
import { createDirectOwner, type OwnerPhase } from '../../rtc/direct';
import type { BroadcastStore, Situation } from '../../store/broadcast';
import type { Studio } from '../../store/studio';
import { directApi } from '../direct';
import { Icon } from '../icons';
import { useStore } from '../use-store';

const WORDS: Record<OwnerPhase, string> = {
  off: '',
  offering: msg('Getting ready…'),
  waiting: 'Ready. Open the viewer page somewhere, or send its link to one person.',
  connecting: msg('Somebody is here. Connecting…'),
  watched: msg('One viewer sees you now. Nothing goes through the server, nothing is recorded.'),
  refused: '',
};

const tracksOf = ({ program }: Studio) => [program.video, program.audio].filter((t): t is MediaStreamTrack => t !== null);

interface Props {
  stream: Stream;
  viewers: number;
  studio: Studio;
  situation: Situation;
  broadcast: BroadcastStore;
}

/** Only before the stream is live; with a second viewer it goes live by itself. */
export function DirectPanel({ stream, viewers, studio, situation, broadcast }: Props) {
  const owner = useMemo(() => createDirectOwner(directApi(stream)), [stream.id]);
  const { phase, problem } = useStore(owner);
  const [on, setOn] = useState(false);
  const id = useId();
  const { video, audio } = studio.program;
  const live = stream.status !== 'CREATED';
  const crowd = viewers > 1;
  useEffect(() => {
    // Not before viewers have the other picture: they change over when the stream is live.
    if (on && !live) owner.start(tracksOf(studio));
    else void owner.stop();
    if (on && live) setOn(false);
  }, [on, live]);
  useEffect(() => {
    if (on) owner.replace(tracksOf(studio));
  }, [video, audio]);
  useEffect(() => owner.see(stream.direct ?? null, viewers), [owner, phase, stream.direct?.id, stream.direct?.answered, viewers]);
  useEffect(() => {
    if (!on || !crowd || situation !== 'ready') return;
    announce(t('A second viewer is here: you are going live.'));
    broadcast.start();
  }, [on, crowd, situation]);
  useEffect(() => {
    const bye = () => void owner.stop();
    addEventListener('pagehide', bye);
    return () => {
      removeEventListener('pagehide', bye);
      bye();
    };
  }, [owner]);
  if (live || (situation !== 'ready' && situation !== 'prepare' && !on)) return null;
  return (
    <section class="panel" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{t('Before you go live')}</h2>
      <div class="check">
        <input id={id} type="checkbox" role="switch" checked={on} disabled={!on && (situation !== 'ready' || crowd)} aria-describedby={`${id}-hint`} onChange={(e) => setOn(e.currentTarget.checked)} />
        <label for={id}>{t('Direct preview')}</label>
        <small id={`${id}-hint`}>
          {t('Shows your picture to one viewer, from this browser straight to theirs; the two of you see each other’s network address.')}{' '}{crowd && !on ? t('{viewers} are here already: go live instead.', { viewers }) : t('When a second viewer comes, you go live by yourself.')}
        </small>
      </div>
      {on && (
        <p class={`advice${problem ? ' advice-warning' : phase === 'watched' ? ' advice-ok' : ''}`} role="status">
          <Icon name={problem ? 'warning' : phase === 'watched' ? 'check' : 'info'} size={18} /> {problem ?? t(WORDS[phase])}
        </p>
      )}
    </section>
  );
}
