// SPDX-License-Identifier: MIT
// What the browser's statistics say about what is being sent, and how the network does, in plain words.
import { t } from '../i18n/t';
import { bitrate } from '../store/format';

export interface SentLayer {
  rid: string;
  width: number;
  height: number;
  fps: number;
  bitrate: number;
}

export interface Sending {
  codec: string | null;
  /** Largest first; those that nothing leaves of are left out. */
  layers: SentLayer[];
  audioCodec: string | null;
  audioBitrate: number;
  /** Everything together, bits a second. */
  bitrate: number;
  /** What holds the picture back. */
  limited: 'none' | 'cpu' | 'bandwidth' | 'other';
  rttMs: number | null;
  /** Share of what was sent lately that did not arrive, 0 to 1. */
  loss: number | null;
  /** By a relay (TURN), by TCP. */
  relayed: boolean;
  tcp: boolean;
}

type Entry = Record<string, unknown> & { type: string; id: string };

/** The last look, for differences. */
export interface Sample {
  atMs: number;
  bytes: Map<string, number>;
}

const num = (v: unknown) => (typeof v === 'number' && Number.isFinite(v) ? v : 0);
const str = (v: unknown) => (typeof v === 'string' ? v : '');

const CODECS: Record<string, string> = { h264: 'H.264', vp8: 'VP8', vp9: 'VP9', av1: 'AV1', h265: 'HEVC', opus: 'Opus' };
const codecName = (mime: string) => {
  const name = mime.split('/')[1] ?? '';
  return name ? (CODECS[name.toLowerCase()] ?? name) : null;
};

/** One look at a peer connection; `before` is the one before it. */
export function readStats(report: Iterable<unknown>, nowMs: number, before: Sample | null): { sending: Sending; sample: Sample } {
  const all = [...report] as Entry[];
  const byId = new Map(all.map((e) => [e.id, e]));
  const sample: Sample = { atMs: nowMs, bytes: new Map() };
  const seconds = before ? (nowMs - before.atMs) / 1000 : 0;
  const rate = (e: Entry) => {
    const bytes = num(e.bytesSent) + num(e.headerBytesSent);
    sample.bytes.set(e.id, bytes);
    const had = before?.bytes.get(e.id);
    return had === undefined || seconds <= 0 ? 0 : Math.max(0, Math.round(((bytes - had) * 8) / seconds));
  };
  const outbound = (kind: string) => all.filter((e) => e.type === 'outbound-rtp' && e.kind === kind);
  const mime = (e: Entry | undefined) => codecName(str(byId.get(str(e?.codecId))?.mimeType));

  const videos = outbound('video').map((e) => ({ e, layer: { rid: str(e.rid), width: num(e.frameWidth), height: num(e.frameHeight), fps: Math.round(num(e.framesPerSecond)), bitrate: rate(e) } }));
  const sent = videos.filter(({ e, layer }) => e.active !== false && layer.height > 0 && (layer.fps > 0 || layer.bitrate > 0));
  const audio = outbound('audio')[0];
  const audioBitrate = audio ? rate(audio) : 0;
  const reasons = sent.map(({ e }) => str(e.qualityLimitationReason));
  const limited = (['cpu', 'bandwidth', 'other'] as const).find((r) => reasons.includes(r)) ?? 'none';

  const pair =
    byId.get(str(all.find((e) => e.type === 'transport')?.selectedCandidatePairId)) ??
    all.find((e) => e.type === 'candidate-pair' && e.nominated === true && e.state === 'succeeded');
  const local = byId.get(str(pair?.localCandidateId));
  const remote = all.filter((e) => e.type === 'remote-inbound-rtp');
  const losses = remote.map((e) => e.fractionLost).filter((v): v is number => typeof v === 'number');
  const rtt = pair?.currentRoundTripTime ?? remote.find((e) => typeof e.roundTripTime === 'number')?.roundTripTime;

  return {
    sample,
    sending: {
      codec: mime((sent[0] ?? videos[0])?.e),
      layers: sent.map(({ layer }) => layer).sort((a, b) => b.height - a.height),
      audioCodec: mime(audio),
      audioBitrate,
      bitrate: videos.reduce((sum, { layer }) => sum + layer.bitrate, audioBitrate),
      limited,
      rttMs: typeof rtt === 'number' ? Math.round(rtt * 1000) : null,
      loss: losses.length > 0 ? Math.max(...losses) : null,
      relayed: local?.candidateType === 'relay',
      tcp: local?.protocol === 'tcp' || local?.relayProtocol === 'tcp' || local?.relayProtocol === 'tls',
    },
  };
}

export interface Words {
  level: 'ok' | 'info' | 'warning' | 'error';
  text: string;
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

/** For the streamer. `composed`: it is no camera's own picture. `liveForMs`: browsers begin small and need some seconds to find out what the line carries. */
export function networkWords(s: Sending, wanted: { height: number; fps: number; uploadNeeded: number; composed: boolean }, liveForMs: number): Words {
  const top = s.layers[0];
  const warm = liveForMs > 20_000;
  if (liveForMs > 8000 && (!top || s.bitrate < 30_000))
    return { level: 'error', text: t('No picture leaves this computer. Check the camera, or choose another one.') };
  if (s.loss !== null && s.loss > 0.1)
    return {
      level: 'error',
      text: t('{loss} of what you send is lost on the way: viewers see the picture stand still. Use a cable instead of wireless, come closer to the router, or choose a smaller picture.', { loss: percent(s.loss) }),
    };
  if (warm && top && s.limited === 'cpu')
    return {
      level: 'warning',
      text: t('This computer is too busy: it sends {height}p at {fps} frames. Close other programs and tabs, or choose a smaller picture or fewer frames.', { height: top.height, fps: top.fps }),
    };
  if (warm && top && s.limited === 'bandwidth' && top.height < wanted.height * 0.9)
    return {
      level: 'warning',
      text: t('Your upload is too slow for {height}p, which needs about {bitrate}: {height2}p is being sent. Let nobody else use the line meanwhile, or choose a smaller picture.', { height: wanted.height, bitrate: bitrate(wanted.uploadNeeded), height2: top.height }),
    };
  if (s.loss !== null && s.loss > 0.03)
    return { level: 'warning', text: t('{loss} of what you send has to be sent again. It still arrives; if it gets worse, use a cable instead of wireless.', { loss: percent(s.loss) }) };
  if (s.rttMs !== null && s.rttMs > 400)
    return { level: 'warning', text: t('The way to the server is slow ({rttMs} ms there and back): viewers see you later than usual.', { rttMs: s.rttMs }) };
  if (!warm && top && top.height < wanted.height * 0.9)
    return { level: 'info', text: t('The browser begins with {height}p and goes up to {height2}p as the line proves good.', { height: top.height, height2: wanted.height }) };
  if (warm && top && wanted.fps - top.fps > wanted.fps * 0.3)
    return {
      level: 'info',
      text: wanted.composed
        ? t('{fps} frames a second are sent instead of {fps2}: this computer is busy putting the picture together. That is enough for most screens.', { fps: top.fps, fps2: wanted.fps })
        : t('{fps} frames a second are sent instead of {fps2}: the camera gives no more, often because it is dark, or this computer is busy.', { fps: top.fps, fps2: wanted.fps }),
    };
  if (s.tcp) return { level: 'info', text: t('Your network lets no UDP through, so the stream goes by TCP. It works, with a little more delay.') };
  if (s.relayed) return { level: 'info', text: t('Your network only lets the stream out through a relay. It works, with a little more delay.') };
  return { level: 'ok', text: t('Your connection carries everything.') };
}
