// SPDX-License-Identifier: MIT
// How to watch what is live, and how far behind one is.
import type { ComponentChildren } from 'preact';
import type { Choice } from '../store/source';
import type { Numbers } from './view';

const LABEL: Record<Choice, string> = { lowest: 'Lowest delay', steady: 'Steady', rewind: 'Rewind' };
const HINT: Record<Choice, string> = {
  lowest: 'Under half a second behind, by WebRTC.',
  steady: 'A few seconds behind, through every network.',
  rewind: 'The whole broadcast so far, to go back in.',
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
      <legend class="hidden-text">How to watch</legend>
      {all.map((c) => (
        <label key={c} class="way" title={HINT[c]}>
          <input type="radio" name="way" value={c} checked={c === current} onChange={() => onChoose(c)} />
          <span>{LABEL[c]}</span>
        </label>
      ))}
    </fieldset>
  );
}

const seconds = (s: number) => (s < 10 ? Math.max(0.1, s).toFixed(1) : String(Math.round(s)));
const rate = (bits: number) => (bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1000)} kbit/s`);

/** "0.3 s behind"; opened, what comes and how. */
export function Behind({ numbers: n, way }: { numbers: Numbers | null; way: 'webrtc' | 'hls' | null }) {
  if (!n || n.delay === null) return null;
  const rows: [string, ComponentChildren][] = [
    ['Comes by', way === 'webrtc' ? 'WebRTC' : 'HLS'],
    ['From the server', n.delay < 1 ? `${Math.round(n.delay * 1000)} ms` : `${n.delay.toFixed(1)} s`],
  ];
  if (n.width && n.height) rows.push(['Picture', `${n.width} × ${n.height}${n.fps ? `, ${Math.round(n.fps)} fps` : ''}`]);
  if (n.codec) rows.push(['Codec', n.codec]);
  if (n.bitrate) rows.push(['Bit rate', rate(n.bitrate)]);
  if (n.loss !== null) rows.push(['Lost', `${(n.loss * 100).toFixed(1)} %`]);
  return (
    <details class="behind">
      <summary>{seconds(n.delay)} s behind</summary>
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
