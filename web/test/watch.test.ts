// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { createClient } from '../src/api/client';
import type { Stream } from '../src/api/types';
import { createWatch, phaseOf } from '../src/store/watch';
import { FakeEvents } from './fake-events';
import { aStream, json, settle } from './fixtures';

test('every state of a stream has its phase', () => {
  const phases: [Partial<Stream>, string][] = [
    [{ status: 'CREATED' }, 'waiting'],
    [{ status: 'LIVE' }, 'live'],
    [{ status: 'LIVE', connected: true }, 'live'],
    [{ status: 'LIVE', connected: false }, 'reconnecting'],
    [{ status: 'ENDED', recordingStatus: 'READY', recordingUrl: '/r.m3u8' }, 'ended-recorded'],
    [{ status: 'ENDED', recordingStatus: 'READY', recordingUrl: null }, 'ended'],
    [{ status: 'ENDED', recordingStatus: 'RECORDING' }, 'ended-processing'],
    [{ status: 'ENDED', recordingStatus: 'NONE' }, 'ended'],
    [{ status: 'ENDED', recordingStatus: 'FAILED' }, 'ended'],
  ];
  for (const [part, phase] of phases) assert.equal(phaseOf(aStream(part)), phase, JSON.stringify(part));
});

/** A page that watches stream s1; `answer` is what the API says when it is asked. */
function watching(answer: () => Response | Promise<Response>) {
  const world = new FakeEvents();
  let asked = 0;
  const store = createWatch(
    createClient(async () => {
      asked++;
      return answer();
    }),
    's1',
    { clock: world },
  );
  return { store, world, asked: () => asked };
}

test('it starts by itself when the stream goes live, counts viewers, and ends', async () => {
  const { store, world } = watching(() => json(200, aStream()));
  await settle();
  assert.equal(store.get().phase, 'waiting');
  world.last.open();
  world.last.send('stream', JSON.stringify(aStream({ status: 'LIVE', connected: true })));
  assert.equal(store.get().phase, 'live');
  world.last.send('viewers', '{"count":12}');
  assert.equal(store.get().viewers, 12);
  world.last.send('warning', '{"code":"limit_near","message":"Two minutes left."}');
  assert.equal(store.get().warning, 'Two minutes left.');
  world.last.send('stream', JSON.stringify({ id: 's1', status: 'LIVE', connected: false }));
  assert.equal(store.get().phase, 'reconnecting');
  assert.equal(store.get().stream?.title, 'Tea', 'a part of the fields leaves the others');
  world.last.send('stream', JSON.stringify(aStream({ status: 'ENDED', recordingStatus: 'READY', recordingUrl: '/r.m3u8' })));
  assert.equal(store.get().phase, 'ended-recorded');
  assert.equal(store.get().warning, null, 'it was about the broadcast');
});

test('an answer that an event has overtaken changes nothing', async () => {
  const answers: ((r: Response) => void)[] = [];
  const { store, world } = watching(() => new Promise((done) => answers.push(done)));
  const answer = async (stream: Stream) => {
    answers.shift()?.(json(200, stream));
    await settle();
  };
  const early = aStream({ updatedAt: '2026-01-01T00:00:01.000Z' });
  world.last.open();
  world.last.send('stream', JSON.stringify(early)); // nothing is known yet: it will ask again
  await answer(early);
  world.last.send('stream', JSON.stringify(aStream({ status: 'LIVE', updatedAt: '2026-01-01T00:00:02.000Z' })));
  await answer(early); // asked before it went live, answered after
  assert.equal(store.get().phase, 'live');
});

test('an event without a state makes it ask', async () => {
  let stream = aStream();
  const { store, world, asked } = watching(() => json(200, stream));
  await settle();
  stream = aStream({ status: 'LIVE' });
  world.last.send('stream', '{"id":"s1"}');
  await settle();
  assert.equal(asked(), 2);
  assert.equal(store.get().phase, 'live');
});

test('after a gap it asks for what was missed', async () => {
  let stream = aStream({ status: 'LIVE' });
  const { store, world } = watching(() => json(200, stream));
  await settle();
  world.last.open();
  world.last.fail();
  assert.equal(store.get().online, false);
  assert.equal(store.get().phase, 'live', 'the picture stays');
  stream = aStream({ status: 'ENDED', recordingStatus: 'READY', recordingUrl: '/r.m3u8' });
  world.tick();
  world.last.open();
  await settle();
  assert.equal(store.get().online, true);
  assert.equal(store.get().phase, 'ended-recorded');
});

test('no such stream, a deleted one', async () => {
  const missing = watching(() => json(404, { error: { code: 'not_found', message: 'no' } }));
  await settle();
  assert.equal(missing.store.get().phase, 'not-found');

  const gone = watching(() => json(200, aStream({ status: 'LIVE' })));
  await settle();
  gone.world.last.send('stream', '{"deleted":true}');
  assert.equal(gone.store.get().phase, 'deleted');
});

test('a stream that went while the line was down is not waited for', async () => {
  let gone = false;
  const { store, world } = watching(() => (gone ? json(404, {}) : json(200, aStream())));
  await settle();
  world.last.open();
  gone = true;
  world.last.fail();
  world.tick();
  world.last.fail();
  await settle();
  assert.equal(store.get().phase, 'deleted');
});

test('a server that is away at first is asked again until it is there', async () => {
  let up = false;
  const { store, world } = watching(() => (up ? json(200, aStream()) : Promise.reject(new TypeError('refused'))));
  await settle();
  assert.equal(store.get().phase, 'error');
  assert.ok(store.get().error);
  up = true;
  world.tick();
  await settle();
  assert.equal(store.get().phase, 'waiting');
  assert.equal(store.get().error, null);
});

test("the owner's key survives an event that everybody gets", async () => {
  const ingest = { rtmpUrl: 'rtmp://x/live', streamKey: 'k' };
  const { store, world } = watching(() => json(200, aStream({ ingest })));
  await settle();
  world.last.send('stream', JSON.stringify(aStream({ status: 'LIVE' })));
  assert.deepEqual(store.get().stream?.ingest, ingest);
});
