// SPDX-License-Identifier: MIT
// Text tracks: added by Mux's own client, fetched, rewritten, in playlists, clips and files, seen in a browser;
// and what comes of files and servers that will not do.
import Mux from '@mux/mux-node';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { load, open } from './lib/hls.mjs';
import { hlsPlay } from './lib/hls_js.mjs';
import { request } from './lib/http.mjs';
import { parseMedia, parseMultivariant } from './lib/m3u8.mjs';
import { encode } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { root, run, startServer, tempDir, until } from './lib/server.mjs';

const SECONDS = 42;
const ARGS = ['--fetch-allow-private', '--webhook-allow-private'];
const two = (n) => String(n).padStart(2, '0');
const clock = (s, dot = '.') => `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(Math.floor(s) % 60)}${dot}${String(Math.round((s % 1) * 1000)).padStart(3, '0')}`;
// A cue each second: "en 7" from 7.0 to 7.9.
const srt = Array.from({ length: SECONDS }, (_, i) => `${i + 1}\r\n${clock(i, ',')} --> ${clock(i + 0.9, ',')}\r\n<i>en</i> ${i}\r\n`).join('\r\n');
const vtt = `WEBVTT\n\nSTYLE\n::cue { background: url(http://evil.example/) }\n\n${Array.from({ length: SECONDS }, (_, i) => `${clock(i)} --> ${clock(i + 0.9)} line:0\n<v Ann>de ${i} & <script>alert(1)</script>\n`).join('\n')}`;

// Serves texts; a function answers by itself.
async function textServer(t) {
  const files = new Map();
  const hits = new Map();
  const server = http.createServer((req, res) => {
    const name = new URL(req.url, 'http://x').pathname.slice(1);
    hits.set(name, (hits.get(name) ?? 0) + 1);
    const file = files.get(name);
    if (typeof file === 'function') return file(req, res, hits.get(name));
    return file === undefined ? res.writeHead(404).end('none') : res.writeHead(200).end(file);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => (server.closeAllConnections(), server.close()));
  const base = `http://127.0.0.1:${server.address().port}/`;
  return { hits, add: (name, file) => (files.set(name, file), base + name) };
}

async function account(server, name) {
  const user = await newUser(server, name);
  const made = await run(['token', 'create', '--json', '--data', server.dataDir, '--email', user.email]);
  const { TOKEN_ID, TOKEN_SECRET } = JSON.parse(made.stdout);
  return (at) => new Mux({ baseURL: at.http, tokenId: TOKEN_ID, tokenSecret: TOKEN_SECRET, maxRetries: 0 });
}

const settled = (assets, asset, track, ms = 60_000) =>
  until(`track ${track.id} is settled`, async () => {
    const now = (await assets.retrieve(asset.id)).tracks?.find((x) => x.id === track.id);
    return now && now.status !== 'preparing' && now;
  }, ms, 100);

const text = { type: 'text', text_type: 'subtitles' };
const cues = (body) => [...body.matchAll(/^(\S+) --> (\S+)(.*)\n([^]*?)\n\n/gm)].map((m) => ({ from: seconds(m[1]), to: seconds(m[2]), settings: m[3], text: m[4] }));
const seconds = (at) => at.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

// What is shown in a page: `find` is how the video element is found there.
const active = (page, find) => page.evaluate((f) => {
  const video = eval(f);
  const track = video && !video.seeking && [...video.textTracks].find((x) => x.mode === 'showing' && x.activeCues?.length);
  const cue = track && [...track.activeCues].find((c) => c.startTime <= video.currentTime && c.endTime >= video.currentTime); // not of before a jump
  return cue && { at: video.currentTime, text: cue.text, language: track.language };
}, find);

// The number in the cue that is shown, at the time `at`, after a jump to `seek`.
async function sees(page, what, find, language, seek) {
  if (seek !== undefined) await page.evaluate(([f, s]) => (eval(f).currentTime = s), [find, seek]);
  const got = await until(`${what} shows a ${language} cue`, async () => {
    const now = await active(page, find);
    return now?.language === language && now.at >= (seek ?? 0) && now.text.includes(language.slice(0, 2)) && now;
  }, 40_000, 50).catch(async (e) => {
    throw new Error(`${e.message} ${await page.evaluate((f) => JSON.stringify([eval(f)?.currentTime, ...[...(eval(f)?.textTracks ?? [])].map((x) => [x.kind, x.language, x.label, x.id, x.mode, x.cues?.length, x.activeCues?.length])]), find)}`);
  });
  return { ...got, n: Number(/(\d+)/.exec(got.text.replace(/<[^>]*>/g, ''))[1]) };
}

test('text tracks', async (t) => {
  const dataDir = tempDir(t);
  let server = await startServer(t, { args: ARGS, dataDir });
  const web = await textServer(t);
  const login = await account(server, 'Ada');
  let { video, system, jwt } = login(server);
  const get = (target, headers) => request(server.http + target, { headers });
  const media = await encode(['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=10:duration=${SECONDS}`, '-f', 'lavfi', '-i', `sine=frequency=440:duration=${SECONDS}`,
    '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-g', '20', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest'], 'mp4');

  const told = [];
  const gone = [];
  const hookSecret = {};
  const hook = http.createServer(async (req, res) => {
    let body = '';
    for await (const b of req) body += b;
    res.writeHead(204).end();
    told.push(await login(server).webhooks.unwrap(body, req.headers, hookSecret.secret));
  });
  hook.listen(0, '127.0.0.1');
  await once(hook, 'listening');
  t.after(() => (hook.closeAllConnections(), hook.close()));
  hookSecret.secret = (await system.webhooks.create({ address: `http://127.0.0.1:${hook.address().port}/`, enabled: true })).signing_secret;

  // One with the asset, one with a name that another has by its language, one for those who do not hear.
  const asset = await video.assets.create({
    inputs: [{ url: web.add('media.mp4', fs.readFileSync(media)) }, { ...text, url: web.add('en.srt', srt), language_code: 'en-US', passthrough: 'mine' }],
    playback_policies: ['public', 'signed'],
  });
  const [open_, closed] = ['public', 'signed'].map((p) => asset.playback_ids.find((x) => x.policy === p).id);
  const english = asset.tracks.find((x) => x.type === 'text');
  assert.deepEqual([english.status, english.name, english.language_code, english.text_source, english.passthrough], ['preparing', 'English', 'en-US', 'uploaded', 'mine']);
  await until('the asset is ready', async () => (await video.assets.retrieve(asset.id)).status === 'ready', 60_000);
  const german = await video.assets.createTrack(asset.id, { ...text, url: web.add('de.vtt', vtt), language_code: 'de', name: 'Deutsch "für alle"', closed_captions: true });
  assert.deepEqual([german.status, german.closed_captions], ['preparing', true]);
  for (const track of [english, german]) {
    const got = await settled(video.assets, asset, track);
    assert.equal(got.status, 'ready', JSON.stringify(got.error));
  }
  const listed = () => until('the playlist lists both', async () => {
    const m = parseMultivariant((await open(`${server.http}/${open_}.m3u8`)).text);
    return m.renditions.filter((r) => r.TYPE === 'SUBTITLES').length === 2 && m;
  }, 20_000);

  await t.test('the multivariant playlist', async () => {
    const m = await listed();
    const [en, de] = m.renditions.filter((r) => r.TYPE === 'SUBTITLES');
    assert.deepEqual([en.NAME, en.LANGUAGE, en.DEFAULT, en.AUTOSELECT, en.FORCED, en.CHARACTERISTICS], ['English', 'en-US', 'NO', 'YES', 'NO', undefined]);
    assert.deepEqual([de.NAME, de.LANGUAGE, de.DEFAULT], ["Deutsch 'für alle'", 'de', 'NO']);
    assert.match(de.CHARACTERISTICS, /^public\.accessibility\.transcribes-spoken-dialog,public\.accessibility\.describes-music-and-sound$/);
    for (const v of m.variants) assert.equal(v.SUBTITLES, en['GROUP-ID']);
    const on = async (language) => parseMultivariant(await load(`${server.http}/${open_}.m3u8?default_subtitles_lang=${language}`)).renditions.filter((r) => r.TYPE === 'SUBTITLES' && r.DEFAULT === 'YES').map((r) => r.LANGUAGE);
    assert.deepEqual(await on('de'), ['de']);
    assert.deepEqual(await on('DE-AT'), ['de'], 'the nearest');
    assert.deepEqual(await on('en'), ['en-US']);
    assert.deepEqual(await on('fr'), [], 'none of it: as if it had not been asked for');
    for (const bad of ['', 'x', 'en_US', 'a-b-c', 'de%22'])
      assert.equal((await get(`/${open_}.m3u8?default_subtitles_lang=${bad}`)).status, 400, bad);
  });

  // Fetches a text playlist and its pieces.
  const pieces = async (list) => {
    const p = parseMedia(await load(list));
    return { p, bodies: await Promise.all(p.segments.map(async (s) => {
      const answer = await request(new URL(s.uri, list).href);
      assert.equal(answer.status, 200, s.uri);
      assert.equal(answer.headers['content-type'], 'text/vtt; charset=utf-8');
      assert.equal(answer.headers['access-control-allow-origin'], '*');
      return answer.text;
    })) };
  };
  const textList = (at, language) => new URL(at.master.renditions.find((r) => r.LANGUAGE === language).URI, `${server.http}/x`).href;

  await t.test('pieces in the time of the segments', async () => {
    const at = await open(`${server.http}/${open_}.m3u8`);
    const whole = parseMedia(await load(at.video));
    const { p, bodies } = await pieces(textList(at, 'de'));
    assert.equal(p.type, 'VOD');
    assert.ok(p.segments.length >= 2 && p.target <= 31, `${p.segments.length} pieces, of ${p.target} s`);
    const sum = (list) => list.reduce((n, s) => n + s.duration, 0);
    assert.ok(Math.abs(sum(p.segments) - sum(whole.segments)) < 0.01);
    assert.equal(p.segments[0].pdt, whole.segments[0].pdt);
    const first = JSON.parse((await run2('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts', '-of', 'json', path.join(dataDir, 'recordings', asset.id, 'v0.mp4')])).stdout);
    const scale = JSON.parse((await run2('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=time_base', '-of', 'json', path.join(dataDir, 'recordings', asset.id, 'v0.mp4')])).stdout).streams[0].time_base.split('/')[1];
    const begins = Math.min(...first.packets.map((x) => x.pts)) / scale;
    let from = 0;
    const seen = new Set();
    bodies.forEach((body, i) => {
      const map = /^WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:(\d+),LOCAL:(\S+)\n\n/.exec(body);
      assert.ok(map, body.slice(0, 100));
      assert.ok(Math.abs(map[1] / 90000 - seconds(map[2]) - begins) < 0.002, `${map[0]} where the picture begins at ${begins}`);
      for (const c of cues(body)) {
        assert.ok(c.to > from - 0.001 && c.from < from + p.segments[i].duration + 0.001, `${c.text} in piece ${i}`);
        assert.equal(c.settings, ' line:0');
        seen.add(c.text);
      }
      assert.doesNotMatch(body, /script|STYLE|url\(/);
      from += p.segments[i].duration;
    });
    assert.equal(seen.size, SECONDS, 'every cue');
    assert.ok(seen.has('<v Ann>de 0 &amp; alert(1)'));
    for (const [bad, status] of [['text-x/0-1.vtt', 404], [`text-${german.id}/0-999.vtt`, 404], [`text-${german.id}/3-1.vtt`, 404], [`text-${german.id}/a.vtt`, 404], [`text-${german.id}/0-18446744073709551615.vtt`, 404]])
      assert.equal((await request(new URL(bad, textList(at, 'de')).href)).status, status, bad);
  });

  await t.test('the file, and what is said in it', async () => {
    const file = await get(`/${open_}/text/${english.id}.vtt`);
    assert.equal(file.headers['content-type'], 'text/vtt; charset=utf-8');
    assert.equal(file.headers['access-control-allow-origin'], '*');
    assert.ok(file.text.startsWith('WEBVTT\n\n00:00:00.000 --> 00:00:00.900\n<i>en</i> 0\n\n'), file.text.slice(0, 80));
    assert.equal(cues(file.text).length, SECONDS);
    const plain = await get(`/${open_}/text/${german.id}.txt`);
    assert.equal(plain.headers['content-type'], 'text/plain; charset=utf-8');
    assert.ok(plain.text.startsWith('de 0 & alert(1)\nde 1 & alert(1)\n'));
    for (const target of [`/${open_}/text/nobody.vtt`, `/nobody/text/${english.id}.vtt`, `/${open_}/text/${english.id}.srt`])
      assert.equal((await get(target)).status, 404, target);
  });

  await t.test('an instant clip has its cues at their places', async () => {
    const clip = '?asset_start_time=31&asset_end_time=37';
    const at = await open(`${server.http}/${open_}.m3u8${clip}`);
    const shown = parseMedia(await load(at.video));
    const length = shown.segments.reduce((n, s) => n + s.duration, 0);
    const { p, bodies } = await pieces(textList(at, 'en-US'));
    assert.equal(p.segments[0].pdt, shown.segments[0].pdt);
    assert.ok(Math.abs(p.segments.reduce((n, s) => n + s.duration, 0) - length) < 0.01);
    const got = cues(bodies.join('')).map((c) => c.text);
    assert.ok(got.includes('<i>en</i> 33') && !got.includes('<i>en</i> 10') && !got.includes('<i>en</i> 41'), got.join());
    const file = cues((await get(`/${open_}/text/${english.id}.vtt${clip}`)).text);
    const k = Number(file[0].text.split(' ')[1]);
    assert.ok(k >= 28 && k <= 31 && file[0].from === 0 && file.at(-1).to <= length + 0.001, JSON.stringify(file[0]));
    assert.equal((await request(new URL(p.segments[0].uri.replace(/\d+-\d+/, '0-0'), textList(at, 'en-US')).href)).status, 404, 'before the clip');
  });

  await t.test('a clip that is an asset has its part of them', async () => {
    const clip = await video.assets.create({ inputs: [{ url: `mux://assets/${asset.id}`, start_time: 10.5, end_time: 14 }], playback_policies: ['public'] });
    const texts = clip.tracks.filter((x) => x.type === 'text');
    assert.deepEqual(texts.map((x) => [x.status, x.name, x.language_code, x.closed_captions, x.passthrough]), [['ready', 'English', 'en-US', false, 'mine'], ['ready', 'Deutsch "für alle"', 'de', true, undefined]]);
    const id = clip.playback_ids[0].id;
    await until('the clip is ready', async () => (await video.assets.retrieve(clip.id)).status === 'ready', 60_000);
    const got = cues((await get(`/${id}/text/${texts[0].id}.vtt`)).text);
    assert.deepEqual(got.map((c) => [c.from, c.to, c.text]), [[0, 0.4, '<i>en</i> 10'], [0.5, 1.4, '<i>en</i> 11'], [1.5, 2.4, '<i>en</i> 12'], [2.5, 3.4, '<i>en</i> 13']]);
    const { bodies } = await pieces(textList(await open(`${server.http}/${id}.m3u8`), 'de'));
    assert.equal(cues(bodies.join('')).length, 4);
    await video.assets.delete(clip.id);
    gone.push(`/${id}/text/${texts[0].id}.vtt`);
  });

  await t.test('pictures for a time line', async () => {
    const url = `${server.http}/${open_}.m3u8?roku_trick_play=true`;
    const line = /^#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=[1-9]\d*,RESOLUTION=256x144,CODECS="jpeg",URI="([^"]+)"$/m;
    const uri = new URL(line.exec(await load(url))[1], url).href;
    const list = await load(uri);
    const [, layout, duration] = /LAYOUT=(\d+x\d+),DURATION=([\d.]+)/.exec(list);
    assert.equal(layout, '5x10');
    assert.ok(Math.abs(duration * 50 - SECONDS) < 0.5, duration);
    const sheet = await request(new URL(parseMedia(list).segments[0].uri, uri).href, { timeout: 60_000 });
    assert.deepEqual([sheet.status, sheet.headers['content-type']], [200, 'image/jpeg']);
    for (const plain of ['', '?roku_trick_play=false', '?roku_trick_play=true&asset_start_time=3']) assert.doesNotMatch(await load(`${server.http}/${open_}.m3u8${plain}`), line, plain);
  });

  await t.test('a signed id wants its token, for all of it', async () => {
    const key = await system.signingKeys.create();
    const tokenFor = (params, type = 'video') => jwt.signPlaybackId(closed, { keyId: key.id, keySecret: key.private_key, type, expiration: '1h', params });
    const file = `/${closed}/text/${english.id}.vtt`;
    assert.equal((await get(file)).status, 403);
    assert.equal((await get(`${file}?token=${await tokenFor({}, 'thumbnail')}`)).status, 403);
    assert.equal((await get(`${file}?token=${await tokenFor()}`)).status, 200);
    const rule = await video.playbackRestrictions.create({ referrer: { allowed_domains: ['good.example'], allow_no_referrer: false }, user_agent: { allow_no_user_agent: true, allow_high_risk_user_agent: true } });
    const ruled = `${file}?token=${await tokenFor({ playback_restriction_id: rule.id })}`;
    assert.equal((await get(ruled)).status, 403);
    assert.equal((await get(ruled, { Referer: 'https://good.example/' })).status, 200);
    assert.equal((await get(`/${open_}/text/${english.id}.vtt?token=${await tokenFor()}`)).status, 403, 'a token for a public id');
    const cut = await get(`${file}?token=${await tokenFor({ asset_start_time: 31, asset_end_time: 37 })}&asset_start_time=0`);
    assert.ok(!cut.text.includes('</i> 10\n') && cut.text.includes('</i> 33\n'), 'the token\'s clip is all there is');
    const at = await open(`${server.http}/${closed}.m3u8?token=${await tokenFor({ default_subtitles_lang: 'de' })}`);
    assert.equal(at.master.renditions.find((r) => r.DEFAULT === 'YES' && r.TYPE === 'SUBTITLES').LANGUAGE, 'de');
    const list = textList(at, 'de');
    const { p } = await pieces(list);
    const [, , run_] = new URL(list).pathname.split('/');
    for (const uri of [list, new URL(p.segments[0].uri, list).href])
      for (const bad of [run_.split('~')[0], run_.slice(0, -1) + (run_.endsWith('A') ? 'B' : 'A')])
        assert.equal((await request(uri.replace(run_, bad))).status, 403, uri);
  });

  await t.test('hls.js and mux-player show them', async (c) => {
    const { page, problems } = await launchBrowser(c, { expected: [/thumbnail|storyboard|litix|404|favicon|cast_sender|Failed to load resource/] });
    const url = `${server.http}/${open_}.m3u8?default_subtitles_lang=de`;
    await page.goto(`${server.http}/healthz`);
    await hlsPlay(page, url, { lowLatencyMode: false });
    for (const seek of [2.3, 33.3]) {
      const got = await sees(page, 'hls.js', 'window.video', 'de', seek);
      assert.ok(got.at >= got.n - 0.2 && got.at < got.n + 1.2, JSON.stringify(got));
    }
    // A clip's time begins at 0, and the cue is the one of the recording.
    await page.goto(`${server.http}/healthz`);
    await hlsPlay(page, `${url}&asset_start_time=30&asset_end_time=40`, { lowLatencyMode: false });
    const clipped = await sees(page, 'hls.js', 'window.video', 'de', 1.3);
    const dates = await Promise.all(['', '?asset_start_time=30'].map(async (q) => parseMedia(await load((await open(`${server.http}/${open_}.m3u8${q}`)).video)).segments[0].pdt));
    const at = clipped.at + (dates[1] - dates[0]) / 1000;
    assert.ok(clipped.at < 10 && at >= clipped.n - 0.2 && at < clipped.n + 1.2, `${JSON.stringify(clipped)}, ${at} s in the recording`);

    await page.goto(`${server.http}/healthz`);
    await page.evaluate(fs.readFileSync(path.join(root, 'tests/e2e/node_modules/@mux/mux-player/dist/mux-player.js'), 'utf8'));
    await page.evaluate((src) => {
      const player = document.createElement('mux-player');
      for (const [name, value] of Object.entries({ src, muted: '', autoplay: 'muted', 'disable-tracking': '' })) player.setAttribute(name, value);
      document.body.append(player);
    }, url);
    // It begins with the browser's language; then the viewer chooses.
    const inside = 'document.querySelector("mux-player")?.media?.nativeEl';
    for (const language of ['en-US', 'de']) {
      await until('it has the tracks', () => page.evaluate((f) => [...(eval(f)?.textTracks ?? [])].filter((x) => x.kind === 'subtitles').length === 2, inside), 30_000);
      if (language === 'de') await page.evaluate((f) => [...eval(f).textTracks].filter((x) => x.kind === 'subtitles').forEach((x) => (x.mode = x.language === 'de' ? 'showing' : 'disabled')), inside);
      const got = await sees(page, 'mux-player', inside, language);
      assert.ok(got.at >= got.n - 0.2 && got.at < got.n + 1.2, JSON.stringify(got));
    }
    assert.deepEqual(problems, []);
  });

  await t.test('with an upload', async () => {
    const upload = await video.uploads.create({ cors_origin: '*', new_asset_settings: { playback_policies: ['public'], inputs: [{}, { ...text, url: web.add('up.srt', srt), language_code: 'en', passthrough: 'up' }] } });
    assert.ok((await fetch(upload.url, { method: 'PUT', body: fs.readFileSync(media) })).ok);
    const id = await until('there is an asset', async () => (await video.uploads.retrieve(upload.id)).asset_id, 30_000);
    const track = (await video.assets.retrieve(id)).tracks.find((x) => x.type === 'text');
    assert.deepEqual([track.name, track.passthrough], ['English', 'up']);
    assert.equal((await settled(video.assets, { id }, track)).status, 'ready');
    await until('the asset too', async () => (await video.assets.retrieve(id)).status === 'ready', 60_000);
    await video.assets.delete(id);
  });

  await t.test('what is asked wrongly', async () => {
    const good = { ...text, url: web.add('x.srt', srt), language_code: 'fr' };
    const wrong = {
      'another type': { ...good, type: 'audio' }, 'no type': { ...good, type: undefined }, 'no address': { ...good, url: undefined }, 'no web address': { ...good, url: 'file:///etc/passwd' },
      'another kind': { ...good, text_type: 'karaoke' }, 'no language': { ...good, language_code: undefined }, 'no such language': { ...good, language_code: 'english, I think' },
      'a name that is taken': { ...good, name: 'English' }, 'a long name': { ...good, name: 'x'.repeat(256) }, 'a control character': { ...good, name: 'a\nb' }, 'a number': { ...good, name: 7 },
      'a long passthrough': { ...good, passthrough: 'x'.repeat(256) }, 'no boolean': { ...good, closed_captions: 'yes' },
    };
    for (const [what, body] of Object.entries(wrong))
      await assert.rejects(video.assets.createTrack(asset.id, body), (e) => e instanceof Mux.BadRequestError && e.error.error.messages[0].length > 10, what);
    await assert.rejects(video.assets.createTrack('nobody', good), Mux.NotFoundError);
    await assert.rejects(video.assets.deleteTrack(asset.id, 'nobody'), Mux.NotFoundError);
    const bob = (await account(server, 'Bob'))(server);
    await assert.rejects(bob.video.assets.createTrack(asset.id, good), Mux.NotFoundError);
    await assert.rejects(bob.video.assets.deleteTrack(asset.id, english.id), Mux.NotFoundError);
    for (const inputs of [[{ ...text, url: 'http://x.example/', language_code: 'en' }], [{ url: web.add('m', 'x') }, { url: web.add('m', 'x') }], [{ url: web.add('m', 'x') }, { ...good, language_code: '-' }]])
      await assert.rejects(video.assets.create({ inputs }), Mux.BadRequestError);
  });

  await t.test('files and servers that will not do', async () => {
    const second = (i) => `${clock(i, ',')} --> ${clock(i + 1, ',')}`;
    const bad = {
      'no such file': [web.add('gone', (_, res) => res.writeHead(404).end()), /status 404/, 'download_failed'],
      'an empty file': [web.add('empty', ''), /empty/, 'download_failed'],
      'a page': [web.add('page', '<!doctype html><script>alert(1)</script>'), /neither SubRip nor WebVTT/, 'invalid_input'],
      'no UTF-8': [web.add('latin', Buffer.from(`${second(1)}\ncaf\xe9\n`, 'latin1')), /line 2: this is not UTF-8/, 'invalid_input'],
      'UTF-16': [web.add('utf16', Buffer.from(`\ufeff${second(1)}\nhi\n`, 'utf16le')), /UTF-16/, 'invalid_input'],
      'no cues': [web.add('none', 'WEBVTT\n\nNOTE nothing\n'), /no cues/, 'invalid_input'],
      'backwards': [web.add('back', `1\n${clock(5, ',')} --> ${clock(4, ',')}\nx\n`), /line 2: the cue ends before it begins/, 'invalid_input'],
      'no time': [web.add('time', '1\n00:00:99,000 --> 00:01:44,000\nx\n'), /no time/, 'invalid_input'],
      'a million cues': [web.add('many', 'WEBVTT\n\n' + '00:00.000 --> 00:00.001\nx\n\n'.repeat(140_000)), /too many cues/, 'invalid_input'],
      'all at once': [web.add('once', `${second(1)}\nx\n\n`.repeat(1000)), /at the same time/, 'invalid_input'],
      'too large': [web.add('large', Buffer.alloc(5 << 20, 'x')), /larger/, 'download_failed'],
      'too large, without saying so': [web.add('endless', (_, res) => {
        res.writeHead(200);
        const more = () => { while (!res.destroyed && res.write('x'.repeat(65536))); };
        res.on('drain', more);
        more();
      }), /larger/, 'download_failed'],
      'redirected for ever': [web.add('around', (req, res) => res.writeHead(302, { location: req.url }).end()), /redirect/i, 'download_failed'],
      'redirected to a file': [web.add('local', (_, res) => res.writeHead(302, { location: 'file:///etc/passwd' }).end()), /.../, 'download_failed'],
    };
    const before = diskBytes(path.join(dataDir, 'recordings'));
    const made = await Promise.all(Object.entries(bad).map(async ([what, [url]]) => [what, await video.assets.createTrack(asset.id, { ...text, url, language_code: 'fr', name: what })]));
    for (const [what, track] of made) {
      const got = await settled(video.assets, asset, track, 90_000);
      const [, words, type] = bad[what];
      assert.equal(got.status, 'errored', what);
      assert.match(got.error.messages[0], words, what);
      assert.equal(got.error.type, type, what);
      assert.equal((await get(`/${open_}/text/${track.id}.vtt`)).status, 404, what);
      await video.assets.deleteTrack(asset.id, track.id);
    }
    assert.equal(diskBytes(path.join(dataDir, 'recordings')), before, 'nothing of it is on the disk');
    // Cues that overlap, and stand in any order, are fine.
    const mixed = await video.assets.createTrack(asset.id, { ...text, url: web.add('mixed', `${second(5)}\nlate\n\n${second(1)}\nearly\n\n${clock(1.5, ',')} --> ${clock(5.5, ',')}\nlong\n`), language_code: 'it' });
    assert.equal((await settled(video.assets, asset, mixed)).status, 'ready');
    assert.deepEqual(cues((await get(`/${open_}/text/${mixed.id}.vtt`)).text).map((c) => c.text), ['early', 'long', 'late']);
    const changed = await video.assets.updateTrack(asset.id, mixed.id, { language_code: 'pt-BR', name: 'Brasil', passthrough: 'p' });
    assert.deepEqual([changed.language_code, changed.name, changed.passthrough, changed.status], ['pt-BR', 'Brasil', 'p', 'ready']);
    await video.assets.deleteTrack(asset.id, mixed.id);
    gone.push(`/${open_}/text/${mixed.id}.vtt`);
    assert.equal((await video.assets.retrieve(asset.id)).tracks.filter((x) => x.type === 'text').length, 2);
  });

  await t.test('what was deleted is gone within seconds', async () => {
    for (const target of gone) await until(`${target} is gone`, async () => (await get(target)).status === 404, 30_000, 300);
  });

  await t.test('kill -9 while a slow server is asked: fetched at the next start', async () => {
    const slow = web.add('slow', (_, res, n) => (n === 1 ? res.writeHead(200).write('1\n00:00') : res.writeHead(200).end(srt)));
    const track = await video.assets.createTrack(asset.id, { ...text, url: slow, language_code: 'es' });
    await until('it is being fetched', () => web.hits.get('slow') === 1);
    assert.equal((await get(`/${open_}/text/${track.id}.vtt`)).status, 412);
    const given = web.add('given-up', (_, res) => res.writeHead(200).write('1\n')); // deleted on the way
    const dropped = await video.assets.createTrack(asset.id, { ...text, url: given, language_code: 'pl' });
    await until('the other too', () => web.hits.get('given-up') === 1);
    await video.assets.deleteTrack(asset.id, dropped.id);
    server.expectClean = false;
    server.child.kill('SIGKILL');
    await server.exited;
    server = await startServer(t, { args: ARGS, dataDir });
    ({ video, system, jwt } = login(server));
    assert.equal((await settled(video.assets, asset, track)).status, 'ready');
    assert.equal(cues((await get(`/${open_}/text/${track.id}.vtt`)).text).length, SECONDS);
    await video.assets.deleteTrack(asset.id, track.id);
  });

  await t.test('webhooks told of each', async () => {
    const of = (track) => told.filter((e) => e.object.id === asset.id && e.data.id === track.id).map((e) => e.type.replace('video.asset.track.', ''));
    await until('all are told', () => of(english).length >= 2 && told.filter((e) => e.type === 'video.asset.track.deleted').length >= 16, 30_000);
    assert.deepEqual(new Set(of(english)), new Set(['created', 'ready']));
    const errored = told.find((e) => e.type === 'video.asset.track.errored');
    assert.equal(errored.data.asset_id, asset.id);
    assert.equal(errored.data.status, 'errored');
    assert.ok(errored.data.error.messages[0]);
    assert.equal(told.find((e) => e.type === 'video.asset.track.deleted').data.status, 'deleted');
  });
});

test('without --fetch-allow-private no private address is asked, by no way', async (t) => {
  const server = await startServer(t, {});
  const web = await textServer(t);
  const { video } = (await account(server, 'Eve'))(server);
  const media = await encode(['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=10:duration=1', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'], 'mp4');
  const upload = await video.uploads.create({ cors_origin: '*', new_asset_settings: { playback_policies: ['public'] } });
  assert.ok((await fetch(upload.url, { method: 'PUT', body: fs.readFileSync(media) })).ok);
  const id = await until('there is an asset', async () => (await video.uploads.retrieve(upload.id)).asset_id, 30_000);
  await assert.rejects(video.uploads.create({ cors_origin: '*', new_asset_settings: { inputs: [{}, { ...text, url: web.add('a', srt), language_code: 'en' }] } }), Mux.BadRequestError);
  for (const url of [web.add('a', srt), 'http://localhost/a', 'http://[::1]/a', 'http://169.254.169.254/latest'])
    await assert.rejects(video.assets.createTrack(id, { ...text, url, language_code: 'en' }), Mux.BadRequestError, url);
  assert.equal(web.hits.size, 0);
});

test('a break in the recording: cues stay with the picture', async (t) => {
  const server = await startServer(t, { args: ['--fetch-allow-private', '--reconnect-window', '20s', '--hls-segment-ms', '1000'] });
  const web = await textServer(t);
  const ada = await newUser(server);
  const made = JSON.parse((await run(['token', 'create', '--json', '--data', server.dataDir, '--email', ada.email])).stdout);
  const { video } = new Mux({ baseURL: server.http, tokenId: made.TOKEN_ID, tokenSecret: made.TOKEN_SECRET });
  const stream = await ada.createStream();
  const first = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  await ada.untilLive(stream.id);
  const live = (await open(`${server.http}/${stream.playback.playbackId}.m3u8`)).video;
  const count = async (find) => find(parseMedia(await load(live)).segments);
  await until('three segments', () => count((s) => s.length >= 3), 30_000);
  await first.kill();
  await until('the encoder is missed', async () => !(await ada.expect(200, 'GET', `/api/streams/${stream.id}/health`)).connected);
  const second = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
  await until('three more', () => count((s) => s.length - s.findIndex((x) => x.discontinuity) > 3 && s.some((x) => x.discontinuity)), 30_000);
  const asset = (await video.assets.list()).data[0];
  // While it is being recorded a track is made ready, and its file can be had.
  const track = await video.assets.createTrack(asset.id, { ...text, url: web.add('de', vtt), language_code: 'de' });
  assert.equal((await settled(video.assets, asset, track)).status, 'ready');
  const id = asset.playback_ids[0].id;
  assert.equal(cues((await request(`${server.http}/${id}/text/${track.id}.vtt`)).text).length, SECONDS);
  assert.doesNotMatch(await load(`${server.http}/${id}.m3u8`), /SUBTITLES/);
  await second.stop();
  await ada.end(stream.id);
  await ada.untilReady(stream.id, 30_000);

  const url = `${server.http}/${id}.m3u8?default_subtitles_lang=de`;
  const at = await until('the recording lists it', async () => {
    const o = await open(url);
    return o.master.renditions.some((r) => r.TYPE === 'SUBTITLES') && o;
  }, 30_000);
  const whole = parseMedia(await load(at.video));
  const list = new URL(at.master.renditions.find((r) => r.TYPE === 'SUBTITLES').URI, url).href;
  const p = parseMedia(await load(list));
  const broken = whole.segments.findIndex((s) => s.discontinuity);
  const before = whole.segments.slice(0, broken).reduce((n, s) => n + s.duration, 0);
  assert.deepEqual(p.segments.map((s) => !!s.discontinuity), [false, true]);
  assert.ok(Math.abs(p.segments[0].duration - before) < 0.01);
  // The map of the second piece is the time of the picture behind the break.
  const [, ticks, local] = /X-TIMESTAMP-MAP=MPEGTS:(\d+),LOCAL:(\S+)/.exec(await load(new URL(p.segments[1].uri, list).href));
  const file = path.join(tempDir(t, 'piece'), 'p.mp4');
  fs.writeFileSync(file, Buffer.concat(await Promise.all([whole.segments[broken].map, whole.segments[broken].uri].map(async (u) => (await request(new URL(u, at.video).href)).body))));
  const shown = JSON.parse((await run2('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts_time', '-of', 'json', file])).stdout).packets.map((x) => Number(x.pts_time));
  assert.ok(Math.abs(ticks / 90000 - Math.min(...shown)) < 0.002, `${ticks} ticks, ${Math.min(...shown)} s`);
  assert.ok(Math.abs(seconds(local) - before) < 0.002, `${local}, ${before} s`);

  const { page, problems } = await launchBrowser(t, { expected: [/favicon/] });
  await page.goto(`${server.http}/healthz`);
  await hlsPlay(page, url, { lowLatencyMode: false });
  for (const seek of [before + 1.2, 1.2]) {
    const got = await sees(page, 'hls.js', 'window.video', 'de', seek);
    assert.ok(got.at >= got.n - 0.2 && got.at < got.n + 1.2, `${JSON.stringify(got)}, the break is at ${before}`);
  }
  assert.deepEqual(problems, []);
});

async function run2(command, args) {
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  return promisify(execFile)(command, args, { maxBuffer: 32 << 20 });
}

function diskBytes(dir) {
  return fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).reduce((n, f) => n + fs.statSync(path.join(f.parentPath ?? f.path, f.name)).size, 0);
}
