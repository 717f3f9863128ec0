// SPDX-License-Identifier: MIT
// What can be said about a form before the server is asked. The server has the last word.

export const PASSWORD_MIN = 8;
export const TITLE_MAX = 140;
export const DESCRIPTION_MAX = 5000;

export type FieldErrors = Record<string, string>;

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$|^[^\s@]+@localhost$/;

export function checkLogin(v: { email: string; password: string }): FieldErrors {
  const errors: FieldErrors = {};
  if (!v.email.trim()) errors.email = 'Enter your e-mail address.';
  if (!v.password) errors.password = 'Enter your password.';
  return errors;
}

export function checkRegister(v: { name: string; email: string; password: string }): FieldErrors {
  const errors: FieldErrors = {};
  if (!v.name.trim()) errors.name = 'Enter the name that viewers will see.';
  if (!v.email.trim()) errors.email = 'Enter your e-mail address.';
  else if (!EMAIL.test(v.email.trim())) errors.email = 'This does not look like an e-mail address.';
  if ([...v.password].length < PASSWORD_MIN) errors.password = `Use at least ${PASSWORD_MIN} characters.`;
  return errors;
}

export function checkStream(v: { title: string; description: string }): FieldErrors {
  const errors: FieldErrors = {};
  if (!v.title.trim()) errors.title = 'Give the stream a title.';
  else if ([...v.title.trim()].length > TITLE_MAX) errors.title = `Use at most ${TITLE_MAX} characters.`;
  if ([...v.description].length > DESCRIPTION_MAX)
    errors.description = `Use at most ${DESCRIPTION_MAX} characters.`;
  return errors;
}

/** Where to go after signing in: only within this site. */
export function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : '/dashboard';
}
