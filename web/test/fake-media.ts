// SPDX-License-Identifier: MIT
// Cameras, microphones, a composer: what a studio is made of, without a browser.
import type { Composer, ComposerFormat, ComposerScene } from '../src/rtc/compose';
import type { StudioWorld } from '../src/store/studio';

export class FakeTrack {
  readyState: 'live' | 'ended' = 'live';
  enabled = true;
  muted = false;
  contentHint = '';
  label: string;
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;
  constraints: unknown = null;
  constructor(
    readonly kind: 'video' | 'audio',
    readonly deviceId: string,
  ) {
    this.label = deviceId;
  }
  getSettings() {
    return { deviceId: this.deviceId };
  }
  async applyConstraints(c: unknown) {
    this.constraints = c;
  }
  stop() {
    this.readyState = 'ended';
  }
  /** Pulled out, or stopped in the browser's own bar. */
  end() {
    this.readyState = 'ended';
    this.onended?.();
  }
}

const stream = (tracks: FakeTrack[]) =>
  ({
    getTracks: () => tracks,
    getVideoTracks: () => tracks.filter((t) => t.kind === 'video'),
    getAudioTracks: () => tracks.filter((t) => t.kind === 'audio'),
  }) as unknown as MediaStream;

export const refusal = (name: string, message = '') => Object.assign(new Error(message), { name });

export class FakeMedia {
  devices: { kind: MediaDeviceKind; deviceId: string; label: string }[] = [
    { kind: 'videoinput', deviceId: 'cam1', label: 'Front' },
    { kind: 'videoinput', deviceId: 'cam2', label: 'Back' },
    { kind: 'audioinput', deviceId: 'mic1', label: 'Desk' },
  ];
  asked: MediaStreamConstraints[] = [];
  /** Throw to refuse. */
  rule: (c: MediaStreamConstraints) => void = () => {};
  screen: () => FakeTrack[] = () => [new FakeTrack('video', 'screen')];
  permissions: Record<string, PermissionState> = { camera: 'granted', microphone: 'granted' };
  tracks: FakeTrack[] = [];
  composers: { format: ComposerFormat; scene: ComposerScene | null; closed: boolean; track: FakeTrack }[] = [];
  mixers: { tracks: readonly MediaStreamTrack[]; closed: boolean; track: FakeTrack }[] = [];
  kept = new Map<string, string>();
  private onChange: (() => void) | null = null;

  private pick(kind: MediaDeviceKind, wanted: unknown): string {
    const exact = (wanted as { deviceId?: { exact: string } }).deviceId?.exact;
    const found = this.devices.find((d) => d.kind === kind && (!exact || d.deviceId === exact));
    if (!found) throw refusal(exact ? 'OverconstrainedError' : 'NotFoundError');
    return found.deviceId;
  }

  async getUserMedia(c: MediaStreamConstraints) {
    this.asked.push(c);
    this.rule(c);
    const made: FakeTrack[] = [];
    if (c.video) made.push(new FakeTrack('video', this.pick('videoinput', c.video)));
    if (c.audio) made.push(new FakeTrack('audio', this.pick('audioinput', c.audio)));
    this.tracks.push(...made);
    return stream(made);
  }

  /** The device list has changed. */
  change(devices: FakeMedia['devices']) {
    this.devices = devices;
    this.onChange?.();
  }

  world(): StudioWorld {
    return {
      media: {
        getUserMedia: (c?: MediaStreamConstraints) => this.getUserMedia(c ?? {}),
        getDisplayMedia: async () => stream(this.screen()),
        enumerateDevices: async () => this.devices as unknown as MediaDeviceInfo[],
        addEventListener: (_: string, fn: unknown) => void (this.onChange = fn as () => void),
        removeEventListener: () => void (this.onChange = null),
      },
      permission: async (kind) => this.permissions[kind],
      composer: (format) => {
        const made = { format, scene: null as ComposerScene | null, closed: false, track: new FakeTrack('video', 'composed') };
        this.composers.push(made);
        return {
          track: made.track as unknown as MediaStreamTrack,
          set: (scene: ComposerScene) => (made.scene = scene),
          format: (to: ComposerFormat) => (made.format = to),
          close: () => (made.closed = true),
        } as Composer;
      },
      mixer: () => {
        const made = { tracks: [] as readonly MediaStreamTrack[], closed: false, track: new FakeTrack('audio', 'mixed') };
        this.mixers.push(made);
        return { track: made.track as unknown as MediaStreamTrack, set: (tracks) => (made.tracks = tracks), close: () => (made.closed = true) };
      },
      read: (key) => this.kept.get(key) ?? null,
      write: (key, text) => void this.kept.set(key, text),
    };
  }
}
