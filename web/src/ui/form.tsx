// SPDX-License-Identifier: MIT
// What every form does: check, send once, put the server's refusal beside the field it is about.
import { useRef, useState } from 'preact/hooks';
import { ApiError } from '../api/client';
import { t } from '../i18n/t';
import type { FieldErrors } from '../store/rules';

export interface FormState {
  errors: FieldErrors;
  /** A refusal that is about no field in the form. */
  problem: string | null;
  busy: boolean;
  formRef: { current: HTMLFormElement | null };
  submit: (e: Event) => void;
}

export function useForm(fields: readonly string[], check: () => FieldErrors, send: () => Promise<void>): FormState {
  const [errors, setErrors] = useState<FieldErrors>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const formRef = useRef<HTMLFormElement>(null);

  function focusFirst(wrong: FieldErrors) {
    const name = fields.find((f) => wrong[f]);
    if (name) formRef.current?.querySelector<HTMLElement>(`[name="${name}"]`)?.focus();
  }

  async function submit(e: Event) {
    e.preventDefault();
    if (busy) return;
    const wrong = check();
    setErrors(wrong);
    setProblem(null);
    if (Object.keys(wrong).length > 0) return focusFirst(wrong);
    setBusy(true);
    try {
      await send();
    } catch (error) {
      const refusal = error instanceof ApiError ? error : new ApiError(0, 'unknown', t('Something went wrong.'));
      if (refusal.field && fields.includes(refusal.field)) {
        const named = { [refusal.field]: refusal.message };
        setErrors(named);
        focusFirst(named);
      } else {
        setProblem(refusal.message);
      }
    } finally {
      setBusy(false);
    }
  }

  return { errors, problem, busy, formRef, submit };
}

export function Problem({ text }: { text: string | null }) {
  return (
    <div role="alert">
      {text && <p class="problem">{text}</p>}
    </div>
  );
}
