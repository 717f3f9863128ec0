// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { createSignalling } from '../src/rtc/signalling';
import { createSender, type Peer, type SendPlan } from '../src/rtc/whip';
import { settle } from './fixtures';

const SDP = 'v=0\r\nm=video 9 X 96\r\na=mid:0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n';

class FakePeer {
  connectionState: RTCPeerConnectionState = 'new';
  iceConnectionState: RTCIceConnectionState = 'new';
  onconnectionstatechange: (() => void) | null = null;
  localDescription: { sdp: string } | null = null;
  remote: string[] = [];
  offers: RTCOfferOptions[] = [];
  replaced: unknown[] = [];
  parameters = { encodings: [{ rid: 'l', maxBitrate: 1 }, { rid: 'h', maxBitrate: 2 }] };
  closed = false;
  addTransceiver(track: unknown) {
    const sender = {
      track,
      replaceTrack: async (t: unknown) => {
        sender.track = t;
        this.replaced.push(t);
      },
      getParameters: () => this.parameters,
      setParameters: async () => {},
    };
    return { sender };
  }
  async createOffer(o: RTCOfferOptions = {}) {
    this.offers.push(o);
    return { type: 'offer', sdp: SDP };
  }
  async setLocalDescription(d: { sdp: string }) {
    this.localDescription = d;
  }
  async setRemoteDescription(d: { sdp: string }) {
    this.remote.push(d.sdp);
  }
  setConfiguration() {}
  async getStats() {
    return new Map();
  }
  close() {
    this.closed = true;
  }
  become(state: RTCPeerConnectionState) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

type Answer = (method: string, url: string) => Response | 'lost';
const made = (id = 'a') => new Response(SDP, { status: 201, headers: { Location: `/rtc/${id}`, ETag: '"1"' } });
const error = (status: number, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ error: { code: `c${status}`, message: `No: ${status}.` } }), { status, headers });
const PLAN: SendPlan = { encodings: [{}], audioBitrate: 1, codecs: () => {}, answer: (sdp) => `${sdp}a=x\r\n` };

/** A sender in a world that the test moves: `answer` is the server. */
function sending(answer: Answer) {
  const peers: FakePeer[] = [];
  const calls: string[] = [];
  let now = 0;
  let due: { at: number; fn: () => void }[] = [];
  let online = () => {};
  const world = { answer };
  const signalling = createSignalling('https://x/whip', {
    bearer: 'k',
    async fetcher(url, init) {
      const method = init.method ?? 'GET';
      if (method === 'OPTIONS') return new Response(null, { status: 204 });
      calls.push(`${method} ${new URL(url).pathname}`);
      const said = world.answer(method, url);
      if (said === 'lost') throw new TypeError('fetch failed');
      return said;
    },
  });
  const sender = createSender(
    signalling,
    {
      peer: () => {
        const p = new FakePeer();
        peers.push(p);
        return p as unknown as Peer;
      },
      after(ms, fn) {
        const entry = { at: now + ms, fn };
        due.push(entry);
        return () => (due = due.filter((e) => e !== entry));
      },
      now: () => now,
      onOnline: (fn) => {
        online = fn;
        return () => {};
      },
    },
    { video: null, audio: null },
    PLAN,
  );
  const peer = () => peers[peers.length - 1] as FakePeer;
  return {
    sender,
    peers,
    calls,
    world,
    peer,
    online: () => online(),
    phase: () => sender.get().phase,
    /** Time passes; what is due happens. */
    async pass(ms: number) {
      const end = now + ms;
      for (;;) {
        const next = due.filter((e) => e.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        due = due.filter((e) => e !== next);
        now = next.at;
        next.fn();
        for (let i = 0; i < 4; i++) await settle();
      }
      now = end;
    },
    async live() {
      sender.start();
      for (let i = 0; i < 4; i++) await settle();
      peer().become('connected');
      assert.equal(sender.get().phase, 'live');
    },
  };
}

const quiet = async () => {
  for (let i = 0; i < 6; i++) await settle();
};

test('it goes live, and ends', async () => {
  const w = sending((m) => (m === 'POST' ? made() : new Response(null, { status: 200 })));
  await w.live();
  assert.deepEqual(w.peer().remote, [`${SDP}a=x\r\n`], 'the plan has the last word on the answer');
  await w.sender.stop();
  assert.deepEqual(w.calls, ['POST /whip', 'DELETE /rtc/a']);
  assert.ok(w.peer().closed);
  await w.pass(60_000);
  assert.equal(w.calls.length, 2);
});

test('a short gap mends itself', async () => {
  const w = sending(() => made());
  await w.live();
  w.peer().become('disconnected');
  await w.pass(1000);
  w.peer().become('connected');
  await w.pass(60_000);
  assert.deepEqual(w.calls, ['POST /whip']);
});

test('a lost path: first the same session over a new one', async () => {
  const fragment = 'a=ice-ufrag:n\r\na=ice-pwd:np\r\n';
  const w = sending((m) => (m === 'POST' ? made() : new Response(fragment, { status: 200, headers: { ETag: '"2"' } })));
  await w.live();
  w.peer().become('disconnected');
  await w.pass(3000);
  assert.deepEqual([w.phase(), w.sender.get().how], ['recovering', 'restart']);
  assert.deepEqual(w.peer().offers.at(-1), { iceRestart: true });
  assert.match(w.peer().remote.at(-1) ?? '', /ufrag:n\r\n/);
  w.peer().become('connected');
  assert.equal(w.phase(), 'live');
  assert.deepEqual(w.calls, ['POST /whip', 'PATCH /rtc/a']);
  assert.equal(w.peers.length, 1);
  await w.pass(60_000);
  assert.equal(w.calls.length, 2, 'nothing more happens');
});

test('a session that is gone: a new one, into the same stream', async () => {
  let posts = 0;
  const w = sending((m) => (m === 'POST' ? made(['a', 'b'][posts++]) : error(404)));
  await w.live();
  w.peer().become('failed');
  await quiet();
  assert.deepEqual(w.calls, ['POST /whip', 'PATCH /rtc/a', 'DELETE /rtc/a', 'POST /whip']);
  assert.ok(w.peers[0]?.closed);
  w.peer().become('connected');
  assert.equal(w.phase(), 'live');
  await w.sender.stop();
  assert.equal(w.calls.at(-1), 'DELETE /rtc/b');
});

test('no network: it tries the old session for a while, then new ones, and is woken when it is back', async () => {
  let up = true;
  const w = sending((m) => (!up ? 'lost' : m === 'POST' ? made() : error(404)));
  await w.live();
  up = false;
  w.peer().become('disconnected');
  await w.pass(10_000);
  assert.equal(w.sender.get().how, 'restart');
  assert.equal(w.sender.get().problem?.code, 'network');
  await w.pass(60_000);
  assert.equal(w.sender.get().how, 'anew');
  assert.equal(w.phase(), 'recovering');
  const before = w.calls.length;
  up = true;
  w.online();
  await quiet();
  assert.equal(w.calls[before], 'POST /whip', 'at once');
  w.peer().become('connected');
  assert.equal(w.phase(), 'live');
});

test('a restart that leads nowhere becomes a new session', async () => {
  const w = sending((m) => (m === 'POST' ? made() : new Response('a=ice-ufrag:n\r\na=ice-pwd:p\r\n', { status: 200 })));
  await w.live();
  w.peer().become('failed');
  await quiet();
  await w.pass(15_000);
  assert.equal(w.sender.get().how, 'anew');
  assert.equal(w.peers.length, 2);
});

test('refused for good: it says why and stops', async () => {
  const w = sending(() => error(401));
  w.sender.start();
  await quiet();
  assert.equal(w.phase(), 'refused');
  assert.equal(w.sender.get().problem?.message, 'No: 401.');
  await w.pass(60_000);
  assert.equal(w.calls.length, 1);
  w.world.answer = () => made();
  w.sender.start();
  await quiet();
  assert.equal(w.phase(), 'connecting', 'it may be begun again');
});

test('somebody else is live: a ghost goes away, a real one stays', async () => {
  let ghost = true;
  const w = sending((m) => (m === 'POST' ? (ghost ? error(409, { 'Retry-After': '2' }) : made()) : new Response(null)));
  w.sender.start();
  await quiet();
  assert.equal(w.phase(), 'connecting');
  ghost = false;
  await w.pass(5000);
  w.peer().become('connected');
  assert.equal(w.phase(), 'live');

  const other = sending(() => error(409));
  other.sender.start();
  await quiet();
  await other.pass(60_000);
  assert.deepEqual([other.phase(), other.sender.get().problem?.status], ['refused', 409]);
});

test('a busy server is asked again, not before it said', async () => {
  const w = sending(() => error(503, { 'Retry-After': '10' }));
  w.sender.start();
  await quiet();
  await w.pass(9000);
  assert.equal(w.calls.length, 1);
  await w.pass(2000);
  assert.equal(w.calls.length, 2);
});

test('an answer without a path is not waited for for ever', async () => {
  const w = sending((m) => (m === 'POST' ? made() : new Response(null)));
  w.sender.start();
  await quiet();
  await w.pass(14_000);
  assert.deepEqual(w.calls, ['POST /whip', 'DELETE /rtc/a', 'POST /whip']);
});

test('stopped in the middle of a POST, what it made is taken away', async () => {
  const w = sending((m) => (m === 'POST' ? made() : new Response(null)));
  w.sender.start();
  await w.sender.stop();
  await quiet();
  assert.deepEqual(w.calls.filter((c) => c.startsWith('POST')).length, w.calls.filter((c) => c.startsWith('DELETE')).length);
  assert.equal(w.phase(), 'stopped');
});

test('tracks and rates change without a new session', async () => {
  const w = sending(() => made());
  await w.live();
  const [camera, silence] = [{}, {}] as MediaStreamTrack[];
  w.sender.replace({ video: camera ?? null, audio: silence ?? null });
  await quiet();
  assert.deepEqual(w.peer().replaced, [camera, silence]);
  w.sender.tune({ ...PLAN, encodings: [{ rid: 'l', maxBitrate: 10 }, { rid: 'm', maxBitrate: 20 }, { rid: 'h', maxBitrate: 30 }] });
  assert.deepEqual(w.peer().parameters.encodings.map((e) => e.maxBitrate), [10, 30]);
});

test('a page that closes says so', async () => {
  const w = sending((m) => (m === 'POST' ? made() : new Response(null)));
  await w.live();
  w.sender.abandon();
  assert.equal(w.calls.at(-1), 'DELETE /rtc/a');
});
