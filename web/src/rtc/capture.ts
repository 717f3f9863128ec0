// SPDX-License-Identifier: MIT
// Cameras, microphones and screens: asking for them, and what can be wrong, in a person's words.
import { msg, t } from '../i18n/t';
import { widthOf, type Quality } from './plan';

export type SourceKind = 'camera' | 'microphone' | 'screen';

export type ProblemCode =
  | 'denied' // the person, or an earlier answer of theirs
  | 'dismissed' // the question was closed without an answer
  | 'system' // the operating system forbids it to the browser
  | 'none' // no such device
  | 'busy' // another program has it
  | 'gone' // it was pulled out
  | 'unsupported'
  | 'failed';

export interface Problem {
  code: ProblemCode;
  title: string;
  help: string;
}

const NAMES: Record<SourceKind, string> = { camera: msg('camera'), microphone: msg('microphone'), screen: msg('screen') };
/** As in the middle of a sentence; `t` says it. */
export const deviceName = (kind: SourceKind): string => NAMES[kind];

export function problemWords(kind: SourceKind, code: ProblemCode): Problem {
  const it = t(NAMES[kind]);
  const words: Record<ProblemCode, [title: string, help: string]> = {
    denied: [
      t('This page may not use your {it}', { it }),
      t('Press the camera or lock symbol beside the address, allow the {it} for this page, then press “Try again”.', { it }),
    ],
    dismissed: [t('You have not answered the question about your {it}', { it }), t('Press “Try again” and choose “Allow”. Nothing is sent before you go live.')],
    system: [
      t('Your system does not let the browser use the {it}', { it }),
      t('Allow the {it} for this browser in the privacy settings of your system, then press “Try again”.', { it }),
    ],
    none: [
      t('No {it} was found', { it }),
      `${t('Plug one in: it is taken by itself.')} ${kind === 'camera' ? t('Without one, share your screen or send sound alone.') : t('Without one, viewers see you and hear nothing.')}`,
    ],
    busy: [t('Your {it} is in use by another program', { it }), t('Close the program or tab that uses the {it}, then press “Try again”.', { it })],
    gone: [t('Your {it} was unplugged', { it }), t('Plug it in again, or choose another one. Viewers still get everything else.')],
    unsupported: [t('This browser cannot share the screen'), t('Browsers on telephones and tablets cannot. Use Chrome, Edge, Firefox or Safari on a computer.')],
    failed: [t('Your {it} could not be started', { it }), t('Unplug it and plug it in again, or choose another one, then press “Try again”.')],
  };
  const [title, help] = words[code];
  return { code, title, help };
}

/** What getUserMedia's and getDisplayMedia's refusals mean. `permission` as the browser keeps it, where known. */
export function problemOf(kind: SourceKind, error: unknown, permission?: PermissionState): Problem {
  const { name = '', message = '' } = (error ?? {}) as Partial<DOMException>;
  const code = ((): ProblemCode => {
    switch (name) {
      case 'NotAllowedError':
      case 'PermissionDeniedError':
      case 'SecurityError':
        if (/system/i.test(message)) return 'system';
        return permission === 'prompt' || /dismissed/i.test(message) ? 'dismissed' : 'denied';
      case 'NotFoundError':
      case 'DevicesNotFoundError':
      case 'OverconstrainedError':
        return 'none';
      case 'NotReadableError':
      case 'TrackStartError':
      case 'AbortError':
        return 'busy';
      case 'NotSupportedError':
      case 'TypeError':
        return kind === 'screen' ? 'unsupported' : 'failed';
      default:
        return 'failed';
    }
  })();
  return problemWords(kind, code);
}

export interface Device {
  id: string;
  label: string;
}

export interface Devices {
  cameras: Device[];
  microphones: Device[];
}

/** Names as far as the browser tells them: not before it was allowed to. */
export function sortDevices(all: readonly Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>[]): Devices {
  const of = (kind: MediaDeviceKind, word: string) =>
    all
      .filter((d) => d.kind === kind && d.deviceId !== 'communications')
      .map((d, i) => ({ id: d.deviceId, label: d.label || `${word} ${i + 1}` }));
  return { cameras: of('videoinput', 'Camera'), microphones: of('audioinput', 'Microphone') };
}

export function cameraConstraints(q: Quality, deviceId: string | null): MediaTrackConstraints {
  return {
    ...(deviceId && { deviceId: { exact: deviceId } }),
    width: { ideal: widthOf(q.height) },
    height: { ideal: q.height },
    frameRate: { ideal: q.fps },
  };
}

export function microphoneConstraints(q: Quality, deviceId: string | null): MediaTrackConstraints {
  return {
    ...(deviceId && { deviceId: { exact: deviceId } }),
    echoCancellation: q.echoCancellation,
    noiseSuppression: q.noiseSuppression,
    // It follows the two: who switches them off has music to send, or a mixer.
    autoGainControl: q.noiseSuppression,
    channelCount: { ideal: q.stereo ? 2 : 1 },
  };
}

export function screenConstraints(q: Quality): DisplayMediaStreamOptions {
  return {
    video: { frameRate: { ideal: q.fps }, width: { max: 1920 }, height: { max: 1080 } },
    // The sound of a tab or of the system, untouched; browsers that cannot give it leave it out.
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  };
}

/** Why this page can capture nothing at all; null when it can. */
export function whyNot(world: {
  isSecureContext: boolean;
  hasDevices: boolean;
  hasPeer: boolean;
}): 'insecure' | 'unsupported' | null {
  if (!world.isSecureContext) return 'insecure';
  return world.hasDevices && world.hasPeer ? null : 'unsupported';
}
