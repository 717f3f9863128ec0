// SPDX-License-Identifier: MIT
// The button; what it opens is fetched when it is pressed.
import type { FunctionComponent } from 'preact';
import { useState } from 'preact/hooks';
import type { Stream } from '../api/types';
import { announce } from '../app';
import { t } from '../i18n/t';
import { loadPart } from '../store/part';
import { Button } from './button';
import type { ShareProps } from './share';

let loaded: FunctionComponent<ShareProps> | null = null;

export function ShareButton({ stream }: { stream: Stream }) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  async function show() {
    setBusy(true);
    try {
      loaded ??= (await loadPart(() => import('./share'))).ShareDialog;
      setOpen(true);
    } catch {
      announce(t('The server cannot be reached right now.'), { kind: 'error' });
    }
    setBusy(false);
  }
  const Shown = loaded;
  return (
    <>
      <Button small icon="link" busy={busy} onClick={() => void show()}>
        {t('Share')}
      </Button>
      {open && Shown && <Shown stream={stream} onClose={() => setOpen(false)} />}
    </>
  );
}
