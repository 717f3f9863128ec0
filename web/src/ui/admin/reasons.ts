// SPDX-License-Identifier: MIT
import { msg } from '../../i18n/t';

/** What a report may be about, as the server knows it. */
export const REASONS: Record<string, string> = {
  spam: msg('Spam or deceit'),
  harassment: msg('Insults or harassment'),
  violence: msg('Violence'),
  sexual: msg('Sexual content'),
  rights: msg('It belongs to somebody else'),
  illegal: msg('It is against the law'),
  other: msg('Something else'),
};
