// SPDX-License-Identifier: MIT
// The browser's own recording: what it is made of, its journal, its upload, and when it begins and ends.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '../src/api/client';
import { journalLine, lockName, readJournal, uploadIdOf, uploadKey, type Journal } from '../src/record/journal';
import type { FromKeeper, ToKeeper } from '../src/record/keeper-worker';
import { STEP, ackedOf, contentRange, nextPiece, pieceSize, studioRates, typesToTry, warnAt } from '../src/record/plan';
import { createRecorder, type RecorderHandlers } from '../src/record/recorder';
import { createUploader, type Answer, type UploadState } from '../src/record/uploader';
import { DEFAULT_QUALITY } from '../src/rtc/plan';
import { createRecording, type NoRecorder } from '../src/store/recording';
import { createRecordings, type Found } from '../src/store/recordings';
import { createStudio } from '../src/store/studio';
import { FakeMedia } from './fake-media';
import { settle } from './fixtures';

const journal: Journal = { id: 'r1', userId: 'u1', streamId: 's1', title: 'Tea', mime: 'video/webm', only: false, startedAt: 1000, endedAt: null, uploadUrl: null, acked: 0 };

test('the best type there is; twice the rate of the live stream', () => {
  const chromium = ['video/webm;codecs=vp8,opus', 'video/webm;codecs=vp9,opus', 'video/mp4;codecs=avc1.64002A,opus'];
  assert.deepEqual(typesToTry((t) => chromium.includes(t)), [...chromium].reverse());
  assert.deepEqual(typesToTry(() => false), []);
  assert.deepEqual(studioRates(DEFAULT_QUALITY), { video: 5_000_000, audio: 128_000 });
  assert.equal(warnAt(1800), 1740);
  assert.equal(warnAt(10), 8);
  assert.equal(warnAt(0), null);
});

test('pieces: multiples while it grows, one byte kept back, the last with the total', () => {
  assert.equal(nextPiece(0, STEP, null, STEP), null, 'the last byte stays back');
  assert.deepEqual(nextPiece(0, STEP + 1, null, STEP), { from: 0, to: STEP, last: false });
  assert.deepEqual(nextPiece(STEP, 10 * STEP, null, 4 * STEP), { from: STEP, to: 5 * STEP, last: false });
  assert.deepEqual(nextPiece(STEP, STEP + 5, STEP + 5, STEP), { from: STEP, to: STEP + 5, last: true });
  assert.deepEqual(nextPiece(0, 3 * STEP, 3 * STEP, STEP), { from: 0, to: STEP, last: false });
  assert.equal(nextPiece(7, 7, 7, STEP), null);
  assert.equal(contentRange({ from: 0, to: STEP, last: false }), `bytes 0-${STEP - 1}/*`);
  assert.equal(contentRange({ from: STEP, to: STEP + 5, last: true }), `bytes ${STEP}-${STEP + 4}/${STEP + 5}`);
  for (let n = 0; n < 2000; n += 37) {
    const p = nextPiece(STEP, n * 4001, null, 3 * STEP);
    if (p) assert.ok((p.to - p.from) % STEP === 0 && p.to < n * 4001 && !p.last);
  }
  assert.deepEqual([pieceSize(STEP, 10), pieceSize(4 * STEP, 9000), pieceSize(STEP, 9000), pieceSize(STEP, 3000)], [2 * STEP, 2 * STEP, STEP, STEP]);
  assert.deepEqual(['bytes=0-9', null, 'bytes=5-9', 'x'].map(ackedOf), [10, 0, null, null]);
});

test('a journal is read up to where it was cut off', () => {
  const text = journalLine(journal) + journalLine({ uploadUrl: '/upload/a' }) + journalLine({ acked: 5 });
  assert.deepEqual(readJournal(text), { ...journal, uploadUrl: '/upload/a', acked: 5 });
  assert.deepEqual(readJournal(`${text}{"acked":99`), { ...journal, uploadUrl: '/upload/a', acked: 5 });
  assert.deepEqual(readJournal(`${text}{"acked":99\n${journalLine({ endedAt: 7 })}`)?.endedAt, 7);
  assert.equal(readJournal(`${text}{"acked":"5","id":3}\n`)?.acked, 5, 'what makes no sense is left out');
  assert.equal(readJournal(''), null);
  assert.equal(readJournal('{"id":"r1"}\n[]\nnull\n'), null);
});

test('the key of an upload: the same until it is lost', () => {
  assert.equal(uploadKey('r1', null), 'r1');
  assert.equal(uploadKey('r1', 'https://u.example.org/upload/abc?token=x.y'), 'r1.abc');
  assert.equal(uploadKey('r1', 'https://s.example.org/bucket/o?upload_id=A-b'), uploadKey('r1', 'https://s.example.org/bucket/o?upload_id=A-b'));
  assert.ok(uploadKey('r'.repeat(36), `https://x/${'y'.repeat(900)}`).length <= 120);
  assert.equal(uploadIdOf('https://s.example.org/bucket'), null);
});

// --- the upload

/** A server of uploads, and the line to it. */
class FakeServer {
  has = 0;
  total: number | null = null;
  made = 0;
  seen: string[] = [];
  /** It does not say how far it is. */
  silent = false;
  /** What happens to the requests to come, in order: an answer instead, 'lost' before or 'cut' after it. */
  trouble: (Answer | 'lost' | 'cut')[] = [];
  refuse: ApiError | null = null;
  bytes: number[] = [];

  lost: (string | null)[] = [];

  async create(lost: string | null) {
    this.lost.push(lost);
    if (this.refuse) throw this.refuse;
    this.has = 0;
    this.bytes = [];
    return `/upload/${++this.made}`;
  }

  async put(_url: string, range: string, body: Uint8Array | null): Promise<Answer> {
    this.seen.push(range);
    await settle();
    const now = this.trouble.shift();
    if (now === 'lost') throw new TypeError('fetch failed');
    if (now && now !== 'cut') return now;
    const [, from, , total] = /^bytes (\d+)-(\d+)\/(.+)$/.exec(range) ?? [];
    if (body && Number(from) === this.has) {
      this.bytes.push(...body.subarray(0, 3));
      this.has += body.length;
      if (total !== '*') this.total = Number(total);
    }
    if (now === 'cut') throw new TypeError('fetch failed');
    const complete = this.total !== null && this.has === this.total;
    return { status: complete ? 200 : 308, range: this.has > 0 && !this.silent ? `bytes=0-${this.has - 1}` : null, message: null };
  }
}

function upload(server: FakeServer, known = { uploadUrl: null as string | null, acked: 0 }) {
  const states: UploadState[] = [];
  const notes: object[] = [];
  const waits: (() => void)[] = [];
  const up = createUploader(
    {
      create: (lost) => server.create(lost),
      put: (u, r, b) => server.put(u, r, b),
      read: (from, to) => new Uint8Array(to - from).fill(from % 251),
      note: (n) => notes.push(n),
      tell: (s) => states.push(s),
      after(_ms, fn) {
        waits.push(fn);
        return () => {};
      },
      nowMs: () => 0,
    },
    known,
  );
  const last = () => states.at(-1);
  const until = async (phase: string) => {
    for (let i = 0; i < 500 && last()?.phase !== phase; i++) {
      await settle();
      if (phase !== 'retrying') waits.splice(0).forEach((fn) => fn());
    }
    assert.equal(last()?.phase, phase, JSON.stringify([states, server.seen]));
  };
  return { up, states, notes, last, until };
}

test('a file that grows goes up in pieces, and is complete at its end', async () => {
  const server = new FakeServer();
  const { up, until, notes } = upload(server);
  up.grown(100);
  await until('idle');
  assert.equal(server.made, 1, 'there is a place for it from the beginning');
  up.grown(STEP + 1);
  await settle();
  await until('idle');
  up.grown(5 * STEP + 9);
  await until('idle');
  up.end();
  await until('done');
  assert.equal(server.total, 5 * STEP + 9);
  assert.equal(server.seen.at(0), `bytes 0-${STEP - 1}/*`);
  assert.ok(server.seen.at(-1)?.endsWith(`/${5 * STEP + 9}`));
  assert.deepEqual(notes.at(0), { uploadUrl: '/upload/1', acked: 0 });
});

test('the line is lost before, in and after a piece: nothing is lost, nothing is doubled', async () => {
  const server = new FakeServer();
  server.trouble = ['lost', 'lost', { status: 503, range: null, message: null }, 'cut', 'cut'];
  const { up, until, states } = upload(server);
  up.grown(9 * STEP + 1);
  up.end();
  await until('done');
  assert.equal(server.has, 9 * STEP + 1);
  assert.ok(states.some((s) => s.phase === 'retrying' && s.problem?.includes('cannot be reached')));
  assert.ok(server.seen.includes('bytes */*'), 'it asks how far the server is');
});

test('the last answer is lost: asked, it is complete', async () => {
  const server = new FakeServer();
  const { up, until } = upload(server);
  server.trouble = ['cut'];
  up.grown(10);
  up.end();
  await until('done');
  assert.deepEqual(server.seen, ['bytes 0-9/10', 'bytes */*']);
});

test('a server of another name that does not let a page read how far it is', async () => {
  const server = new FakeServer();
  server.silent = true;
  const { up, until } = upload(server);
  up.grown(9 * STEP + 1);
  up.end();
  await until('done');
  assert.equal(server.has, 9 * STEP + 1);
  assert.equal(server.lost.length, 1);
});

test('resumed: where the server is, not where the journal thought', async () => {
  const server = new FakeServer();
  await server.create(null);
  server.has = 2 * STEP;
  const { up, until } = upload(server, { uploadUrl: '/upload/1', acked: STEP });
  up.grown(3 * STEP);
  up.end();
  await until('done');
  assert.deepEqual(server.seen, ['bytes */*', `bytes ${2 * STEP}-${3 * STEP - 1}/${3 * STEP}`]);
  assert.equal(server.made, 1);
});

test('an upload that is gone, or has more than there is, is begun anew', async () => {
  const gone = new FakeServer();
  gone.trouble = [{ status: 404, range: null, message: null }];
  const one = upload(gone, { uploadUrl: '/upload/old', acked: STEP });
  one.up.grown(9);
  one.up.end();
  await one.until('done');
  assert.deepEqual(gone.seen, ['bytes */*', 'bytes 0-8/9']);
  assert.deepEqual(gone.lost, ['/upload/old'], 'not the same one again');
  const ahead = new FakeServer();
  await ahead.create(null);
  ahead.has = 50;
  const two = upload(ahead, { uploadUrl: '/upload/1', acked: 50 });
  two.up.grown(9);
  two.up.end();
  await two.until('done');
  assert.deepEqual([ahead.made, ahead.total], [2, 9]);
  const never = new FakeServer();
  never.trouble = Array.from({ length: 20 }, () => ({ status: 404, range: null, message: null }));
  const three = upload(never);
  three.up.grown(9);
  three.up.end();
  await three.until('stopped');
});

test('a refusal stops it, in the server’s words; trying again is up to the person', async () => {
  const server = new FakeServer();
  server.refuse = new ApiError(404, 'not_found', 'There is no such stream.');
  const { up, until, last } = upload(server);
  up.grown(9);
  up.end();
  await until('stopped');
  assert.equal(last()?.problem, 'There is no such stream.');
  server.refuse = null;
  server.trouble = [{ status: 413, range: null, message: 'It is too large.' }];
  up.retry();
  await settle();
  await until('stopped');
  assert.equal(last()?.problem, 'It is too large.');
  up.retry();
  await until('done');
});

test('held: the live stream goes first; the end does not wait', async () => {
  const server = new FakeServer();
  const { up, until } = upload(server);
  up.hold(true);
  up.grown(9 * STEP);
  await until('held');
  const before = server.seen.length;
  up.grown(20 * STEP);
  await settle();
  assert.deepEqual(server.seen.length, before);
  up.end();
  await until('done');
});

// --- the recorder

class FakeMediaRecorder {
  static made: FakeMediaRecorder[] = [];
  state = 'inactive';
  ondataavailable: ((e: { data: Blob }) => void) | null = null;
  onerror: (() => void) | null = null;
  onstop: (() => void) | null = null;
  constructor(readonly mimeType: string) {
    if (mimeType.includes('64002A')) throw new DOMException('no', 'NotSupportedError');
    FakeMediaRecorder.made.push(this);
  }
  start() {
    this.state = 'recording';
  }
  stop() {
    this.state = 'inactive';
    this.give('end');
    this.onstop?.();
  }
  give(text: string) {
    this.ondataavailable?.({ data: new Blob([text]) });
  }
}

function recorderWith(handlers: RecorderHandlers, fed: unknown[] = []) {
  FakeMediaRecorder.made = [];
  return createRecorder(
    {
      supported: (t) => /64002A,opus|webm/.test(t),
      relay: () => ({ track: {} as MediaStreamTrack, set: (t) => fed.push(t), close: () => fed.push('closed') }),
      mixer: () => null,
      stream: () => ({}) as MediaStream,
      recorder: (_s, o) => new FakeMediaRecorder(o.mimeType ?? '') as unknown as MediaRecorder,
    },
    { video: 'cam' as unknown as MediaStreamTrack, audio: null },
    DEFAULT_QUALITY,
    handlers,
  );
}

test('a type that fails gives way to the next; tracks change under it', () => {
  const got: string[] = [];
  const ends: (string | null)[] = [];
  const fed: unknown[] = [];
  const r = recorderWith({ onPiece: (_b, type) => got.push(type), onEnd: (p) => ends.push(p) }, fed);
  const [first] = FakeMediaRecorder.made;
  assert.match(first?.mimeType ?? '', /webm;codecs=h264/);
  first?.onerror?.();
  const second = FakeMediaRecorder.made[1];
  assert.match(second?.mimeType ?? '', /vp9/);
  first?.give('late');
  second?.give('x');
  r.replace({ video: 'screen' as unknown as MediaStreamTrack, audio: null });
  r.stop();
  assert.deepEqual([got.length, ends, fed], [2, [null], ['cam', 'screen', 'closed']]);
});

test('one that the browser stops says so, once', () => {
  const ends: (string | null)[] = [];
  recorderWith({ onPiece() {}, onEnd: (p) => ends.push(p) });
  FakeMediaRecorder.made[0]?.give('x');
  FakeMediaRecorder.made[0]?.onerror?.();
  FakeMediaRecorder.made[0]?.onstop?.();
  assert.equal(ends.length, 1);
  assert.match(ends[0] ?? '', /stopped/);
});

// --- what lies in the browser

function kept(found: Found[] = [], locks: string[] = []) {
  const keepers: { sent: ToKeeper[]; hear(m: FromKeeper): void; closed: boolean }[] = [];
  const said: string[] = [];
  const ended: string[] = [];
  const store = createRecordings({
    keeper(on) {
      const k = { sent: [] as ToKeeper[], hear: on, closed: false };
      keepers.push(k);
      return { post: (m) => k.sent.push(m), close: () => (k.closed = true) };
    },
    origin: () => 'http://x',
    find: async () => found,
    locks: async () => locks,
    endStream: async (id) => ended.push(id),
    announce: (t) => said.push(t),
  });
  return { store, keepers, said, ended, found, locks };
}

test('what was left is offered to its owner, unless another tab has it', async () => {
  const other = { ...journal, id: 'r2', userId: 'u2' };
  const busy = { ...journal, id: 'r3', startedAt: 2000 };
  const { store, keepers, said, locks } = kept(
    [journal, other, busy].map((j) => ({ journal: journalLine(j), written: 10 })),
    [lockName('r3')],
  );
  await store.look('u1');
  assert.deepEqual(store.get().map((k) => [k.id, k.phase]), [['r3', 'elsewhere'], ['r1', 'left']]);
  locks.length = 0;
  await store.look('u1');
  assert.deepEqual(store.get().map((k) => k.phase), ['left', 'left']);
  store.resume('r1');
  assert.deepEqual(keepers[0]?.sent, [{ type: 'resume', origin: 'http://x', id: 'r1' }]);
  keepers[0]?.hear({ type: 'state', written: 10, upload: { phase: 'retrying', acked: 3, problem: 'No.' } });
  const k = () => store.get().find((o) => o.id === 'r1');
  assert.deepEqual([k()?.phase, k()?.acked, k()?.problem], ['retrying', 3, 'No.']);
  await store.look('u1');
  assert.equal(k()?.phase, 'retrying', 'a look does not disturb it');
  keepers[0]?.hear({ type: 'gone', uploaded: true });
  assert.deepEqual([k(), said.length, keepers[0]?.closed], [undefined, 1, true]);
  store.discard('r3');
  assert.deepEqual(keepers[1]?.sent.map((m) => m.type), ['resume', 'discard']);
  keepers[1]?.hear({ type: 'gone', uploaded: false });
  assert.equal(said.length, 1);
});

test('one without viewers that was cut off ends its stream', async () => {
  const { store, ended } = kept([{ journal: journalLine({ ...journal, only: true }), written: 10 }]);
  await store.look('u1');
  store.resume('r1');
  assert.deepEqual(ended, ['s1']);
});

// --- while broadcasting

async function recording({ able = null as NoRecorder | null, seconds = 100, bytes = 0 } = {}) {
  const studio = createStudio(new FakeMedia().world(), 'Tea');
  await studio.open();
  const { store: all, keepers } = kept();
  const made: { handlers: RecorderHandlers; stopped: boolean; tracks: unknown[] }[] = [];
  const now = { ms: 0 };
  let tick = () => {};
  const store = createRecording(
    {
      able: async () => able,
      limits: async () => ({ seconds, bytes }),
      recorder(tracks, _q, handlers) {
        const r = { handlers, stopped: false, tracks: [tracks.video] as unknown[] };
        made.push(r);
        return {
          replace: (t) => r.tracks.push(t.video),
          stop() {
            r.stopped = true;
            handlers.onEnd(null);
          },
        };
      },
      nowMs: () => now.ms,
      wallMs: () => 1,
      newId: () => `r${made.length}`,
      read: () => null,
      write: () => {},
      every(_ms, fn) {
        tick = fn;
        return () => {};
      },
    },
    all,
    studio,
    { userId: 'u1', streamId: 's1', title: 'Tea' },
  );
  await settle();
  return { store, studio, all, keepers, made, now, tick: () => tick() };
}

test('it begins with the broadcast, goes on through a lost line, and ends with it', async () => {
  const { store, made, keepers, studio, all } = await recording();
  store.see('starting');
  assert.equal(made.length, 0);
  store.see('live');
  made[0]?.handlers.onPiece(new Blob(['x']), 'video/mp4');
  store.see('recovering');
  store.see('live');
  assert.deepEqual([made.length, store.get().phase, all.get()[0]?.mime], [1, 'recording', 'video/mp4']);
  studio.setInset(false);
  await studio.toggleCamera();
  assert.equal(made[0]?.tracks.length, 2, 'another picture, the same recording');
  store.see('over');
  assert.ok(made[0]?.stopped);
  assert.deepEqual(keepers[0]?.sent.map((m) => m.type), ['start', 'piece', 'end']);
  assert.equal(all.get()[0]?.phase, 'uploading');
});

test('a broadcast that is gone on with is another recording', async () => {
  const { store, made } = await recording();
  for (const s of ['live', 'yielded', 'live'] as const) store.see(s);
  assert.equal(made.length, 2);
});

test('the limit: a warning before, then it ends and the broadcast goes on', async () => {
  const { store, made, now, tick } = await recording({ seconds: 100 });
  store.see('live');
  now.ms = 79_000;
  tick();
  assert.equal(store.get().warned, false);
  now.ms = 81_000;
  tick();
  assert.equal(store.get().warned, true);
  now.ms = 100_000;
  tick();
  assert.deepEqual([store.get().phase, made[0]?.stopped], ['limit', true]);
  store.see('recovering');
  store.see('live');
  assert.equal(made.length, 1, 'not again in the same broadcast');
});

test('no room, no recorder, not wanted', async () => {
  const full = await recording();
  full.store.see('live');
  full.made[0]?.handlers.onPiece(new Blob(['x']), 'video/mp4');
  full.keepers[0]?.hear({ type: 'full', written: 1 });
  full.tick();
  assert.equal(full.store.get().phase, 'full');
  const none = await recording({ able: 'no-recorder' });
  none.store.see('live');
  none.store.setOnly(true);
  assert.deepEqual([none.made.length, none.store.get().why, none.store.get().only], [0, 'no-recorder', false]);
  const off = await recording();
  off.store.setOn(false);
  off.store.see('live');
  assert.equal(off.made.length, 0);
  off.store.setOn(true);
  assert.equal(off.made.length, 1, 'also later');
  const nowhere = await recording();
  nowhere.store.see('live');
  nowhere.made[0]?.handlers.onPiece(new Blob(['x']), 'video/mp4');
  nowhere.keepers[0]?.hear({ type: 'failed', message: 'No.', elsewhere: false });
  nowhere.tick();
  assert.equal(nowhere.store.get().phase, 'broken');
});

test('record only: on its own word, whatever the broadcast’s situation', async () => {
  const { store, made, keepers } = await recording();
  store.setOnly(true);
  store.see('ready');
  assert.equal(made.length, 0);
  store.start();
  made[0]?.handlers.onPiece(new Blob(['x']), 'video/mp4');
  store.see('prepare');
  assert.equal(store.get().phase, 'recording');
  store.end();
  assert.deepEqual(keepers[0]?.sent.map((m) => m.type), ['start', 'piece', 'end']);
  assert.equal((keepers[0]?.sent[0] as Extract<ToKeeper, { type: 'start' }>).journal.only, true);
});
