// SPDX-License-Identifier: MIT
// What stands before the camera: sources, devices, and the two tracks that come out of them. Nothing here
// sends anything. The browser's media functions are handed in.
import { t } from '../i18n/t';
import {
  cameraConstraints,
  microphoneConstraints,
  problemOf,
  problemWords,
  screenConstraints,
  sortDevices,
  type Devices,
  type Problem,
} from '../rtc/capture';
import type { Composer, ComposerFormat } from '../rtc/compose';
import type { Corner } from '../rtc/layout';
import { QUALITY_KEY, readQuality, widthOf, type Quality } from '../rtc/plan';
import type { Mixer } from '../rtc/sound';
import type { Tracks } from '../rtc/whip';
import { createStore, type Readable } from './store';

export type InputKind = 'camera' | 'microphone';

export interface Source {
  state: 'off' | 'asking' | 'on' | 'problem';
  problem: Problem | null;
  /** On, but the system holds it back: a telephone whose page is hidden. */
  paused: boolean;
  deviceId: string | null;
  label: string;
}

export interface Studio {
  camera: Source;
  microphone: Source;
  screen: Source;
  /** Telephones cannot share theirs. */
  canShare: boolean;
  /** The screen brought sound with it. */
  screenSound: boolean;
  muted: boolean;
  inset: boolean;
  corner: Corner;
  mirror: boolean;
  devices: Devices;
  quality: Quality;
  /** What goes out, and what the preview shows. */
  program: Tracks;
  shows: 'camera' | 'screen' | 'card' | 'nothing';
  /** For the meter. */
  voice: MediaStreamTrack | null;
}

export interface StudioWorld {
  media: Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices' | 'addEventListener' | 'removeEventListener'> & {
    getDisplayMedia?: MediaDevices['getDisplayMedia'];
  };
  permission(kind: InputKind): Promise<PermissionState | undefined>;
  composer(at: ComposerFormat): Composer;
  /** Null where sound cannot be mixed. */
  mixer(): Mixer | null;
  read(key: string): string | null;
  write(key: string, text: string): void;
}

export interface StudioStore extends Readable<Studio> {
  /** Asks for camera and microphone, together. */
  open(): Promise<void>;
  /** Asks again for what is missing. */
  retry(kind: InputKind): Promise<void>;
  choose(kind: InputKind, deviceId: string): Promise<void>;
  toggleCamera(): Promise<void>;
  toggleMuted(): void;
  shareScreen(): Promise<void>;
  stopScreen(): void;
  setInset(on: boolean): void;
  setCorner(corner: Corner): void;
  setMirror(on: boolean): void;
  setQuality(part: Partial<Quality>): void;
  /** While live a picture goes out whatever happens to the sources. */
  hold(on: boolean): void;
  close(): void;
}

const NO_SOURCE: Source = { state: 'off', problem: null, paused: false, deviceId: null, label: '' };
const DEVICE_KEYS: Record<InputKind, string> = { camera: 'bspnode-camera', microphone: 'bspnode-microphone' };
const MIRROR_KEY = 'bspnode-mirror';

export function createStudio(world: StudioWorld, title: string): StudioStore {
  const { media } = world;
  const store = createStore<Studio>({
    camera: { ...NO_SOURCE, deviceId: world.read(DEVICE_KEYS.camera) },
    microphone: { ...NO_SOURCE, deviceId: world.read(DEVICE_KEYS.microphone) },
    screen: NO_SOURCE,
    canShare: media.getDisplayMedia !== undefined,
    screenSound: false,
    muted: false,
    inset: true,
    corner: 'bottom-right',
    mirror: world.read(MIRROR_KEY) !== 'off',
    devices: { cameras: [], microphones: [] },
    quality: readQuality(world.read(QUALITY_KEY)),
    program: { video: null, audio: null },
    shows: 'nothing',
    voice: null,
  });
  const tracks: Record<InputKind | 'screen' | 'screenSound', MediaStreamTrack | null> = {
    camera: null,
    microphone: null,
    screen: null,
    screenSound: null,
  };
  // Answers to questions that were asked before the last one are dropped.
  const turns: Record<InputKind | 'screen', number> = { camera: 0, microphone: 0, screen: 0 };
  let composer: Composer | null = null;
  let mixer: Mixer | null = null;
  let held = false;
  let closed = false;

  const patchSource = (kind: InputKind | 'screen', part: Partial<Source>) =>
    store.patch({ [kind]: { ...store.get()[kind], ...part } });

  // --- what goes out

  function format(): ComposerFormat {
    const { height, fps } = store.get().quality;
    return { width: widthOf(height), height, fps };
  }

  function composed(): MediaStreamTrack | null {
    const { inset, corner } = store.get();
    try {
      composer ??= world.composer(format());
    } catch {
      return tracks.screen ?? tracks.camera; // a browser that cannot compose sends what there is
    }
    const camera = inset ? tracks.camera : null;
    composer.set({ screen: tracks.screen, camera, corner, title, note: tracks.microphone ? t('Sound only') : t('One moment, please') });
    composer.track.contentHint = 'detail';
    return composer.track;
  }

  function sound(): MediaStreamTrack | null {
    const { microphone, screenSound } = tracks;
    if (microphone && !screenSound) return microphone;
    mixer ??= world.mixer();
    if (!mixer) return microphone ?? screenSound;
    mixer.set([microphone, screenSound].filter((t) => t !== null));
    return mixer.track;
  }

  /** Puts the program together anew, after any change. */
  function update() {
    if (closed) return;
    const { screen, camera, microphone } = tracks;
    const shows = screen ? 'screen' : camera ? 'camera' : microphone || held ? 'card' : 'nothing';
    const video = shows === 'camera' ? camera : shows === 'nothing' ? null : composed();
    const audio = shows === 'nothing' ? null : sound();
    const had = store.get().program;
    const program = had.video === video && had.audio === audio ? had : { video, audio };
    store.patch({ program, shows, voice: microphone, screenSound: tracks.screenSound !== null });
    // What is not used any more goes last, when nobody has it.
    if (composer && video !== composer.track) {
      composer.close();
      composer = null;
    }
    if (mixer && audio !== mixer.track) {
      mixer.close();
      mixer = null;
    }
  }

  // --- cameras and microphones

  async function refresh() {
    const all = await media.enumerateDevices().catch(() => []);
    if (!closed) store.patch({ devices: sortDevices(all) });
  }

  function release(kind: InputKind | 'screen' | 'screenSound') {
    const track = tracks[kind];
    tracks[kind] = null;
    if (!track) return;
    track.onended = track.onmute = track.onunmute = null;
    track.stop();
  }

  function accept(kind: InputKind, track: MediaStreamTrack) {
    release(kind);
    tracks[kind] = track;
    track.onended = () => void gone(kind);
    track.onmute = () => patchSource(kind, { paused: true });
    track.onunmute = () => patchSource(kind, { paused: false });
    if (kind === 'camera') track.contentHint = 'motion';
    else track.enabled = !store.get().muted;
    patchSource(kind, { state: 'on', problem: null, paused: track.muted, label: track.label, deviceId: track.getSettings().deviceId ?? null });
  }

  async function gone(kind: InputKind) {
    release(kind);
    patchSource(kind, { state: 'problem', problem: problemWords(kind, 'gone'), paused: false });
    update();
    await refresh();
    // Another one takes over; there may be none.
    if (devicesOf(kind).length > 0) await take([kind], { any: true });
  }

  const devicesOf = (kind: InputKind) => (kind === 'camera' ? store.get().devices.cameras : store.get().devices.microphones);

  function constraints(kinds: readonly InputKind[], any: boolean): MediaStreamConstraints {
    const { quality, camera, microphone } = store.get();
    return {
      ...(kinds.includes('camera') && { video: cameraConstraints(quality, any ? null : camera.deviceId) }),
      ...(kinds.includes('microphone') && { audio: microphoneConstraints(quality, any ? null : microphone.deviceId) }),
    };
  }

  const has = (e: unknown, ...names: string[]) => names.includes((e as Partial<DOMException> | null)?.name ?? '');

  /** Together, so that the browser asks once; alone where together fails, to learn which it is. */
  async function take(kinds: readonly InputKind[], { any = false } = {}): Promise<void> {
    const mine = kinds.map((k) => ++turns[k]);
    const current = (k: InputKind) => !closed && turns[k] === mine[kinds.indexOf(k)];
    for (const k of kinds) patchSource(k, { state: 'asking' });
    let stream: MediaStream;
    try {
      stream = await media.getUserMedia(constraints(kinds, any));
    } catch (e) {
      const still = kinds.filter(current);
      if (still.length === 0) return;
      if (!any && has(e, 'OverconstrainedError', 'NotFoundError') && still.some((k) => store.get()[k].deviceId)) return take(still, { any: true });
      if (still.length > 1) return apart(still, e);
      const [kind] = still as [InputKind];
      patchSource(kind, { state: 'problem', problem: problemOf(kind, e, await world.permission(kind)) });
      release(kind);
      return update();
    }
    for (const k of kinds) {
      const track = (k === 'camera' ? stream.getVideoTracks() : stream.getAudioTracks())[0];
      if (!track) continue;
      if (current(k)) accept(k, track);
      else track.stop();
    }
    update();
    await refresh();
  }

  async function apart(kinds: readonly InputKind[], e: unknown): Promise<void> {
    if (!has(e, 'NotAllowedError')) {
      for (const k of kinds) await take([k]);
      return;
    }
    const states = await Promise.all(kinds.map((k) => world.permission(k)));
    const denied = kinds.filter((_, i) => states[i] === 'denied');
    const rest = kinds.filter((k) => !denied.includes(k));
    // One is forbidden for good: the other may be allowed. Neither is: they said no just now, and are not asked twice.
    const refused = denied.length > 0 ? denied : kinds;
    for (const k of refused) patchSource(k, { state: 'problem', problem: problemOf(k, e, states[kinds.indexOf(k)]) });
    if (denied.length > 0 && rest.length > 0) await take(rest);
    update();
  }

  const onDevices = async () => {
    await refresh();
    for (const kind of ['camera', 'microphone'] as const) {
      const { state, problem } = store.get()[kind];
      const missed = state === 'problem' && (problem?.code === 'none' || problem?.code === 'gone');
      if (missed && devicesOf(kind).length > 0) await take([kind], { any: true });
    }
  };
  media.addEventListener('devicechange', onDevices);

  // --- the screen

  function endScreen() {
    turns.screen++;
    release('screen');
    release('screenSound');
    patchSource('screen', { ...NO_SOURCE });
    update();
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    open: () => take(['camera', 'microphone']),
    retry: (kind) => take([kind]),
    async choose(kind, deviceId) {
      world.write(DEVICE_KEYS[kind], deviceId);
      patchSource(kind, { deviceId });
      await take([kind]);
    },
    async toggleCamera() {
      if (store.get().camera.state !== 'on') return take(['camera']);
      turns.camera++;
      release('camera');
      patchSource('camera', { state: 'off', problem: null, paused: false });
      update();
    },
    toggleMuted() {
      const muted = !store.get().muted;
      if (tracks.microphone) tracks.microphone.enabled = !muted;
      store.patch({ muted });
    },
    async shareScreen() {
      if (!media.getDisplayMedia) return patchSource('screen', { state: 'problem', problem: problemWords('screen', 'unsupported') });
      const mine = ++turns.screen;
      patchSource('screen', { state: 'asking', problem: null });
      let stream: MediaStream;
      try {
        stream = await media.getDisplayMedia(screenConstraints(store.get().quality));
      } catch (e) {
        if (closed || turns.screen !== mine) return;
        const problem = problemOf('screen', e);
        // To close the question is an answer.
        const changedMind = problem.code === 'denied' || problem.code === 'dismissed';
        return patchSource('screen', changedMind ? { ...NO_SOURCE } : { state: 'problem', problem });
      }
      const [video] = stream.getVideoTracks();
      if (!video || closed || turns.screen !== mine) return stream.getTracks().forEach((t) => t.stop());
      release('screen');
      release('screenSound');
      tracks.screen = video;
      tracks.screenSound = stream.getAudioTracks()[0] ?? null;
      video.onended = endScreen; // the browser's own "Stop sharing"
      patchSource('screen', { state: 'on', problem: null, label: video.label });
      update();
    },
    stopScreen: endScreen,
    setInset(inset) {
      store.patch({ inset });
      update();
    },
    setCorner(corner) {
      store.patch({ corner });
      update();
    },
    setMirror(mirror) {
      world.write(MIRROR_KEY, mirror ? 'on' : 'off');
      store.patch({ mirror });
    },
    setQuality(part) {
      const before = store.get().quality;
      const quality = { ...before, ...part };
      world.write(QUALITY_KEY, JSON.stringify(quality));
      store.patch({ quality });
      if (quality.height !== before.height || quality.fps !== before.fps) {
        void tracks.camera?.applyConstraints(cameraConstraints(quality, null)).catch(() => {});
        composer?.format(format());
      }
      const heard = (['stereo', 'echoCancellation', 'noiseSuppression'] as const).some((k) => quality[k] !== before[k]);
      if (heard && tracks.microphone) void take(['microphone']);
    },
    hold(on) {
      held = on;
      update();
    },
    close() {
      closed = true;
      media.removeEventListener('devicechange', onDevices);
      for (const kind of ['camera', 'microphone', 'screen', 'screenSound'] as const) release(kind);
      composer?.close();
      mixer?.close();
    },
  };
}
