// SPDX-License-Identifier: MIT
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { announce } from '../app';
import { t } from '../i18n/t';
import { Button } from './button';

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain http from another machine there is no clipboard API: select and copy the old way.
    const area = document.createElement('textarea');
    area.value = text;
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const ok = document.execCommand('copy');
    area.remove();
    return ok;
  }
}

/** A button that copies and says so. `what` names the thing: "Copy stream key". */
export function CopyButton({ what, text, label, small }: { what: string; text: string; label?: string; small?: boolean }) {
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  async function copy() {
    if (!(await toClipboard(text))) {
      announce(t('Could not copy the {what}. Select it and copy it by hand.', { what }), { kind: 'error' });
      return;
    }
    setCopied(true);
    announce(t('Copied the {what}.', { what }), { quiet: true });
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), 2000);
  }
  return (
    <Button small={small ?? false} icon={copied ? 'check' : 'copy'} aria-label={`${copied ? 'Copied' : 'Copy'} ${what}`} onClick={copy}>
      {copied ? t('Copied') : (label ?? t('Copy'))}
    </Button>
  );
}

/** A value to be carried elsewhere; a secret one is hidden until asked for. */
export function CopyField({ label, what, value, secret }: { label: string; what: string; value: string; secret?: boolean }) {
  const [shown, setShown] = useState(!secret);
  const id = useId();
  return (
    <div class="copy-field">
      <label class="copy-label" for={id}>
        {label}
      </label>
      <div class="copy-row">
        <input
          id={id}
          class="copy-value"
          readOnly
          type={(shown ? 'text' : 'password') as 'text'}
          value={value}
          autocomplete="off"
          spellcheck={false}
          onFocus={(e) => e.currentTarget.select()}
        />
        {secret && (
          <Button icon={shown ? 'eyeOff' : 'eye'} aria-pressed={shown} aria-label={t('Show {what}', { what })} onClick={() => setShown(!shown)}>
            {shown ? t('Hide') : t('Show')}
          </Button>
        )}
        <CopyButton what={what} text={value} />
      </div>
    </div>
  );
}

/** Lines to be carried elsewhere as they are. */
export function CopyLines({ label, what, text }: { label: string; what: string; text: string }) {
  const id = useId();
  return (
    <div class="copy-field">
      <div class="copy-lines-head">
        <span class="copy-label" id={id}>
          {label}
        </span>
        <CopyButton small what={what} text={text} />
      </div>
      <pre class="copy-lines" role="region" tabIndex={0} aria-labelledby={id}>
        {text}
      </pre>
    </div>
  );
}
