// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'preact/hooks';
import { here } from '../api/playlist';
import type { Stream } from '../api/types';
import { phaseOf } from '../store/watch';

export { Avatar } from './avatar';

/** A number from a text, the same every time. */
function seedOf(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** A live picture is another one after so long; one that could not be had is asked for again. */
const FRESH_MS = 20_000;

/** Where the stream's own picture is, if there is one. */
function pictureOf(stream: Stream): string | null {
  const shows = stream.status === 'LIVE' || phaseOf(stream) === 'ended-recorded';
  const url = stream.playback?.thumbnailUrl;
  if (!shows || !url) return null;
  return stream.playback?.remote ? url : here(url);
}

/** The picture of a stream: what it shows, or showed; without that, waves of its own. Decoration beside its title. */
export function Poster({ stream }: { stream: Stream }) {
  const url = pictureOf(stream);
  const live = stream.status === 'LIVE';
  const [turn, setTurn] = useState(0);
  const [loaded, setLoaded] = useState<string | null>(null);
  useEffect(() => {
    if (!live || !url) return;
    const timer = setInterval(() => !document.hidden && setTurn((n) => n + 1), FRESH_MS);
    return () => clearInterval(timer);
  }, [live, url]);
  const shown = url !== null && loaded === url;
  // The one on show stays until the next is there.
  const src = url && `${url}?width=640${live ? `&turn=${turn}` : ''}`;
  return (
    <>
      {!shown && <Waves id={stream.id} />}
      {src && (
        <img
          class={shown ? 'poster' : 'poster poster-hidden'}
          src={src}
          alt=""
          loading="lazy"
          decoding="async"
          onLoad={() => setLoaded(url)}
          onError={() => setLoaded(null)}
        />
      )}
    </>
  );
}

function Waves({ id }: { id: string }) {
  const seed = seedOf(id);
  const hue = [168, 190, 208, 232, 258, 286, 340, 14][seed % 8] ?? 190;
  const x = 70 + ((seed >>> 3) % 180);
  const y = 50 + ((seed >>> 12) % 80);
  const rings = [22, 46, 72, 100, 130, 162, 196, 232];
  return (
    <svg class="poster" viewBox="0 0 320 180" preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">
      <rect width="320" height="180" fill={`hsl(${hue} 38% 20%)`} />
      {rings.map((r, i) => (
        <circle key={r} cx={x} cy={y} r={r} fill="none" stroke={`hsl(${hue + i * 6} 55% 58%)`} stroke-width={10 - i * 0.6} opacity={0.62 - i * 0.065} />
      ))}
      <circle cx={x} cy={y} r="7" fill={`hsl(${(hue + 170) % 360} 80% 68%)`} />
    </svg>
  );
}

/** The first letters of a name in a circle; decoration beside the name itself. */
export function Initials({ id, name, size = 36 }: { id: string; name: string; size?: number }) {
  const hue = [168, 190, 208, 232, 258, 286, 340, 14][seedOf(id) % 8] ?? 190;
  const initials = name
    .trim()
    .split(/\s+/)
    .slice(0, 2)
    .map((w) => [...w][0]?.toUpperCase() ?? '')
    .join('');
  return (
    <svg class="avatar" width={size} height={size} viewBox="0 0 40 40" aria-hidden="true" focusable="false">
      <circle cx="20" cy="20" r="20" fill={`hsl(${hue} 40% 32%)`} />
      <text x="20" y="20" dy="0.36em" text-anchor="middle" fill="#fff" font-size="15" font-weight="600">
        {initials}
      </text>
    </svg>
  );
}
