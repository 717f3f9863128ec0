// SPDX-License-Identifier: MIT
// Files of a recording, with @mux/mux-node: static renditions of any height, the master, and what is said of inputs.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import Mux from '@mux/mux-node';
import { newUser } from './lib/api.mjs';
import { request } from './lib/http.mjs';
import { encode, ffprobe } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run, startServer, tempDir, until } from './lib/server.mjs';

const execute = promisify(execFile);
const ARGS = ['--fetch-allow-private', '--hls-segment-ms', '1000', '--reconnect-window', '0s'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const picture = (size, seconds) => ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30:duration=${seconds}`];
const tone = (seconds) => ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`];

// Decodes all of it without a complaint: the pictures' times.
async function pictures(url, args = []) {
  const { stdout, stderr } = await execute('ffmpeg', ['-nostdin', '-v', 'repeat+warning', '-i', url, '-map', '0:v:0', '-fps_mode', 'passthrough', '-enc_time_base', '-1', ...args, '-f', 'framemd5', '-'], { timeout: 60_000, maxBuffer: 64 << 20 });
  assert.equal(stderr, '', url);
  return stdout.split('\n').filter((l) => l.startsWith('0,')).map((l) => +l.split(',')[2]);
}
const stream = (probe, type) => probe.streams.find((s) => s.codec_type === type);

describe('files of recordings', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  const dataDir = tempDir(t);
  let server, web, token, ada;

  const assets = () => new Mux({ baseURL: server.http, ...token }).video.assets;
  const folder = (name = '') => path.join(dataDir, 'recordings', name);
  const names = (asset) => fs.readdirSync(folder(asset.id)).sort();
  const sql = (text) => JSON.parse(execFileSync('sqlite3', ['-json', '-cmd', '.timeout 20000', path.join(dataDir, 'bspnode.db'), text], { encoding: 'utf8' }) || '[]');
  const events = (asset, like) => sql(`SELECT type, object_type, data FROM media_events WHERE object_id = '${asset.id}' AND type LIKE 'video.asset.${like}' ORDER BY created_at, rowid`)
    .map((e) => ({ ...e, data: JSON.parse(e.data) }));
  const settled = (asset, ms = 90_000) => until(`asset ${asset.id} is settled`, async () => {
    const now = await assets().retrieve(asset.id);
    return now.status !== 'preparing' && now;
  }, ms, 150);
  const filesDone = (asset) => until('its files are settled', async () => {
    const { static_renditions: s } = await assets().retrieve(asset.id);
    return s.files.every((f) => f.status !== 'preparing') && s;
  }, 90_000, 150);
  const url = (asset, name) => `${server.http}/${asset.playback_ids[0].id}/${name}`;
  const make = async (file, more = {}) => assets().create({ inputs: [{ url: web.add(file) }], playback_policies: ['public'], ...more });

  before(async () => {
    server = await startServer(t, { args: ARGS, dataDir });
    ada = await newUser(server, 'Ada');
    const made = await run(['token', 'create', '--json', '--data', dataDir, '--email', ada.email]);
    assert.equal(made.code, 0, made.stderr);
    const { TOKEN_ID: tokenId, TOKEN_SECRET: tokenSecret } = JSON.parse(made.stdout);
    token = { tokenId, tokenSecret, webhookSecret: null };
    const listener = http.createServer((ask, answer) => answer.writeHead(200).end(fs.readFileSync(web.files.get(ask.url))));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    t.after(() => (listener.closeAllConnections(), listener.close()));
    web = {
      files: new Map(),
      add(file) {
        const name = `/${path.basename(file)}`;
        this.files.set(name, file);
        return `http://127.0.0.1:${listener.address().port}${name}`;
      },
    };
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  let film;

  test('a picture of each size: taken, encoded, skipped', async () => {
    const passthrough = 'a "}]\\b", é\n😀';
    const source = await encode([...picture('640x360', 3), ...tone(3), ...H264, '-g', '30', '-bf', '2', '-c:a', 'aac']);
    const sizes = ['720p', '360p', '270p', 'audio-only'];
    film = await make(source, { static_renditions: sizes.map((resolution) => ({ resolution, passthrough: `${resolution} ${passthrough}` })) });
    assert.deepEqual(film.static_renditions.files.map((f) => f.status), sizes.map(() => 'preparing'), 'from the beginning');
    assert.equal(film.static_renditions.status, 'preparing');
    film = await settled(film);
    assert.equal(film.status, 'ready', JSON.stringify(film.errors));
    const { files, status } = await filesDone(film);
    assert.equal(status, 'ready');
    const by = Object.fromEntries(files.map((f) => [f.resolution, f]));
    for (const size of sizes) assert.equal(by[size].passthrough, `${size} ${passthrough}`);
    assert.deepEqual([by['720p'].status, by['720p'].filesize], ['skipped', undefined]);
    assert.deepEqual([by['360p'].status, by['360p'].width, by['360p'].height], ['ready', 640, 360]);
    assert.deepEqual([by['270p'].status, by['270p'].width, by['270p'].height, by['270p'].resolution_tier], ['ready', 480, 270, '720p']);
    assert.equal((await request(url(film, '720p.mp4'))).status, 404);

    const [whole, small] = await Promise.all(['360p.mp4', '270p.mp4'].map((n) => ffprobe(url(film, n), ['-count_packets'])));
    assert.deepEqual(small.streams.map((s) => s.codec_name), ['h264', 'aac']);
    assert.deepEqual([stream(small, 'video').width, stream(small, 'video').height], [480, 270]);
    for (const type of ['video', 'audio']) {
      assert.equal(stream(small, type).nb_read_packets, stream(whole, type).nb_read_packets, `${type}: nothing is lost`);
      assert.ok(Math.abs(stream(small, type).start_time - stream(whole, type).start_time) < 0.002, `${type} begins at ${stream(small, type).start_time}, not ${stream(whole, type).start_time}`);
    }
    assert.ok(Math.abs(small.format.duration - whole.format.duration) < 0.05, `${small.format.duration} s of ${whole.format.duration} s`);
    assert.ok(+by['270p'].filesize < +by['360p'].filesize);
    const shown = await pictures(url(film, '270p.mp4'));
    assert.equal(shown.length, 90);
    assert.deepEqual((await pictures(url(film, '360p.mp4'))).length, 90);

    const told = events(film, 'static\\_rendition.%" ESCAPE "\\'.replace(/"/g, "'"));
    const of = (resolution) => told.filter((e) => e.data.resolution === resolution).map((e) => [e.type.split('.').at(-1), e.data.status, e.object_type, e.data.asset_id]);
    assert.deepEqual(of('270p'), [['created', 'preparing', 'asset', film.id], ['ready', 'ready', 'asset', film.id]]);
    assert.deepEqual(of('720p').map((e) => e[0]), ['created', 'skipped']);
    const ready = told.find((e) => e.data.resolution === '270p' && e.data.status === 'ready').data;
    assert.deepEqual([ready.id, ready.passthrough, ready.name, ready.filesize], [by['270p'].id, by['270p'].passthrough, '270p.mp4', by['270p'].filesize]);
    assert.deepEqual(names(film), ['270p.mp4', '360p.mp4', 'a0.mp4', 'audio.m4a', 'index.log', 'v0.mp4']);

    await assets().deleteStaticRendition(film.id, by['270p'].id);
    assert.equal(events(film, 'static\\_rendition.deleted\' ESCAPE \'\\')[0].data.id, by['270p'].id);
    assert.ok(!names(film).includes('270p.mp4'));
    assert.equal((await request(url(film, '270p.mp4'))).status, 404);
    await assert.rejects(assets().deleteStaticRendition(film.id, by['270p'].id), Mux.NotFoundError);
  });

  const masterDone = (asset, want = 'ready') => until(`the master is ${want}`, async () => {
    const now = await assets().retrieve(asset.id);
    return (now.master?.status ?? 'none') === want && now;
  }, 60_000, 100);
  const masterEvents = (asset) => events(asset, 'master.%').map((e) => e.type.split('.').at(-1));
  const expire = (asset) => sql(`UPDATE assets SET master_until = 1 WHERE id = '${asset.id}'; UPDATE jobs SET not_before = 0 WHERE asset_id = '${asset.id}'`);

  test('the master of an import is its file, for 24 hours', async () => {
    const source = await encode([...picture('322x182', 2), ...tone(2), '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libvorbis'], 'webm');
    let asset = await make(source, { master_access: 'temporary' });
    assert.deepEqual([asset.master_access, asset.master.status, asset.master.url], ['temporary', 'preparing', undefined]);
    asset = await settled(asset);
    asset = await masterDone(asset);
    assert.equal(asset.master_access, 'temporary');
    assert.match(asset.master.url, new RegExp(`^${server.http}/master/\\w{40}/master\\.webm$`));
    const answer = await request(asset.master.url);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, fs.readFileSync(source));
    assert.equal(answer.headers['content-type'], 'video/webm');
    assert.equal(answer.headers['cache-control'], 'private, no-store');
    assert.equal(answer.headers['content-disposition'], "attachment; filename*=UTF-8''master.webm");
    const part = await request(`${asset.master.url}?download=my%20film.webm`, { headers: { Range: 'bytes=10-19' } });
    assert.equal(part.status, 206);
    assert.deepEqual(part.body, answer.body.subarray(10, 20));
    assert.equal(part.headers['content-disposition'], "attachment; filename*=UTF-8''my%20film.webm");
    for (const wrong of [asset.master.url.replace('webm', 'mp4'), asset.master.url.replace(/master\/./, 'master/_'), `${server.http}/master/${asset.id}/master.webm`])
      assert.equal((await request(wrong)).status, 404, wrong);
    assert.deepEqual(masterEvents(asset), ['preparing', 'ready']);
    assert.equal(events(asset, 'master.ready')[0].data.master.url, asset.master.url);
    const hours = (sql(`SELECT master_until FROM assets WHERE id = '${asset.id}'`)[0].master_until / 1000 - Date.now()) / 3600e3;
    assert.ok(hours > 23.9 && hours <= 24, `${hours} hours`);
    assert.ok(names(asset).includes('source'));

    expire(asset);
    assert.equal((await request(asset.master.url)).status, 404, 'over');
    await until('the disk is cleaned', () => !names(asset).includes('source'));
    const over = await assets().retrieve(asset.id);
    assert.deepEqual([over.master_access, over.master], ['none', undefined]);
    assert.deepEqual(masterEvents(asset), ['preparing', 'ready', 'deleted']);
    assert.equal((await request(url(asset, 'highest.mp4'))).status, 404);
    assert.equal((await request(`${server.http}/${asset.playback_ids[0].id}.m3u8`)).status, 200, 'it still plays');
  });

  test('the master of what has no file any more is an MP4 of it', async () => {
    let asset = await assets().updateMasterAccess(film.id, { master_access: 'temporary' });
    assert.equal(asset.master_access, 'temporary');
    asset = await masterDone(asset);
    assert.match(asset.master.url, /\/master\.mp4$/);
    const again = await assets().updateMasterAccess(film.id, { master_access: 'temporary' });
    assert.equal(again.master.url, asset.master.url, 'asked again: the same');
    const [whole, hls] = await Promise.all([asset.master.url, `${server.http}/${film.playback_ids[0].id}.m3u8`].map((u) => ffprobe(u, ['-count_packets'])));
    for (const type of ['video', 'audio']) assert.equal(stream(whole, type).nb_read_packets, stream(hls, type).nb_read_packets);
    assert.ok(names(film).some((n) => n.startsWith('master-')));
    const none = await assets().updateMasterAccess(film.id, { master_access: 'none' });
    assert.deepEqual([none.master_access, none.master], ['none', undefined]);
    assert.equal((await request(asset.master.url)).status, 404);
    assert.ok(!names(film).some((n) => n.startsWith('master')));
    assert.deepEqual(masterEvents(film), ['preparing', 'ready', 'deleted']);
    await assets().updateMasterAccess(film.id, { master_access: 'none' });
    const next = await masterDone(await assets().updateMasterAccess(film.id, { master_access: 'temporary' }));
    assert.notEqual(next.master.url, asset.master.url);
    await assert.rejects(assets().updateMasterAccess(film.id, {}), Mux.BadRequestError);
    await assert.rejects(assets().updateMasterAccess(film.id, { master_access: 'forever' }), Mux.BadRequestError);
    await assert.rejects(assets().updateMasterAccess('nosuchasset', { master_access: 'temporary' }), Mux.NotFoundError);
  });

  test('the master of a live stream is the whole recording, at its end', async () => {
    const mux = new Mux({ baseURL: server.http, ...token }).video;
    const live = await mux.liveStreams.create({ playback_policies: ['public'], reconnect_window: 60, new_asset_settings: { playback_policies: ['public'], master_access: 'temporary', static_renditions: [{ resolution: '270p', passthrough: 'from live' }] } });
    const source = await publishFfmpeg(t, `${server.rtmp}/live/${live.stream_key}`, { media: { gop: 1, seconds: 30 } });
    const id = await until('it is live', async () => {
      const now = await mux.liveStreams.retrieve(live.id);
      return now.status === 'active' && now.active_asset_id;
    }, 30_000);
    const running = await assets().retrieve(id);
    assert.deepEqual([running.master_access, running.master.status], ['temporary', 'preparing']);
    assert.equal((await assets().updateMasterAccess(id, { master_access: 'temporary' })).master.status, 'preparing', 'asked for meanwhile');
    assert.equal(running.progress.state, 'live');
    await source.stop();
    const smaller = await publishFfmpeg(t, `${server.rtmp}/live/${live.stream_key}`, { media: { gop: 1, seconds: 30, size: '320x240', fps: 15 } });
    await until('another size is recorded', () => /^\w{8} S 0 \d+ 2 /m.test(fs.readFileSync(path.join(folder(id), 'index.log'), 'utf8')), 30_000);
    await smaller.stop();
    await mux.liveStreams.complete(live.id);
    const asset = await masterDone({ id });
    const whole = await ffprobe(asset.master.url);
    assert.deepEqual(whole.streams.map((s) => s.codec_name), ['h264', 'aac']);
    assert.ok(Math.abs(whole.format.duration - asset.duration) < 0.2, `${whole.format.duration} s of ${asset.duration} s`);
    assert.deepEqual(masterEvents(asset), ['preparing', 'ready']);
    const { files } = await filesDone(asset);
    assert.deepEqual(files.map((f) => [f.status, f.passthrough, f.width, f.height]), [['ready', 'from live', 480, 270]]);
    // Every picture of both encoders, in one size, the other shape between black bars.
    const shown = await pictures(url(asset, '270p.mp4'));
    assert.equal(shown.length, +(await ffprobe(asset.master.url, ['-count_packets'])).streams.find((s) => s.codec_type === 'video').nb_read_packets);
    const { stderr } = await execute('ffmpeg', ['-nostdin', '-hide_banner', '-sseof', '-0.5', '-i', url(asset, '270p.mp4'), '-vf', 'cropdetect=round=2:reset=0', '-f', 'null', '-']);
    const [, width] = /crop=(\d+):\d+:\d+:\d+\s*$/m.exec(stderr.split('\n').filter((l) => l.includes('crop=')).at(-1));
    assert.ok(Math.abs(width - 360) <= 8, `the picture is ${width} wide`);
    await assets().delete(id);
    assert.equal((await request(asset.master.url)).status, 404);
    assert.ok(!fs.existsSync(folder(id)));
  });

  test('inputs: what is not standard, interlaced pictures, pixels that are no squares, tiers', async () => {
    const files = {
      standard: encode([...picture('640x360', 1), ...tone(1), ...H264, '-c:a', 'aac']),
      interlaced: encode([...picture('640x360', 2).map((a) => a.replace('rate=30', 'rate=50')), '-vf', 'tinterlace=interleave_top,setfield=tff', '-c:v', 'mpeg2video', '-flags', '+ildct+ilme', '-q:v', '3'], 'ts'),
      oblong: encode([...picture('240x180', 1), '-vf', 'setsar=4/3', ...H264], 'mp4'),
      long: encode(['-f', 'lavfi', '-i', 'color=size=64x36:rate=10:duration=22', ...H264, '-x264-params', 'keyint=infinite:scenecut=0']),
      heavy: encode([...picture('1280x720', 1), '-vf', 'noise=alls=90:allf=t', '-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj422p'], 'mov'),
      large: encode([...picture('2560x1440', 1), ...H264, '-crf', '40']),
    };
    const made = Object.fromEntries(await Promise.all(Object.entries(files).map(async ([name, file]) => [name, await make(await file)])));
    const limited = await make(await files.large, { max_resolution_tier: '1080p' });
    const got = Object.fromEntries(await Promise.all(Object.entries({ ...made, limited }).map(async ([name, a]) => [name, await settled(a)])));
    for (const [name, a] of Object.entries(got)) assert.equal(a.status, 'ready', `${name}: ${JSON.stringify(a.errors)}`);
    const reasons = Object.fromEntries(Object.entries(got).map(([name, a]) => [name, a.non_standard_input_reasons]));
    assert.deepEqual(reasons, {
      standard: undefined,
      interlaced: { video_codec: 'mpeg2video' },
      oblong: { pixel_aspect_ratio: '4:3' },
      long: { video_gop_size: 'high' },
      heavy: { video_codec: 'mjpeg', video_bitrate: 'high', unsupported_pixel_format: 'yuvj422p' },
      large: { video_resolution: '2560x1440' },
      limited: { video_resolution: '2560x1440' },
    });
    assert.deepEqual(events(got.oblong, '%').map((e) => e.type.split('.').at(-1)), ['created', 'non_standard_input_detected', 'ready']);
    assert.deepEqual(events(got.standard, 'non%'), []);
    const shape = (a) => [stream({ streams: a.tracks.map((x) => ({ ...x, codec_type: x.type })) }, 'video'), a.aspect_ratio, a.resolution_tier, a.max_resolution_tier, a.max_stored_frame_rate].map((x) => x.max_width ? `${x.max_width}x${x.max_height}` : x);
    assert.deepEqual(shape(got.standard), ['640x360', '16:9', '720p', '1080p', 30]);
    assert.deepEqual(shape(got.oblong), ['320x180', '16:9', '720p', '1080p', 30]);
    assert.deepEqual(shape(got.large), ['2560x1440', '16:9', '1440p', '1440p', 30]);
    assert.deepEqual(shape(got.limited), ['1920x1080', '16:9', '1080p', '1080p', 30]);
    assert.deepEqual(shape(got.interlaced), ['640x360', '16:9', '720p', '1080p', 25]);
    assert.ok(Object.values(got).every((a) => a.progress.state === 'completed' && a.progress.progress === 100));

    // ffmpeg's own detector sees fields in the source, and none in what became of it.
    const fields = async (file) => {
      const { stderr } = await execute('ffmpeg', ['-nostdin', '-hide_banner', '-i', file, '-vf', 'idet', '-f', 'null', '-'], { timeout: 60_000 });
      const [, tff, bff, progressive] = /Multi frame detection: TFF:\s*(\d+) BFF:\s*(\d+) Progressive:\s*(\d+)/.exec(stderr).map(Number);
      return { interlaced: tff + bff, progressive };
    };
    const before = await fields(await files.interlaced), behind = await fields(`${server.http}/${got.interlaced.playback_ids[0].id}.m3u8`);
    assert.ok(before.interlaced > 40, JSON.stringify(before));
    assert.ok(behind.interlaced <= 8 && behind.progressive > 40, JSON.stringify(behind));
    assert.equal((await pictures(`${server.http}/${got.interlaced.playback_ids[0].id}.m3u8`)).length, 50);
  });

  test('encoding survives a kill, and leaves nothing behind', async () => {
    const long = await make(await encode([...picture('1280x720', 6), ...H264, '-g', '60']), { static_renditions: [{ resolution: '540p' }, { resolution: '480p' }] });
    await settled(long);
    const temps = () => fs.readdirSync(folder()).filter((n) => n.endsWith('.part'));
    const [first] = await until('one is being encoded', () => temps().length && temps(), 30_000, 10);
    server.expectClean = false;
    server.child.kill('SIGKILL');
    await server.exited;
    assert.ok(temps().includes(first));
    server = await startServer(t, { args: ARGS, dataDir });
    await until('it is being encoded again', () => temps().includes(first), 30_000, 10);
    const { files } = (await assets().retrieve(long.id)).static_renditions;
    const other = files.find((f) => `${f.id}.part` !== first);
    await assets().deleteStaticRendition(long.id, other.id);
    const done = await filesDone(long);
    assert.deepEqual(done.files.map((f) => f.status), ['ready']);
    assert.equal((await pictures(url(long, done.files[0].name))).length, 180);
    await until('nothing is left', () => temps().length === 0);
    assert.deepEqual(names(long), [done.files[0].name, 'index.log', 'v0.mp4'].sort());
    const again = await assets().createStaticRendition(long.id, { resolution: '360p' });
    await until('it is being encoded', () => temps().includes(`${again.id}.part`), 30_000, 10);
    await assets().delete(long.id);
    await until('all of it is gone', () => temps().length === 0 && !fs.existsSync(folder(long.id)));
  });
});
