// SPDX-License-Identifier: MIT
import type { Stream } from '../api/types';
import { msg, t } from '../i18n/t';
import { Badge } from './kit/badge';

const WORDS = { PUBLIC: '', UNLISTED: msg('Unlisted'), PRIVATE: msg('Private') };

/** Only for what is not for everybody. */
export function VisibilityBadge({ stream }: { stream: Stream }) {
  const words = WORDS[stream.visibility ?? 'PUBLIC'];
  return words ? <Badge look="calm">{t(words)}</Badge> : null;
}
