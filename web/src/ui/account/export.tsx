// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../../app';
import { locale, t } from '../../i18n/t';
import { Button } from '../button';
import { Problem } from '../form';

/** The end of a ZIP archive (its directory's last record): without it something is missing. */
const isWhole = (tail: Uint8Array) => tail.length >= 22 && [0x50, 0x4b, 5, 6].every((b, i) => tail[tail.length - 22 + i] === b);

const kB = (bytes: number) => `${new Intl.NumberFormat(locale(), { maximumFractionDigits: 0 }).format(bytes / 1000)} kB`;

async function load(signal: AbortSignal, onBytes: (n: number) => void): Promise<Blob> {
  const answer = await fetch('/api/me/export', { credentials: 'same-origin', signal });
  if (!answer.ok || !answer.body) throw new Error(String(answer.status));
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = answer.body.getReader();
  for (let n = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    onBytes((n += value.length));
  }
  const blob = new Blob(parts, { type: 'application/zip' });
  if (!isWhole(new Uint8Array(await blob.slice(-22).arrayBuffer()))) throw new Error('cut off');
  return blob;
}

function save(blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = 'bspnode-account.zip';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function Export() {
  const [bytes, setBytes] = useState<number | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  async function go() {
    const control = (stop.current = new AbortController());
    setProblem(null);
    setBytes(0);
    try {
      save(await load(control.signal, setBytes));
      announce(t('Your data is exported.'));
    } catch {
      if (!control.signal.aborted) setProblem(t('The export was interrupted. Try again.'));
    }
    setBytes(null);
  }
  return (
    <>
      <div class="account-row">
        <p class="account-words">{t('One archive with your profile, streams, messages, follows and a list of your recordings with their addresses.')}</p>
        {bytes === null ? (
          <Button icon="download" onClick={go}>
            {t('Export my data')}
          </Button>
        ) : (
          <Button onClick={() => stop.current?.abort()}>{t('Cancel')}</Button>
        )}
      </div>
      <Problem text={problem} />
      {bytes !== null && (
        <div role="status">
          <progress class="account-progress" aria-label={t('Progress of the export')} />
          <p class="account-note">{t('Exporting: {done}', { done: kB(bytes) })}</p>
        </div>
      )}
    </>
  );
}
