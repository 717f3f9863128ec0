// SPDX-License-Identifier: MIT
// The direct preview in virtual time: offers, answers, and what happens when the other end is gone.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '../src/api/client';
import { createDirectOwner, createDirectViewer, type DirectApi, type DirectWorld } from '../src/rtc/direct';
import { settle } from './fixtures';

class FakePeer {
  connectionState = 'new';
  iceGatheringState = 'complete';
  localDescription: { sdp: string } | null = null;
  remote: string | null = null;
  tracks: unknown[] = [];
  closed = false;
  onconnectionstatechange: (() => void) | null = null;
  ontrack: ((e: unknown) => void) | null = null;
  constructor(private name: string) {}
  addTransceiver(t: unknown) {
    this.tracks.push(t);
  }
  getSenders() {
    return this.tracks.map((_, i) => ({ replaceTrack: async (t: unknown) => void (this.tracks[i] = t) }));
  }
  async createOffer() {
    return { type: 'offer', sdp: `offer of ${this.name}` };
  }
  async createAnswer() {
    return { type: 'answer', sdp: `answer of ${this.name}` };
  }
  async setLocalDescription(d: { sdp: string }) {
    this.localDescription = d;
  }
  async setRemoteDescription(d: { sdp: string }) {
    this.remote = d.sdp;
  }
  become(state: string) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
  close() {
    this.closed = true;
  }
}

/** The server's row and its rules, and a clock. */
function fakes() {
  const peers: FakePeer[] = [];
  const timers = new Set<{ at: number; fn: () => void }>();
  let now = 0;
  let ids = 0;
  const row = { id: null as string | null, offer: '', answer: null as string | null, confirmed: 0, ended: 0, fail: null as ApiError | null };
  const world: DirectWorld = {
    peer() {
      const p = new FakePeer(`peer ${peers.length}`);
      peers.push(p);
      return p as unknown as RTCPeerConnection;
    },
    after(ms, fn) {
      const timer = { at: now + ms, fn };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const api: DirectApi = {
    async offer(sdp) {
      if (row.fail) throw row.fail;
      if (row.id && row.offer === sdp) row.confirmed++;
      else Object.assign(row, { id: `id ${++ids}`, offer: sdp, answer: null });
      return { id: row.id ?? '' };
    },
    async answer(id, sdp) {
      if (id !== row.id) throw new ApiError(404, 'not_found', 'gone');
      if (row.answer) throw new ApiError(409, 'taken', 'taken');
      row.answer = sdp;
    },
    async get() {
      if (!row.id) throw new ApiError(404, 'not_found', 'none');
      return { id: row.id, answered: row.answer !== null, offer: row.offer, ...(row.answer ? { answer: row.answer } : {}) };
    },
    async end() {
      row.ended++;
      row.id = null;
    },
    iceServers: async () => [],
  };
  async function pass(ms: number) {
    const until = now + ms;
    for (;;) {
      const next = [...timers].filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      timers.delete(next);
      now = next.at;
      next.fn();
      await settle();
    }
    now = until;
    await settle();
  }
  const direct = () => (row.id ? { id: row.id, answered: row.answer !== null } : null);
  return { world, api, peers, row, pass, direct };
}

(globalThis as { MediaStream?: unknown }).MediaStream ??= class {
  constructor(readonly tracks: unknown[] = []) {}
};
const tracks = ['picture', 'sound'] as unknown as MediaStreamTrack[];

test('the two find each other, and the offer is confirmed while it lasts', async () => {
  const f = fakes();
  const owner = createDirectOwner(f.api, f.world);
  const viewer = createDirectViewer(f.api, f.world);
  owner.start(tracks);
  await settle();
  assert.equal(owner.get().phase, 'waiting');
  assert.deepEqual(f.peers[0]?.tracks, tracks);
  viewer.see(f.direct());
  await settle();
  assert.equal(viewer.get().phase, 'connecting');
  assert.equal(f.row.answer, 'answer of peer 1');
  owner.see(f.direct(), 1);
  await settle();
  assert.equal(f.peers[0]?.remote, 'answer of peer 1');
  f.peers[0]?.become('connected');
  f.peers[1]?.ontrack?.({ streams: ['stream'] });
  f.peers[1]?.become('connected');
  assert.deepEqual([owner.get().phase, viewer.get().phase, viewer.get().stream], ['watched', 'watching', 'stream']);
  viewer.see(f.direct()); // the event about our own answer
  await f.pass(65_000);
  assert.equal(f.row.confirmed, 3);
  assert.equal(f.peers.length, 2);
  await owner.stop();
  assert.equal(f.row.ended, 1);
  viewer.see(f.direct());
  assert.deepEqual([owner.get().phase, viewer.get().phase], ['off', 'off']);
  assert.ok(f.peers.every((p) => p.closed));
  await f.pass(100_000);
  assert.equal(f.peers.length, 2, 'nothing goes on behind it');
});

test('a viewer who leaves makes room: said by the count, by the line, or by silence', async () => {
  const f = fakes();
  const owner = createDirectOwner(f.api, f.world);
  owner.start(tracks);
  await settle();
  const answerIt = async () => {
    f.row.answer = 'an answer';
    owner.see(f.direct(), 0); // the count comes later
    await settle();
  };
  await answerIt();
  f.peers[0]?.become('connected');
  owner.see(f.direct(), 0);
  assert.equal(owner.get().phase, 'watched', 'not in the count yet, and not gone');
  owner.see(f.direct(), 1);
  owner.see(f.direct(), 0);
  await settle();
  assert.deepEqual([owner.get().phase, f.peers.length], ['waiting', 2]);
  await answerIt();
  f.peers[1]?.become('connected');
  f.peers[1]?.become('disconnected');
  await f.pass(3000);
  assert.equal(f.peers.length, 2, 'a line may come back');
  await f.pass(2000);
  assert.deepEqual([owner.get().phase, f.peers.length], ['waiting', 3]);
  await answerIt();
  assert.equal(owner.get().phase, 'connecting');
  await f.pass(13_000); // nothing comes of it
  assert.deepEqual([owner.get().phase, f.peers.length], ['waiting', 4]);
});

test('the server says no, or not now', async () => {
  const f = fakes();
  const owner = createDirectOwner(f.api, f.world);
  f.row.fail = new ApiError(0, 'network', 'The server cannot be reached right now.');
  owner.start(tracks);
  await settle();
  assert.deepEqual(owner.get(), { phase: 'offering', problem: 'The server cannot be reached right now.' });
  f.row.fail = null;
  await f.pass(6000);
  assert.equal(owner.get().phase, 'waiting');
  f.row.fail = new ApiError(409, 'live', 'It is live.');
  await f.pass(21_000);
  assert.deepEqual(owner.get(), { phase: 'refused', problem: 'It is live.' });
});

test('another camera goes into the same line; one more track needs a new one', async () => {
  const f = fakes();
  const owner = createDirectOwner(f.api, f.world);
  owner.start(tracks);
  await settle();
  owner.replace(['screen', 'sound'] as unknown as MediaStreamTrack[]);
  assert.deepEqual([f.peers.length, f.peers[0]?.tracks[0]], [1, 'screen']);
  owner.replace(['screen'] as unknown as MediaStreamTrack[]);
  await settle();
  assert.deepEqual([f.peers.length, f.peers[0]?.closed, f.peers[1]?.tracks.length], [2, true, 1]);
});

test('a viewer tries each offer once, and not one that is taken', async () => {
  const f = fakes();
  const viewer = createDirectViewer(f.api, f.world);
  await f.api.offer('an offer');
  f.row.answer = 'of somebody else';
  viewer.see(f.direct());
  await settle();
  assert.equal(f.peers.length, 0);
  await f.api.offer('another');
  const seen = f.direct();
  f.row.answer = 'of somebody quicker';
  viewer.see(seen);
  await settle();
  assert.deepEqual([viewer.get().phase, f.peers.at(-1)?.closed], ['off', true]);
  viewer.see(seen);
  await settle();
  assert.equal(f.peers.length, 1, 'not again');
  await f.api.offer('a third');
  viewer.see(f.direct());
  await settle();
  await f.pass(13_000); // it never connects
  assert.deepEqual([viewer.get().phase, f.peers.length], ['off', 2]);
});
