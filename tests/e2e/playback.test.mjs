// SPDX-License-Identifier: MIT
// Signed playback, its tokens made by @mux/mux-node; playback modifiers, clips and restrictions.
import Mux from '@mux/mux-node';
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, createPrivateKey, sign } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { follow, hlsUrl, open } from './lib/hls.mjs';
import { hlsPlay, untilPlayed } from './lib/hls_js.mjs';
import { request } from './lib/http.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { ffprobe } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { root, run, startServer, until } from './lib/server.mjs';

const b64 = (x) => Buffer.from(typeof x === 'string' ? x : JSON.stringify(x)).toString('base64url');

// Any token, also wrong ones.
function makeToken(header, claims, signWith) {
  const input = `${b64(header)}.${b64(claims)}`;
  return `${input}.${signWith ? signWith(Buffer.from(input)).toString('base64url') : ''}`;
}

describe('signed playback', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server, ada, mux, key, stream, publisher, live, signedLive, asset, recorded, signedAsset;

  // A token as an application makes one.
  const tokenFor = (id, options = {}) =>
    mux.jwt.signPlaybackId(id, { keyId: key.id, keySecret: key.private_key, type: 'video', expiration: '1h', ...options });
  const at = (id, query = '') => hlsUrl(server, id) + query;
  const status = async (url, headers) => (await request(url, { headers })).status;


  const muxOf = async (user) => {
    const made = await run(['token', 'create', '--data', server.dataDir, '--email', user.email, '--json']);
    const { TOKEN_ID: tokenId, TOKEN_SECRET: tokenSecret } = JSON.parse(made.stdout);
    return new Mux({ tokenId, tokenSecret, baseURL: server.http, webhookSecret: null });
  };

  before(async () => {
    server = await startServer(t, { args: ['--hls-segment-ms', '1000', '--reconnect-window', '1s'] });
    ada = await newUser(server);
    mux = await muxOf(ada);
    key = await mux.system.signingKeys.create();
    stream = await ada.createStream();
    const liveId = (await mux.video.liveStreams.list()).data[0].id;
    signedLive = (await mux.video.liveStreams.createPlaybackId(liveId, { policy: 'signed' })).id;
    live = stream.playback.playbackId ?? stream.playback.id;
    assert.equal(await status(at(signedLive)), 403, 'idle, without a token');
    assert.equal(await status(at(signedLive, `?token=${await tokenFor(signedLive)}`)), 412, 'idle, with one');
    publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
    await ada.untilLive(stream.id);
    asset = await until('the recording', async () => (await mux.video.assets.list()).data[0]);
    recorded = asset.playback_ids[0].id;
    signedAsset = (await mux.video.assets.createPlaybackId(asset.id, { policy: 'signed' })).id;
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  test('keys: the private half is shown once', async () => {
    assert.match(Buffer.from(key.private_key, 'base64').toString(), /^-----BEGIN PRIVATE KEY-----/);
    const again = await mux.system.signingKeys.retrieve(key.id);
    assert.deepEqual(again, { id: key.id, created_at: key.created_at });
    const other = await mux.system.signingKeys.create();
    const all = [];
    for await (const k of mux.system.signingKeys.list({ limit: 1 })) all.push(k.id);
    assert.deepEqual(all.sort(), [key.id, other.id].sort());
    await mux.system.signingKeys.delete(other.id);
    await assert.rejects(mux.system.signingKeys.retrieve(other.id), Mux.NotFoundError);
    const alias = await request(`${server.http}/video/v1/signing-keys`, { headers: { Authorization: `Basic ${Buffer.from(`${mux.tokenId}:${mux.tokenSecret}`).toString('base64')}` } });
    assert.equal(alias.json.data.length, 1);
  });

  test('who may play', async () => {
    const good = await tokenFor(signedLive);
    const pem = Buffer.from(key.private_key, 'base64').toString();
    const rsa = (input) => sign('RSA-SHA256', input, createPrivateKey(pem));
    const publicPem = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' });
    const claims = { sub: signedLive, aud: 'v', exp: Math.floor(Date.now() / 1000) + 600, kid: key.id };
    const rs = { alg: 'RS256', typ: 'JWT' };
    const { kid: _, ...noKid } = claims;
    for (const token of [good, makeToken(rs, claims, rsa), makeToken({ ...rs, kid: key.id }, noKid, rsa), makeToken({ ...rs, kid: key.id }, claims, rsa)])
      assert.equal(await status(at(signedLive, `?token=${token}`)), 200);
    const wrong = {
      'a changed signature': good.slice(0, -6) + 'AAAAAA',
      'a changed claim': makeToken(rs, { ...claims, exp: claims.exp + 1 }, () => Buffer.from(good.split('.')[2], 'base64url')),
      'alg none': makeToken({ alg: 'none' }, claims),
      'HS256 by the public key': makeToken({ alg: 'HS256', typ: 'JWT' }, claims, (i) => createHmac('sha256', publicPem).update(i).digest()),
      'another id': await tokenFor(signedAsset),
      'another use': await tokenFor(signedLive, { type: 'thumbnail' }),
      expired: makeToken(rs, { ...claims, exp: claims.exp - 1200 }, rsa),
      'no expiry': makeToken(rs, { sub: signedLive, aud: 'v', kid: key.id }, rsa),
      'no key id': makeToken(rs, noKid, rsa),
      'two key ids': makeToken({ ...rs, kid: 'x' }, claims, rsa),
      'an unknown key': makeToken(rs, { ...claims, kid: 'nobody' }, rsa),
      nothing: '',
      garbage: 'a.b.c',
      long: 'x'.repeat(6000),
    };
    for (const [what, token] of Object.entries(wrong)) {
      const answer = await request(at(signedLive, `?token=${token}`));
      assert.equal(answer.status, 403, `${what}: ${answer.text}`);
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      assert.ok(answer.json.error.message, what);
    }
    assert.equal(await status(at(signedLive)), 403, 'no token');
    assert.equal(await status(at(live, `?token=${await tokenFor(live)}`)), 403, 'a token for a public id');
    assert.equal(await status(at('nosuchplaybackid', `?token=${good}`)), 404);
    // Somebody else's key is nobody's.
    const bob = await newUser(server, 'Bob');
    const theirs = await muxOf(bob);
    const foreign = await theirs.system.signingKeys.create();
    const forged = await mux.jwt.signPlaybackId(signedLive, { keyId: foreign.id, keySecret: foreign.private_key, type: 'video' });
    assert.equal(await status(at(signedLive, `?token=${forged}`)), 403);
  });

  test('what is below carries a signature of its own, the same for all', async () => {
    const [one, two] = await Promise.all([1, 2].map(async (n) => open(at(signedLive, `?token=${await tokenFor(signedLive, { expiration: `${n}h` })}`))));
    assert.equal(one.text, two.text, 'viewers of the hour have the same addresses');
    const got = await follow(one.video, { seconds: 4 });
    assert.ok(got.fetched.size > 3);
    // Without, or with a changed one, none of it.
    const media = new URL(one.video);
    const [, , run_] = media.pathname.split('/');
    const bare = run_.split('~')[0];
    for (const bad of [bare, `${bare}~0`, `${bare}~x`, run_.slice(0, -1) + (run_.endsWith('A') ? 'B' : 'A'), run_.replace(/~(\d+)~/, (m, h) => `~${+h + 1}~`), run_.replace('~0~', '~x~')])
      for (const uri of [media.href, new URL('v0/init-1.mp4', media).href, new URL([...got.fetched.keys()].at(-1), media).href])
        assert.ok([403, 404].includes(await status(uri.replace(run_, bad))), `${bad} ${uri}`);
    assert.ok([403, 404].includes(await status(media.href.replace(signedLive, signedAsset))), 'of another id');
  });

  test('RTMP and WHEP want the token too', async () => {
    const token = await tokenFor(signedLive);
    await assert.rejects(ffprobe(`${server.rtmp}/live/${signedLive}`));
    assert.ok((await ffprobe(`${server.rtmp}/live/${signedLive}?token=${token}`)).streams.length >= 2);
    const offer = (query, headers = {}) =>
      request(`${server.http}/whep/${signedLive}${query}`, { method: 'POST', headers: { 'Content-Type': 'application/sdp', ...headers }, body: OFFER });
    assert.equal((await offer('')).status, 403);
    assert.equal((await offer(`?token=${token.slice(0, -6)}AAAAAA`)).status, 403);
    const allowed = [(await offer(`?token=${token}`)).status, (await offer('', { Authorization: `Bearer ${token}` })).status];
    for (const got of allowed) assert.ok([201, 409, 422].includes(got), `${got}: past the gate`);
  });

  test('restrictions: pages and programs', async () => {
    const rule = await mux.video.playbackRestrictions.create({
      referrer: { allowed_domains: ['good.example', '*.fine.example'], allow_no_referrer: false },
      user_agent: { allow_no_user_agent: false, allow_high_risk_user_agent: false },
    });
    const token = await tokenFor(signedLive, { params: { playback_restriction_id: rule.id } });
    const ask = (page, program) => status(at(signedLive, `?token=${token}`), { ...(page && { Referer: page }), ...(program && { 'User-Agent': program }) });
    const browser = 'Mozilla/5.0';
    assert.equal(await ask('https://good.example/page', browser), 200);
    assert.equal(await ask('https://a.fine.example:8443/', browser), 200);
    for (const page of ['', 'https://evil.example/', 'https://a.b.fine.example/', 'https://fine.example/', 'https://evil.example/https://good.example/', 'https://good.example@evil.example/'])
      assert.equal(await ask(page, browser), 403, page || 'no page');
    assert.equal(await ask('https://good.example/', 'curl/8.0'), 403);
    assert.equal(await ask('https://good.example/', ''), 403);
    const changed = await mux.video.playbackRestrictions.updateReferrer(rule.id, { allowed_domains: ['*'], allow_no_referrer: true });
    assert.deepEqual(changed.referrer, { allowed_domains: ['*'], allow_no_referrer: true });
    await mux.video.playbackRestrictions.updateUserAgent(rule.id, { allow_no_user_agent: true, allow_high_risk_user_agent: true });
    assert.equal(await ask('', ''), 200);
    await assert.rejects(mux.video.playbackRestrictions.updateReferrer(rule.id, { allowed_domains: ['no spaces'] }), Mux.BadRequestError);
    await mux.video.playbackRestrictions.delete(rule.id);
    assert.equal(await ask('', ''), 403, 'the rule is gone');
    await assert.rejects(mux.video.playbackRestrictions.retrieve(rule.id), Mux.NotFoundError);
  });

  test('counts and health, by tokens for browsers', async () => {
    const liveId = (await mux.video.liveStreams.list()).data[0].id;
    const tell = async (where, id, type, keys = { keyId: key.id, keySecret: key.private_key }) =>
      request(`${server.http}/${where}?token=${await mux.jwt.signViewerCounts(id, { type, expiration: '1h', ...keys })}`, { headers: { Origin: 'https://elsewhere.example' } });
    for (const [id, type] of [[liveId, 'live_stream'], [live, 'playback'], [live, 'video'], [asset.id, 'asset'], [signedAsset, 'playback']]) {
      const a = await tell('counts', id, type);
      assert.equal(a.status, 200, a.text);
      assert.equal(a.headers['access-control-allow-origin'], '*');
      const [row] = a.json.data;
      assert.ok(Number.isInteger(row.viewers) && row.views >= row.viewers && Date.parse(row.updated_at), a.text);
    }
    const { ingest_health: health } = await until('a second of it is measured', async () => {
      const [row] = (await tell('live-stream-health', liveId, 'live_stream')).json.data;
      return row.ingest_health.status !== 'unknown' && row;
    });
    assert.match(health.status, /^(excellent|good|poor)$/);
    assert.ok(health.stream_drift_session_avg >= 0 && Number.isInteger(health.stream_drift_deviation_from_rolling_avg), JSON.stringify(health));
    const eve = await muxOf(await newUser(server, 'Eve'));
    const hers = await eve.system.signingKeys.create();
    assert.equal((await tell('counts', liveId, 'live_stream', { keyId: hers.id, keySecret: hers.private_key })).status, 404, 'not hers');
    for (const [what, token] of Object.entries({ none: '', words: 'x', 'for playing': await tokenFor(live), unsigned: makeToken({ alg: 'none' }, { sub: liveId, aud: 'live_stream_id', exp: 9e9, kid: key.id }) }))
      for (const where of ['counts', 'live-stream-health']) {
        const a = await request(`${server.http}/${where}?token=${token}`);
        assert.equal(a.status, 403, `${what}: ${a.text}`);
        assert.equal(a.headers['access-control-allow-origin'], '*');
        assert.ok(a.json.error.messages[0]);
      }
  });

  test('modifiers of a live stream', async () => {
    const plain = await open(at(live, '?low_latency=false&exclude_pdt=true&unknown=1&redundant_streams=true'));
    const text = await (await fetch(plain.video)).text(); // not as Apple wishes: without dates
    assert.doesNotMatch(text, /EXT-X-PART|PRELOAD-HINT|RENDITION-REPORT|SERVER-CONTROL|PROGRAM-DATE-TIME/);
    assert.match(text.trim().split('\n').at(-1), /^v0\/\d+\.m4s$/);
    assert.ok(parseMedia(text).segments.length > 0);
    for (const bad of ['max_resolution=123p', 'min_resolution=big', 'rendition_order=asc', 'exclude_pdt=1', 'low_latency=no', 'asset_start_time=x',
      'asset_start_time=5&asset_end_time=5', 'asset_start_time=1&program_end_time=2', 'min_resolution=1080p&max_resolution=720p', 'roku_trick_play=', 'asset_start_time=-1', 'asset_start_time=999999']) {
      const answer = await request(at(live, `?${bad}`));
      assert.equal(answer.status, 400, `${bad}: ${answer.text}`);
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      assert.ok(answer.json.error.message);
    }
  });

  test('clips: of what is running, and of what is recorded; a token\'s clip is all there is', async () => {
    const whole = await until('some seconds are recorded', async () => {
      const p = parseMedia((await request((await open(at(recorded))).video)).text);
      return p.segments.length >= 6 && p;
    }, 30_000);
    const running = parseMedia((await request((await open(at(recorded, '?asset_start_time=1.5&asset_end_time=3'))).video)).text);
    assert.equal(running.type, 'VOD');
    assert.ok(running.ended && running.segments.length >= 2 && running.segments.length <= 4, `${running.segments.length} segments`);
    const from = whole.segments[2].pdt / 1000;
    {
      const dvr = parseMedia((await request((await open(at(live, `?program_start_time=${from}&program_end_time=${from + 1}`))).video)).text);
      assert.equal(dvr.type, 'VOD');
      assert.ok(dvr.msn <= whole.msn + 2 && dvr.segments.length <= 3);
    }
    await publisher.stop();
    await ada.untilReady(stream.id, 30_000);
    const token = await tokenFor(signedAsset, { params: { asset_start_time: 2, asset_end_time: 4 } });
    const clip = await open(at(signedAsset, `?token=${token}`));
    const media = parseMedia((await request(clip.video)).text);
    assert.equal(media.type, 'VOD');
    assert.ok(media.segments.length >= 2 && media.segments.length <= 4);
    for (const s of media.segments) assert.equal(await status(new URL(s.uri, clip.video).href), 200);
    const outside = new URL(media.segments.at(-1).uri.replace(/\d+\.m4s/, '0.m4s'), clip.video).href;
    if (!media.segments.some((s) => s.uri.endsWith('/0.m4s'))) assert.equal(await status(outside), 404, 'before the clip');
    const probed = await ffprobe(at(signedAsset, `?token=${token}`));
    assert.ok(+probed.format.duration < 5, `the clip lasts ${probed.format.duration} s`);
  });

  test('files of a recording: MP4 and M4A', async () => {
    const url = (id, name, query = '') => `${server.http}/${id}/${name}${query}`;
    assert.equal(await status(url(recorded, 'highest.mp4')), 404, 'nobody asked for it');
    const made = await mux.video.assets.createStaticRendition(asset.id, { resolution: 'highest', passthrough: 'mine' });
    assert.equal(made.status, 'preparing');
    assert.equal(made.name, 'highest.mp4');
    await assert.rejects(mux.video.assets.createStaticRendition(asset.id, { resolution: '720p' }), Mux.BadRequestError);
    await assert.rejects(mux.video.assets.createStaticRendition(asset.id, { resolution: 'highest' }), Mux.BadRequestError);
    const sound = await mux.video.assets.createStaticRendition(asset.id, { resolution: 'audio-only' });
    const got = await until('both are ready', async () => {
      const { static_renditions: all } = await mux.video.assets.retrieve(asset.id);
      return all.status === 'ready' && all;
    });
    const file = got.files.find((f) => f.name === 'highest.mp4');
    assert.equal(file.passthrough, 'mine');
    assert.deepEqual([file.ext, file.width, file.height], ['mp4', 640, 360]);
    const whole = await ffprobe(url(recorded, 'highest.mp4'), ['-count_packets']);
    assert.deepEqual(whole.streams.map((x) => x.codec_name).sort(), ['aac', 'h264']);
    const of = await ffprobe(at(recorded), ['-count_packets']);
    const packets = (p, type) => +p.streams.find((x) => x.codec_type === type).nb_read_packets;
    for (const type of ['video', 'audio']) assert.equal(packets(whole, type), packets(of, type), `${type}: every packet`);
    assert.ok(Math.abs(whole.format.duration - of.format.duration) < 0.2, `${whole.format.duration} s of ${of.format.duration} s`);
    const only = await ffprobe(url(recorded, 'audio.m4a'));
    assert.deepEqual(only.streams.map((x) => x.codec_name), ['aac']);
    const answer = await request(url(recorded, 'highest.mp4', `?download=${encodeURIComponent('a "b"/ö.mp4')}`));
    assert.equal(answer.body.length, +file.filesize);
    assert.equal(answer.headers['content-disposition'], "attachment; filename*=UTF-8''a%20%22b%22_%C3%B6.mp4");
    const part = await request(url(recorded, 'highest.mp4'), { headers: { Range: 'bytes=100-199' } });
    assert.equal(part.status, 206);
    assert.deepEqual(part.body, answer.body.subarray(100, 200));
    assert.equal(await status(url(recorded, 'highest.mp4'), { Range: 'bytes=999999999-' }), 416);
    assert.equal(await status(url(signedAsset, 'highest.mp4')), 403, 'a signed id');
    assert.equal(await status(url(signedAsset, 'highest.mp4', `?token=${await tokenFor(signedAsset)}`)), 200);
    await mux.video.assets.deleteStaticRendition(asset.id, sound.id);
    assert.equal(await status(url(recorded, 'audio.m4a')), 404);
    const none = await mux.video.assets.createStaticRendition(asset.id, { resolution: 'audio-only' });
    assert.equal(none.name, 'audio.m4a');
  });

  test('new_asset_settings ask for a file of every recording', async () => {
    const created = await mux.video.liveStreams.create({ playback_policies: ['public'], new_asset_settings: { playback_policies: ['public'], static_renditions: [{ resolution: 'highest' }, { resolution: 'audio-only' }] }, reconnect_window: 0 });
    const source = await publishFfmpeg(t, `${server.rtmp}/live/${created.stream_key}`, { media: { gop: 1 } });
    await until('active', async () => (await mux.video.liveStreams.retrieve(created.id)).status === 'active', 30_000);
    await source.stop();
    const ready = await until('its files are there', async () => {
      const { data } = await mux.video.assets.list({ live_stream_id: created.id });
      return data[0]?.static_renditions.status === 'ready' && data[0];
    }, 30_000);
    assert.deepEqual(ready.static_renditions.files.map((f) => f.name).sort(), ['audio.m4a', 'highest.mp4']);
    assert.equal(await status(`${server.http}/${ready.playback_ids[0].id}/highest.mp4`), 200);
  });

  test('hls.js plays a signed recording', async (c) => {
    const { page, problems } = await launchBrowser(c);
    await page.goto(`${server.http}/healthz`);
    await hlsPlay(page, at(signedAsset, `?token=${await tokenFor(signedAsset)}`));
    await untilPlayed(page, 2);
    assert.deepEqual(problems.filter((p) => !/favicon/.test(p)), []);
  });
});

// The player as it is: it builds https://stream.DOMAIN/ID.m3u8 by itself.
test('mux-player plays live, recorded and signed, by playback id over TLS and by src', async (t) => {
  const server = await startServer(t, { tls: true, args: ['--hls-segment-ms', '1000', '--reconnect-window', '1s'] });
  const ada = await newUser(server);
  const made = JSON.parse((await run(['token', 'create', '--data', server.dataDir, '--email', ada.email, '--json'])).stdout);
  const api = async (method, path, body) => {
    const headers = { Authorization: `Basic ${Buffer.from(`${made.TOKEN_ID}:${made.TOKEN_SECRET}`).toString('base64')}`, 'Content-Type': 'application/json' };
    const text = body ? JSON.stringify(body) : '';
    return (await request(server.http + path, { method, headers: { ...headers, 'Content-Length': Buffer.byteLength(text) }, body: text, ca: server.ca })).json.data;
  };
  const key = await api('POST', '/system/v1/signing-keys');
  const jwt = new Mux({ tokenId: 'x', tokenSecret: 'y' }).jwt;
  const stream = await ada.createStream();
  const source = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  await ada.untilLive(stream.id);
  const asset = (await api('GET', '/video/v1/assets'))[0];
  const signed = await api('POST', `/video/v1/assets/${asset.id}/playback-ids`, { policy: 'signed' });
  const token = await jwt.signPlaybackId(signed.id, { keyId: key.id, keySecret: key.private_key, type: 'video' });

  const { port } = new URL(server.http);
  const domain = `video.test:${port}`;
  const { page, problems } = await launchBrowser(t, {
    ignoreHTTPSErrors: true,
    args: ['--host-resolver-rules=MAP *.video.test 127.0.0.1', '--ignore-certificate-errors'],
    expected: [/thumbnail|storyboard|litix|404|favicon/],
  });
  const script = fs.readFileSync(path.join(root, 'tests/e2e/node_modules/@mux/mux-player/dist/mux-player.js'), 'utf8');
  const plays = async (what, attributes) => {
    await page.goto(`${server.http}/healthz`);
    await page.evaluate(script);
    await page.evaluate((set) => {
      const player = document.createElement('mux-player');
      for (const [name, value] of Object.entries({ ...set, muted: '', autoplay: 'muted', 'disable-tracking': '' })) player.setAttribute(name, value);
      document.body.append(player);
    }, attributes);
    await until(`${what} plays`, () => page.evaluate(() => document.querySelector('mux-player').currentTime > 0.5), 40_000).catch(async (e) => {
      throw new Error(`${e.message} ${await page.evaluate(() => JSON.stringify([document.querySelector('mux-player').error?.message, document.querySelector('mux-player').src]))} ${problems}`);
    });
    return page.evaluate(() => document.querySelector('mux-player').streamType);
  };
  const live = { 'playback-id': stream.playback.playbackId, 'custom-domain': domain };
  assert.equal(await plays('live', live), 'live');
  await source.stop();
  await ada.untilReady(stream.id, 30_000);
  const recorded = asset.playback_ids.find((p) => p.policy === 'public').id;
  assert.equal(await plays('recorded', { 'playback-id': recorded, 'custom-domain': domain }), 'on-demand');
  await plays('signed', { 'playback-id': signed.id, 'custom-domain': domain, 'playback-token': token });
  await plays('by src', { src: `${server.http}/${recorded}.m3u8?max_resolution=720p` });
  await plays('a clip', { 'playback-id': recorded, 'custom-domain': domain, 'asset-start-time': '1' });
  assert.deepEqual(problems, []);
});

const OFFER = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'c=IN IP4 0.0.0.0', 'a=mid:0', 'a=recvonly', 'a=rtcp-mux',
  'a=ice-ufrag:abcd', 'a=ice-pwd:abcdefghijklmnopqrstuvwx', `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`, 'a=setup:actpass', 'a=rtpmap:96 H264/90000',
  'a=fmtp:96 packetization-mode=1;profile-level-id=42e01f;level-asymmetry-allowed=1', ''].join('\r\n');
