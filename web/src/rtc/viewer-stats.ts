// SPDX-License-Identifier: MIT
// What a viewer's getStats() says, in numbers a person understands.

export interface RtcStats {
  /** Seconds from the server to the screen: half a round trip, what the jitter buffer holds, decoding. */
  delay: number | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  /** Bits a second, since the last look. */
  bitrate: number | null;
  /** Share of packets, since the last look, that never came. */
  loss: number | null;
  codec: string | null;
  /** Sums that the next look is compared with. */
  sums: Sums;
}

interface Sums {
  at: number;
  bytes: number;
  packets: number;
  lost: number;
  buffered: number;
  emitted: number;
  decoding: number;
  decoded: number;
}

type Report = Record<string, unknown>;
const n = (v: unknown): number => (typeof v === 'number' && Number.isFinite(v) ? v : 0);

function sumsOf(inbound: readonly Report[]): Sums {
  const sum = (key: string, kind?: string) => inbound.reduce((a, r) => (kind && r.kind !== kind ? a : a + n(r[key])), 0);
  return {
    at: n(inbound[0]?.timestamp),
    bytes: sum('bytesReceived'),
    packets: sum('packetsReceived'),
    lost: sum('packetsLost'),
    buffered: sum('jitterBufferDelay', 'video'),
    emitted: sum('jitterBufferEmittedCount', 'video'),
    decoding: sum('totalDecodeTime', 'video'),
    decoded: sum('framesDecoded', 'video'),
  };
}

export function summary(reports: readonly Report[], before: RtcStats | null): RtcStats | null {
  const inbound = reports.filter((r) => r.type === 'inbound-rtp');
  const video = inbound.find((r) => r.kind === 'video') ?? {};
  const pair = reports.find((r) => r.type === 'candidate-pair' && r.nominated === true && r.state === 'succeeded') ?? {};
  const codec = reports.find((r) => r.id !== undefined && r.id === video.codecId) ?? {};
  const sums = sumsOf(inbound);
  if (!sums.packets) return null;
  const old: Sums = before?.sums ?? { ...sums, bytes: 0, packets: 0, lost: 0, buffered: 0, emitted: 0, decoding: 0, decoded: 0 };
  const seconds = (sums.at - old.at) / 1000;
  const each = (total: keyof Sums, count: keyof Sums) => (sums[count] > old[count] ? (sums[total] - old[total]) / (sums[count] - old[count]) : 0);
  const shown = sums.emitted > 0;
  const expected = sums.packets - old.packets + sums.lost - old.lost;
  return {
    delay: shown ? n(pair.currentRoundTripTime) / 2 + each('buffered', 'emitted') + each('decoding', 'decoded') : null,
    width: n(video.frameWidth) || null,
    height: n(video.frameHeight) || null,
    fps: n(video.framesPerSecond) || null,
    bitrate: before && seconds > 0 ? ((sums.bytes - old.bytes) * 8) / seconds : null,
    loss: before && expected > 0 ? Math.max(0, (sums.lost - old.lost) / expected) : null,
    codec: typeof codec.mimeType === 'string' ? codec.mimeType.replace(/^video\//, '') : null,
    sums,
  };
}
