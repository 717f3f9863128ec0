// SPDX-License-Identifier: MIT
// A MediaRecorder over tracks that may change while it runs. It hands out pieces; where they go is not its
// business. The browser's parts are handed in.
import { t } from '../i18n/t';
import type { Quality } from '../rtc/plan';
import type { Mixer } from '../rtc/sound';
import type { Tracks } from '../rtc/whip';
import { studioRates, typesToTry } from './plan';
import type { Relay } from './relay';

/** So often a piece comes out. */
const SLICE_MS = 1000;
/** The server cuts segments at key frames. */
const KEY_FRAME_MS = 2000;

export interface RecorderWorld {
  supported(type: string): boolean;
  relay(q: Quality): Relay;
  mixer(): Mixer | null;
  stream(tracks: MediaStreamTrack[]): MediaStream;
  recorder(stream: MediaStream, options: MediaRecorderOptions): MediaRecorder;
}

export interface RecorderHandlers {
  /** With the first piece it is known what kind it is. */
  onPiece(piece: Blob, type: string): void;
  /** It has ended, after its last piece; `problem`: not because it was told to. */
  onEnd(problem: string | null): void;
}

export interface Recorder {
  replace(tracks: Tracks): void;
  stop(): void;
}

export function createRecorder(world: RecorderWorld, tracks: Tracks, quality: Quality, { onPiece, onEnd }: RecorderHandlers): Recorder {
  const types = typesToTry(world.supported);
  const relay = world.relay(quality);
  const mixer = world.mixer();
  const stream = world.stream([relay.track, ...(mixer ? [mixer.track] : [])]);
  const rates = studioRates(quality);
  let running: MediaRecorder | null = null;
  let came = false;
  let over = false;

  function replace({ video, audio }: Tracks) {
    relay.set(video);
    mixer?.set(audio ? [audio] : []);
  }

  function finish(problem: string | null) {
    if (over) return;
    over = true;
    relay.close();
    mixer?.close();
    onEnd(problem);
  }

  /** A type may be called supported and fail: then the next one, as long as nothing came. */
  function start(): void {
    const type = types.shift();
    if (!type) return finish(t('This browser could not start a recording.'));
    const next = () => (came || over ? finish(t('The browser stopped the recording.')) : start());
    let made: MediaRecorder;
    try {
      made = world.recorder(stream, {
        mimeType: type,
        videoBitsPerSecond: rates.video,
        audioBitsPerSecond: rates.audio,
        videoKeyFrameIntervalDuration: KEY_FRAME_MS,
      } as MediaRecorderOptions);
      made.ondataavailable = ({ data }) => {
        if (made !== running || data.size === 0) return;
        came = true;
        onPiece(data, made.mimeType || type);
      };
      made.onerror = () => {
        if (made !== running || over) return;
        running = null;
        next();
      };
      made.onstop = () => made === running && finish(stopping ? null : t('The browser stopped the recording.'));
      running = made;
      made.start(SLICE_MS);
    } catch {
      running = null;
      next();
    }
  }

  let stopping = false;
  replace(tracks);
  start();
  return {
    replace,
    stop() {
      stopping = true;
      if (running && running.state !== 'inactive') running.stop();
      else finish(null);
    },
  };
}
