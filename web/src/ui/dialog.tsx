// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { t } from '../i18n/t';
import { Button } from './button';
import { Problem } from './form';

/** A modal <dialog>: the browser keeps focus inside, closes it on Escape and gives the focus back. A `firm` one
 *  shows what is never shown again: a click beside it does not close it. */
export function Dialog({
  title,
  firm,
  wide,
  onClose,
  children,
}: {
  title: string;
  firm?: boolean;
  wide?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    return () => opener?.isConnected && opener.focus();
  }, []);
  return (
    <dialog
      ref={ref}
      class={wide ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(e) => !firm && e.target === e.currentTarget && ref.current?.close()}
    >
      <div class="dialog-body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** A question before something that cannot be taken back. */
export function Confirm({
  title,
  children,
  action,
  danger = true,
  onConfirm,
  onClose,
}: {
  title: string;
  children: ComponentChildren;
  action: string;
  danger?: boolean;
  onConfirm: () => Promise<void>;
  onClose: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  async function go() {
    setBusy(true);
    setProblem(null);
    try {
      await onConfirm();
      onClose();
    } catch (e) {
      setProblem(e instanceof ApiError ? e.message : t('Something went wrong.'));
      setBusy(false);
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-text">{children}</div>
      <Problem text={problem} />
      <div class="dialog-actions">
        <Button onClick={onClose}>{t('Cancel')}</Button>
        <Button look={danger ? 'danger' : 'primary'} busy={busy} onClick={go}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
