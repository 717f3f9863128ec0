// SPDX-License-Identifier: MIT
// Recordings that lie in this browser: what of them is uploaded, and what to do with those that were left.
import { useEffect, useId, useState } from 'preact/hooks';
import { t, told, tx } from '../i18n/t';
import { recordings } from '../record/browser';
import { size } from '../store/format';
import { poll } from '../store/poller';
import { fileOf, type Kept } from '../store/recordings';
import { Button } from './button';
import { Confirm } from './dialog';
import { Progress } from './kit/progress';
import { Icon } from './icons';
import { Ago } from './time';
import { useStore } from './use-store';

const LOOK_MS = 5000;

export function UploadBar({ kept, label }: { kept: Kept; label: string }) {
  return <Progress label={label} max={Math.max(1, kept.written)} value={kept.acked} />;
}

async function save(kept: Kept) {
  const file = await fileOf(kept.id);
  if (!file) return;
  const url = URL.createObjectURL(file);
  const name = kept.title.replace(/[^\p{L}\p{N} ._-]+/gu, ' ').trim() || 'recording';
  Object.assign(document.createElement('a'), { href: url, download: `${name}.${kept.mime.includes('mp4') ? 'mp4' : 'webm'}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function Words({ kept }: { kept: Kept }) {
  const so = t('{size} of {size2}', { size: size(kept.acked), size2: size(kept.written) });
  switch (kept.phase) {
    case 'uploading':
      return <p>{t('{so} uploaded. Keep this page open until it is done; if you cannot, the rest is uploaded on your next visit.', { so })}</p>;
    case 'retrying':
      return <p>{t('{problem} It goes on by itself; {so} uploaded so far.', { problem: told(kept.problem ?? ''), so })}</p>;
    case 'stopped':
      return <p>{t('{problem} The recording is still in this browser ({size}).', { problem: told(kept.problem ?? ''), size: size(kept.written) })}</p>;
    default:
      return (
        <p>
          {tx('Made {when}, {size}; it is kept in this browser.', { when: <Ago at={new Date(kept.startedAt).toISOString()} />, size: size(kept.written) })}
        </p>
      );
  }
}

function Item({ kept }: { kept: Kept }) {
  const [asks, setAsks] = useState(false);
  const id = useId();
  const { phase, title } = kept;
  const busy = phase === 'uploading' || phase === 'retrying';
  const head =
    phase === 'stopped'
      ? t('The recording of “{title}” could not be uploaded.', { title })
      : busy
        ? t('Uploading the recording of “{title}”', { title })
        : t('A recording of “{title}” was not uploaded completely.', { title });
  return (
    <section class={`strip strip-tall kept${busy ? ' kept-busy' : ' strip-warn'}`} aria-labelledby={id}>
      <Icon name={busy ? 'upload' : 'warning'} size={18} />
      <div class="strip-words kept-words">
        <h2 id={id}>{head}</h2>
        {busy && <UploadBar kept={kept} label={t('Upload of {title}', { title })} />}
        <Words kept={kept} />
        <div class="kept-actions">
          {phase === 'left' && (
            <Button small look="primary" onClick={() => recordings.resume(kept.id)}>
              {t('Upload now')}
            </Button>
          )}
          {(phase === 'stopped' || phase === 'retrying') && (
            <Button small icon="refresh" onClick={() => recordings.retry(kept.id)}>
              {t('Try again')}
            </Button>
          )}
          {phase === 'stopped' && (
            <Button small onClick={() => void save(kept)}>
              {t('Save as a file')}
            </Button>
          )}
          {phase !== 'uploading' && (
            <Button small look="quiet" onClick={() => setAsks(true)}>
              {t('Discard')}
            </Button>
          )}
        </div>
      </div>
      {asks && (
        <Confirm title={t('Discard this recording?')} action={t('Discard recording')} onClose={() => setAsks(false)} onConfirm={async () => recordings.discard(kept.id)}>
          <p>
            {tx('What this browser recorded of {what} is removed. What the server itself recorded stays.', { what: <b>{title}</b> })}
          </p>
        </Confirm>
      )}
    </section>
  );
}

/** Of one stream, or of all. Those that are being made are shown where they are made. */
export function Recordings({ userId, streamId }: { userId: string; streamId: string | null }) {
  const all = useStore(recordings);
  useEffect(
    () =>
      poll(async () => {
        await recordings.look(userId);
        return true;
      }, LOOK_MS),
    [userId],
  );
  const shown = all.filter((k) => k.userId === userId && k.phase !== 'recording' && k.phase !== 'elsewhere' && (streamId === null || k.streamId === streamId));
  if (shown.length === 0) return null;
  return (
    <div class="kept-list">
      {shown.map((k) => (
        <Item key={k.id} kept={k} />
      ))}
    </div>
  );
}
