// SPDX-License-Identifier: MIT
import { msg, t } from '../i18n/t';
import { phaseOf, type WatchPhase } from '../store/watch';
import type { Stream } from '../api/types';
import { Badge, type BadgeLook } from './kit/badge';

const WORDS: Partial<Record<WatchPhase, [look: BadgeLook, text: string]>> = {
  live: ['live', msg('Live')],
  reconnecting: ['warn', msg('Reconnecting')],
  waiting: ['calm', msg('Not live yet')],
  'ended-recorded': ['done', msg('Recorded')],
  'ended-processing': ['calm', msg('Finishing')],
  ended: ['calm', msg('Ended')],
};

function announced(stream: Stream): [look: BadgeLook, text: string] | null {
  if (stream.status !== 'CREATED') return null;
  if (stream.scheduledAt) return ['calm', msg('Scheduled')];
  return stream.cancelledAt ? ['warn', msg('Cancelled')] : null;
}

export function StateBadge({ stream }: { stream: Stream }) {
  const [look, text] = announced(stream) ?? WORDS[phaseOf(stream)] ?? ['calm', msg('Ended')];
  return <Badge look={look}>{t(text)}</Badge>;
}
