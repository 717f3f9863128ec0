// SPDX-License-Identifier: MIT
// Sound on the page: two sources into one track, silence as a track, and how loud something is. One
// AudioContext for all; browsers start it only after the person has done something on the page.

let shared: AudioContext | null = null;

function context(): AudioContext {
  if (shared) return shared;
  const made = (shared = new AudioContext({ latencyHint: 'interactive', sampleRate: 48_000 }));
  if (made.state !== 'running') {
    const wake = () => void made.resume();
    for (const type of ['pointerdown', 'keydown'] as const) addEventListener(type, wake, { capture: true });
    made.onstatechange = () => {
      if (made.state !== 'running') return;
      for (const type of ['pointerdown', 'keydown'] as const) removeEventListener(type, wake, { capture: true });
    };
    void made.resume().catch(() => {});
  }
  return made;
}

export interface Mixer {
  readonly track: MediaStreamTrack;
  /** What is mixed from now on; none: silence. */
  set(tracks: readonly MediaStreamTrack[]): void;
  close(): void;
}

export function createMixer(): Mixer {
  const ctx = context();
  const out = ctx.createMediaStreamDestination();
  const track = out.stream.getAudioTracks()[0];
  if (!track) throw new Error('This browser cannot mix sound.');
  // Something that always runs, so that silence is sent and not nothing.
  const floor = ctx.createConstantSource();
  floor.offset.value = 0;
  floor.connect(out);
  floor.start();
  let nodes = new Map<MediaStreamTrack, MediaStreamAudioSourceNode>();
  return {
    track,
    set(tracks) {
      const next = new Map<MediaStreamTrack, MediaStreamAudioSourceNode>();
      for (const t of tracks) {
        const node = nodes.get(t) ?? ctx.createMediaStreamSource(new MediaStream([t]));
        if (!nodes.has(t)) node.connect(out);
        next.set(t, node);
      }
      for (const [t, node] of nodes) if (!next.has(t)) node.disconnect();
      nodes = next;
    },
    close() {
      for (const node of nodes.values()) node.disconnect();
      floor.stop();
      floor.disconnect();
      track.stop();
    },
  };
}

/** Loudness, 0 to 1, as a meter shows it: -60 dB and less is 0. */
export const meterLevel = (peak: number) => Math.min(1, Math.max(0, 1 + Math.log10(Math.max(peak, 1e-6)) / 3));

/** Tells how loud the track is, some ten times a second. It listens to a copy, so that somebody who
 * speaks while muted can be told. Returns the function that stops it. */
export function watchLevel(track: MediaStreamTrack, tell: (level: number) => void): () => void {
  const ctx = context();
  const copy = track.clone();
  copy.enabled = true;
  const source = ctx.createMediaStreamSource(new MediaStream([copy]));
  const analyser = ctx.createAnalyser();
  analyser.fftSize = 2048;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    if (ctx.state !== 'running') return; // it hears nothing yet, which is not silence
    analyser.getFloatTimeDomainData(samples);
    let peak = 0;
    for (const v of samples) peak = Math.max(peak, Math.abs(v));
    tell(meterLevel(peak));
  }, 80);
  return () => {
    clearInterval(timer);
    source.disconnect();
    copy.stop();
  };
}
