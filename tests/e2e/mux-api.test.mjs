// SPDX-License-Identifier: MIT
// The Mux-compatible API with Mux's own client: a live stream's whole life, lists that end, and what is refused.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import Mux from '@mux/mux-node';
import { newUser } from './lib/api.mjs';
import { load, open } from './lib/hls.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run, startServer, tempDir, until } from './lib/server.mjs';

// What webhooks are told, oldest first.
function events(server) {
  const rows = execFileSync('sqlite3', [
    '-readonly', '-json', path.join(server.dataDir, 'bspnode.db'),
    'SELECT type, object_id AS id, data FROM media_events ORDER BY created_at, rowid',
  ], { encoding: 'utf8' });
  return JSON.parse(rows || '[]').map((e) => ({ type: e.type.replace(/^video\./, ''), id: e.id, data: JSON.parse(e.data) }));
}
async function token(server, ...args) {
  const made = await run(['token', 'create', '--json', '--data', server.dataDir, ...args]);
  assert.equal(made.code, 0, made.stderr);
  return JSON.parse(made.stdout);
}
const client = (server, t, more = {}) =>
  new Mux({ baseURL: server.http, tokenId: t.TOKEN_ID, tokenSecret: t.TOKEN_SECRET, ...more });

test('the Mux-compatible API', async (t) => {
  const server = await startServer(t, { args: ['--reconnect-window', '30s'] });
  const ada = await newUser(server, 'Ada');
  const mine = await token(server, '--name', 'CI', '--email', ada.email);
  const bob = client(server, await token(server, '--email', (await newUser(server, 'Bob')).email));
  let asked = 0; // requests of mux, with those that are sent again
  const mux = client(server, mine, { fetch: (...a) => (asked++, fetch(...a)) });

  const playlist = (id) => fetch(`${server.http}/${id}.m3u8`);

  await t.test('tokens', async (t) => {
    await t.test('whoami', async () => {
      const me = await mux.system.utilities.whoami();
      assert.equal(me.access_token_name, 'CI');
      assert.ok(me.environment_id && me.permissions.length);
    });
    await t.test('a wrong one is told so, once', async () => {
      let calls = 0;
      const wrong = client(server, { ...mine, TOKEN_SECRET: 'x' }, { fetch: (...a) => (calls++, fetch(...a)) });
      await assert.rejects(wrong.video.liveStreams.list(), Mux.AuthenticationError);
      assert.equal(calls, 1);
    });
    await t.test('also speaks the product API, as a bearer', async () => {
      const authorization = `Bearer ${mine.TOKEN_ID}:${mine.TOKEN_SECRET}`;
      const answer = await fetch(`${server.http}/api/me`, { headers: { authorization } });
      assert.equal((await answer.json()).user.email, ada.email);
    });
    await t.test('one that is deleted is nobody', async () => {
      const t = await token(server, '--email', ada.email);
      assert.equal((await run(['token', 'delete', t.TOKEN_ID, '--data', server.dataDir])).code, 0);
      await assert.rejects(client(server, t).video.liveStreams.list(), Mux.AuthenticationError);
      const list = await run(['token', 'list', '--json', '--data', server.dataDir]);
      assert.ok(!list.stdout.includes(t.TOKEN_ID) && list.stdout.includes(mine.TOKEN_ID));
    });
  });

  await t.test('a live stream', async (t) => {
    let live, asset;
    const get = () => mux.video.liveStreams.retrieve(live.id);
    const publish = (t) => publishFfmpeg(t, `${server.rtmp}/app/${live.stream_key}`, { media: { seconds: 10 } });

    await t.test('is made, once', async () => {
      asked = 0;
      live = await mux.video.liveStreams.create({
        playback_policies: ['public'],
        new_asset_settings: { playback_policies: ['public', 'signed'], passthrough: 'rec-1', meta: { title: 'Recorded' } },
        reconnect_window: 20,
        passthrough: 'order-7',
        meta: { title: 'Tea at five' },
      });
      assert.equal(asked, 1);
      assert.match(live.created_at, /^\d{10}$/);
      assert.equal(live.status, 'idle');
      assert.equal(live.reconnect_window, 20);
      assert.equal(live.latency_mode, 'standard');
      assert.deepEqual(live.playback_ids.map((p) => p.policy), ['public']);
      assert.deepEqual(live.new_asset_settings.playback_policies, ['public', 'signed']);
      assert.equal((await playlist(live.playback_ids[0].id)).status, 412);
      const product = await ada.expect(200, 'GET', '/api/streams?mine=1');
      assert.ok(product.streams.some((s) => s.title === 'Tea at five'), 'the same stream, the other view');
    });

    await t.test('an encoder comes, and it is active with an asset that plays', async (t) => {
      const publisher = await publish(t);
      const now = await until('active', async () => {
        const s = await get();
        return s.status === 'active' && s;
      }, 60_000);
      assert.equal(now.active_ingest_protocol, 'rtmp');
      asset = await mux.video.assets.retrieve(now.active_asset_id);
      assert.equal(asset.status, 'ready');
      assert.equal(asset.is_live, true);
      assert.equal(asset.live_stream_id, live.id);
      assert.equal(asset.passthrough, 'rec-1');
      assert.equal(asset.meta.title, 'Recorded');
      assert.equal(asset.progress.state, 'live');
      assert.equal((await playlist(live.playback_ids[0].id)).status, 200);
      const open = asset.playback_ids.find((p) => p.policy === 'public');
      assert.equal((await playlist(open.id)).status, 200);
      // A second id of the same live stream leads to the same broadcast.
      const more = await mux.video.liveStreams.createPlaybackId(live.id, { policy: 'public' });
      assert.equal((await playlist(more.id)).status, 200);
      await mux.video.liveStreams.deletePlaybackId(live.id, more.id);
      await until('it leads nowhere', async () => (await playlist(more.id)).status === 404);
      await assert.rejects(mux.video.assets.delete(asset.id), Mux.BadRequestError);
      await assert.rejects(mux.video.liveStreams.update(live.id, { latency_mode: 'low' }), Mux.BadRequestError);
      await assert.rejects(
        mux.video.liveStreams.createSimulcastTarget(live.id, { url: 'rtmp://x.example/app' }), Mux.BadRequestError);
      // The encoder goes, and is back in time: the same asset.
      await publisher.kill();
      await until('disconnected', () => events(server).some((e) => e.type === 'live_stream.disconnected'), 30_000);
      assert.equal((await get()).status, 'active');
      await publish(t);
      await until('back', () => events(server).filter((e) => e.type === 'live_stream.connected').length === 2, 30_000);
      assert.equal((await get()).active_asset_id, asset.id);
      asked = 0;
      await mux.video.liveStreams.complete(live.id);
      assert.equal(asked, 1);
      const idle = await get();
      assert.equal(idle.status, 'idle', 'at once');
      assert.equal(idle.active_asset_id, undefined);
      assert.deepEqual(idle.recent_asset_ids, [asset.id]);
    });

    await t.test('its recording is whole', async () => {
      const done = await until('the recording is closed', async () => {
        const a = await mux.video.assets.retrieve(asset.id);
        return a.is_live === false && a;
      }, 30_000);
      assert.equal(done.status, 'ready');
      assert.ok(done.duration > 0.5);
      assert.equal(done.aspect_ratio, '16:9');
      assert.deepEqual(done.tracks.map((x) => x.type), ['video', 'audio']);
      assert.equal(done.progress.state, 'completed');
      const found = await mux.video.playbackIds.retrieve(done.playback_ids[0].id);
      assert.deepEqual(found.object, { id: asset.id, type: 'asset' });
      assert.equal((await mux.video.playbackIds.retrieve(live.playback_ids[0].id)).object.type, 'live_stream');
    });

    await t.test('was told of in the order of its life', () => {
      const told = events(server).filter((e) => e.id === live.id || e.id === asset.id);
      const types = told.map((e) => e.type);
      const order = [
        'live_stream.created', 'live_stream.connected', 'asset.created', 'live_stream.recording', 'live_stream.active',
        'asset.ready', 'live_stream.disconnected', 'live_stream.connected', 'live_stream.recording', 'live_stream.idle',
        'asset.live_stream_completed',
      ];
      assert.deepEqual(types.filter((x) => x !== 'live_stream.updated'), order);
      const at = (type) => told.find((e) => e.type === type).data;
      assert.equal(typeof at('live_stream.created').created_at, 'number');
      assert.equal(at('live_stream.connected').connected, true);
      assert.equal(at('live_stream.connected').active_asset_id, asset.id);
      assert.equal(at('live_stream.recording').status, 'idle');
      assert.equal(at('live_stream.active').status, 'active');
      assert.equal(at('live_stream.idle').active_asset_id, asset.id);
      assert.equal(at('asset.ready').is_live, true);
      assert.ok(at('asset.live_stream_completed').duration > 0);
    });

    await t.test('takes the next broadcast, and is cut off by disable', async (t) => {
      const publisher = await publish(t);
      const now = await until('active again', async () => {
        const s = await get();
        return s.status === 'active' && s;
      }, 60_000);
      assert.notEqual(now.active_asset_id, asset.id);
      await mux.video.liveStreams.disable(live.id);
      assert.equal((await get()).status, 'disabled');
      await publisher.exited;
      const refused = await publish(t);
      await refused.exited;
      await mux.video.liveStreams.enable(live.id);
      await until('both recordings', async () => (await get()).recent_asset_ids.length === 2);
      assert.equal((await get()).status, 'idle');
      const types = events(server).map((e) => e.type);
      assert.ok(types.includes('live_stream.disabled') && types.includes('live_stream.enabled'));
    });

    await t.test('gets another key, other words, targets', async () => {
      const fresh = await mux.video.liveStreams.resetStreamKey(live.id);
      assert.notEqual(fresh.stream_key, live.stream_key);
      assert.deepEqual((await mux.video.liveStreams.list({ stream_key: live.stream_key })).data, []);
      assert.equal((await mux.video.liveStreams.list({ stream_key: fresh.stream_key })).data[0].id, live.id);
      const changed = await mux.video.liveStreams.update(live.id, {
        passthrough: '', latency_mode: 'low', max_continuous_duration: 120, meta: { title: 'Supper' },
        new_asset_settings: { master_access: 'temporary' },
      });
      assert.equal(changed.passthrough, undefined);
      assert.equal(changed.latency_mode, 'low');
      assert.equal(changed.max_continuous_duration, 120);
      assert.equal(changed.new_asset_settings.master_access, 'temporary');
      assert.deepEqual(changed.new_asset_settings.playback_policies, ['public', 'signed'], 'as it was');
      const target = await mux.video.liveStreams.createSimulcastTarget(live.id, {
        url: 'rtmp://elsewhere.example/app', stream_key: 'k', passthrough: 'p' });
      assert.equal(target.status, 'idle');
      assert.deepEqual(await mux.video.liveStreams.retrieveSimulcastTarget(live.id, target.id), target);
      assert.deepEqual((await get()).simulcast_targets, [target]);
      await mux.video.liveStreams.deleteSimulcastTarget(live.id, target.id);
      await assert.rejects(mux.video.liveStreams.retrieveSimulcastTarget(live.id, target.id), Mux.NotFoundError);
      const renditions = await mux.video.liveStreams.updateNewAssetSettingsStaticRenditions(live.id, {
        static_renditions: [{ resolution: 'highest' }] });
      assert.deepEqual(renditions.new_asset_settings.static_renditions, [{ resolution: 'highest' }]);
      await mux.video.liveStreams.deleteNewAssetSettingsStaticRenditions(live.id);
    });

    await t.test('an asset is changed, and deleted with what it has', async () => {
      const changed = await mux.video.assets.update(asset.id, { passthrough: 'x', thumbnail_time: 1.5, meta: { creator_id: 'c' } });
      assert.equal(changed.passthrough, 'x');
      assert.equal(changed.thumbnail_time, 1.5);
      assert.deepEqual(changed.meta, { creator_id: 'c' });
      const open = asset.playback_ids.find((p) => p.policy === 'public');
      assert.equal((await playlist(open.id)).status, 200);
      await mux.video.assets.delete(asset.id);
      await assert.rejects(mux.video.assets.retrieve(asset.id), Mux.NotFoundError);
      await until('it does not play', async () => (await playlist(open.id)).status === 404);
      assert.ok(events(server).some((e) => e.type === 'asset.deleted' && e.id === asset.id));
    });

    await t.test('is deleted; its recordings stay', async () => {
      const [kept] = (await get()).recent_asset_ids;
      await mux.video.liveStreams.delete(live.id);
      await assert.rejects(get(), Mux.NotFoundError);
      assert.equal((await mux.video.assets.retrieve(kept)).live_stream_id, live.id);
      assert.equal(events(server).filter((e) => e.type === 'live_stream.deleted').length, 1);
    });
  });

  await t.test('a private one', async (t) => {
    const live = await mux.video.liveStreams.create({ reconnect_window: 0, meta: { title: 'Just us' } });
    const find = async () => (await ada.expect(200, 'GET', '/api/streams?mine=1')).streams.find((s) => s.title === 'Just us');
    const publisher = await publishFfmpeg(t, `${server.rtmp}/app/${live.stream_key}`, { media: { seconds: 10 } });
    const now = await until('active', async () => {
      const s = await mux.video.liveStreams.retrieve(live.id);
      return s.status === 'active' && s;
    }, 60_000);

    await t.test('is in the product too, without what plays it, and not in the lobby', async () => {
      const seen = await find();
      assert.equal(seen.status, 'LIVE');
      assert.equal(seen.playback, null);
      assert.equal(seen.recordingUrl, null);
      const lobby = await ada.expect(200, 'GET', '/api/streams');
      assert.ok(!lobby.streams.some((s) => s.id === seen.id));
      assert.deepEqual((await mux.video.assets.retrieve(now.active_asset_id)).playback_ids, []);
    });

    await t.test('without a window ends with its encoder, and is told of in that order', async () => {
      await publisher.kill();
      await until('closed', () => events(server).some((e) => e.type === 'asset.live_stream_completed' && e.id === now.active_asset_id), 30_000);
      const types = events(server).filter((e) => e.id === live.id || e.id === now.active_asset_id).map((e) => e.type);
      assert.deepEqual(types.slice(-3), ['live_stream.disconnected', 'live_stream.idle', 'asset.live_stream_completed']);
      const over = await find();
      assert.equal(over.status, 'ENDED');
      assert.equal(over.endedReason, 'encoder', 'it may come back');
    });

    await t.test('gets an id for its recording later', async () => {
      const p = await mux.video.assets.createPlaybackId(now.active_asset_id, { policy: 'public' });
      assert.equal((await playlist(p.id)).status, 200);
      assert.equal((await find()).recordingUrl, `${server.http}/${p.id}.m3u8`);
    });

    await t.test('is deleted while it is live: the encoder is cut off, the recording is kept', async (t) => {
      const again = await publishFfmpeg(t, `${server.rtmp}/app/${live.stream_key}`, { media: { seconds: 10 } });
      const active = await until('active', async () => (await mux.video.liveStreams.retrieve(live.id)).active_asset_id, 60_000);
      await until('it plays', async () => (await mux.video.assets.retrieve(active)).status === 'ready', 60_000);
      await mux.video.liveStreams.delete(live.id);
      await again.exited;
      await until('closed', async () => (await mux.video.assets.retrieve(active)).is_live === false, 30_000);
      assert.equal(await find(), undefined);
    });
  });

  await t.test('lists', async (t) => {
    await t.test('of live streams end', async () => {
      const made = [];
      for (let i = 0; i < 5; i++) made.push((await mux.video.liveStreams.create({ passthrough: `n${i}` })).id);
      const seen = [];
      asked = 0;
      for await (const s of mux.video.liveStreams.list({ limit: 2 })) seen.push(s.id);
      assert.deepEqual(seen.slice(0, 5), made.reverse(), 'newest first');
      assert.equal(asked, Math.ceil(seen.length / 2) + 1);
      assert.deepEqual((await mux.video.liveStreams.list({ page: 900 })).data, []);
      assert.ok((await mux.video.liveStreams.list({ status: 'idle' })).data.length >= 5);
      assert.deepEqual((await mux.video.liveStreams.list({ status: 'disabled' })).data, []);
    });
    await t.test('of assets end, by cursor, and can be filtered', async () => {
      const seen = [];
      for await (const a of mux.video.assets.list({ limit: 1 })) seen.push(a.id);
      assert.equal(new Set(seen).size, seen.length);
      assert.ok(seen.length >= 1);
      const [one] = (await mux.video.assets.list({ limit: 1 })).data;
      const of = await mux.video.assets.list({ live_stream_id: one.live_stream_id });
      assert.ok(of.data.every((a) => a.live_stream_id === one.live_stream_id));
      assert.ok(!of.next_cursor);
      assert.deepEqual((await mux.video.assets.list({ upload_id: 'none' })).data, []);
    });
    await t.test("hold the product's own streams too", async () => {
      const own = await ada.createStream({ title: 'By hand' });
      const found = (await mux.video.liveStreams.list({ stream_key: own.ingest.streamKey })).data[0];
      assert.deepEqual(found.meta, { title: 'By hand' });
      assert.equal(found.playback_ids[0].id, own.playback.playbackId);
    });
  });

  await t.test('what is refused', async (t) => {
    const { BadRequestError, NotFoundError } = Mux;
    await t.test("another's objects are not there", async () => {
      const theirs = await mux.video.liveStreams.create({ playback_policies: ['public'] });
      const pid = theirs.playback_ids[0].id;
      for (const ask of [
        () => bob.video.liveStreams.retrieve(theirs.id),
        () => bob.video.liveStreams.update(theirs.id, { passthrough: 'x' }),
        () => bob.video.liveStreams.delete(theirs.id),
        () => bob.video.liveStreams.complete(theirs.id),
        () => bob.video.liveStreams.createPlaybackId(theirs.id, { policy: 'public' }),
        () => bob.video.playbackIds.retrieve(pid),
        () => mux.video.liveStreams.retrieve('unknown'),
        () => mux.video.liveStreams.retrievePlaybackId(theirs.id, 'unknown'),
        () => mux.video.assets.retrieve('unknown'),
      ])
        await assert.rejects(ask, NotFoundError);
      assert.deepEqual((await bob.video.liveStreams.list()).data, []);
    });

    await t.test('bad values, by name and once', async () => {
      const bad = {
        passthrough: ['x'.repeat(256), 7],
        reconnect_window: [-1, 1801, 'x'],
        max_continuous_duration: [59, 43201, 60.5],
        latency_mode: ['turbo'],
        playback_policies: [['drm'], ['open'], 5],
        meta: [[], { title: 'x'.repeat(513) }, { title: 1 }],
        new_asset_settings: [1, { playback_policies: ['x'] }, { static_renditions: [{ resolution: 'highest' }, { resolution: '720p' }] }],
        simulcast_targets: [[{}], [{ url: 'http://x.example' }], Array(7).fill({ url: 'rtmp://x.example' })],
      };
      const before = (await mux.video.liveStreams.list()).data.length;
      for (const [name, values] of Object.entries(bad))
        for (const value of values) {
          asked = 0;
          await assert.rejects(mux.video.liveStreams.create({ [name]: value }), (e) => {
            assert.ok(e instanceof BadRequestError, `${name} ${JSON.stringify(value).slice(0, 60)}: ${e.message}`);
            assert.equal(e.error.error.type, 'invalid_parameters');
            assert.equal(e.error.error.messages.length, 1);
            return true;
          });
          assert.equal(asked, 1);
        }
      assert.equal((await mux.video.liveStreams.list()).data.length, before, 'nothing was made');
    });

    await t.test('bodies, ids, cursors and paths that are none', async () => {
      const authorization = `Basic ${Buffer.from(`${mine.TOKEN_ID}:${mine.TOKEN_SECRET}`).toString('base64')}`;
      const send = async (status, method, target, body) => {
        const answer = await fetch(server.http + target, { method, body, headers: { authorization, 'content-type': 'application/json' } });
        assert.equal(answer.status, status, `${method} ${target}`);
        assert.match(answer.headers.get('content-type'), /^application\/json/);
        assert.ok(answer.headers.get('x-request-id'));
        return answer.json();
      };
      await send(400, 'POST', '/video/v1/live-streams', '{');
      await send(400, 'POST', '/video/v1/live-streams', '[]');
      await send(400, 'POST', '/video/v1/live-streams', '['.repeat(100));
      await send(400, 'GET', '/video/v1/live-streams/with%20space');
      await send(400, 'GET', `/video/v1/live-streams/${'x'.repeat(65)}`);
      await send(400, 'GET', '/video/v1/live-streams?page=0');
      await send(400, 'GET', '/video/v1/live-streams?limit=-1');
      await send(400, 'GET', '/video/v1/live-streams?status=sleepy');
      await send(400, 'GET', '/video/v1/assets?cursor=what');
      await send(400, 'GET', `/video/v1/assets?live_stream_id=${'x'.repeat(300)}`);
      await send(404, 'GET', '/video/v1/nothing');
      await send(404, 'PUT', '/system/v1/whoami');
      await send(201, 'POST', '/video/v1/live-streams');
    });
  });
});

test('what is delivered is counted', async (t) => {
  const dataDir = tempDir(t);
  const first = await startServer(t, { dataDir });
  const access = await token(first);
  const api = client(first, access).video;
  assert.deepEqual((await api.deliveryUsage.list()).data, []);
  const live = await api.liveStreams.create({ playback_policies: ['public'], new_asset_settings: { playback_policies: ['public'] } });
  const publisher = await publishFfmpeg(t, `${first.rtmp}/app/${live.stream_key}`, { media: { seconds: 6 }, once: true });
  await publisher.exited;
  await api.liveStreams.complete(live.id);
  const asset = await until('the recording', async () => {
    const [a] = (await api.assets.list({ live_stream_id: live.id })).data;
    return a?.is_live === false && a;
  }, 30_000);
  const { all } = await open(`${first.http}/${asset.playback_ids[0].id}.m3u8`);
  let video = 0;
  for (const url of all) {
    const media = parseMedia(await load(url));
    for (const s of media.segments) await (await fetch(new URL(s.uri, url))).arrayBuffer();
    if (/\/v0/.test(url)) video = media.segments.reduce((sum, s) => sum + s.duration, 0);
  }
  await first.stop(); // what is counted is written now and then, and at the end
  const second = await startServer(t, { dataDir });
  const usage = [];
  for await (const r of client(second, access).video.deliveryUsage.list({ limit: 1, timeframe: [`${Math.floor(Date.now() / 1000) - 3600}`, `${Math.floor(Date.now() / 1000) + 10}`] }))
    usage.push(r);
  assert.equal(usage.length, 1);
  assert.equal(usage[0].asset_id, asset.id);
  assert.ok(Math.abs(usage[0].delivered_seconds - video) < 0.1, `${usage[0].delivered_seconds} of ${video}`);
  assert.deepEqual(Object.keys(usage[0].delivered_seconds_by_resolution), ['tier_720p']);
  const other = client(second, access).video;
  assert.deepEqual((await other.deliveryUsage.list({ asset_id: 'none' })).data, []);
  await assert.rejects(other.deliveryUsage.list({ timeframe: ['2', '1'] }), Mux.BadRequestError);
});

test('after kill -9 the end is told', async (t) => {
  const dataDir = tempDir(t);
  const first = await startServer(t, { dataDir });
  await newUser(first, 'Ada');
  const access = await token(first);
  const live = await client(first, access).video.liveStreams.create({ new_asset_settings: { playback_policy: 'public' } });
  await publishFfmpeg(t, `${first.rtmp}/app/${live.stream_key}`, { media: { seconds: 10 } });
  await until('active', () => events(first).some((e) => e.type === 'asset.ready'), 60_000);
  await first.kill();
  const second = await startServer(t, { dataDir });
  const now = await client(second, access).video.liveStreams.retrieve(live.id);
  assert.equal(now.status, 'idle');
  assert.equal(now.recent_asset_ids.length, 1);
  const told = events(second);
  assert.deepEqual(told.slice(-2).map((e) => e.type), ['live_stream.idle', 'asset.live_stream_completed']);
  assert.equal(told.at(-1).data.is_live, false);
});
