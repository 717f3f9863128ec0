// SPDX-License-Identifier: MIT
// The API against who does not mean well: other people's objects at every endpoint of the table, bodies and fields
// that are wrong, pages that are none, and answers that a client repeats.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { createInterface } from 'node:readline';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import Mux from '@mux/mux-node';
import { newUser } from './lib/api.mjs';
import { raw, request } from './lib/http.mjs';
import { sample } from './lib/media.mjs';
import { program, run, startServer, until } from './lib/server.mjs';
import { put, sql } from './lib/uploads.mjs';

const ENDPOINTS = execFileSync(path.join(path.dirname(program), 'tests/e2e/bsp-endpoints'), { encoding: 'utf8' })
  .trim().split('\n').map((line) => {
    const [method, pattern, who] = line.split(' ');
    return { method, pattern, who, name: `${method} ${pattern}` };
  }).filter((e) => !e.pattern.includes('*') && !e.pattern.startsWith('/api/admin/')); // those: admin.test.mjs
const MUX = ENDPOINTS.filter((e) => e.who === 'mux');

// What an endpoint needs to come as far as the object; without a line here the body is empty.
const BODIES = {
  'POST /video/v1/live-streams/{}/simulcast-targets': { url: 'rtmp://elsewhere.example/app', stream_key: 'k' },
  'POST /video/v1/live-streams/{}/playback-ids': { policy: 'public' },
  'PUT /video/v1/live-streams/{}/new-asset-settings/static-renditions': { static_renditions: [{ resolution: 'highest' }] },
  'PATCH /video/v1/live-streams/{}': { passthrough: 'theirs' },
  'PATCH /video/v1/assets/{}': { passthrough: 'theirs' },
  'POST /video/v1/assets/{}/playback-ids': { policy: 'public' },
  'POST /video/v1/assets/{}/static-renditions': { resolution: 'audio-only' },
  'POST /video/v1/assets/{}/tracks': { url: 'https://example.org/a.vtt', type: 'text', text_type: 'subtitles', language_code: 'en' },
  'PATCH /video/v1/assets/{}/tracks/{}': { name: 'theirs' },
  'PUT /video/v1/assets/{}/master-access': { master_access: 'temporary' },
  'PUT /video/v1/assets/{}/mp4-support': { mp4_support: 'none' },
  'PUT /video/v1/live-streams/{}/embedded-subtitles': { embedded_subtitles: [] },
  'PUT /video/v1/live-streams/{}/generated-subtitles': { generated_subtitles: [] },
  'PUT /video/v1/playback-restrictions/{}/referrer': { allowed_domains: ['*'] },
  'PUT /video/v1/playback-restrictions/{}/user_agent': { allow_no_user_agent: true, allow_high_risk_user_agent: true },
  'PATCH /system/v1/webhooks/{}': { enabled: false },
  'PATCH /api/webhooks/{}': { enabled: false },
  'PATCH /api/streams/{}': { title: 'theirs' },
  'PATCH /api/streams/{}/chat': { mode: 'off' },
  'PUT /api/streams/{}/chat/pinned': { messageId: '1' },
  'POST /api/streams/{}/chat/moderators': { userId: 'somebody' },
  'POST /api/streams/{}/chat/bans': { userId: 'somebody' },
  'PATCH /api/me/channel': { about: 'theirs' },
  'PUT /api/streams/{}/direct/offer': { sdp: 'v=0' },
  'POST /api/streams/{}/invitations': { email: 'x@example.org' },
  'POST /api/streams/{}/upload-recording': { mimeType: 'video/webm' },
};
// Anybody may: each with its own way of saying who.
const OPEN = ['POST /api/auth/register', 'POST /api/auth/login', 'POST /api/auth/logout', 'GET /api/settings', 'GET /api/streams',
  'GET /api/streams/{}', 'GET /api/users/{}', 'GET /stream/{}.ics', 'GET /@{}.ics', 'GET /api/playback/{}', 'GET /api/playback/{}/messages', 'PUT /api/streams/{}/direct/answer', 'GET /api/streams/{}/direct',
  'PUT /upload/{}', 'POST /upload/{}', 'PATCH /upload/{}', 'OPTIONS /upload/{}', 'POST /api/mux/webhook', 'GET /counts', 'GET /live-stream-health', 'POST /api/streams/{}/reactions', 'POST /api/streams/{}/access'];
OPEN.push('POST /api/streams/{}/report');
OPEN.push('POST /api/auth/oidc/start', 'GET /api/auth/oidc/callback', 'GET /avatars/{}/{}.jpg');
OPEN.push('POST /unsubscribe', 'POST /api/unsubscribe', 'GET /api/unsubscribe');
OPEN.push('GET /oembed', 'GET /robots.txt', 'GET /sitemap.xml', 'GET /sitemap/{}.xml');
OPEN.push('POST /api/auth/forgot', 'POST /api/auth/reset', 'POST /api/auth/confirm');
// Whoever is logged in may, on everybody's streams and channels.
const SHARED = /\/(messages(\/|$)|follow$)/;

const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

async function account(server, name) {
  const user = await newUser(server, name);
  const made = await run(['token', 'create', '--json', '--data', server.dataDir, '--email', user.email]);
  assert.equal(made.code, 0, made.stderr);
  const { TOKEN_ID: tokenId, TOKEN_SECRET: tokenSecret } = JSON.parse(made.stdout);
  user.tokenId = tokenId;
  user.authorization = basic(tokenId, tokenSecret);
  user.asked = 0;
  user.mux = new Mux({ baseURL: server.http, tokenId, tokenSecret, fetch: (...a) => (user.asked++, fetch(...a)) });
  user.send = async (method, target, body, headers = {}) => {
    const sent = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const answer = await fetch(server.http + target, { method, body: sent, headers: { authorization: user.authorization, 'content-type': 'application/json', ...headers } });
    const text = await answer.text();
    return { status: answer.status, text, headers: answer.headers, json: text && JSON.parse(text) };
  };
  return user;
}

describe('the API and who does not mean well', () => {
  const cleanup = [];
  let server, ada, bob;
  const ids = new Map(); // user -> kind (the segment before {}) -> id

  before(async () => {
    server = await startServer({ after: (fn) => cleanup.unshift(fn) }, { args: ['--webhook-allow-private'] });
    [ada, bob] = [await account(server, 'Ada'), await account(server, 'Bob')];
    const cat = await newUser(server, 'Cat');
    for (const user of [ada, bob]) {
      const { video, system } = user.mux;
      const live = await video.liveStreams.create({ playback_policies: ['public'], simulcast_targets: [{ url: 'rtmp://x.example/app', stream_key: 'k' }] });
      const up = await video.uploads.create({ cors_origin: '*', new_asset_settings: { playback_policies: ['public'], master_access: 'temporary' } });
      assert.equal((await put(up.url, fs.readFileSync(await sample({ seconds: 1 })))).status, 200);
      const { asset_id } = await video.uploads.retrieve(up.id);
      const asset = await until('the asset is ready', async () => {
        const a = await video.assets.retrieve(asset_id);
        return a.status !== 'preparing' && a;
      }, 60_000);
      assert.equal(asset.status, 'ready');
      const waiting = await video.uploads.create({ cors_origin: '*' });
      const hook = await system.webhooks.create({ address: 'http://127.0.0.1:1/' });
      const stream = await user.createStream();
      const recording = await user.expect(201, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/webm' });
      const invitation = await user.expect(201, 'POST', `/api/streams/${stream.id}/invitations`, { email: 'friend@example.org' });
      const delivery = await until('a delivery', async () => (await user.expect(200, 'GET', `/api/webhooks/${hook.id}/deliveries`)).deliveries[0]);
      const ban = await user.expect(201, 'POST', `/api/streams/${stream.id}/chat/bans`, { userId: cat.user.id });
      const mine = {
        bans: ban.id, moderators: cat.user.id,
        'live-streams': live.id, 'live playback-ids': live.playback_ids[0].id, 'simulcast-targets': live.simulcast_targets[0].id,
        assets: asset.id, 'assets playback-ids': asset.playback_ids[0].id, 'playback-ids': asset.playback_ids[0].id,
        'static-renditions': (await video.assets.createStaticRendition(asset.id, { resolution: 'highest' })).id,
        'signing-keys': (user.key = await system.signingKeys.create()).id,
        'playback-restrictions': (await video.playbackRestrictions.create({ referrer: { allowed_domains: ['a.example'] }, user_agent: {} })).id,
        recordings: asset.id, tokens: user.tokenId, sessions: (await user.expect(200, 'GET', '/api/me/sessions')).sessions[0].id, uploads: waiting.id, webhooks: hook.id, streams: stream.id, invitations: invitation.id, 'upload-recording': recording.uploadId, deliveries: delivery.id, playback: stream.playback.playbackId,
      };
      mine.identities = `identity-of-${user.user.id}`;
      sql(server, "INSERT INTO identities (id, user_id, issuer, subject, email, created_at, used_at) VALUES (?, ?, 'https://id.example', ?, '', 1, 1)", mine.identities, user.user.id, user.user.id);
      mine.tracks = `${user.user.id.replace(/\W/g, '').slice(0, 12)}track`;
      sql(server, "INSERT INTO text_tracks (id, asset_id, status, name, language_code, body, created_at) VALUES (?, ?, 'ready', 'Words', 'en', ?, 1)", mine.tracks, asset.id,
        'WEBVTT\n\n00:00:00.000 --> 00:00:00.900\nGood evening\n');
      await until('the rendition is settled', async () => (await video.assets.retrieve(asset.id)).static_renditions.status === 'ready', 30_000);
      ids.set(user, mine);
    }
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  // The pattern with the ids of these users, one a {}.
  function target(pattern, users) {
    const parts = pattern.split('/');
    let n = 0;
    return parts.map((p, i) => {
      if (p !== '{}') return p;
      const mine = ids.get(users[n++]);
      const kind = parts[i - 1];
      const id = (i > 5 && kind === 'playback-ids' && mine[`${parts[3] === 'assets' ? 'assets' : 'live'} playback-ids`]) || mine[kind];
      assert.ok(id, `${pattern}: this test has no object of the kind "${kind}": make one in before()`);
      return id;
    }).join('/');
  }
  const count = (pattern) => pattern.split('{}').length - 1;

  // All that Ada has, as she sees it.
  async function everything() {
    const all = {};
    for (const e of MUX.filter((x) => x.method === 'GET')) {
      const answer = await ada.send('GET', target(e.pattern, [ada, ada]));
      assert.equal(answer.status, 200, `${e.name}, by its owner: ${answer.text}`);
      all[e.pattern] = answer.json.data;
    }
    return all;
  }

  test("every endpoint: another's objects are not there, and nobody gets in without a token", async () => {
    const had = await everything();
    const rows = sql(server, 'SELECT type FROM media_events').length;
    for (const e of ENDPOINTS.filter((x) => x.who === 'open')) assert.ok(OPEN.includes(e.name) || e.name.startsWith('GET /api/streams/{}/'), `${e.name} is open to all: is that meant? Then add it to OPEN`);
    let tried = 0;
    for (const e of ENDPOINTS.filter((x) => x.who !== 'open')) {
      const own = SHARED.test(e.pattern) ? e.pattern.replace(/\{\}/g, 'x') : target(e.pattern, [ada, ada]);
      const body = e.method === 'GET' || e.method === 'DELETE' ? undefined : (BODIES[e.name] ?? '');
      for (const authorization of ['', 'Basic', 'Basic !!!', basic(bob.tokenId, 'x'), basic(bob.tokenId, ''), basic("' OR 1=1 --", 'x'), `Bearer ${'x'.repeat(3000)}`]) {
        const answer = await bob.send(e.method, own, body, { authorization });
        assert.equal(answer.status, 401, `${e.name} with ${authorization.slice(0, 30)}: ${answer.status} ${answer.text}`);
        if (e.who === 'mux') assert.equal(answer.json.error.type, 'unauthorized', e.name);
      }
      const who = count(e.pattern) === 0 || SHARED.test(e.pattern) ? [] : count(e.pattern) === 1 ? [[ada]] : [[ada, ada], [bob, ada], [ada, bob]];
      for (const users of who) {
        const answer = await bob.send(e.method, target(e.pattern, users), body);
        const what = `${e.name} for Bob (${users.map((u) => u.user.name)}): ${answer.status} ${answer.text}`;
        if (e.who === 'mux') {
          assert.equal(answer.status, 404, what);
          assert.equal(answer.json.error.type, 'not_found', what);
        } else {
          assert.ok([403, 404].includes(answer.status), what); // the product's streams can be seen by all
          assert.ok(answer.json.error.message, what);
        }
        tried++;
      }
    }
    assert.ok(tried > 50, `${tried} were tried`);
    assert.deepEqual(await everything(), had, 'and nothing of hers has changed');
    assert.equal(sql(server, 'SELECT type FROM media_events').length, rows, 'nor was anything told');
    for (const e of MUX.filter((x) => x.method === 'GET' && !count(x.pattern) && !/whoami/.test(x.pattern))) {
      const { json } = await bob.send('GET', e.pattern);
      const text = JSON.stringify(json);
      for (const id of Object.values(ids.get(ada))) assert.ok(!text.includes(id), `${e.name} shows Bob ${id}`);
    }
  });

  test('bodies: no JSON, too deep, too large, NUL, bytes that are no text', async () => {
    const eve = await account(server, 'Eve');
    const deep = (n) => `{"meta":${'['.repeat(n)}${']'.repeat(n)}}`;
    const bodies = ['{', '[]', '"x"', 'null', '7', '{"passthrough":"a"} x', '{"passthrough":"a","passthrough":"b"}', "{'a':1}", deep(17), deep(30_000),
      '{"passthrough":"a\\u0000b"}', '{"\\u0000":1}', '{"passthrough":"\\ud800"}', '{"timeout":1e999}', '{"timeout":123456789012345678901234567890}',
      Buffer.from('7b2270617373746872 6f756768223a22ff227d'.replace(/ /g, ''), 'hex'), Buffer.from('{"passthrough":"a\0b"}'), '\ufeff{}'];
    const takesBody = MUX.filter((e) => ['POST', 'PATCH', 'PUT'].includes(e.method));
    const { hostname, port } = new URL(server.http);
    await Promise.all(takesBody.map(async (e) => {
      const nobodys = e.pattern.replace(/\{\}/g, 'nobodys');
      // 10 MB are refused by their length, before the first byte.
      const head = `${e.method} ${nobodys} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: ${eve.authorization}\r\nContent-Type: application/json\r\n`;
      const large = raw(server.http, `${head}Content-Length: ${10 << 20}\r\nConnection: close\r\n\r\n{"a":`, { ms: 2000 });
      const keys = /signing-keys$/.test(e.pattern); // it has no fields, and makes a key each time
      for (const body of keys ? bodies.slice(0, 1) : bodies) {
        const answer = await (count(e.pattern) ? bob : eve).send(e.method, nobodys, body);
        const what = `${e.name} ${String(body).slice(0, 40)}: ${answer.status} ${answer.text.slice(0, 200)}`;
        assert.ok([400, 404].includes(answer.status) || keys, what);
        if (!keys) assert.ok(answer.json.error.messages[0].length > 10, what);
      }
      assert.match((await large).text, /^HTTP\/1\.1 413 [^]*\{"error"/, e.name);
    }));
    // And when they come without a length.
    const endless = await raw(server.http, async (socket) => {
      socket.write(`POST /video/v1/live-streams HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: ${bob.authorization}\r\nTransfer-Encoding: chunked\r\n\r\n`);
      const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 0x20), Buffer.from('\r\n')]);
      for (let i = 0; i < 160 && !socket.destroyed; i++) if (!socket.write(chunk)) await Promise.race([new Promise((r) => socket.once('drain', r)), new Promise((r) => socket.once('close', r))]);
    }, { ms: 2000 });
    assert.match(endless.text, /^HTTP\/1\.1 413 /);
    for (const list of [eve.mux.video.liveStreams, eve.mux.video.uploads, eve.mux.video.assets, eve.mux.video.playbackRestrictions, eve.mux.system.webhooks])
      assert.deepEqual((await list.list()).data, [], 'nothing was made');
  });

  // Each field that is known, with values of all kinds: an answer that names the field, or an object that can be read.
  const ASSET = ['playback_policies', 'playback_policy', 'advanced_playback_policies', 'passthrough', 'meta', 'meta.title', 'meta.creator_id', 'meta.external_id', 'master_access',
    'max_resolution_tier', 'mp4_support', 'static_renditions', 'static_renditions.0.resolution', 'static_renditions.0.passthrough', 'normalize_audio', 'test', 'video_quality', 'encoding_tier', 'copy_overlays'];
  const FIELDS = {
    'POST /video/v1/live-streams': ['playback_policies', 'playback_policy', 'new_asset_settings', 'reconnect_window', 'use_slate_for_standard_latency', 'reconnect_slate_url', 'passthrough', 'audio_only',
      'embedded_subtitles', 'embedded_subtitles.0', 'generated_subtitles', 'generated_subtitles.0', 'latency_mode', 'reduced_latency', 'low_latency', 'test', 'simulcast_targets', 'simulcast_targets.0', 'simulcast_targets.0.url',
      'simulcast_targets.0.stream_key', 'max_continuous_duration', 'meta', 'meta.title', ...ASSET.map((f) => `new_asset_settings.${f}`)],
    'PATCH /video/v1/live-streams/{}': ['latency_mode', 'reconnect_window', 'max_continuous_duration', 'passthrough', 'reconnect_slate_url', 'use_slate_for_standard_latency', 'meta', 'new_asset_settings',
      'new_asset_settings.mp4_support', 'new_asset_settings.meta'],
    'POST /video/v1/live-streams/{}/simulcast-targets': ['url', 'stream_key', 'passthrough'],
    'PUT /video/v1/live-streams/{}/new-asset-settings/static-renditions': ['static_renditions', 'static_renditions.0', 'static_renditions.0.resolution'],
    'POST /video/v1/live-streams/{}/playback-ids': ['policy', 'drm_configuration_id'],
    'POST /video/v1/assets': ['inputs', 'input', 'inputs.0', 'inputs.0.url', 'inputs.0.start_time', 'inputs.0.end_time', 'inputs.0.type', 'inputs.0.name', 'inputs.0.overlay_settings', ...ASSET],
    'PATCH /video/v1/assets/{}': ['passthrough', 'meta', 'meta.title', 'thumbnail_time'],
    'POST /video/v1/assets/{}/static-renditions': ['resolution', 'passthrough'],
    'POST /video/v1/assets/{}/tracks': ['url', 'type', 'text_type', 'language_code', 'name', 'closed_captions', 'passthrough'],
    'PUT /video/v1/assets/{}/master-access': ['master_access'],
    'POST /video/v1/uploads': ['cors_origin', 'timeout', 'test', 'new_asset_settings', ...ASSET.map((f) => `new_asset_settings.${f}`)],
    'POST /video/v1/playback-restrictions': ['referrer', 'referrer.allowed_domains', 'referrer.allowed_domains.0', 'referrer.allow_no_referrer', 'user_agent', 'user_agent.allow_no_user_agent'],
    'PUT /video/v1/playback-restrictions/{}/referrer': ['allowed_domains', 'allowed_domains.0', 'allow_no_referrer'],
    'PUT /video/v1/playback-restrictions/{}/user_agent': ['allow_no_user_agent', 'allow_high_risk_user_agent'],
    'POST /system/v1/webhooks': ['address', 'enabled'],
    'PATCH /system/v1/webhooks/{}': ['address', 'enabled'],
  };
  const VALUES = [null, true, 5, -1, 1e300, 0.1, '', 'x'.repeat(60_000), '\u0001\u202e\u{1f3a5}', [], [[]], [null, 5], {}, { a: { b: [] } }];
  // {a: [{b: value}]} of 'a.0.b'
  const nested = (field, value) => field.split('.').reverse().reduce((inner, part) => (part === '0' ? [inner] : { [part]: inner }), value);
  const merge = (a, b) => ({ ...a, ...b });

  test('every field with values of every kind: an answer in words, or an object that can be read', async () => {
    const users = await Promise.all(['Cy', 'Di', 'Ed', 'Flo', 'Gus', 'Hal', 'Ida', 'Jo'].map((n) => account(server, n)));
    const known = new Set(MUX.map((e) => e.name));
    const queue = Object.entries(FIELDS).filter(([name]) => known.has(name)).flatMap(([name, fields]) => fields.flatMap((field) => VALUES.map((value) => [name, field, value])));
    let made = 0;
    let at = 0;
    const work = async (user) => {
      for (let job; (job = queue[at++]); ) {
        const [name, field, value] = job;
        const [method, pattern] = name.split(' ');
        const owner = pattern.includes('{}') ? ada : user;
        const needs = { 'POST /video/v1/uploads': { cors_origin: '*' }, 'POST /video/v1/assets': field.startsWith('input') ? {} : { inputs: [{ url: 'http://example.invalid/a.mp4' }] } }[name] ?? {};
        let answer;
        for (;;) {
          answer = await owner.send(method, target(pattern, [ada, ada]), merge(needs, nested(field, value)));
          if (answer.status !== 429) break;
          assert.ok(Number(answer.headers.get('retry-after')) >= 1 && answer.json.errors.length === 1, answer.text);
          await new Promise((r) => setTimeout(r, 500));
        }
        const what = `${name} ${field}=${JSON.stringify(value)?.slice(0, 40)}: ${answer.status} ${answer.text.slice(0, 300)}`;
        assert.ok([200, 201, 400, 403, 404].includes(answer.status), what);
        if (answer.status >= 400) {
          assert.equal(typeof answer.json.error.type, 'string', what);
          assert.ok(answer.json.error.messages[0].length > 5 && answer.json.error.messages[0].length < 500, what);
        } else {
          assert.ok(answer.json.data, what);
          made++;
        }
      }
    };
    await Promise.all(users.map(work));
    assert.ok(made > 50, `${made} were fine`);
    for (const user of [ada, ...users])
      for (const e of MUX.filter((x) => x.method === 'GET' && !count(x.pattern))) assert.equal((await user.send('GET', `${e.pattern}?limit=100`)).status, 200, e.name);
  });

  test('pages, limits and cursors that are none, or somebody else’s', async () => {
    const lists = MUX.filter((e) => e.method === 'GET' && !count(e.pattern) && !/whoami/.test(e.pattern));
    assert.ok(lists.length >= 7);
    const numbers = ['0', '-1', '1.5', 'x', '1e3', '%00', '%ff', '0x10', '+1', '99999999999999999999', '4294967296', '9223372036854775807', '1%27--', '%F0%9F%8E%A5', 'a'.repeat(200), '1&limit=2', ''];
    for (const e of lists)
      for (const name of ['page', 'limit'])
        for (const n of numbers) {
          const answer = await bob.send('GET', `${e.pattern}?${name}=${n}`);
          const what = `${e.name} ${name}=${n}: ${answer.status} ${answer.text.slice(0, 200)}`;
          assert.ok([200, 400].includes(answer.status), what);
          if (answer.status === 200) assert.ok(Array.isArray(answer.json.data) && answer.json.data.length <= 100, what);
        }
    const first = await bob.mux.video.assets.create({ inputs: [{ url: 'http://example.invalid/b.mp4' }] });
    assert.ok(first.id);
    const mine = await ada.send('GET', '/video/v1/assets?limit=1');
    const { json } = await bob.send('GET', '/video/v1/assets?limit=1');
    assert.ok(json.next_cursor, 'Bob has two');
    const theirs = mine.json.next_cursor ?? json.next_cursor.replace(/^./, 'Z');
    for (const cursor of [theirs, '', '0', 'x'.repeat(127), 'x'.repeat(4000), '%00', '..', "1' OR 1=1", `${json.next_cursor}x`, json.next_cursor.slice(0, -1), json.next_cursor.toUpperCase()]) {
      const answer = await bob.send('GET', `/video/v1/assets?cursor=${encodeURIComponent(cursor)}`);
      assert.ok([200, 400].includes(answer.status), `${cursor}: ${answer.text}`);
      const own = new Set((await bob.send('GET', '/video/v1/assets')).json.data.map((a) => a.id));
      for (const a of answer.json.data ?? []) assert.ok(own.has(a.id), `cursor ${cursor} shows another's`);
    }
    for (const query of ['timeframe[]=x', 'timeframe[]=1', 'timeframe[]=-1&timeframe[]=2', 'timeframe[]=1&timeframe[]=99999999999999999999', 'timeframe[]=1&timeframe[]=2&timeframe[]=3', 'timeframe=1', `${'timeframe[]=1&'.repeat(300)}`, 'asset_id=%00', 'asset_id=a&live_stream_id=b'])
      assert.ok([200, 400].includes((await bob.send('GET', `/video/v1/delivery-usage?${query}`)).status), query);
  });

  test('tokens of playback that are none, wherever one is taken', async () => {
    const asset = ids.get(ada).assets;
    const signed = (await ada.mux.video.assets.createPlaybackId(asset, { policy: 'signed' })).id;
    const other = (await ada.mux.video.assets.createPlaybackId(asset, { policy: 'signed' })).id;
    const pem = (user) => createPrivateKey(Buffer.from(user.key.private_key, 'base64').toString());
    const publicPem = createPublicKey(pem(ada)).export({ type: 'spki', format: 'pem' });
    const b64 = (x) => Buffer.from(typeof x === 'string' ? x : JSON.stringify(x)).toString('base64url');
    const make = (header, claims, by) => {
      const input = `${b64(header)}.${b64(claims)}`;
      return `${input}.${by ? by(Buffer.from(input)).toString('base64url') : ''}`;
    };
    const rs = { alg: 'RS256', typ: 'JWT', kid: ada.key.id };
    const rsa = (user) => (input) => sign('RSA-SHA256', input, pem(user));
    const hmac = (key) => (input) => createHmac('sha256', key).update(input).digest();
    const now = Math.floor(Date.now() / 1000);
    const places = { v: ['.m3u8', '/highest.mp4', `/text/${ids.get(ada).tracks}.vtt`], t: ['/thumbnail.jpg'], g: ['/animated.gif'], s: ['/storyboard.vtt', '/storyboard.json', '/storyboard.jpg'], playback_id: ['counts'] };
    for (const [aud, tails] of Object.entries(places))
      for (const tail of tails) {
        const at = (token) => (tail === 'counts' ? `${server.http}/counts?token=${token}` : `${server.http}/${signed}${tail}?token=${token}`);
        const claims = { sub: signed, aud, exp: now + 600, kid: ada.key.id };
        const right = await request(at(make(rs, claims, rsa(ada))));
        assert.ok([200, 412].includes(right.status), `${tail} with a right one: ${right.status} ${right.text.slice(0, 200)}`);
        const wrong = {
          'alg none': make({ ...rs, alg: 'none' }, claims),
          'alg None, signed': make({ ...rs, alg: 'None' }, claims, rsa(ada)),
          'HS256 by the public key': make({ ...rs, alg: 'HS256' }, claims, hmac(publicPem)),
          'HS256 by nothing': make({ ...rs, alg: 'HS256' }, claims, hmac('')),
          'RS256 with an HMAC': make(rs, claims, hmac(publicPem)),
          'no signature': make(rs, claims),
          'another use': make(rs, { ...claims, aud: aud === 'v' ? 't' : 'v' }, rsa(ada)),
          'every use': make(rs, { ...claims, aud: ['v', 't', 'g', 's', 'playback_id'] }, rsa(ada)),
          'another id': make(rs, { ...claims, sub: aud === 'playback_id' ? ids.get(bob)['playback-ids'] : other }, rsa(ada)),
          'over': make(rs, { ...claims, exp: now - 1 }, rsa(ada)),
          'over, as a text': make(rs, { ...claims, exp: `${now + 600}` }, rsa(ada)),
          'without an end': make(rs, { ...claims, exp: 1e300 }, rsa(ada)),
          "another's key": make({ ...rs, kid: bob.key.id }, { ...claims, kid: bob.key.id }, rsa(bob)),
          "another's key by our name": make(rs, claims, rsa(bob)),
          'a key by path': make({ ...rs, kid: '../../dev/null' }, { ...claims, kid: '../../dev/null' }, hmac('')),
          'a key within': make({ ...rs, jwk: createPublicKey(pem(bob)).export({ format: 'jwk' }), jku: 'http://127.0.0.1/' }, claims, rsa(bob)),
          'a claim twice': make(rs, `{"sub":"${other}","sub":"${signed}","aud":"${aud}","exp":${now + 600},"kid":"${ada.key.id}"}`, rsa(ada)),
          'a claim with NUL': make(rs, { ...claims, sub: `${signed}\0x` }, rsa(ada)),
          deep: make(rs, `{"sub":"${signed}","aud":"${aud}","exp":${now + 600},"custom":${'['.repeat(900)}${']'.repeat(900)}}`, rsa(ada)),
          large: make(rs, { ...claims, x: 'x'.repeat(5000) }, rsa(ada)),
          'very many dots': '.'.repeat(4000),
          'not base64': '%00.%ff.=',
          none: '',
        };
        for (const [what, token] of Object.entries(wrong)) {
          const got = await request(at(token));
          assert.ok([400, 401, 403, ...(tail === 'counts' ? [404] : [])].includes(got.status), `${tail}, ${what}: ${got.status} ${got.text.slice(0, 200)}`);
          assert.ok(got.json.error?.message ?? got.json.error?.messages?.[0], `${tail}, ${what}`);
        }
      }
  });

  test('mux-node asks once where asking again does not help, and makes nothing twice where it does', async (t) => {
    const kim = await account(server, 'Kim');
    const { liveStreams } = kim.mux.video;
    const once = async (what, ask, error) => {
      kim.asked = 0;
      await assert.rejects(ask, error, what);
      assert.equal(kim.asked, 1, what);
    };
    await once('400', () => liveStreams.create({ latency_mode: 'x' }), Mux.BadRequestError);
    await once('404', () => liveStreams.retrieve(ids.get(ada)['live-streams']), Mux.NotFoundError);
    await once('403', async () => kim.mux.video.uploads.cancel((await sql(server, `SELECT id FROM uploads WHERE user_id = '${kim.user.id}'`))[0]?.id ?? 'none'), Mux.NotFoundError);
    await once('400 of an id', () => liveStreams.retrieve('x'.repeat(70)), Mux.BadRequestError);

    // Somebody else writes to the database for longer than the server waits: a 5xx, and it is asked again.
    const locker = spawn('python3', ['-c', `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None); db.execute('BEGIN IMMEDIATE'); print('locked', flush=True); sys.stdin.readline(); db.execute('ROLLBACK')`,
    path.join(server.dataDir, 'bspnode.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => locker.kill());
    await new Promise((r) => createInterface(locker.stdout).once('line', r));
    kim.asked = 0;
    const making = liveStreams.create({ passthrough: 'locked' });
    await until('it is asked again', () => kim.asked >= 2, 40_000);
    locker.stdin.end('\n');
    const live = await making;
    assert.equal(live.passthrough, 'locked');
    assert.deepEqual((await liveStreams.list()).data.map((s) => s.id), [live.id], 'one was made');

    // As many as may be made at once, by somebody in a hurry; then Mux's client, which waits and makes one.
    const plain = async () => (await kim.send('POST', '/video/v1/live-streams', {})).status;
    const seen = [];
    while (!seen.includes(429)) seen.push(...(await Promise.all(Array.from({ length: 8 }, plain))));
    assert.deepEqual([...new Set(seen)].sort(), [201, 429]);
    const before = sql(server, `SELECT count(*) AS n FROM live_streams WHERE user_id = '${kim.user.id}'`)[0].n;
    assert.equal(before, 1 + seen.filter((s) => s === 201).length, 'what was refused was not made');
    kim.asked = 0;
    const late = await liveStreams.create({ passthrough: 'late' }).catch((e) => e);
    assert.ok(kim.asked <= 3, `${kim.asked} requests`);
    const now = sql(server, `SELECT count(*) AS n FROM live_streams WHERE user_id = '${kim.user.id}'`)[0].n;
    assert.equal(now, before + (late instanceof Mux.RateLimitError ? 0 : 1), `${late}`);
    assert.equal((await kim.send('GET', '/video/v1/live-streams')).status, 200, 'reading goes on');
  });
});
