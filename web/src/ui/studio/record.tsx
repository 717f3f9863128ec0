// SPDX-License-Identifier: MIT
// The browser's own recording: whether it is made, how far it is, and what is the matter with it.
import { useEffect, useId, useState } from 'preact/hooks';
import { msg, t, told } from '../../i18n/t';
import { announce } from '../../app';
import { recordings } from '../../record/browser';
import { networkWords, readStats, type Sample } from '../../rtc/stats';
import { uploadNeeded } from '../../rtc/plan';
import type { Sender } from '../../rtc/whip';
import { clockDuration, size, spokenDuration } from '../../store/format';
import type { Kept } from '../../store/recordings';
import type { NoRecorder, RecordingState, RecordingStore } from '../../store/recording';
import type { Studio } from '../../store/studio';
import { Icon } from '../icons';
import { UploadBar } from '../recordings';
import { useStore } from '../use-store';

const WHY: Record<NoRecorder, string> = {
  'no-recorder': msg('This browser cannot record. The server records what you send.'),
  'no-storage': msg('This browser gives pages no storage (a private window?), so it cannot record. The server records what you send.'),
  'no-room': msg('There is not enough room left on this computer to record. The server records what you send.'),
};

const ENDED: Record<'limit' | 'full' | 'broken', string> = {
  limit: msg('The recording in this browser has reached its longest time. What comes after it is in the server’s recording.'),
  full: msg('There is no room left on this computer: the recording in this browser ends here. The server’s recording goes on.'),
  broken: msg('The browser stopped its recording. The server’s recording goes on.'),
};

const HOLD_MS = 20_000;

/** How long it has been running, once a second. */
function useElapsed(sinceMs: number | null): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (sinceMs === null) return;
    const timer = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, [sinceMs]);
  return sinceMs === null ? 0 : Math.max(0, Math.floor((now - sinceMs) / 1000));
}

/** The live stream goes first: on a line that does not carry both, the upload waits for its end. */
export function useHold(recording: RecordingStore, sender: Sender | null, studio: Studio, sinceMs: number | null) {
  useEffect(() => {
    if (!sender) return recording.hold(false);
    let before: Sample | null = null;
    let over = false;
    let badAt = -Infinity;
    const timer = setInterval(async () => {
      const report = await sender.stats().catch(() => null);
      if (!report || over || sinceMs === null) return;
      const looked = readStats(report.values(), performance.now(), before);
      before = looked.sample;
      const { height, fps } = studio.quality;
      const words = networkWords(looked.sending, { height, fps, uploadNeeded: uploadNeeded(studio.quality), composed: false }, performance.now() - sinceMs);
      // The upload itself may be what makes it bad: it begins again only after the line was good for a while.
      if ((looked.sending.loss ?? 0) > 0.03 || (looked.sending.limited === 'bandwidth' && words.level !== 'ok')) badAt = performance.now();
      recording.hold(performance.now() - badAt < HOLD_MS);
    }, 2000);
    return () => {
      over = true;
      clearInterval(timer);
      recording.hold(false);
    };
  }, [sender, sinceMs, studio.quality]);
}

export function useKept(id: string | null): Kept | null {
  return useStore(recordings).find((k) => k.id === id) ?? null;
}

function Progress({ recording, kept }: { recording: RecordingState; kept: Kept | null }) {
  const seconds = useElapsed(recording.sinceMs);
  const { limitS } = recording;
  return (
    <div class="recording-now">
      <p class="numbers">
        <span class="recording-dot" aria-hidden="true" /> <span aria-label={spokenDuration(seconds)}>{clockDuration(seconds)}</span>
        {limitS > 0 && ` ${t('of at most {limitS}', { limitS: clockDuration(limitS) })}`}
      </p>
      {kept && (
        <>
          <UploadBar kept={kept} label={t('Uploaded of the recording')} />
          <p class="field-hint numbers">
            {t('{size} recorded, {size2} uploaded.', { size: size(kept.written), size2: size(kept.acked) })}
            {kept.held && ` ${t('The upload waits: your line carries the live stream first.')}`}
            {kept.problem && ` ${t('{problem} Everything is kept in this browser meanwhile.', { problem: told(kept.problem) })}`}
          </p>
        </>
      )}
    </div>
  );
}

/** Strips over the studio: the end is near, or has come. */
export function RecordingMatter({ recording }: { recording: RecordingState }) {
  const { phase, warned, limitS, sinceMs, only } = recording;
  const seconds = useElapsed(warned ? sinceMs : null);
  const words = phase === 'limit' || phase === 'full' || phase === 'broken' ? t(ENDED[phase]) : null;
  const left = Math.max(0, limitS - seconds);
  useEffect(() => {
    if (warned) announce(t('The recording in this browser ends in {time}.', { time: spokenDuration(left) }), { quiet: true });
  }, [warned]);
  useEffect(() => {
    if (words) announce(words, { quiet: true });
  }, [words]);
  if (!warned && !words) return null;
  return (
    <div class="strip strip-tall strip-warn" role="status">
      <Icon name="warning" size={18} />
      <div class="strip-words">
        {words && <p>{words}</p>}
        {!words && (
          <p>
            <b>{t('The recording ends in {left}.', { left: clockDuration(left) })}</b>{' '}
            {only ? t('It is the longest that this server allows.') : t('It is the longest that this server allows; the broadcast and the server’s recording go on.')}
          </p>
        )}
      </div>
    </div>
  );
}

interface Props {
  recording: RecordingState;
  store: RecordingStore;
  sending: boolean;
  /** It can still be chosen to record only. */
  fresh: boolean;
}

export function RecordPanel({ recording, store, sending, fresh }: Props) {
  const { able, why, on, only, phase, limitS } = recording;
  const kept = useKept(recording.id);
  const id = useId();
  const running = phase === 'recording';
  return (
    <section class="panel" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{t('Recording')}</h2>
      <div class="check">
        <input id={id} type="checkbox" role="switch" checked={(on || only) && able !== false} disabled={able !== true || only} aria-describedby={`${id}-hint`} onChange={(e) => store.setOn(e.currentTarget.checked)} />
        <label for={id}>{t('Record in this browser')}</label>
        <small id={`${id}-hint`}>
          {why ? t(WHY[why]) : limitS > 0 ? t('In studio quality, whatever your line does; kept here and uploaded meanwhile, {time} at most.', { time: spokenDuration(limitS) }) : t('In studio quality, whatever your line does; kept here and uploaded meanwhile.')}
        </small>
      </div>
      {running && <Progress recording={recording} kept={kept} />}
      {fresh && !sending && !running && (
        <fieldset class="presets">
          <legend class="hidden-text">{t('With viewers or without')}</legend>
          {[false, true].map((alone) => (
            <label key={String(alone)} class="preset">
              <input type="radio" name="only" checked={only === alone} disabled={alone && able !== true} onChange={() => store.setOnly(alone)} />
              <span>
                <b>{alone ? t('Record only') : t('Live')}</b>
                <small>{alone ? t('Nobody watches; the recording can be watched afterwards') : t('Viewers see you now')}</small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
    </section>
  );
}
