// SPDX-License-Identifier: MIT
// --media-provider mux in Chromium: the recorder uploads to Mux, and viewers play from it, live and recorded. Mux is a
// second bspnode, with an address for its API and uploads and another one for viewers, neither of them the pages'.
import assert from 'node:assert/strict';
import test from 'node:test';
import { launchBrowser, untilPlaying, videoState } from './lib/browser.mjs';
import { assertAccessible, assertFits, refusals, register } from './lib/pages.mjs';
import { MS, door, startPair } from './lib/provider.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { until } from './lib/server.mjs';
import { FAKE_DEVICES } from './lib/webrtc.mjs';

const WIDTHS = [375, 1440];

test('Mux as the provider, in a browser', async (t) => {
  const play = await door(t);
  const pair = await startPair(t, { playUrl: play.url });
  play.target = pair.there.http;
  const { here, api, token, secret } = pair;
  const { page, problems } = await launchBrowser(t, { args: FAKE_DEVICES, expected: [...refusals, /ERR_(FAILED|EMPTY_RESPONSE|CONNECTION_RESET)/] });
  const uploads = [];
  const lists = [];
  const told = []; // everything that this page hears of its own server
  page.on('request', (r) => {
    if (/\/upload\//.test(r.url()) && r.method() === 'PUT') uploads.push(r);
    if (/\.m3u8/.test(r.url())) lists.push(new URL(r.url()).origin);
  });
  page.on('response', async (r) => {
    if (r.url().startsWith(here.http) && /json|html/.test(r.headers()['content-type'] ?? '')) told.push(await r.text().catch(() => ''));
  });
  const stream = (id) => page.evaluate(async (i) => (await fetch(`/api/streams/${i}`)).json(), id);
  const untilStream = (id, what, is) => until(what, async () => {
    const s = await stream(id);
    if (!is(s)) throw new Error(`${s.status}, ${s.recordingStatus}: ${pair.here.tail?.() ?? ''}`);
    return s;
  }, 2 * MS);
  const fits = async (where) => {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await assertFits(page, `${where}, ${width} px`);
    }
    await assertAccessible(page, where);
  };
  const watch = async (id) => {
    await page.goto(`${here.http}/stream/${id}`);
    await page.locator('mux-player').waitFor({ timeout: MS });
    await page.evaluate(() => document.querySelector('mux-player').play());
    return untilPlaying(page, { ms: MS });
  };
  await register(page, here);

  await t.test('what an encoder streams plays from Mux, live and recorded', async () => {
    const { id } = await page.evaluate(async () => (await fetch('/api/streams', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"title":"Tea by Mux","streamType":"RTMP"}' })).json());
    const { ingest } = await untilStream(id, 'a key', (s) => s.ingest.streamKey);
    await page.goto(`${here.http}/dashboard/${id}`);
    assert.equal(await page.getByLabel('Server', { exact: true }).inputValue(), ingest.rtmpUrl);
    await fits('the page of its owner');
    assert.equal(await page.getByRole('heading', { name: 'Signal' }).count(), 0, 'Mux does not say how it comes');
    await page.goto(`${here.http}/stream/${id}/broadcast`);
    await page.getByText('This stream is for an encoder').waitFor();
    await fits('for encoders');
    const publisher = await publishFfmpeg(t, `${ingest.rtmpUrl}/${ingest.streamKey}`, { media: { seconds: 10 } });
    const live = await untilStream(id, 'LIVE', (s) => s.status === 'LIVE');
    assert.ok(live.playback.hlsUrl.startsWith(play.url));
    lists.length = 0;
    await watch(id);
    assert.deepEqual([...new Set(lists)], [play.url]);
    await fits('live');
    await publisher.stop();
    const over = await untilStream(id, 'READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY');
    assert.ok(over.recordingUrl.startsWith(play.url));
    lists.length = 0;
    await watch(id);
    assert.deepEqual([...new Set(lists)], [play.url]);
    assert.ok(Number.isFinite((await videoState(page)).duration));
    await fits('recorded');
    await page.goto(`${here.http}/embed/${over.playback.playbackId}`);
    await page.locator('mux-player').waitFor({ timeout: MS });
    await page.evaluate(() => document.querySelector('mux-player').play());
    await untilPlaying(page, { ms: MS });
  });

  await t.test('what a browser records goes to Mux, through a line that breaks, and plays from there', async () => {
    await page.goto(`${here.http}/dashboard`);
    await page.getByRole('button', { name: 'New stream' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Title').fill('Tea from here');
    await dialog.getByRole('radio', { name: 'Go live from browser' }).check();
    await dialog.getByRole('button', { name: 'Create stream' }).click();
    await page.waitForURL(/\/stream\/[^/]+\/broadcast$/);
    await untilPlaying(page, { sound: false });
    const id = new URL(page.url()).pathname.split('/')[2];
    // Mux's first answer is lost, and so is the one to the second piece.
    let made = 0;
    let pieces = 0;
    api.lose = (req) => (req.method === 'POST' && made++ === 0) || (req.method === 'PUT' && req.url.startsWith('/upload/') && ++pieces === 2);
    await page.getByRole('button', { name: 'Go live' }).click();
    await page.getByText('Live', { exact: true }).waitFor({ timeout: MS });
    await until('pieces are there', () => pieces >= 3, MS);
    const live = await stream(id);
    assert.equal(live.recordingStatus, 'RECORDING');
    assert.ok(live.playback.whepUrl.startsWith(here.http), 'it is live here');
    await fits('live from the browser');
    await page.getByRole('button', { name: 'End stream' }).click();
    await page.getByRole('button', { name: 'End now' }).click();
    const ready = await untilStream(id, 'READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY');
    api.clear();
    assert.ok(ready.recordingUrl.startsWith(play.url));
    assert.ok(uploads.length >= 3 && uploads.every((r) => r.url().startsWith(`${api.url}/upload/`)));
    assert.ok(uploads.every((r) => !/cookie|authorization/.test(Object.keys(r.headers()).join())));
    const all = (await pair.uploads()).filter((u) => u.status !== 'cancelled');
    assert.equal(all.length, 1, 'nothing was made twice');
    await until('nothing is left here', () =>
      page.evaluate(async () => {
        const dir = await (await navigator.storage.getDirectory()).getDirectoryHandle('recordings').catch(() => null);
        let n = 0;
        if (dir) for await (const _ of dir.keys()) n++;
        return n === 0;
      }), MS);
    lists.length = 0;
    await watch(id);
    assert.deepEqual([...new Set(lists)], [play.url]);
    await page.goto(`${here.http}/dashboard/${id}`);
    const row = page.getByRole('listitem').filter({ hasText: 'Recorded in the browser' });
    await row.getByText('What viewers see').waitFor();
    await page.getByRole('listitem').filter({ hasText: 'Recorded by the server' }).getByRole('button', { name: 'Show to viewers' }).waitFor();
    assert.equal(await row.getByRole('button', { name: 'Download' }).count(), 0, 'Mux keeps the file');
    await fits('the recordings');
    await page.goto(`${here.http}/dashboard`);
    await page.getByRole('heading', { name: 'Tea from here' }).waitFor();
    await fits('the dashboard');
  });

  assert.ok(told.length > 10);
  for (const word of [token.TOKEN_ID, token.TOKEN_SECRET, secret]) assert.ok(!told.some((text) => text.includes(word)), 'a secret has reached the browser');
  assert.deepEqual(problems, []);
});
