// SPDX-License-Identifier: MIT
// How to watch what is live, and how far behind one is.
import type { ComponentChildren } from 'preact';
import { msg, t } from '../i18n/t';
import { bitrate, decimal } from '../store/format';
import type { Choice } from '../store/source';
import type { Numbers } from './view';

const LABEL: Record<Choice, string> = { lowest: msg('Lowest delay'), steady: msg('Steady'), rewind: msg('Rewind') };
const HINT: Record<Choice, string> = {
  lowest: msg('Under half a second behind, by WebRTC.'),
  steady: msg('A few seconds behind, through every network.'),
  rewind: msg('The whole broadcast so far, to go back in.'),
};

interface WaysProps {
  all: readonly Choice[];
  current: Choice | null;
  onChoose: (c: Choice) => void;
}

/** Nothing when there is nothing to choose. */
export function Ways({ all, current, onChoose }: WaysProps) {
  if (all.length < 2) return null;
  return (
    <fieldset class="ways">
      <legend class="hidden-text">{t('How to watch')}</legend>
      {all.map((c) => (
        <label key={c} class="way" title={t(HINT[c])}>
          <input type="radio" name="way" value={c} checked={c === current} onChange={() => onChoose(c)} />
          <span>{t(LABEL[c])}</span>
        </label>
      ))}
    </fieldset>
  );
}

const seconds = (s: number) => (s < 10 ? decimal(Math.max(0.1, s), 1) : decimal(s, 0));

/** "0.3 s behind"; opened, what comes and how. */
export function Behind({ numbers: n, way }: { numbers: Numbers | null; way: 'webrtc' | 'hls' | null }) {
  if (!n || n.delay === null) return null;
  const rows: [string, ComponentChildren][] = [
    [t('Comes by'), way === 'webrtc' ? 'WebRTC' : 'HLS'],
    [t('From the server'), n.delay < 1 ? `${Math.round(n.delay * 1000)} ms` : `${decimal(n.delay, 1)} s`],
  ];
  if (n.width && n.height) rows.push([t('Picture'), `${n.width} × ${n.height}${n.fps ? `, ${t('{round} fps', { round: Math.round(n.fps) })}` : ''}`]);
  if (n.codec) rows.push([t('Codec'), n.codec]);
  if (n.bitrate) rows.push([t('Bit rate'), bitrate(n.bitrate)]);
  if (n.loss !== null) rows.push([t('Lost'), `${decimal(n.loss * 100, 1)} %`]);
  return (
    <details class="behind">
      <summary>{t('{delay} s behind', { delay: seconds(n.delay) })}</summary>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
