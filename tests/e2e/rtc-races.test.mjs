// SPDX-License-Identifier: MIT
// Publishers that come again, drop, are sent away, lose their key or their stream, while viewers come and
// go, some without a word. Run under ThreadSanitizer by `make tsan`; judged by that, by the end of the
// server, and by the viewers seeing something.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { request } from './lib/http.mjs';
import { pionPublish, pionSwarm, pionWatch } from './lib/pion.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { sleep, startServer } from './lib/server.mjs';

const VIEWERS = 4;
const SWARM_S = 5;

// What is done to a stream while it is watched; each ends with a publisher that publishes, or none.
const TURNS = {
  'a second publisher': async ({ publish }) => {
    await Promise.all([publish(), publish(), publish()]);
  },
  republish: async ({ publish, drop }) => {
    for (let i = 0; i < 3; i++) {
      await drop();
      await publish();
    }
  },
  'a new key': async ({ ada, stream, publish }) => {
    for (let i = 0; i < 2; i++) {
      stream.ingest = (await ada.expect(200, 'POST', `/api/streams/${stream.id}/reset-key`)).ingest ?? stream.ingest;
      await publish();
    }
  },
  end: async ({ ada, stream }) => {
    await ada.call('POST', `/api/streams/${stream.id}/end`);
  },
  'delete it': async ({ ada, stream }) => {
    await ada.call('DELETE', `/api/streams/${stream.id}`);
  },
};

const SOURCES = {
  WHIP: async (t, server, stream) => {
    const it = await pionPublish(t, `${server.http}/whip/${stream.ingest.streamKey}`);
    await it.line('status');
    return it.child;
  },
  RTMP: async (t, server, stream) => (await publishFfmpeg(t, `${server.rtmp}/live/${stream.ingest.streamKey}`, { media: { bframes: 0, gop: 1, audio: false } })).child,
};

async function round(t, server, ada, source, turn) {
  const stream = await ada.createStream();
  const children = [];
  const publish = async () => children.push(await SOURCES[source](t, server, stream));
  const drop = async () => children.pop()?.kill('SIGKILL');
  const whep = `${server.http}/whep/${stream.playback.playbackId}`;
  await publish();
  const swarm = await pionSwarm(t, whep, VIEWERS, SWARM_S);
  await sleep(1000); // a part of the case: some have come when the turn begins
  await TURNS[turn]({ ada, stream, publish, drop });
  for (let i = 0; i < 3; i++) await request(`${server.http}/${stream.playback.playbackId}.m3u8`);
  const seen = await swarm.line('came', { ms: 120_000 });
  children.forEach((c) => c.kill('SIGKILL'));
  return seen;
}

for (const source of Object.keys(SOURCES))
  test(`${source}: everything at once`, async (t) => {
    const server = await startServer(t, { args: ['--reconnect-window', '2s', '--loops', '3'] });
    const ada = await newUser(server);
    const all = { came: 0, refused: 0, saw: 0 };
    const turns = Object.keys(TURNS);
    for (const pair of [turns.slice(0, 2), turns.slice(2)])
      for (const seen of await Promise.all(pair.map((turn) => round(t, server, ada, source, turn))))
        for (const k of Object.keys(all)) all[k] += seen[k];
    t.diagnostic(JSON.stringify(all));
    assert.ok(all.came + all.refused > VIEWERS * turns.length, JSON.stringify(all));
    // And afterwards everything is as it was.
    const stream = await ada.createStream();
    await (await pionPublish(t, `${server.http}/whip/${stream.ingest.streamKey}`)).connected();
    await (await (await pionWatch(t, `${server.http}/whep/${stream.playback.playbackId}`)).connected()).untilWatching(50);
  });
