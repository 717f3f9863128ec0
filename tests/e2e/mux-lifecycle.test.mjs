// SPDX-License-Identifier: MIT
// What a program written for Mux does from its first call to its last, with Mux's own client and nothing but the base
// URL changed: webhooks, a signing key, a broadcast, an upload, images, signed playback, lists, the end.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import test from 'node:test';
import Mux from '@mux/mux-node';
import { sample } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run, startServer, until } from './lib/server.mjs';
import { sql } from './lib/uploads.mjs';

test('a program written for Mux', async (t) => {
  const server = await startServer(t, { args: ['--webhook-allow-private'] });
  const made = await run(['token', 'create', '--json', '--data', server.dataDir]);
  const { TOKEN_ID: tokenId, TOKEN_SECRET: tokenSecret } = JSON.parse(made.stdout);
  const mux = new Mux({ baseURL: server.http, tokenId, tokenSecret });
  const { video, system } = mux;

  // Webhooks: every one is checked by the client's own code.
  const told = [];
  let secret;
  const receiver = http.createServer(async (req, res) => {
    let body = '';
    for await (const piece of req) body += piece;
    const event = await mux.webhooks.unwrap(body, req.headers, secret).catch((e) => ({ type: `bad: ${e.message}` }));
    told.push(event);
    res.end();
  });
  await new Promise((r) => receiver.listen(0, '127.0.0.1', r));
  t.after(() => receiver.close());
  const hook = await system.webhooks.create({ address: `http://127.0.0.1:${receiver.address().port}/`, enabled: true });
  secret = hook.signing_secret;
  const key = await system.signingKeys.create();

  // A broadcast.
  const live = await video.liveStreams.create({
    playback_policies: ['public'], reconnect_window: 5, passthrough: 'p',
    new_asset_settings: { playback_policies: ['public'] },
  });
  const page = `${server.http}/${live.playback_ids[0].id}.m3u8`;
  const encoder = await publishFfmpeg(t, `${server.rtmp}/app/${live.stream_key}`, { media: { seconds: 10 } });
  const active = await until('active', async () => {
    const s = await video.liveStreams.retrieve(live.id);
    return s.status === 'active' && s;
  }, 60_000);
  assert.equal((await fetch(page)).status, 200);
  await video.liveStreams.complete(live.id);
  assert.equal((await video.liveStreams.retrieve(live.id)).status, 'idle');
  await encoder.exited;
  const recording = await until('the recording is whole', async () => {
    const a = await video.assets.retrieve(active.active_asset_id);
    return a.is_live === false && a;
  }, 30_000);
  assert.ok(recording.duration > 0);

  // An upload.
  const file = await sample({ seconds: 10 });
  const upload = await video.uploads.create({ cors_origin: '*', new_asset_settings: { playback_policies: ['public'], passthrough: 'up' } });
  const put = await fetch(upload.url, { method: 'PUT', body: fs.readFileSync(file) });
  assert.ok(put.ok, `${put.status}`);
  const uploaded = await until('the upload is an asset', async () => {
    const u = await video.uploads.retrieve(upload.id);
    return u.status === 'asset_created' && u;
  }, 60_000);
  const asset = await until('it is ready', async () => {
    const a = await video.assets.retrieve(uploaded.asset_id);
    assert.notEqual(a.status, 'errored', JSON.stringify(a.errors));
    return a.status === 'ready' && a;
  }, 60_000);
  assert.equal(asset.passthrough, 'up');
  const [{ id }] = asset.playback_ids;
  for (const name of [`${id}.m3u8`, `${id}/thumbnail.jpg`, `${id}/storyboard.vtt`])
    assert.equal((await fetch(`${server.http}/${name}`)).status, 200, name);

  // Signed playback.
  const signed = await video.assets.createPlaybackId(asset.id, { policy: 'signed' });
  const token = await mux.jwt.signPlaybackId(signed.id, { keyId: key.id, keySecret: key.private_key, type: 'video' });
  const ask = async (query) => (await fetch(`${server.http}/${signed.id}.m3u8${query}`)).status;
  assert.equal(await ask(''), 403);
  assert.equal(await ask(`?token=${token}`), 200);
  assert.equal(await ask(`?token=${token.slice(0, -8)}AAAAAAAA`), 403);

  // Lists, and the end.
  const ids = [];
  for await (const a of video.assets.list({ limit: 1 })) ids.push(a.id);
  assert.deepEqual(ids, [asset.id, recording.id]);
  await video.assets.delete(asset.id);
  await video.liveStreams.delete(live.id);
  await system.signingKeys.delete(key.id);
  await assert.rejects(video.assets.retrieve(asset.id), Mux.NotFoundError);

  // What the receiver was told, for each object in order.
  await until('the last webhook', () => told.some((e) => e.type === 'video.live_stream.deleted'), 30_000);
  assert.deepEqual(told.filter((e) => e.type.startsWith('bad')), []);
  const of = (objectId) => [...new Map(told.filter((e) => e.object.id === objectId).map((e) => [e.id, e.type.replace('video.', '')])).values()];
  assert.deepEqual(of(live.id), [
    'live_stream.created', 'live_stream.connected', 'live_stream.recording', 'live_stream.active', 'live_stream.idle',
    'live_stream.deleted',
  ]);
  assert.deepEqual(of(recording.id), ['asset.created', 'asset.ready', 'asset.live_stream_completed']);
  await until('the asset was told of', () => of(asset.id).includes('asset.deleted'), 30_000);
  assert.deepEqual(of(asset.id), ['asset.created', 'asset.ready', 'asset.updated', 'asset.deleted']);
  assert.ok(of(upload.id).includes('upload.asset_created'), of(upload.id).join());
});

// For trying things out, free at Mux: five minutes of broadcast, and a day of recording. The times are made short in the database.
test('a test stream is disabled when its time is over, and its recording goes after a day', async (t) => {
  const server = await startServer(t);
  const made = await run(['token', 'create', '--json', '--data', server.dataDir]);
  const { TOKEN_ID: tokenId, TOKEN_SECRET: tokenSecret } = JSON.parse(made.stdout);
  const { video } = new Mux({ baseURL: server.http, tokenId, tokenSecret });
  await assert.rejects(video.liveStreams.create({ test: true, max_continuous_duration: 60 }), Mux.BadRequestError);
  const live = await video.liveStreams.create({ test: true, playback_policies: ['public'], new_asset_settings: { playback_policies: ['public'] } });
  assert.equal(live.test, true);
  assert.equal(live.max_continuous_duration, 300);
  sql(server, 'UPDATE live_streams SET max_duration_us = 4000000 WHERE id = ?', live.id);
  const url = `${server.rtmp}/app/${live.stream_key}`;
  const encoder = await publishFfmpeg(t, url, { media: { gop: 1 } });
  const over = await until('it is disabled', async () => {
    const s = await video.liveStreams.retrieve(live.id);
    return s.status === 'disabled' && s;
  });
  await encoder.exited;
  const [asset] = (await video.assets.list({ live_stream_id: over.id })).data;
  assert.equal(asset.test, true);
  const refused = await publishFfmpeg(t, url, { media: { gop: 1 } });
  await refused.exited;
  assert.equal((await video.assets.list({ live_stream_id: live.id })).data.length, 1, 'no other');
  sql(server, 'UPDATE assets SET created_at = created_at - 86400000000 WHERE id = ?', asset.id);
  await until('the recording has gone', () => video.assets.retrieve(asset.id).then(() => false, (e) => e instanceof Mux.NotFoundError));
  assert.equal(fs.existsSync(`${server.dataDir}/recordings/${asset.id}`), false, 'and its files');
  const told = sql(server, 'SELECT type FROM media_events WHERE object_id IN (?, ?) ORDER BY rowid', live.id, asset.id).map((e) => e.type);
  assert.ok(told.includes('video.live_stream.disabled') && told.includes('video.asset.deleted'), told.join());
  await video.liveStreams.enable(live.id);
  assert.equal((await video.liveStreams.retrieve(live.id)).status, 'idle');
});
