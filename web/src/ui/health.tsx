// SPDX-License-Identifier: MIT
// What the encoder sends now, and what to do about it, in plain words.
import { useEffect, useState } from 'preact/hooks';
import { client } from '../app';
import type { Advice, Health } from '../api/types';
import { bitrate } from '../store/format';
import { poll } from '../store/poller';
import { Icon, type IconName } from './icons';

const REFRESH_MS = 2000;

const ICONS: Record<Advice['level'], IconName> = { ok: 'check', info: 'info', warning: 'warning', error: 'warning' };

function Figure({ name, value }: { name: string; value: string | undefined }) {
  if (!value) return null;
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const CODECS: Record<string, string> = { h264: 'H.264', h265: 'HEVC', hevc: 'HEVC', av1: 'AV1', vp9: 'VP9', aac: 'AAC', opus: 'Opus' };
const codec = (name: string | undefined) => name && (CODECS[name.toLowerCase()] ?? name);

const number = (n: number) => String(Math.round(n * 10) / 10);

function Figures({ health }: { health: Health }) {
  const { video, audio } = health;
  const channels = audio?.channels === 1 ? 'mono' : audio?.channels === 2 ? 'stereo' : undefined;
  return (
    <dl class="figures numbers">
      <Figure name="Video" value={codec(video?.codec)} />
      <Figure name="Picture" value={video?.width && video.height ? `${video.width} × ${video.height}` : undefined} />
      <Figure name="Frames" value={video?.fps ? `${number(video.fps)} a second` : undefined} />
      <Figure name="Video rate" value={video?.bitrate ? bitrate(video.bitrate) : undefined} />
      <Figure name="Key frame every" value={video?.keyFrameInterval ? `${number(video.keyFrameInterval)} s` : undefined} />
      <Figure name="B-frames" value={video?.bFrames === undefined ? undefined : video.bFrames ? 'yes' : 'no'} />
      <Figure
        name="Audio"
        value={audio?.codec && [codec(audio.codec), audio.sampleRate && `${number(audio.sampleRate / 1000)} kHz`, channels].filter(Boolean).join(', ')}
      />
      <Figure name="Audio rate" value={audio?.bitrate ? bitrate(audio.bitrate) : undefined} />
      <Figure name="Encoder" value={health.encoder} />
    </dl>
  );
}

export function HealthPanel({ id }: { id: string }) {
  const [health, setHealth] = useState<Health | null>(null);
  useEffect(
    () =>
      poll(async () => {
        setHealth(await client.getHealth(id));
        return true;
      }, REFRESH_MS),
    [id],
  );
  if (!health) return <div class="skeleton skeleton-block" role="img" aria-label="Loading" />;
  const advice = (health.advice ?? []).slice();
  const missing = health.connected ? null : (advice.shift()?.message ?? 'No encoder is connected.');
  return (
    <>
      {missing && (
        <p class="health-line">
          <span class="pulse" aria-hidden="true" />
          <span>{missing}</span>
        </p>
      )}
      {health.connected && <Figures health={health} />}
      {health.connected && advice.length === 0 && (
        <p class="advice advice-ok">
          <Icon name="check" size={18} /> The signal looks good.
        </p>
      )}
      {advice.length > 0 && (
        <ul class="advices">
          {advice.map((a) => (
            <li key={a.code ?? a.message} class={`advice advice-${a.level}`}>
              <Icon name={ICONS[a.level] ?? 'info'} size={18} />
              <span>{a.message}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
