// SPDX-License-Identifier: MIT
// One's own picture: chosen, looked at as others will see it, kept or not.
import { useId, useRef, useState } from 'preact/hooks';
import { announce, client, session } from '../app';
import { ApiError } from '../api/client';
import type { User } from '../api/types';
import { t } from '../i18n/t';
import { Avatar } from './avatar';
import { Button } from './button';
import { Problem } from './form';
import '../styles/avatar.css';

const TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const MAX_BYTES = 5 * 1024 * 1024;
const SIZE = 96;

/** The policy of the pages lets data in, and no other address. */
const read = (file: File) =>
  new Promise<string>((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });

export function AvatarEditor({ user }: { user: User }) {
  const [chosen, setChosen] = useState<{ file: File; url: string } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const hint = useId();

  async function choose(file: File | undefined) {
    if (input.current) input.current.value = ''; // the same file may be chosen again
    if (!file) return;
    setProblem(null);
    if (!TYPES.includes(file.type)) return setProblem(t('A picture is a PNG, JPEG, WebP or GIF file.'));
    if (file.size > MAX_BYTES) return setProblem(t('The file is too large: at most {n} MiB.', { n: MAX_BYTES >> 20 }));
    try {
      setChosen({ file, url: await read(file) });
    } catch {
      setProblem(t('The file could not be read.'));
    }
  }

  async function run(work: () => Promise<User>, said: string) {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      session.update(await work());
      setChosen(null);
      announce(said);
    } catch (e) {
      setProblem(e instanceof ApiError ? e.message : t('Something went wrong.'));
    } finally {
      setBusy(false);
    }
  }

  const save = () => chosen && run(() => client.putAvatar(chosen.file), t('Your picture is changed.'));
  const remove = () => run(() => client.deleteAvatar().then(() => ({ ...user, image: null })), t('Your picture is removed.'));

  return (
    <div class="avatar-editor">
      {chosen ? (
        <img class="avatar avatar-chosen" src={chosen.url} width={SIZE} height={SIZE} alt={t('Your picture as others will see it')} onError={() => (setChosen(null), setProblem(t('The file could not be read.')))} />
      ) : (
        <Avatar id={user.id} name={user.name} image={user.image} size={SIZE} />
      )}
      <div class="avatar-choice">
        <input ref={input} class="hidden-text" type="file" tabIndex={-1} aria-hidden="true" accept={TYPES.join(',')} onChange={(e) => void choose(e.currentTarget.files?.[0])} />
        <div class="avatar-buttons">
          {chosen ? (
            <>
              <Button look="primary" busy={busy} onClick={save}>
                {t('Use this picture')}
              </Button>
              <Button look="quiet" onClick={() => setChosen(null)}>
                {t('Cancel')}
              </Button>
            </>
          ) : (
            <>
              <Button aria-describedby={hint} onClick={() => input.current?.click()}>
                {t('Choose a picture')}
              </Button>
              {user.image && (
                <Button look="quiet" busy={busy} onClick={remove}>
                  {t('Remove the picture')}
                </Button>
              )}
            </>
          )}
        </div>
        <p id={hint} class="avatar-hint">
          {t('PNG, JPEG, WebP or GIF, at most {n} MiB. The middle of it is shown, as a circle.', { n: MAX_BYTES >> 20 })}
        </p>
        <Problem text={problem} />
      </div>
    </div>
  );
}
