// SPDX-License-Identifier: MIT
// /api/me and what belongs to it: for the account's own pages, which most visits never open.
import { client } from '../app';
import type { User } from './types';

export interface AccountState {
  user: User;
  /** The server sends mail. */
  mail: boolean;
  emailConfirmed: boolean;
  /** It changes to this one as soon as the mail's link is opened. */
  pendingEmail: string | null;
  /** False: they log in with another provider. */
  hasPassword: boolean;
  totp: { enabled: boolean; since: string | null; recoveryCodesLeft: number };
}

export interface SessionRow {
  id: string;
  userAgent: string;
  /** The network, not the whole address. */
  address: string;
  createdAt: string;
  /** To five minutes. */
  lastUsedAt: string;
  current: boolean;
}

/** By which somebody shows anew that it is them. */
export interface Proof {
  password: string;
  code: string;
}

const given = ({ password, code }: Proof) => ({ ...(password ? { password } : {}), ...(code ? { code } : {}) });
const call = client.call;

export const account = {
  state: () => call<AccountState>('GET', '/me/account'),
  rename: (name: string) => call<{ user: User }>('PATCH', '/me', { name }),
  /** With mail the answer comes before the change. */
  changeEmail: (email: string, proof: Proof) => call<{ sent?: boolean }>('POST', '/me/email', { email, ...given(proof) }),
  keepEmail: () => call<void>('DELETE', '/me/email'),
  askConfirm: () => call<void>('POST', '/me/email/confirmation'),
  changePassword: (newPassword: string, proof: Proof) => call<void>('POST', '/me/password', { newPassword, ...given(proof) }),
  sessions: () => call<{ sessions: SessionRow[] }>('GET', '/me/sessions').then((r) => r.sessions),
  endSession: (id: string) => call<void>('DELETE', `/me/sessions/${encodeURIComponent(id)}`),
  endOthers: () => call<void>('DELETE', '/me/sessions'),
  beginTotp: (proof: Proof) => call<{ secret: string; uri: string }>('POST', '/me/totp', given(proof)),
  confirmTotp: (code: string) => call<{ recoveryCodes: string[] }>('POST', '/me/totp/confirm', { code }).then((r) => r.recoveryCodes),
  renewCodes: (proof: Proof) => call<{ recoveryCodes: string[] }>('POST', '/me/totp/recovery-codes', given(proof)).then((r) => r.recoveryCodes),
  endTotp: (proof: Proof) => call<void>('POST', '/me/totp/off', given(proof)),
  remove: (proof: Proof) => call<void>('POST', '/me/delete', given(proof)),

  forgot: (email: string) => call<{ sent: boolean }>('POST', '/auth/forgot', { email }),
  reset: (token: string, password: string) => call<void>('POST', '/auth/reset', { token, password }),
  confirm: (token: string) => call<{ email: string }>('POST', '/auth/confirm', { token }),
};
