// SPDX-License-Identifier: MIT
// All recordings of one stream: the server's and an uploaded one, which of them viewers see, as a file, deleted.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { hlsUrl } from './lib/hls.mjs';
import { ffprobe, sample } from './lib/media.mjs';
import { assertAccessible, assertFits, refusals } from './lib/pages.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, tempDir, until } from './lib/server.mjs';
import { fakeFile, piece, sql } from './lib/uploads.mjs';

describe('recordings of a stream', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server, ada, file, stream, address;

  const list = async (s = stream) => (await ada.expect(200, 'GET', `/api/streams/${s.id}/recordings`)).recordings;
  const of = (s, r, what = '') => `/api/streams/${s.id}/recordings/${r.id}${what}`;
  const untilList = (what, is, s) => {
    let last;
    return until(what, async () => ((last = await list(s)), is(last) && last), 40_000).catch((e) => {
      throw new Error(`${e.message}: ${JSON.stringify(last)}\n${server.tail()}`);
    });
  };
  // Seconds of what a playback address plays now.
  const seconds = async (id) => Math.round(Number((await ffprobe(hlsUrl(server, id))).format.duration));
  const [SERVER_S, BROWSER_S] = [4, 7];

  // An ended stream with the server's recording.
  async function recorded(title) {
    const s = await ada.createStream({ title });
    await publishFfmpeg(t, publishUrl(server, s), { media: { seconds: SERVER_S, gop: 1 }, once: true });
    await ada.untilLive(s.id);
    await ada.untilReady(s.id, 30_000);
    return s;
  }

  before(async () => {
    server = await startServer(t, { args: ['--hls-segment-ms', '1000', '--reconnect-window', '1s'] });
    ada = await newUser(server, 'Ada');
    file = fs.readFileSync(await sample({ seconds: BROWSER_S, gop: 1 }));
    stream = await recorded('Tea & cake');
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  test('the server’s, then an upload on its way, then both; the address stays', async () => {
    const [first, ...none] = await list();
    assert.deepEqual(none, []);
    assert.deepEqual([first.own, first.source, first.status, first.width, first.height, first.duration], [true, 'SERVER', 'READY', 640, 360, SERVER_S]);
    assert.ok(first.size > 50_000 && first.progress === null && first.problem === null);
    address = (await ada.stream(stream.id)).playback.playbackId;
    assert.equal(first.hlsUrl, `${server.http}/${address}.m3u8`);

    const { uploadUrl } = await ada.expect(201, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/mp4', size: file.length });
    const half = (file.length >> 19) << 18;
    assert.equal((await piece(uploadUrl, file, 0, half)).status, 308);
    const [arriving] = await list();
    assert.deepEqual([arriving.own, arriving.source, arriving.status, arriving.received, arriving.hlsUrl], [false, 'BROWSER', 'UPLOADING', half, null]);
    assert.equal(arriving.progress, Math.floor((half * 100) / file.length));
    const mine = (await ada.expect(200, 'GET', '/api/streams?mine=1')).streams.find((s) => s.id === stream.id);
    assert.deepEqual([mine.recordingStatus, mine.recordingProgress], ['UPLOADING', arriving.progress]);
    const lobby = (await new Client(server).expect(200, 'GET', '/api/streams?status=ENDED')).streams;
    assert.deepEqual(lobby.map((s) => s.id), [stream.id], 'the server’s plays meanwhile');
    assert.equal((await ada.expect(409, 'POST', of(stream, arriving, '/own'))).error.code, 'not_ready');
    assert.equal((await ada.expect(409, 'POST', of(stream, arriving, '/download'))).error.code, 'not_ready');

    assert.equal((await piece(uploadUrl, file, half, file.length)).status, 200);
    const [browser, servers] = await untilList('it is the stream’s own', (l) => l[0].own && l[0].status === 'READY');
    assert.equal(browser.id, arriving.id, 'the id does not change');
    assert.deepEqual([browser.duration, servers.own, servers.status], [BROWSER_S, false, 'READY']);
    assert.equal(browser.hlsUrl, first.hlsUrl);
    await until('the address plays it', async () => (await seconds(address)) === BROWSER_S);
    assert.equal(await seconds(/([^/]+)\.m3u8$/.exec(servers.hlsUrl)[1]), SERVER_S);
  });

  test('which one is the stream’s own is the owner’s choice', async () => {
    const ids = () => sql(server, 'SELECT count(*) AS n FROM playback_ids WHERE kind = ?', 'asset')[0].n;
    const before = ids();
    const [browser, servers] = await list();
    const chosen = await ada.expect(200, 'POST', of(stream, servers, '/own'));
    assert.deepEqual([chosen.own, chosen.hlsUrl], [true, `${server.http}/${address}.m3u8`]);
    let s = await ada.stream(stream.id);
    assert.deepEqual([s.recordingId, s.duration, s.playback.playbackId, s.recordingStatus], [servers.id, SERVER_S, address, 'READY']);
    await until('the address plays it', async () => (await seconds(address)) === SERVER_S);
    await ada.expect(200, 'POST', of(stream, servers, '/own')); // again is fine
    await ada.expect(200, 'POST', of(stream, browser, '/own'));
    s = await ada.stream(stream.id);
    assert.deepEqual([s.recordingId, s.duration, s.playback.playbackId], [browser.id, BROWSER_S, address]);
    assert.equal(ids(), before, 'none come of it');
  });

  test('as a file', async () => {
    const [browser] = await list();
    assert.deepEqual(browser.download, { status: 'NONE', url: null, size: null });
    const asked = await ada.expect(202, 'POST', of(stream, browser, '/download'));
    assert.ok(['PREPARING', 'READY'].includes(asked.download.status));
    await ada.expect(202, 'POST', of(stream, browser, '/download')); // again is fine
    const [{ download }] = await untilList('the file is made', (l) => l[0].download.status === 'READY');
    const answer = await server.get(download.url.slice(server.http.length));
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-disposition'], /^attachment; .*Tea/);
    assert.equal(Number(answer.headers['content-length']), download.size);
    const saved = `${tempDir(t, 'saved')}/tea.mp4`;
    fs.writeFileSync(saved, answer.body);
    assert.deepEqual((await ffprobe(saved)).streams.map((x) => x.codec_name).sort(), ['aac', 'h264']);
  });

  test('nobody else’s, and not while it is live', async () => {
    const eve = await newUser(server, 'Eve');
    const [browser] = await list();
    await eve.expect(403, 'GET', `/api/streams/${stream.id}/recordings`);
    await eve.expect(403, 'DELETE', of(stream, browser));
    await eve.expect(403, 'POST', of(stream, browser, '/own'));
    const other = await ada.createStream({ title: 'Another' });
    await ada.expect(404, 'DELETE', of(other, browser));
    await ada.expect(404, 'POST', of(other, browser, '/own'));
    await ada.expect(404, 'GET', '/api/streams/none/recordings');
    assert.deepEqual(await list(other), []);
    const publisher = await publishFfmpeg(t, publishUrl(server, other), { media: { gop: 1 } });
    await ada.untilLive(other.id);
    const [running] = await list(other);
    assert.equal(running.status, 'RECORDING');
    assert.equal((await ada.expect(409, 'DELETE', of(other, running))).error.code, 'recording');
    await ada.expect(409, 'POST', of(other, running, '/own'));
    await publisher.stop();
    await ada.expect(204, 'DELETE', `/api/streams/${other.id}`);
  });

  test('deleted: the other takes its place; a failed upload says why, and goes', async () => {
    const s = await recorded('Short tea');
    const id = (await ada.stream(s.id)).playback.playbackId;
    const page = Buffer.from('<!doctype html><title>no film</title>'.repeat(20));
    const bad = await ada.call('POST', `/api/streams/${s.id}/upload-recording`, page, { 'Content-Type': 'video/mp4' });
    assert.equal(bad.status, 415);
    const [refused] = await untilList('it failed', (l) => l.length === 2, s);
    assert.deepEqual([refused.status, refused.own], ['FAILED', false]);
    assert.match(refused.problem, /looks like/);
    assert.equal((await ada.stream(s.id)).recordingStatus, 'READY', 'the server’s stays');
    await ada.expect(204, 'DELETE', of(s, refused));
    // One that cannot be read to its end as a film.
    assert.equal((await ada.call('POST', `/api/streams/${s.id}/upload-recording`, fakeFile(300_000), { 'Content-Type': 'video/webm' })).status, 202);
    const [broken] = await untilList('it failed in the worker', (l) => l.length === 2 && l[0].status === 'FAILED', s);
    assert.ok(broken.problem);
    await ada.expect(204, 'DELETE', of(s, broken));
    // One that is stopped on its way.
    await ada.expect(201, 'POST', `/api/streams/${s.id}/upload-recording`, { mimeType: 'video/mp4' });
    assert.equal((await ada.stream(s.id)).recordingStatus, 'UPLOADING');
    const [waiting] = await list(s);
    await ada.expect(204, 'DELETE', of(s, waiting));
    assert.equal((await ada.stream(s.id)).recordingStatus, 'READY');

    assert.equal((await ada.call('POST', `/api/streams/${s.id}/upload-recording`, file, { 'Content-Type': 'video/mp4' })).status, 202);
    const [browser, servers] = await untilList('both', (l) => l[0]?.own && l[0].status === 'READY' && l.length === 2, s);
    await ada.expect(204, 'DELETE', of(s, browser));
    const now = await ada.stream(s.id);
    assert.deepEqual([now.recordingId, now.recordingStatus, now.duration, now.playback.playbackId], [servers.id, 'READY', SERVER_S, id]);
    await until('the address plays it', async () => (await seconds(id)) === SERVER_S);
    await ada.expect(204, 'DELETE', of(s, servers));
    const none = await ada.stream(s.id);
    assert.deepEqual([none.recordingId, none.recordingStatus, none.recordingUrl], [null, 'NONE', null]);
    assert.deepEqual(await list(s), []);
  });

  test('on the stream’s page', async () => {
    const { page, context, problems } = await launchBrowser(t, { expected: refusals });
    const [name, value] = ada.cookie.split('=');
    await context.addCookies([{ name, value, url: server.http }]);
    await page.goto(`${server.http}/dashboard/${stream.id}`);
    const panel = page.getByRole('region', { name: 'Recordings' });
    const browser = panel.getByRole('listitem').filter({ hasText: 'Recorded in the browser' });
    const servers = panel.getByRole('listitem').filter({ hasText: 'Recorded by the server' });
    await browser.getByText('What viewers see').waitFor();
    await servers.getByText('640 × 360').waitFor();

    await servers.getByRole('button', { name: /^Play/ }).click();
    await page.getByRole('dialog').locator('mux-player').waitFor();
    await page.evaluate(() => document.querySelector('mux-player').play());
    await untilPlaying(page, { ms: 60_000 });
    await page.getByRole('button', { name: 'Close' }).click();

    const [saved] = await Promise.all([page.waitForEvent('download'), servers.getByRole('button', { name: /^Download MP4/ }).click()]);
    assert.match(saved.suggestedFilename(), /^Tea.*\.mp4$/);
    await servers.getByRole('link', { name: /^Download MP4/ }).waitFor();

    await servers.getByRole('button', { name: /^Show to viewers/ }).click();
    await servers.getByText('What viewers see').waitFor();

    // An upload on its way, and one that failed.
    const { uploadUrl } = await ada.expect(201, 'POST', `/api/streams/${stream.id}/upload-recording`, { mimeType: 'video/mp4', size: file.length });
    await piece(uploadUrl, file, 0, 262_144);
    await panel.getByText(/Being uploaded: \d+ %/).waitFor();
    await ada.call('POST', `/api/streams/${stream.id}/upload-recording`, Buffer.from('<!doctype html><p>no film</p>'.repeat(20)), { 'Content-Type': 'video/mp4' });
    await panel.getByText('This is no video or sound file').waitFor();
    for (const colorScheme of ['light', 'dark'])
      for (const width of [375, 1440]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize({ width, height: 800 });
        await assertFits(page, `recordings, ${width} px`);
        await assertAccessible(page, `recordings, ${colorScheme}, ${width} px`);
      }
    const arriving = panel.getByRole('listitem').filter({ hasText: 'Being uploaded' });
    await arriving.getByRole('button', { name: /^Delete/ }).click();
    await page.getByRole('button', { name: 'Stop and delete' }).click();
    await arriving.waitFor({ state: 'detached' });
    await servers.getByRole('button', { name: /^Delete/ }).click();
    await page.getByText('Viewers see the other recording from then on').waitFor();
    await page.getByRole('button', { name: 'Delete recording' }).click();
    await servers.waitFor({ state: 'detached' });
    await browser.filter({ hasText: 'What viewers see' }).waitFor();
    assert.deepEqual(problems, []);
  });
});
