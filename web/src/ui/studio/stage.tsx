// SPDX-License-Identifier: MIT
// The preview, what lies over it, and the buttons under it.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/t';
import { watchLevel } from '../../rtc/sound';
import { deviceName, type Problem } from '../../rtc/capture';
import type { Tracks } from '../../rtc/whip';
import type { InputKind, Studio, StudioStore } from '../../store/studio';
import { Button } from '../button';
import { Icon } from '../icons';

/** What goes out, silent: nobody wants to hear themselves. The element gets copies, because whatever captures
 * a <video> (an extension, a test) stops its tracks when the source changes. */
function Preview({ program, mirrored }: { program: Tracks; mirrored: boolean }) {
  const ref = useRef<HTMLVideoElement>(null);
  const { video, audio } = program;
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const copies = video ? [video, audio].filter((t) => t !== null).map((t) => t.clone()) : [];
    element.muted = true;
    element.srcObject = copies.length > 0 ? new MediaStream(copies) : null;
    if (video) void element.play().catch(() => {});
    return () => copies.forEach((t) => t.stop());
  }, [video, audio]);
  return <video ref={ref} class={`stage-video${mirrored ? ' stage-mirrored' : ''}`} aria-label={t('Preview')} autoplay muted playsInline disablePictureInPicture />;
}

/** How loud the microphone is; and whether somebody speaks who is muted, or nothing comes at all. */
export function Meter({ studio, onHint }: { studio: Studio; onHint: (hint: 'muted' | 'silent' | null) => void }) {
  const bar = useRef<HTMLSpanElement>(null);
  const meter = useRef<HTMLDivElement>(null);
  const { voice, muted } = studio;
  useEffect(() => {
    onHint(null);
    if (!voice) return;
    let loud = 0;
    let still = 0;
    let told = 0;
    let shown = 0;
    const stop = watchLevel(voice, (level) => {
      shown = Math.max(level, shown * 0.8);
      if (bar.current) bar.current.style.clipPath = `inset(0 ${muted ? 100 : (100 - shown * 100).toFixed(1)}% 0 0)`;
      loud = level > 0.55 ? loud + 1 : Math.max(0, loud - 1);
      still = level < 0.02 ? still + 1 : 0;
      onHint(muted ? (loud > 5 ? 'muted' : null) : still > 75 ? 'silent' : null);
      if (++told % 12 === 0) meter.current?.setAttribute('aria-valuenow', String(muted ? 0 : Math.round(shown * 100)));
    });
    return stop;
  }, [voice, muted]);
  return (
    <div ref={meter} class={`meter${muted ? ' meter-muted' : ''}`} role="meter" aria-label={t('Microphone level')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={0}>
      <Icon name={muted || !voice ? 'microphoneOff' : 'microphone'} size={18} />
      <span class="meter-scale">
        <span ref={bar} class="meter-bar" />
      </span>
    </div>
  );
}

export function Controls({ studio, store }: { studio: Studio; store: StudioStore }) {
  const { camera, microphone, screen, muted } = studio;
  const sharing = screen.state === 'on';
  return (
    <div class="stage-controls" role="group" aria-label={t('Sources')}>
      <Button
        icon={muted ? 'microphoneOff' : 'microphone'}
        aria-keyshortcuts="M"
        title={muted ? t('Unmute (M)') : t('Mute (M)')}
        disabled={microphone.state !== 'on'}
        onClick={() => store.toggleMuted()}
      >
        {muted ? t('Unmute') : t('Mute')}
      </Button>
      <Button
        icon={camera.state === 'on' ? 'camera' : 'cameraOff'}
        aria-keyshortcuts="V"
        title={camera.state === 'on' ? t('Camera off (V)') : t('Camera on (V)')}
        busy={camera.state === 'asking'}
        onClick={() => void store.toggleCamera()}
      >
        {camera.state === 'on' ? t('Camera off') : t('Camera on')}
      </Button>
      {studio.canShare && (
        <Button
          icon="screen"
          aria-keyshortcuts="S"
          title={sharing ? t('Stop sharing (S)') : t('Share screen (S)')}
          busy={screen.state === 'asking'}
          onClick={() => (sharing ? store.stopScreen() : void store.shareScreen())}
        >
          {sharing ? t('Stop sharing') : t('Share screen')}
        </Button>
      )}
    </div>
  );
}

function ProblemLine({ kind, problem, store }: { kind: InputKind | 'screen'; problem: Problem; store: StudioStore }) {
  return (
    <div class="trouble" role="alert">
      <Icon name="warning" size={18} />
      <div>
        <b>{problem.title}</b>
        <p>{problem.help}</p>
      </div>
      {problem.code !== 'unsupported' && (
        <Button small icon="refresh" aria-label={t('Try again: {kind}', { kind: t(deviceName(kind)) })} onClick={() => void (kind === 'screen' ? store.shareScreen() : store.retry(kind))}>
          {t('Try again')}
        </Button>
      )}
    </div>
  );
}

export function Troubles({ studio, store, hint }: { studio: Studio; store: StudioStore; hint: 'muted' | 'silent' | null }) {
  const kinds = (['camera', 'microphone', 'screen'] as const).filter((k) => studio[k].problem && studio[k].state === 'problem');
  const paused = (['camera', 'microphone'] as const).filter((k) => studio[k].paused && studio[k].state === 'on');
  const hints: ComponentChildren[] = [
    ...paused.map((k) => t('The system holds your {k} back: a call, or this page was hidden. It comes back by itself.', { k: t(deviceName(k)) })),
    ...(hint === 'muted' ? [t('You are speaking, and your microphone is muted.')] : []),
    ...(hint === 'silent' ? [t('Nothing is heard from your microphone. Is the right one chosen, and is it switched on?')] : []),
  ];
  if (kinds.length + hints.length === 0) return null;
  return (
    <div class="troubles">
      {kinds.map((k) => {
        const problem = studio[k].problem;
        return problem && <ProblemLine key={k} kind={k} problem={problem} store={store} />;
      })}
      {hints.map((text) => (
        <div key={String(text)} class="trouble trouble-hint" role="status">
          <Icon name="info" size={18} />
          <p>{text}</p>
        </div>
      ))}
    </div>
  );
}

/** What stands in the preview's place while there is no picture. */
function Cover({ studio }: { studio: Studio }) {
  const asking = studio.camera.state === 'asking' || studio.microphone.state === 'asking';
  if (asking)
    return (
      <div class="stage-cover">
        <Icon name="camera" size={32} />
        <p class="stage-cover-title">{t('Allow your camera and microphone')}</p>
        <p>{t('Your browser is asking. You see yourself first: nothing is sent and nothing is recorded before you press Go live.')}</p>
      </div>
    );
  return (
    <div class="stage-cover">
      <Icon name="cameraOff" size={32} />
      <p class="stage-cover-title">{t('There is nothing to show yet')}</p>
      <p>{t('Turn your camera on, or share your screen.')}</p>
    </div>
  );
}

export function Stage({ studio, children }: { studio: Studio; children?: ComponentChildren }) {
  const { program, shows, mirror } = studio;
  return (
    <div class={`stage stage-${shows}`}>
      <Preview program={program} mirrored={mirror && shows === 'camera'} />
      {!program.video && <Cover studio={studio} />}
      <div class="stage-over">{children}</div>
    </div>
  );
}

/** M, V and S, unless somebody types or holds another key; can be switched off (WCAG 2.1.4). */
export function useShortcuts(store: StudioStore): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => localStorage.getItem('bspnode-shortcuts') !== 'off');
  useEffect(() => {
    localStorage.setItem('bspnode-shortcuts', on ? 'on' : 'off');
    if (!on) return;
    const listener = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.repeat || e.defaultPrevented) return;
      if ((e.target as Element).closest?.('input, select, textarea, dialog, mux-player')) return;
      const { microphone, screen, canShare } = store.get();
      const key = e.key.toLowerCase();
      if (key === 'm' && microphone.state === 'on') store.toggleMuted();
      else if (key === 'v') void store.toggleCamera();
      else if (key === 's' && canShare) {
        if (screen.state === 'on') store.stopScreen();
        else if (screen.state !== 'asking') void store.shareScreen();
      } else return;
      e.preventDefault();
    };
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, [store, on]);
  return [on, setOn];
}
