// SPDX-License-Identifier: MIT
import { t } from '../i18n/t';
// What can be said about a form before the server is asked. The server has the last word.

export const PASSWORD_MIN = 8;
export const TITLE_MAX = 140;
export const DESCRIPTION_MAX = 5000;

export type FieldErrors = Record<string, string>;

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$|^[^\s@]+@localhost$/;

export function checkLogin(v: { email: string; password: string }): FieldErrors {
  const errors: FieldErrors = {};
  if (!v.email.trim()) errors.email = t('Enter your e-mail address.');
  if (!v.password) errors.password = t('Enter your password.');
  return errors;
}

export function checkRegister(v: { name: string; email: string; password: string }): FieldErrors {
  const errors: FieldErrors = {};
  if (!v.name.trim()) errors.name = t('Enter the name that viewers will see.');
  if (!v.email.trim()) errors.email = t('Enter your e-mail address.');
  else if (!EMAIL.test(v.email.trim())) errors.email = t('This does not look like an e-mail address.');
  if ([...v.password].length < PASSWORD_MIN) errors.password = t('Use at least {n} characters.', { n: PASSWORD_MIN });
  return errors;
}

export function checkStream(v: { title: string; description: string }): FieldErrors {
  const errors: FieldErrors = {};
  if (!v.title.trim()) errors.title = t('Give the stream a title.');
  else if ([...v.title.trim()].length > TITLE_MAX) errors.title = t('Use at most {n} characters.', { n: TITLE_MAX });
  if ([...v.description].length > DESCRIPTION_MAX)
    errors.description = t('Use at most {n} characters.', { n: DESCRIPTION_MAX });
  return errors;
}

/** Where to go after signing in: only within this site. */
export function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])[^\\\s\p{C}]*$/u.test(next) ? next : '/dashboard';
}
