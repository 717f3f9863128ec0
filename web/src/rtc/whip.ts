// SPDX-License-Identifier: MIT
// Sends two tracks to a WHIP endpoint and keeps at it: a path that breaks is mended by an ICE restart, a
// session that is gone is replaced by a new one, into the same stream, until stop(). The peer connection,
// the clock and the network are handed in, so that a test can play all of them.
import { backoffMs } from '../api/backoff';
import { t } from '../i18n/t';
import { createStore, type Readable } from '../store/store';
import { temporary, withFragment, type Refusal, type Signalling } from './signalling';

/** Silence on the path for so long is a loss; short gaps mend themselves. */
const PATIENCE_MS = 2500;
/** How long one attempt may take from the answer to the first packet through. */
const CONNECT_MS = 12_000;
/** For so long the old session is worth mending. */
const MEND_MS = 20_000;
/** A publisher that the server still believes in (it has just vanished) is let go after some seconds. */
const CONFLICT_MS = 20_000;

export type SendPhase =
  | 'idle'
  | 'connecting' // for the first time
  | 'live'
  | 'recovering' // it was live, the path is gone
  | 'refused' // for good: `problem` says why
  | 'stopped';

export interface SendState {
  phase: SendPhase;
  /** What is being tried: the old session over a new path, or a new session. */
  how: 'restart' | 'anew' | null;
  attempt: number;
  /** The last refusal: of the attempt before this one while trying, the reason when refused. */
  problem: Refusal | null;
}

/** The parts of RTCPeerConnection that are used. */
export type Peer = Pick<
  RTCPeerConnection,
  | 'addTransceiver'
  | 'createOffer'
  | 'setLocalDescription'
  | 'setRemoteDescription'
  | 'setConfiguration'
  | 'localDescription'
  | 'connectionState'
  | 'iceConnectionState'
  | 'getStats'
  | 'close'
> & { onconnectionstatechange: ((this: RTCPeerConnection, e: Event) => unknown) | null };

export interface SenderWorld {
  peer(config: RTCConfiguration): Peer;
  after(ms: number, fn: () => void): () => void;
  now(): number;
  /** The browser says that there is a network again. */
  onOnline(fn: () => void): () => void;
}

export interface SendPlan {
  encodings: RTCRtpEncodingParameters[];
  audioBitrate: number;
  /** Orders the codecs of the offer. */
  codecs(transceiver: RTCRtpTransceiver): void;
  /** Last changes to the server's answer. */
  answer(sdp: string): string;
}

export interface Tracks {
  video: MediaStreamTrack | null;
  audio: MediaStreamTrack | null;
}

export interface Sender extends Readable<SendState> {
  start(): void;
  /** Another camera, the screen, silence: without a new negotiation. */
  replace(tracks: Tracks): void;
  /** Changes bit rates and sizes of what is being sent; the number of layers stays. */
  tune(plan: SendPlan): void;
  stats(): Promise<RTCStatsReport | null>;
  stop(): Promise<void>;
  /** The page is going away: tells the server without waiting. */
  abandon(): void;
}

export function createSender(signalling: Signalling, world: SenderWorld, firstTracks: Tracks, firstPlan: SendPlan): Sender {
  const store = createStore<SendState>({ phase: 'idle', how: null, attempt: 0, problem: null });
  let tracks = firstTracks;
  let plan = firstPlan;
  let peer: Peer | null = null;
  let video: RTCRtpSender | null = null;
  let audio: RTCRtpSender | null = null;
  let session: { location: string; etag: string | null; answer: string } | null = null;
  // Whatever was begun under another number is over: its results are dropped.
  let turn = 0;
  let cancelTimer = () => {};
  let lostAt = 0;
  let conflictAt: number | null = null;

  const over = () => ['stopped', 'refused', 'idle'].includes(store.get().phase);

  function wait(ms: number, fn: () => void) {
    cancelTimer();
    cancelTimer = world.after(ms, fn);
  }

  function drop() {
    cancelTimer();
    if (peer) {
      peer.onconnectionstatechange = null;
      peer.close();
    }
    peer = video = audio = null;
  }

  function refuse(problem: Refusal) {
    turn++;
    drop();
    session = null;
    store.patch({ phase: 'refused', how: null, problem });
  }

  function onState(of: Peer) {
    if (of !== peer || over()) return;
    switch (of.connectionState) {
      case 'connected':
        cancelTimer();
        lostAt = 0;
        conflictAt = null;
        turn++; // a restart that was under way is not needed any more
        store.set({ phase: 'live', how: null, attempt: 0, problem: null });
        return;
      case 'disconnected':
        if (store.get().phase === 'live') wait(PATIENCE_MS, () => of.connectionState !== 'connected' && lost());
        return;
      case 'failed':
      case 'closed':
        if (store.get().phase === 'live') lost();
        else if (store.get().how === 'restart') anew();
        else if (store.get().how === 'anew') again(null);
        return;
    }
  }

  // --- the path is gone

  function lost() {
    lostAt = world.now();
    store.set({ phase: 'recovering', how: 'restart', attempt: 1, problem: null });
    void restart();
  }

  async function restart() {
    const mine = ++turn;
    const { peer: p, s } = { peer, s: session };
    if (!p || !s || p.connectionState === 'closed') return anew();
    cancelTimer();
    try {
      await p.setLocalDescription(await p.createOffer({ iceRestart: true }));
    } catch {
      if (mine === turn) anew();
      return;
    }
    if (mine !== turn) return;
    const result = await signalling.restart(s.location, s.etag, p.localDescription?.sdp ?? '');
    if (mine !== turn) return;
    if (!result.ok) {
      const worth = temporary(result) && result.status !== 409 && world.now() - lostAt < MEND_MS;
      if (!worth) return anew();
      const attempt = store.get().attempt;
      store.patch({ problem: result, attempt: attempt + 1 });
      return wait(backoffMs(attempt - 1), () => void restart());
    }
    s.etag = result.etag ?? s.etag;
    s.answer = withFragment(s.answer, result.fragment);
    try {
      await p.setRemoteDescription({ type: 'answer', sdp: s.answer });
    } catch {
      if (mine === turn) anew();
      return;
    }
    if (mine === turn) wait(CONNECT_MS, anew);
  }

  /** The old session is given up, and a new one is made at once. */
  function anew() {
    turn++;
    const old = session;
    session = null;
    drop();
    store.patch({ how: 'anew', attempt: 1 });
    // Told that it is over, the server takes the next one at once. It may be that nobody hears.
    if (old) void signalling.end(old.location);
    void connect();
  }

  /** The attempt failed: another one, later. */
  function again(problem: Refusal | null) {
    turn++;
    drop();
    if (session) void signalling.end(session.location);
    session = null;
    const { attempt } = store.get();
    store.patch({ problem, attempt: attempt + 1 });
    wait(Math.max(problem?.retryAfter ? problem.retryAfter * 1000 : 0, backoffMs(attempt - 1)), () => void connect());
  }

  function onRefusal(problem: Refusal) {
    if (!temporary(problem)) return refuse(problem);
    if (problem.status === 409) {
      conflictAt ??= world.now();
      if (world.now() - conflictAt >= CONFLICT_MS) return refuse(problem);
    } else conflictAt = null;
    again(problem);
  }

  // --- a session

  async function connect() {
    const mine = ++turn;
    cancelTimer();
    const iceServers = await signalling.iceServers();
    if (mine !== turn) return;
    let p: Peer;
    try {
      p = peer = world.peer({ bundlePolicy: 'max-bundle', iceServers });
      p.onconnectionstatechange = () => onState(p);
      const v = p.addTransceiver(tracks.video ?? 'video', { direction: 'sendonly', sendEncodings: plan.encodings });
      plan.codecs(v);
      const a = p.addTransceiver(tracks.audio ?? 'audio', { direction: 'sendonly', sendEncodings: [{ maxBitrate: plan.audioBitrate }] });
      video = v.sender;
      audio = a.sender;
      await p.setLocalDescription(await p.createOffer());
    } catch (e) {
      const message = t('The browser could not make a connection of this kind.');
      if (mine === turn) refuse({ ok: false, status: 0, code: 'browser', message: e instanceof Error ? `${message} (${e.message})` : message, retryAfter: null });
      return;
    }
    if (mine !== turn) return;
    const result = await signalling.offer(p.localDescription?.sdp ?? '');
    if (mine !== turn) {
      // Stopped meanwhile: what came into being goes away again.
      if (result.ok) void signalling.end(result.location);
      return;
    }
    if (!result.ok) return onRefusal(result);
    conflictAt = null;
    session = { location: result.location, etag: result.etag, answer: plan.answer(result.answer) };
    wait(CONNECT_MS, () => again(null));
    try {
      if (result.iceServers.length > 0) p.setConfiguration({ bundlePolicy: 'max-bundle', iceServers: result.iceServers });
      await p.setRemoteDescription({ type: 'answer', sdp: session.answer });
    } catch {
      if (mine === turn) again({ ok: false, status: 201, code: 'bad_answer', message: t('The server’s answer cannot be used.'), retryAfter: null });
    }
  }

  const stopListening = world.onOnline(() => {
    const { phase, how, problem } = store.get();
    if (phase === 'live' && peer?.connectionState === 'disconnected') lost();
    else if (phase === 'recovering' && problem) {
      // Waiting for its turn: the reason to wait may be over.
      if (how === 'restart') void restart();
      else void connect();
    }
  });

  async function put(sender: RTCRtpSender | null, track: MediaStreamTrack | null) {
    if (sender && sender.track !== track) await sender.replaceTrack(track).catch(() => {});
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    start() {
      if (!over()) return;
      lostAt = 0;
      conflictAt = null;
      store.set({ phase: 'connecting', how: 'anew', attempt: 1, problem: null });
      void connect();
    },
    replace(next) {
      tracks = next;
      void put(video, next.video);
      void put(audio, next.audio);
    },
    tune(next) {
      plan = next;
      const params = video?.getParameters();
      if (!video || !params?.encodings?.length) return;
      params.encodings.forEach((e, i) => {
        const wish = next.encodings.find((w) => w.rid !== undefined && w.rid === e.rid) ?? next.encodings[Math.min(i, next.encodings.length - 1)];
        if (!wish) return;
        if (wish.maxBitrate !== undefined) e.maxBitrate = wish.maxBitrate;
        if (wish.maxFramerate !== undefined) e.maxFramerate = wish.maxFramerate;
      });
      void video.setParameters(params).catch(() => {});
    },
    stats: async () => (peer ? peer.getStats() : null),
    async stop() {
      if (store.get().phase === 'stopped') return;
      turn++;
      const old = session;
      session = null;
      drop();
      stopListening();
      store.set({ phase: 'stopped', how: null, attempt: 0, problem: null });
      if (old) await signalling.end(old.location);
    },
    abandon() {
      if (session) void signalling.end(session.location, { keepalive: true });
    },
  };
}

export const browserSenderWorld: SenderWorld = {
  peer: (config) => new RTCPeerConnection(config),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
  now: () => performance.now(),
  onOnline(fn) {
    addEventListener('online', fn);
    return () => removeEventListener('online', fn);
  },
};
