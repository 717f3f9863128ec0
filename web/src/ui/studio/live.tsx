// SPDX-License-Identifier: MIT
// What is being sent, and how the network does.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/t';
import { announce } from '../../app';
import { uploadNeeded } from '../../rtc/plan';
import { networkWords, readStats, type Sample, type Sending, type Words } from '../../rtc/stats';
import type { Sender } from '../../rtc/whip';
import { bitrate } from '../../store/format';
import type { Studio } from '../../store/studio';
import { Icon, type IconName } from '../icons';

/** A look at the sender every second. */
function useSending(sender: Sender | null): Sending | null {
  const [sending, setSending] = useState<Sending | null>(null);
  useEffect(() => {
    setSending(null);
    if (!sender) return;
    let before: Sample | null = null;
    let over = false;
    const timer = setInterval(async () => {
      const report = await sender.stats().catch(() => null);
      if (!report || over) return;
      const looked = readStats(report.values(), performance.now(), before);
      before = looked.sample;
      setSending(looked.sending);
    }, 1000);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [sender]);
  return sending;
}

function Figure({ name, value }: { name: string; value: string | null | undefined }) {
  if (!value) return null;
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const ICONS: Record<Words['level'], IconName> = { ok: 'check', info: 'info', warning: 'warning', error: 'warning' };

export function SendingPanel({ sender, studio, sinceMs, connected }: { sender: Sender | null; studio: Studio; sinceMs: number | null; connected: boolean }) {
  const sending = useSending(connected ? sender : null);
  const { height, fps } = studio.quality;
  const words = sending && sinceMs !== null ? networkWords(sending, { height, fps, uploadNeeded: uploadNeeded(studio.quality), composed: studio.shows !== 'camera' }, performance.now() - sinceMs) : null;
  // Spoken when it gets worse, not at every breath.
  useEffect(() => {
    if (words?.level === 'error') announce(words.text, { quiet: true });
  }, [words?.level === 'error']);
  const top = sending?.layers[0];
  const others = sending?.layers.slice(1) ?? [];
  return (
    <section class="panel" aria-labelledby="sending-title">
      <h2 id="sending-title">{t('What you send')}</h2>
      {!connected && sinceMs !== null && <p>{t('Nothing reaches the server at the moment.')}</p>}
      {!sending && (connected || sinceMs === null) && <div class="skeleton skeleton-line" role="img" aria-label={t('Loading')} />}
      {sending && (
        <dl class="figures numbers">
          <Figure name={t('Picture')} value={top && `${top.width} × ${top.height}`} />
          <Figure name={t('Frames')} value={top && t('{fps} a second', { fps: top.fps })} />
          <Figure name={t('Together')} value={bitrate(sending.bitrate)} />
          <Figure name={t('Coding')} value={[sending.codec, sending.audioCodec].filter(Boolean).join(', ')} />
          <Figure name={t('Smaller pictures too')} value={others.map((l) => `${l.height}p`).join(', ')} />
          <Figure name={t('To the server and back')} value={sending.rttMs === null ? null : `${Math.max(1, sending.rttMs)} ms`} />
        </dl>
      )}
      {words && (
        <p class={`advice advice-${words.level}`}>
          <Icon name={ICONS[words.level]} size={18} />
          <span>{words.text}</span>
        </p>
      )}
    </section>
  );
}
