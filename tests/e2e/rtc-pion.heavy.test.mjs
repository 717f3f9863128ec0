// SPDX-License-Identifier: MIT
// pion at either end: over lines that lose, delay and reorder, over IPv6, through coturn, restarting ICE.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { request } from './lib/http.mjs';
import { coturn, iceServers, pionPublish, pionWatch } from './lib/pion.mjs';
import { startServer, until } from './lib/server.mjs';
import { badLine } from './lib/webrtc.mjs';

async function begin(t, options) {
  const server = await startServer(t, options);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  return { server, ada, stream, whip: `${server.http}/whip/${stream.ingest.streamKey}`, whep: `${server.http}/whep/${stream.playback.playbackId}` };
}

test('pion publishes and watches; ICE is restarted on both', async (t) => {
  const { server, ada, stream, whip, whep } = await begin(t);
  const from = await (await pionPublish(t, whip)).connected();
  const to = await (await pionWatch(t, whep)).connected();
  await to.untilWatching();
  for (const peer of [to, from]) {
    assert.equal((await peer.say('restart', 'restart')).restart, 200);
    await to.untilWatching(); // also while the new pair is being found
  }
  assert.equal(await to.close(), 200);
  const { session } = to.has('session');
  assert.equal((await request(session, { method: 'DELETE' })).status, 404);
  await ada.untilLive(stream.id);
  assert.equal(await from.close(), 200);
  assert.doesNotMatch(server.log, /why=timeout/);
});

test('over lines that lose, delay and reorder', async (t) => {
  const { server, whip, whep } = await begin(t);
  const line = { loss: 0.05, delayMs: 20, jitterMs: 20 };
  const [up, down] = [await badLine(t, server.webrtcPort, line), await badLine(t, server.webrtcPort, { ...line, seed: 7 })];
  await (await pionPublish(t, whip, '-via', up.port)).connected();
  const to = await (await pionWatch(t, whep, '-via', down.port)).connected();
  await to.untilWatching(300);
  assert.ok(up.lost > 5 && down.lost > 5);
});

test('over IPv6, and from the address that was asked', async (t) => {
  const { server, whip, whep } = await begin(t, { args: ['--webrtc', '[::1]:0'] });
  assert.match(server.stdout, /webrtc=udp:\/\/\[::1\]:\d+/);
  await (await pionPublish(t, whip, '-six')).connected();
  const to = await (await pionWatch(t, whep, '-six')).connected();
  await to.untilWatching();
});

test('a viewer whose address changes goes on', async (t) => {
  const { server, whip, whep } = await begin(t);
  const line = await badLine(t, server.webrtcPort);
  await (await pionPublish(t, whip)).connected();
  const to = await (await pionWatch(t, whep, '-via', line.port)).connected();
  await to.untilWatching();
  line.rebind();
  await to.untilWatching();
});

test('through coturn, with a credential that expires, and by nothing else', async (t) => {
  const turn = await coturn(t, 'between us');
  const { server, stream, whip, whep } = await begin(t, { args: ['--ice-servers', `stun:${turn.url.slice(5).split('?')[0]},${turn.url}`, '--turn-secret', 'between us', '--turn-ttl', '10m'] });
  const ask = async (url, headers = {}) => request(url, { method: 'OPTIONS', headers });
  const links = (answer) => iceServers([answer.headers.link].flat().join(', '));
  // A preflight is told nothing, a stranger only what is free.
  assert.equal((await ask(whip, { 'Access-Control-Request-Method': 'POST' })).headers.link, undefined);
  assert.deepEqual(links(await ask(`${server.http}/whip`)).map((s) => s.urls[0].slice(0, 5)), ['stun:']);
  assert.deepEqual(links(await ask(`${server.http}/whip/wrong`)).map((s) => s.urls[0].slice(0, 5)), ['stun:']);
  assert.equal(links(await ask(`${server.http}/whep/wrong`)).length, 1);
  const bearer = { Authorization: `Bearer ${stream.ingest.streamKey}` };
  for (const answer of [await ask(whip), await ask(`${server.http}/whip`, bearer), await ask(whep)]) {
    const [stun, relay] = links(answer);
    assert.ok(!stun.username && relay.urls[0] === turn.url);
    const left = Number(relay.username.split(':')[0]) - Date.now() / 1000;
    assert.ok(left > 540 && left <= 600, relay.username);
  }
  const servers = JSON.stringify(links(await ask(whip)).filter((s) => s.username));
  await (await pionPublish(t, whip, '-servers', servers, '-relay')).connected();
  const to = await (await pionWatch(t, whep, '-servers', servers, '-relay')).connected();
  const seen = await to.untilWatching();
  assert.equal(seen.by, 'relay');
  await until('coturn says so', () => /ALLOCATE processed, success/.test(turn.log));
});
