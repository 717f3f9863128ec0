// SPDX-License-Identifier: MIT
// What the encoder sends now, and what to do about it, in plain words.
import { useEffect, useState } from 'preact/hooks';
import { client } from '../app';
import { ApiError } from '../api/client';
import type { Advice, Health } from '../api/types';
import { locale, msg, t, told } from '../i18n/t';
import { bitrate } from '../store/format';
import { poll } from '../store/poller';
import { Icon, type IconName } from './icons';

const REFRESH_MS = 2000;
/** Bit rates that the little chart keeps: two minutes of them. */
const HISTORY = 60;

const ICONS: Record<Advice['level'], IconName> = { ok: 'check', info: 'info', warning: 'warning', error: 'warning' };
const WORDS: Record<Advice['level'], string> = { ok: '', info: msg('Hint'), warning: msg('Warning'), error: msg('Problem') };

function Figure({ name, value, detail }: { name: string; value: string | undefined; detail?: string | undefined }) {
  if (!value) return null;
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        {value}
        {detail && <small>{detail}</small>}
      </dd>
    </div>
  );
}

const CODECS: Record<string, string> = {
  h264: 'H.264', h265: 'HEVC', hevc: 'HEVC', av1: 'AV1', vp8: 'VP8', vp9: 'VP9', aac: 'AAC', opus: 'Opus',
};
const codec = (name: string | undefined) => name && (CODECS[name.toLowerCase()] ?? name);
const PROTOCOLS: Record<string, string> = { rtmp: 'RTMP', rtmps: 'RTMPS', whip: 'WebRTC' };

const number = (n: number) => new Intl.NumberFormat(locale(), { maximumFractionDigits: 1, useGrouping: false }).format(n);
const ms = (n: number | undefined) => (n === undefined ? undefined : `${Math.round(n)} ms`);
const join = (parts: (string | undefined | false | 0)[]) => parts.filter(Boolean).join(', ') || undefined;

/** The longest of the last ones, when that is another than the last. */
function longestKey({ keyFrameInterval: last, keyFrameIntervalLongest: longest }: NonNullable<Health['video']>): string | undefined {
  return last && longest && longest > last * 1.2 ? t('at most {number} s', { number: number(longest) }) : undefined;
}

function offset(value: number | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (Math.abs(value) < 40) return t('together');
  const by = Math.round(Math.abs(value));
  return value > 0 ? t('{by} ms early', { by }) : t('{by} ms late', { by });
}

/** How loud, from -60 dB to full scale. The text beside it says the same. */
function Level({ level, peak }: { level: number; peak: number }) {
  const at = (db: number) => Math.max(0, Math.min(100, ((db + 60) / 60) * 100));
  const words = level <= -60 ? t('silent') : `${Math.round(level)} dB`;
  return (
    <div class="figure">
      <dt>{t('Loudness')}</dt>
      <dd>
        {words}
        <span class={`level ${level > -6 ? 'level-hot' : ''}`} aria-hidden="true">
          <span class="level-now" style={{ width: `${at(level)}%` }} />
          <span class="level-peak" style={{ left: `${at(peak)}%` }} />
        </span>
      </dd>
    </div>
  );
}

/** The bit rate of the last two minutes; the newest on the right. */
function Sparkline({ rates }: { rates: number[] }) {
  if (rates.length < 3) return null;
  const top = Math.max(...rates) * 1.15;
  const points = rates.map((r, i) => `${(((HISTORY - rates.length + i) / (HISTORY - 1)) * 100).toFixed(1)},${(28 - (r / top) * 26).toFixed(1)}`);
  const label = t('Bit rate of the last {round} seconds, between {bitrate} and {bitrate2}', { round: Math.round((rates.length * REFRESH_MS) / 1000), bitrate: bitrate(Math.min(...rates)), bitrate2: bitrate(Math.max(...rates)) });
  const first = points[0]?.split(',')[0];
  return (
    <svg class="sparkline" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label={label}>
      <polygon points={`${first},30 ${points.join(' ')} 100,30`} />
      <polyline points={points.join(' ')} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

function Figures({ health }: { health: Health }) {
  const { video, audio, network } = health;
  const channels = audio?.channels === 1 ? t('mono') : audio?.channels === 2 ? t('stereo') : audio?.channels ? t('{channels} channels', { channels: audio.channels }) : undefined;
  const late = network?.behind !== undefined && network.behind >= 0.5 ? t('{number} s behind', { number: number(network.behind) }) : t('in real time');
  return (
    <dl class="figures numbers">
      <Figure name={t('Picture')} value={video?.width && video.height ? `${video.width} × ${video.height}` : codec(video?.codec)} detail={join([codec(video?.codec), video?.profile])} />
      <Figure name={t('Frames')} value={video?.fps ? t('{number} a second', { number: number(video.fps) }) : undefined} detail={video?.bFrames === undefined ? undefined : video.bFrames ? t('with B-frames') : t('no B-frames')} />
      <Figure
        name={t('Video rate')}
        value={video?.bitrate ? bitrate(video.bitrate) : undefined}
        detail={video?.layers && t('layers: {list}', { list: video.layers.map((l) => (l.bitrate ? bitrate(l.bitrate) : t('off'))).join(', ') })}
      />
      <Figure name={t('Key frame every')} value={video?.keyFrameInterval ? `${number(video.keyFrameInterval)} s` : undefined} detail={video ? longestKey(video) : undefined} />
      <Figure name={t('Sound')} value={audio?.codec && join([audio.sampleRate && `${number(audio.sampleRate / 1000)} kHz`, channels])} detail={join([codec(audio?.codec), audio?.profile, audio?.bitrate ? bitrate(audio.bitrate) : undefined])} />
      {audio?.level !== undefined && <Level level={audio.level} peak={audio.peakLevel ?? audio.level} />}
      <Figure name={t('Sound to picture')} value={offset(health.avOffset)} />
      <Figure name={t('Arrives')} value={network ? late : undefined} detail={join([network?.jitter !== undefined && t('jitter {ms}', { ms: ms(network.jitter) ?? '' }), network?.rtt !== undefined && t('round trip {ms}', { ms: ms(network.rtt) ?? '' })])} />
      {network?.loss !== undefined && (
        <Figure name={t('Packets lost')} value={`${number(network.loss * 100)} %`} detail={network.nacks ? t('{nacks} asked for again', { nacks: network.nacks }) : undefined} />
      )}
      <Figure name={t('Encoder')} value={health.encoder} detail={join([health.protocol && (PROTOCOLS[health.protocol] ?? health.protocol), health.address && t('from {address}', { address: health.address })])} />
    </dl>
  );
}

function AdviceList({ advice }: { advice: Advice[] }) {
  return (
    <ul class="advices" aria-label={t('Advice')}>
      {advice.map((a) => (
        <li key={a.code ?? a.message} class={`advice advice-${a.level}`}>
          <Icon name={ICONS[a.level] ?? 'info'} size={18} />
          <div>
            {WORDS[a.level] && <span class="hidden-text">{t(WORDS[a.level])}: </span>}
            {told(a.message)}
            {a.setting && <p class="advice-setting">{told(a.setting)}</p>}
          </div>
        </li>
      ))}
    </ul>
  );
}

export interface HealthView {
  health: Health | null;
  /** Why there is nothing newer; what was known stays on the screen. */
  problem: string | null;
  rates: number[];
}

/** What there is to see, without the asking: the states are told apart here. */
export function HealthNow({ health, problem, rates }: HealthView) {
  if (!health && problem)
    return (
      <p class="advice advice-warning" role="status">
        <Icon name="warning" size={18} />{' '}{t('{problem} Trying again.', { problem })}
      </p>
    );
  if (!health) return <div class="skeleton skeleton-block" role="img" aria-label={t('Loading')} />;
  const advice = (health.advice ?? []).filter((a) => a.level !== 'ok');
  const first = health.connected ? undefined : advice.shift();
  const total = (health.video?.bitrate ?? 0) + (health.audio?.bitrate ?? 0);
  return (
    <div class="health">
      {!health.connected && (
        <div class="health-line">
          <span class="pulse" aria-hidden="true" />
          <div>
            {told(first?.message ?? msg('No encoder is connected.'))}
            {first?.setting && <p class="advice-setting">{told(first.setting)}</p>}
          </div>
        </div>
      )}
      {health.connected && advice.length > 0 && <AdviceList advice={advice} />}
      {health.connected && advice.length === 0 && (
        <p class="advice advice-ok">
          <Icon name="check" size={18} /> {health.video || health.audio ? t('The signal looks good.') : t('Connected. Waiting for picture and sound.')}
        </p>
      )}
      {health.connected && total > 0 && <Sparkline rates={rates} />}
      {health.connected && <Figures health={health} />}
      {!health.connected && advice.length > 0 && <AdviceList advice={advice} />}
      {problem && (
        <p class="health-stale" role="status">
          {t('{problem} These numbers are not new.', { problem })}
        </p>
      )}
    </div>
  );
}

export function HealthPanel({ id }: { id: string }) {
  const [view, setView] = useState<HealthView>({ health: null, problem: null, rates: [] });
  useEffect(() => {
    setView({ health: null, problem: null, rates: [] });
    return poll(async () => {
      try {
        const health = await client.getHealth(id);
        const now = (health.video?.bitrate ?? 0) + (health.audio?.bitrate ?? 0);
        setView((v) => ({
          health,
          problem: null,
          // Nothing is drawn of the first moments, when nothing is measured yet.
          rates: !health.connected ? [] : now === 0 && v.rates.length === 0 ? [] : [...v.rates, now].slice(-HISTORY),
        }));
        return true;
      } catch (e) {
        const problem = e instanceof ApiError ? e.message : t('The signal cannot be looked at right now.');
        setView((v) => ({ ...v, problem }));
        return false;
      }
    }, REFRESH_MS);
  }, [id]);
  return <HealthNow {...view} />;
}
