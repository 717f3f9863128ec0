// SPDX-License-Identifier: MIT
// A WHEP viewer (draft-ietf-wish-whep): one MediaStream that goes on through lost networks, streamers who
// come back and servers that restart, or a reason why it cannot be had. Sessions come and go behind it.
import { createSignalling, withFragment, type Created, type Refusal, type Signalling } from './signalling';
import { afterRefusal, CONNECT_MS, createPulse, type Pulse, type Sample, type WhepTrouble } from './whep-rules';

export type WhepState =
  | 'connecting'
  | 'playing'
  | 'waiting' // the streamer sends nothing: it starts by itself
  | 'reconnecting' // media came and does not now
  | 'closed';

export interface WhepHandlers {
  onState(state: WhepState): void;
  /** Given up; nothing more happens. */
  onTrouble(why: WhepTrouble): void;
  /** A session was made; its links are what the server offers for it. */
  onSession(session: Created): void;
  /** `stream` has the tracks of a session that was not shown before. */
  onTracks(): void;
}

/** The world outside, so that a test can stand in for it. */
export interface WhepWorld {
  signalling(url: string): Signalling;
  newPeer(): RTCPeerConnection;
  newStream(): MediaStream;
  after(ms: number, fn: () => void): () => void;
  now(): number;
  /** Nobody looks: no picture is no trouble. */
  hidden(): boolean;
}

export const browserWorld: WhepWorld = {
  signalling: (url) => createSignalling(url),
  newPeer: () => new RTCPeerConnection({ bundlePolicy: 'max-bundle' }),
  newStream: () => new MediaStream(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
  now: () => performance.now(),
  hidden: () => document.hidden,
};

const LOOK_MS = 500;
/** Sessions in a row that came to nothing before WebRTC is given up. */
const EMPTY_SESSIONS = 2;

/** Browsers play Opus in mono unless they say that they want two channels (RFC 7587, 7). */
export function inStereo(sdp: string): string {
  const [, type] = /^a=rtpmap:(\d+) opus\/48000\/2\r?$/im.exec(sdp) ?? [];
  return sdp.replace(/^(a=fmtp:(\d+) [^\r\n]*)/gm, (line, _, pt) => (pt === type && !/\bstereo=/.test(line) ? `${line};stereo=1` : line));
}

/** Frames are shown when they are there; the default buffer is for calls over worse lines. */
function playAtOnce(receiver: RTCRtpReceiver) {
  const r = receiver as { jitterBufferTarget?: number | null; playoutDelayHint?: number | null };
  try {
    if (r.jitterBufferTarget !== undefined) r.jitterBufferTarget = 0;
    else if (r.playoutDelayHint !== undefined) r.playoutDelayHint = 0;
  } catch {
    // a wish, not a need
  }
}

/** One session: from its offer to its end. */
interface Session {
  peer: RTCPeerConnection;
  created: Created | null;
  pulse: Pulse;
  madeAt: number;
  connectedOnce: boolean;
  restarting: boolean;
}

export interface Whep {
  readonly stream: MediaStream;
  readonly peer: RTCPeerConnection | null;
  /** The network is back, or the tab is looked at again: no more waiting. */
  nudge(): void;
  close(options?: { keepalive?: boolean }): void;
}

export function createWhep(url: string, handlers: WhepHandlers, world: WhepWorld = browserWorld): Whep {
  const signalling = world.signalling(url);
  const stream = world.newStream();
  let session: Session | null = null;
  let shown: Session | null = null;
  let state: WhepState = 'closed';
  let refusals = 0;
  let empty = 0;
  let reached = false; // media has come, in any session
  let closed = false;
  let cancel = () => {};
  let waiting = false;

  function enter(next: WhepState) {
    if (state === next || closed) return;
    state = next;
    handlers.onState(next);
  }

  function later(ms: number, fn: () => void) {
    cancel();
    cancel = world.after(ms, () => {
      if (!closed) fn();
    });
  }

  /** Ends it at the server. What is shown of it stays on the screen: a stream without a live track would end. */
  function drop(s: Session | null, { keepalive = false, whole = false } = {}) {
    if (!s) return;
    if (s.created) void signalling.end(s.created.location, { keepalive });
    s.created = null;
    if (whole || s !== shown) s.peer.close();
  }

  function giveUp(why: WhepTrouble) {
    if (closed) return;
    close();
    handlers.onTrouble(why);
  }

  /** The new session's tracks take the place of the old one's: the element keeps its last picture. */
  function show(s: Session) {
    const old = shown;
    const fresh = s.peer.getTransceivers().filter((t) => t.currentDirection === 'recvonly');
    const before = stream.getTracks();
    for (const { receiver } of fresh) stream.addTrack(receiver.track);
    for (const track of before) stream.removeTrack(track);
    shown = s;
    old?.peer.close();
    handlers.onTracks();
  }

  async function connect() {
    waiting = false;
    enter(reached ? 'reconnecting' : state === 'waiting' ? 'waiting' : 'connecting');
    const peer = world.newPeer();
    const s: Session = {
      peer,
      created: null,
      pulse: createPulse(world.now()),
      madeAt: world.now(),
      connectedOnce: false,
      restarting: false,
    };
    session = s;
    for (const kind of ['video', 'audio'] as const) playAtOnce(peer.addTransceiver(kind, { direction: 'recvonly' }).receiver);
    const current = () => !closed && session === s;
    try {
      const offer = await peer.createOffer();
      const sdp = inStereo(offer.sdp ?? '');
      const created = await signalling.offer(sdp);
      if (!current()) {
        if (created.ok) void signalling.end(created.location);
        return;
      }
      if (!created.ok) return refused(s, created);
      s.created = created;
      refusals = 0;
      // Before anything is gathered, so that one answer is enough (RFC 9725, 4.6).
      if (created.iceServers.length) peer.setConfiguration({ bundlePolicy: 'max-bundle', iceServers: created.iceServers });
      await peer.setLocalDescription({ type: 'offer', sdp });
      await peer.setRemoteDescription({ type: 'answer', sdp: created.answer });
    } catch {
      if (current()) giveUp('refused'); // an answer that the browser does not take
      return;
    }
    if (!current()) return;
    s.madeAt = world.now();
    s.pulse = createPulse(s.madeAt);
    if (!shown) show(s);
    handlers.onSession(s.created);
    look(s);
  }

  function refused(s: Session, r: Refusal) {
    drop(s);
    session = null;
    const step = afterRefusal(r, refusals++);
    if ('giveUp' in step) return giveUp(step.giveUp);
    if (step.notLive) {
      refusals = 0;
      empty = 0;
      enter('waiting');
    } else if (reached) enter('reconnecting');
    waiting = true;
    later(step.waitMs, () => void connect());
  }

  async function sampleOf(s: Session): Promise<Sample> {
    const sum = { packets: 0, videoPackets: 0, framesDecoded: 0 };
    (await s.peer.getStats()).forEach((r: Record<string, unknown>) => {
      if (r.type !== 'inbound-rtp') return;
      const packets = Number(r.packetsReceived ?? 0);
      sum.packets += packets;
      if (r.kind !== 'video') return;
      sum.videoPackets += packets;
      sum.framesDecoded += Number(r.framesDecoded ?? 0);
    });
    const ice = s.peer.iceConnectionState;
    return { ...sum, now: world.now(), connected: ice === 'connected' || ice === 'completed', hidden: world.hidden() };
  }

  async function check(s: Session) {
    const sample = await sampleOf(s);
    if (closed || session !== s) return;
    if (sample.connected) s.connectedOnce = true;
    const verdict = s.pulse.sample(sample);
    if (s.pulse.began) {
      // Swapped only once there is a picture to swap to.
      if (s !== shown && (sample.framesDecoded > 0 || sample.videoPackets === 0 || world.now() - s.madeAt > 3000)) show(s);
      if (sample.framesDecoded > 0 || (sample.videoPackets === 0 && sample.packets > 20)) {
        reached = true;
        empty = 0;
        if (s.pulse.moving) enter('playing');
      }
    }
    if (!s.connectedOnce) {
      // HTTP goes through and media does not: there is no use in another session.
      if (sample.now - s.madeAt >= CONNECT_MS) return giveUp(reached ? 'stalled' : 'blocked');
    } else if (verdict === 'restart') {
      enter('reconnecting');
      void restart(s);
    } else if (verdict === 'renew') {
      if (s.pulse.began) renew(s);
      else return emptySession(s);
    } else if (verdict === 'undecodable') {
      return emptySession(s);
    }
    if (session === s) look(s);
  }

  function look(s: Session) {
    later(LOOK_MS, () => void check(s).catch(() => session === s && renew(s)));
  }

  function renew(s: Session) {
    if (reached) enter('reconnecting');
    drop(s);
    session = null;
    void connect();
  }

  /** It came to nothing. The first time may have been bad luck. */
  function emptySession(s: Session) {
    if (++empty >= EMPTY_SESSIONS) giveUp('stalled');
    else renew(s);
  }

  /** The network changed under us: the same session over a new way. */
  async function restart(s: Session) {
    if (s.restarting || !s.created) return;
    s.restarting = true;
    try {
      const offer = await s.peer.createOffer({ iceRestart: true });
      const sdp = inStereo(offer.sdp ?? '');
      const answer = await signalling.restart(s.created.location, s.created.etag, sdp);
      if (closed || session !== s || !s.created) return;
      if (answer.ok) {
        const whole = withFragment(s.created.answer, answer.fragment);
        s.created = { ...s.created, answer: whole, etag: answer.etag ?? s.created.etag };
        await s.peer.setLocalDescription({ type: 'offer', sdp });
        await s.peer.setRemoteDescription({ type: 'answer', sdp: whole });
      }
    } catch {
      // the silence goes on, and a new session is made
    } finally {
      s.restarting = false;
    }
  }

  function close({ keepalive = false } = {}) {
    if (closed) return;
    cancel();
    drop(session, { keepalive, whole: true });
    shown?.peer.close();
    session = shown = null;
    enter('closed');
    closed = true;
  }

  void connect();
  return {
    stream,
    get peer() {
      return session?.peer ?? null;
    },
    nudge() {
      if (closed) return;
      if (waiting) {
        cancel();
        void connect();
      } else if (session && ['disconnected', 'failed'].includes(session.peer.iceConnectionState)) void restart(session);
    },
    close,
  };
}
