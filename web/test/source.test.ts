// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { choiceOf, choicesOf, createWish, noteOf, pictureOf, sightOf, type Shelf, type Sight, type Wish } from '../src/store/source';
import { aStream } from './fixtures';

const live = (part: Partial<Sight> = {}): Sight => ({
  onAir: true,
  connected: true,
  recorded: false,
  kind: 'BROWSER',
  hlsUrl: '/p1.m3u8',
  whepUrl: '/whep/p1',
  recordingUrl: '/r1.m3u8',
  ...part,
});
const wish = (part: Partial<Wish> = {}): Wish => ({ choice: null, rewind: null, fromStart: false, trouble: null, ...part });

function aShelf(value: string | null = null): Shelf & { value: string | null } {
  return {
    value,
    get() {
      return this.value;
    },
    put(v) {
      this.value = v;
    },
  };
}

test("the plan's four cases", () => {
  assert.equal(pictureOf(live(), wish(), true)?.way, 'webrtc');
  assert.equal(pictureOf(live({ kind: 'RTMP' }), wish(), true)?.way, 'hls');
  const over = live({ onAir: false, connected: false, recorded: true });
  assert.deepEqual(pictureOf(over, wish(), true), { way: 'hls', src: '/r1.m3u8', mode: 'recorded', fromStart: false });
  assert.equal(pictureOf(live({ onAir: false, connected: false }), wish(), true), null);
});

test('a browser without WebRTC, and a server without it, have HLS', () => {
  assert.equal(pictureOf(live(), wish(), false)?.way, 'hls');
  assert.deepEqual(choicesOf(live(), false), ['steady', 'rewind']);
  assert.deepEqual(choicesOf(live({ whepUrl: null, recordingUrl: null }), true), ['steady']);
  assert.deepEqual(choicesOf(live({ onAir: false }), true), []);
});

test('every trouble of WebRTC leads to HLS, and is told', () => {
  for (const trouble of ['blocked', 'stalled', 'no-webrtc', 'missing', 'refused', 'absent'] as const)
    for (const choice of [null, 'lowest'] as const) {
      const w = wish({ trouble, choice });
      assert.deepEqual(pictureOf(live(), w, true), { way: 'hls', src: '/p1.m3u8', mode: 'live', fromStart: false });
      assert.equal(choiceOf(live(), w, true), 'steady');
      assert.ok(noteOf(live(), w, true), trouble);
    }
  assert.equal(noteOf(live(), wish(), true), null);
  assert.equal(noteOf(live(), wish({ trouble: 'blocked', choice: 'rewind', rewind: '/r1.m3u8' }), true), null);
});

test('how far behind one watches is remembered; going back is not', () => {
  const shelf = aShelf();
  const store = createWish(shelf);
  store.rewind('/r1.m3u8', 'start');
  assert.deepEqual(pictureOf(live(), store.get(), true), { way: 'hls', src: '/r1.m3u8', mode: 'rewind', fromStart: true });
  assert.equal(shelf.value, null);
  store.backToLive();
  assert.equal(pictureOf(live(), store.get(), true)?.way, 'webrtc');
  store.choose('steady');
  assert.equal(createWish(shelf).get().choice, 'steady');
  assert.equal(pictureOf(live(), createWish(shelf).get(), true)?.way, 'hls');
  store.choose('lowest');
  assert.equal(pictureOf(live({ kind: 'RTMP' }), createWish(shelf).get(), true)?.way, 'webrtc');
  assert.equal(createWish(aShelf('nonsense')).get().choice, null);
});

test('asking again forgets the trouble', () => {
  const store = createWish(aShelf());
  store.trouble('blocked');
  assert.equal(pictureOf(live(), store.get(), true)?.way, 'hls');
  store.choose('lowest');
  assert.equal(pictureOf(live(), store.get(), true)?.way, 'webrtc');
});

test('a streamer who comes back is tried by WebRTC again, unless the network is closed to it', () => {
  const store = createWish(aShelf());
  store.seen(live());
  store.trouble('stalled');
  store.seen(live());
  assert.equal(store.get().trouble, 'stalled', 'nothing has changed');
  store.seen(live({ connected: false }));
  store.seen(live());
  assert.equal(store.get().trouble, null);
  store.trouble('blocked');
  store.seen(live({ connected: false }));
  store.seen(live());
  assert.equal(store.get().trouble, 'blocked');
  store.networkChanged();
  assert.equal(store.get().trouble, null);
});

test('who has gone back stays there at the end, and is live again with the next broadcast', () => {
  const store = createWish(aShelf());
  store.rewind('/r1.m3u8');
  const picture = pictureOf(live(), store.get(), true);
  store.seen(live({ onAir: false, connected: false, recordingUrl: null })); // for a moment
  assert.deepEqual(pictureOf(live({ recordingUrl: null }), store.get(), true), picture);
  assert.deepEqual(pictureOf(live({ onAir: false, connected: false, recorded: true }), store.get(), true), picture);
  store.seen(live({ recordingUrl: '/r2.m3u8' }));
  assert.equal(pictureOf(live({ recordingUrl: '/r2.m3u8' }), store.get(), true)?.way, 'webrtc');
});

test("a stream's own words", () => {
  const playback = { playbackId: 'p1', hlsUrl: '/p1.m3u8', whepUrl: '/whep/p1' };
  const stream = aStream({ status: 'LIVE', streamType: 'BROWSER', playback, connected: false });
  assert.deepEqual(sightOf(stream, { onAir: true, recorded: false }), live({ connected: false, recordingUrl: null }));
});
