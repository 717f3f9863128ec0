// SPDX-License-Identifier: MIT
// What is to be sent: sizes, rates, layers, codecs. Pure arithmetic.

export const HEIGHTS = [360, 540, 720, 1080] as const;
export const RATES = [24, 30, 60] as const;
export type Height = (typeof HEIGHTS)[number];
export type Rate = (typeof RATES)[number];

export interface Quality {
  height: Height;
  fps: Rate;
  /** Bits a second of the picture at most; null: what suits the size. */
  bitrate: number | null;
  /** Three sizes at once, so that each viewer gets the one that its line carries. */
  simulcast: boolean;
  stereo: boolean;
  echoCancellation: boolean;
  noiseSuppression: boolean;
}

export const DEFAULT_QUALITY: Quality = {
  height: 720,
  fps: 30,
  bitrate: null,
  simulcast: true,
  stereo: false,
  echoCancellation: true,
  noiseSuppression: true,
};

export const PRESETS = [
  { name: 'Light', words: '360p, for a weak connection', height: 360, fps: 30 },
  { name: 'Standard', words: '720p, right for most', height: 720, fps: 30 },
  { name: 'Motion', words: '720p at 60 frames, for games', height: 720, fps: 60 },
  { name: 'Sharp', words: '1080p, for a fast computer and line', height: 1080, fps: 30 },
] as const;

/** Bit rates to choose from by hand. */
export const BITRATES = [500_000, 800_000, 1_200_000, 1_800_000, 2_500_000, 3_500_000, 4_500_000, 6_000_000, 8_000_000];

export const widthOf = (height: number) => Math.round((height * 16) / 9 / 2) * 2;

const AT_30: Record<Height, number> = { 360: 800_000, 540: 1_500_000, 720: 2_500_000, 1080: 4_500_000 };
const FACTOR: Record<Rate, number> = { 24: 0.9, 30: 1, 60: 1.5 };

export const suitableBitrate = (q: Pick<Quality, 'height' | 'fps'>) => Math.round((AT_30[q.height] * FACTOR[q.fps]) / 50_000) * 50_000;
export const pictureBitrate = (q: Quality) => q.bitrate ?? suitableBitrate(q);
export const soundBitrate = (q: Pick<Quality, 'stereo'>) => (q.stereo ? 128_000 : 64_000);

export const layersOf = (q: Pick<Quality, 'height' | 'simulcast'>) => (q.simulcast && q.height >= 540 ? 3 : 1);

// Share of the whole that a layer of half and of a quarter the height gets: fewer pixels need more bits each.
const SHARES = [
  ['l', 4, 0.1],
  ['m', 2, 0.3],
] as const;

/** From small to large: a browser gives the first layers their bits first, so that a weak line keeps a picture. */
export function encodingsFor(q: Quality): RTCRtpEncodingParameters[] {
  const whole = pictureBitrate(q);
  if (layersOf(q) === 1) return [{ maxBitrate: whole, maxFramerate: q.fps }];
  const lower = SHARES.map(([rid, scale, share]) => ({
    rid,
    scaleResolutionDownBy: scale,
    maxBitrate: Math.max(100_000, Math.round((whole * share) / 10_000) * 10_000),
    maxFramerate: Math.min(30, q.fps),
  }));
  return [...lower, { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: whole, maxFramerate: q.fps }];
}

/** What the line upwards must carry: every layer, the sound, and a quarter to spare. */
export function uploadNeeded(q: Quality): number {
  const picture = encodingsFor(q).reduce((sum, e) => sum + (e.maxBitrate ?? 0), 0);
  return Math.ceil(((picture + soundBitrate(q)) * 1.25) / 100_000) * 100_000;
}

export interface Codec {
  mimeType: string;
  sdpFmtpLine?: string;
}

const VIDEO_ORDER = ['video/h264', 'video/vp8', 'video/vp9', 'video/av1'];

function h264Rank(fmtp = ''): number {
  const mode = /packetization-mode=1/.test(fmtp) ? 0 : 10;
  const profile = /profile-level-id=([0-9a-f]{4})/i.exec(fmtp)?.[1]?.toLowerCase();
  const at = ['42e0', '4200', '4d00', '6400', '640c'].indexOf(profile ?? '');
  return mode + (at < 0 ? 9 : at);
}

/** H.264 first, because everything plays it: browsers by WebRTC, HLS players, the recording. Constrained
 * Baseline in whole frames before its other kinds; helpers (rtx, red) keep their places at the end. */
export function preferCodecs<T extends Codec>(codecs: readonly T[]): T[] {
  const place = (c: T) => {
    const at = VIDEO_ORDER.indexOf(c.mimeType.toLowerCase());
    return at < 0 ? VIDEO_ORDER.length : at;
  };
  return codecs
    .map((codec, i) => ({ codec, i, at: place(codec), rank: h264Rank(codec.sdpFmtpLine) }))
    .sort((a, b) => a.at - b.at || (a.at === 0 ? a.rank - b.rank : 0) || a.i - b.i)
    .map(({ codec }) => codec);
}

/** Browsers send Opus in stereo only to who asks for it in the answer (RFC 7587, 7.1). */
export function withStereo(answer: string): string {
  const types = [...answer.matchAll(/^a=rtpmap:(\d+) opus\/48000\/2\r?$/gim)].map((m) => m[1]);
  let out = answer;
  for (const pt of types) {
    const line = new RegExp(`^(a=fmtp:${pt} )([^\\r\\n]*)`, 'm');
    if (line.test(out)) out = out.replace(line, (_all, head: string, rest: string) => `${head}${/(?:^|;)\s*stereo=/.test(rest) ? rest : `${rest};stereo=1`}`);
    else out = out.replace(new RegExp(`^(a=rtpmap:${pt} opus/48000/2)(\\r?)$`, 'im'), `$1$2\na=fmtp:${pt} stereo=1$2`);
  }
  return out;
}

// --- keeping the choice

export const QUALITY_KEY = 'bspnode-quality';

/** What was kept, as far as it makes sense. */
export function readQuality(text: string | null): Quality {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? '');
  } catch {
    kept = null;
  }
  const from = (typeof kept === 'object' && kept !== null ? kept : {}) as Record<string, unknown>;
  const q: Quality = { ...DEFAULT_QUALITY };
  if (HEIGHTS.includes(from.height as Height)) q.height = from.height as Height;
  if (RATES.includes(from.fps as Rate)) q.fps = from.fps as Rate;
  if (BITRATES.includes(from.bitrate as number)) q.bitrate = from.bitrate as number;
  for (const name of ['simulcast', 'stereo', 'echoCancellation', 'noiseSuppression'] as const)
    if (typeof from[name] === 'boolean') q[name] = from[name];
  return q;
}
