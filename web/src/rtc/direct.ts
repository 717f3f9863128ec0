// SPDX-License-Identifier: MIT
// The direct preview, both ends: from the streamer's browser to one viewer's, without the server. Offer and
// answer are left with the stream; that there is a new one is told by the stream's events (`direct`).
import { ApiError } from '../api/client';
import type { DirectState } from '../api/types';
import { t } from '../i18n/t';
import { createStore, type Readable } from '../store/store';

/** An offer whose page is gone is forgotten by the server after a minute. */
const CONFIRM_MS = 20_000;
/** All addresses are in the text, because nothing is sent afterwards; a slow STUN server is not waited for. */
const GATHER_MS = 2_000;
/** From the answer to the first connection. */
const CONNECT_MS = 12_000;
/** A line that is lost for this long is given up: whoever comes next gets a new offer. */
const LOST_MS = 4_000;

export interface DirectApi {
  offer(sdp: string): Promise<{ id: string }>;
  answer(id: string, sdp: string): Promise<void>;
  get(): Promise<{ id: string; answered: boolean; offer?: string; answer?: string }>;
  end(): Promise<void>;
  iceServers(): Promise<RTCIceServer[]>;
}

export interface DirectWorld {
  peer(config: RTCConfiguration): RTCPeerConnection;
  after(ms: number, fn: () => void): () => void;
}

export const browserDirect: DirectWorld = {
  peer: (config) => new RTCPeerConnection(config),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves when every address is known, or has been waited for long enough. */
function gathered(peer: RTCPeerConnection, world: DirectWorld): Promise<void> {
  if (peer.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = world.after(GATHER_MS, resolve);
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState !== 'complete') return;
      cancel();
      resolve();
    };
  });
}

const local = (peer: RTCPeerConnection) => peer.localDescription?.sdp ?? '';

// --- the streamer's end

export type OwnerPhase = 'off' | 'offering' | 'waiting' | 'connecting' | 'watched' | 'refused';

export interface DirectOwner extends Readable<{ phase: OwnerPhase; problem: string | null }> {
  start(tracks: readonly MediaStreamTrack[]): void;
  /** Another camera, the screen, silence. */
  replace(tracks: readonly MediaStreamTrack[]): void;
  /** What the stream says of its direct preview now, and how many are there. */
  see(direct: DirectState | null, viewers: number): void;
  stop(): Promise<void>;
}

export function createDirectOwner(api: DirectApi, world: DirectWorld = browserDirect): DirectOwner {
  const store = createStore<{ phase: OwnerPhase; problem: string | null }>({ phase: 'off', problem: null });
  let tracks: readonly MediaStreamTrack[] = [];
  let peer: RTCPeerConnection | null = null;
  let id: string | null = null;
  let answered = false;
  let counted = false; // the viewer has been in the count, which comes a moment later
  let turn = 0; // what belongs to an older one is dropped
  let cancel: (() => void)[] = [];

  function drop() {
    turn++;
    cancel.forEach((c) => c());
    cancel = [];
    peer?.close();
    peer = null;
    id = null;
    answered = counted = false;
  }

  function later(ms: number, fn: () => void) {
    cancel.push(world.after(ms, fn));
  }

  function fail(e: unknown) {
    const temporary = !(e instanceof ApiError) || e.temporary;
    drop();
    if (temporary) {
      store.set({ phase: 'offering', problem: e instanceof ApiError ? e.message : t('The direct preview could not be set up. Trying again.') });
      later(CONFIRM_MS / 4, () => void offer());
    } else store.set({ phase: 'refused', problem: e.message });
  }

  async function confirm(mine: number, sdp: string) {
    try {
      const now = await api.offer(sdp);
      if (mine !== turn) return;
      if (now.id !== id) return void offer(); // it was forgotten, and the viewer with it
      later(CONFIRM_MS, () => void confirm(mine, sdp));
    } catch (e) {
      if (mine === turn) fail(e);
    }
  }

  async function offer() {
    drop();
    const mine = turn;
    store.set({ phase: 'offering', problem: null });
    try {
      const made = world.peer({ iceServers: await api.iceServers() });
      if (mine !== turn) return made.close();
      peer = made;
      const stream = new MediaStream([...tracks]);
      for (const t of tracks) made.addTransceiver(t, { direction: 'sendonly', streams: [stream] });
      made.onconnectionstatechange = () => mine === turn && onState(made);
      await made.setLocalDescription(await made.createOffer());
      await gathered(made, world);
      if (mine !== turn) return;
      const sdp = local(made);
      const given = await api.offer(sdp);
      if (mine !== turn) return;
      id = given.id;
      store.set({ phase: 'waiting', problem: null });
      later(CONFIRM_MS, () => void confirm(mine, sdp));
    } catch (e) {
      if (mine === turn) fail(e);
    }
  }

  function onState(p: RTCPeerConnection) {
    if (p.connectionState === 'connected') store.set({ phase: 'watched', problem: null });
    if (p.connectionState === 'failed' || p.connectionState === 'closed') void offer();
    if (p.connectionState === 'disconnected') later(LOST_MS, () => p.connectionState === 'disconnected' && void offer());
  }

  async function takeAnswer(of: string) {
    const mine = turn;
    answered = true;
    try {
      const now = await api.get();
      if (mine !== turn || !peer || now.id !== of || !now.answer) return;
      store.set({ phase: 'connecting', problem: null });
      await peer.setRemoteDescription({ type: 'answer', sdp: now.answer });
      later(CONNECT_MS, () => peer?.connectionState !== 'connected' && void offer());
    } catch (e) {
      if (mine === turn) fail(e);
    }
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    start(now) {
      tracks = now;
      if (store.get().phase === 'off' || store.get().phase === 'refused') void offer();
    },
    replace(now) {
      tracks = now;
      const senders = peer?.getSenders() ?? [];
      // Another number of them needs another offer.
      if (peer && senders.length !== now.length) return void offer();
      senders.forEach((s, i) => void s.replaceTrack(now[i] ?? null).catch(() => {}));
    },
    see(direct, viewers) {
      if (!id || direct?.id !== id) return;
      if (direct.answered && !answered) void takeAnswer(direct.id);
      // Who watched has left without a word, and nobody else is there.
      if (viewers > 0) counted = true;
      else if (counted && store.get().phase === 'watched') void offer();
    },
    async stop() {
      const was = store.get().phase;
      drop();
      store.set({ phase: 'off', problem: null });
      if (was !== 'off') await api.end().catch(() => {}); // it is forgotten by itself
    },
  };
}

// --- the viewer's end

export interface DirectView {
  phase: 'off' | 'connecting' | 'watching';
  stream: MediaStream | null;
}

export interface DirectViewer extends Readable<DirectView> {
  see(direct: DirectState | null): void;
  close(): void;
}

export function createDirectViewer(api: DirectApi, world: DirectWorld = browserDirect): DirectViewer {
  const OFF: DirectView = { phase: 'off', stream: null };
  const store = createStore<DirectView>(OFF);
  let peer: RTCPeerConnection | null = null;
  let tried: string | null = null;
  let cancel = () => {};

  function off() {
    cancel();
    cancel = () => {};
    peer?.close();
    peer = null;
    if (store.get() !== OFF) store.set(OFF);
  }

  async function answer(id: string) {
    tried = id;
    off();
    store.set({ phase: 'connecting', stream: null });
    try {
      const [{ offer }, iceServers] = await Promise.all([api.get(), api.iceServers()]);
      if (tried !== id || !offer) return off(); // taken, or already another one
      const made = (peer = world.peer({ iceServers }));
      cancel = world.after(CONNECT_MS, () => made.connectionState !== 'connected' && off());
      made.ontrack = (e) => store.patch({ stream: e.streams[0] ?? new MediaStream([e.track]) });
      made.onconnectionstatechange = () => {
        if (peer !== made) return;
        if (made.connectionState === 'connected') store.patch({ phase: 'watching' });
        if (made.connectionState === 'failed' || made.connectionState === 'closed') off();
      };
      await made.setRemoteDescription({ type: 'offer', sdp: offer });
      await made.setLocalDescription(await made.createAnswer());
      await gathered(made, world);
      if (peer !== made) return;
      await api.answer(id, local(made));
    } catch {
      if (tried === id) off(); // somebody was quicker, or it is over: the page stays as it was
    }
  }

  return {
    get: store.get,
    subscribe: store.subscribe,
    see(direct) {
      if (!direct) {
        tried = null;
        off();
      } else if (direct.id !== tried && !direct.answered) void answer(direct.id);
      else if (direct.id !== tried && direct.answered) off();
    },
    close() {
      tried = null;
      off();
    },
  };
}
