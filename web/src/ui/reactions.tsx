// SPDX-License-Identifier: MIT
// Hearts and four others: a row to tap, and what others feel, floating over the picture.
import { useEffect, useRef, useState } from 'preact/hooks';
import { locale, msg, t, tn } from '../i18n/t';
import { KINDS, type Kind, type ReactionStore } from '../store/reactions';
import { useStore } from './use-store';

const NAMES: Record<Kind, string> = {
  heart: msg('Heart'),
  laugh: msg('Laughter'),
  wow: msg('Wow'),
  clap: msg('Applause'),
  fire: msg('Fire'),
};

/** As many as a picture bears. */
const MOST = 24;
const MOST_OF_ONE = 6;
const LANES = 8;
const FLIGHT_MS = 2600;

function Face({ mouth }: { mouth: preact.ComponentChildren }) {
  return (
    <>
      <circle cx="12" cy="12" r="10" fill="#f6c445" />
      {mouth}
    </>
  );
}

/** Drawn, so that they look the same where there is no font for them. */
function Sign({ kind }: { kind: Kind }) {
  return (
    <svg class="reaction-sign" viewBox="0 0 24 24" aria-hidden="true">
      {kind === 'heart' && <path fill="#e5484d" d="M12 21S3 15.2 3 8.8A4.8 4.8 0 0 1 12 6.4a4.8 4.8 0 0 1 9 2.4C21 15.2 12 21 12 21z" />}
      {kind === 'laugh' && (
        <Face
          mouth={
            <>
              <path d="M6.5 9.8q1.5-2.2 3 0M14.5 9.8q1.5-2.2 3 0" fill="none" stroke="#5a3b00" stroke-width="1.5" stroke-linecap="round" />
              <path d="M6.5 13h11a5.5 5.5 0 0 1-11 0z" fill="#5a3b00" />
            </>
          }
        />
      )}
      {kind === 'wow' && (
        <Face
          mouth={
            <>
              <circle cx="8.5" cy="9.5" r="1.5" fill="#5a3b00" />
              <circle cx="15.5" cy="9.5" r="1.5" fill="#5a3b00" />
              <ellipse cx="12" cy="16" rx="2.6" ry="3.4" fill="#5a3b00" />
            </>
          }
        />
      )}
      {kind === 'clap' && (
        <>
          <path d="M8 3.2V1M4.4 4.6 3 3M11.6 4.6 13 3" stroke="#e08b1f" stroke-width="1.6" stroke-linecap="round" />
          <rect x="4" y="6.5" width="7" height="15" rx="3.5" fill="#f6c445" transform="rotate(-18 7.5 14)" />
          <rect x="11" y="6.5" width="7" height="15" rx="3.5" fill="#e9a93a" transform="rotate(18 14.5 14)" />
        </>
      )}
      {kind === 'fire' && (
        <>
          <path fill="#ee6a24" d="M12.5 2c.6 3.6 6.5 6 6.5 12a7 7 0 0 1-14 0c0-3 1.6-4.6 2.6-6.6.6 1.3 1.2 2 2.2 2.6C9.6 7 10.4 4 12.5 2z" />
          <path fill="#f9c846" d="M12 12c.4 1.8 3 2.6 3 5.2a3 3 0 0 1-6 0c0-2.2 2-3 3-5.2z" />
        </>
      )}
    </svg>
  );
}

interface Float {
  id: number;
  kind: Kind;
  lane: number;
}

const compact = (n: number) => new Intl.NumberFormat(locale(), { notation: 'compact' }).format(n);
const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** What floats now, and how more of it begins. */
function useFloats() {
  const [floats, setFloats] = useState<Float[]>([]);
  const next = useRef(1);
  const begin = (kind: Kind, count: number) => {
    if (calm() || document.hidden) return;
    const more = Array.from({ length: Math.min(count, MOST_OF_ONE) }, () => ({ id: next.current++, kind, lane: Math.floor(Math.random() * LANES) }));
    setFloats((old) => [...old, ...more].slice(-MOST));
    const ids = new Set(more.map((f) => f.id));
    setTimeout(() => setFloats((old) => old.filter((f) => !ids.has(f.id))), FLIGHT_MS);
  };
  return { floats, begin };
}

export interface ReactionsProps {
  store: ReactionStore;
  /** Where the viewer's picture is; null: at this moment. */
  programTime: number | null;
  over: boolean;
}

export function Reactions({ store, programTime, over }: ReactionsProps) {
  const { totals, error } = useStore(store);
  const { floats, begin } = useFloats();
  useEffect(() => {
    if (over) store.replay();
  }, [over]);
  useEffect(() => {
    for (const f of store.due(programTime)) begin(f.kind, f.count);
  }, [programTime, totals]);
  const tap = (kind: Kind) => {
    store.tap(kind, programTime);
    begin(kind, 1);
  };
  const any = totals && KINDS.some((k) => totals[k] > 0);
  if (over && !any) return null;
  return (
    <div class="reactions">
      <div class="reactions-sky" aria-hidden="true">
        {floats.map((f) => (
          <span key={f.id} class={`reaction-float reaction-lane-${f.lane}`}>
            <Sign kind={f.kind} />
          </span>
        ))}
      </div>
      <div class="reactions-row" role="group" aria-label={t('Reactions')}>
        {KINDS.map((kind) => {
          const n = totals?.[kind] ?? 0;
          const name = t(NAMES[kind]);
          const label = n ? tn(n, '{name}, {n} so far', '{name}, {n} so far', { name }) : name;
          const face = (
            <>
              <Sign kind={kind} />
              {n > 0 && <span class="reaction-count">{compact(n)}</span>}
            </>
          );
          return over ? (
            n > 0 && (
              <span key={kind} class="reaction-sum" role="img" aria-label={label}>
                {face}
              </span>
            )
          ) : (
            <button key={kind} type="button" class="reaction-tap" aria-label={label} title={name} onClick={() => tap(kind)}>
              {face}
            </button>
          );
        })}
        {error && <span class="reactions-error" role="status">{error}</span>}
      </div>
    </div>
  );
}
