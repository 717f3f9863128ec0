// SPDX-License-Identifier: MIT
// The viewer page on a stream from a browser: WebRTC, what it falls back to, and the change between them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser, untilPlaying, videoState } from './lib/browser.mjs';
import { assertAccessible, assertFits, refusals } from './lib/pages.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES, badLine, rtcPage } from './lib/webrtc.mjs';

const way = (page) => page.getByRole('region', { name: /^Video:/ }).getAttribute('data-way', { timeout: 2000 }).catch(() => null);
async function untilWay(page, wanted, ms = 30_000) {
  let last;
  await until(`it plays by ${wanted}`, async () => (last = await way(page)) === wanted, ms).catch(async (e) => {
    const seen = await page.locator('.watch-note, .player-cover, .watch-state').allTextContents();
    throw new Error(`${e.message}; it is ${last}: ${seen.join(' | ')}`);
  });
}

// Every answer to a viewer tells another port, and no other way in.
async function leadTo(page, port) {
  await page.route('**/whep/*', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    const response = await route.fetch();
    const body = (await response.text())
      .replace(/^a=candidate:\S+ \d tcp .*\r\n/gim, '')
      .replace(/^(a=candidate:\S+ \d udp \d+) \S+ \d+/gim, `$1 127.0.0.1 ${port}`);
    await route.fulfill({ response, body });
  });
}

// Of the page: what is in the playlists of a browser's stream is judged elsewhere.
const noProblems = (browser) => assert.deepEqual(browser.problems.filter((p) => !p.startsWith('http')), []);

async function onAir(t, fields = {}, args = []) {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream({ streamType: 'BROWSER', title: 'By the window', ...fields });
  const browser = await launchBrowser(t, { args: [...FAKE_DEVICES, ...args], expected: refusals });
  const from = await rtcPage(browser.context, server);
  const begin = async (options = { width: 640, height: 360 }) => {
    const made = await from.evaluate(([url, key, o]) => window.publish(url, key, o), [`${server.http}/whip`, stream.ingest.streamKey, options]);
    assert.equal(made.status, 201, made.text);
  };
  const end = () => from.evaluate(async () => {
    await fetch(publisher.session, { method: 'DELETE' });
    publisher.close();
  });
  return { server, ada, stream, browser, begin, end, url: `${server.http}/stream/${stream.id}` };
}

test('a stream from a browser is watched by WebRTC, and its recording afterwards', async (t) => {
  const { server, ada, stream, browser, begin, url } = await onAir(t);
  const page = await browser.context.newPage();
  await page.goto(url);
  await page.getByText('Not live yet').first().waitFor();
  await begin();
  await untilPlaying(page, { ms: 30_000 });
  await untilWay(page, 'webrtc');
  await page.getByText(/s behind$/).waitFor();
  const embedded = await browser.context.newPage();
  await assertAccessible(page, 'watching by WebRTC');
  for (const width of [375, 1920]) {
    await page.setViewportSize({ width, height: 800 });
    await assertFits(page, `watching by WebRTC at ${width}`);
  }
  await embedded.goto(`${server.http}/embed/${stream.playback.playbackId}`);
  await untilPlaying(embedded, { ms: 30_000 });
  await untilWay(embedded, 'webrtc');
  await until('there is something to record', async () => (await videoState(page)).time > 6, 20_000);
  await ada.end(stream.id);
  await page.getByText('Recorded', { exact: true }).waitFor({ timeout: 20_000 });
  await embedded.locator('mux-player').waitFor({ timeout: 30_000 });
  await until('the player holds the recording', () => page.evaluate(() => document.querySelector('mux-player')?.getAttribute('stream-type') === 'on-demand'), 25_000);
  await page.evaluate(() => document.querySelector('mux-player').play());
  await untilPlaying(page, { ms: 20_000 });
  noProblems(browser);
});

test('the way of watching changes without a reload, and is remembered', async (t) => {
  const { browser, begin, url } = await onAir(t);
  const page = await browser.context.newPage();
  await begin();
  await page.goto(url);
  await untilWay(page, 'webrtc');
  await untilPlaying(page, { ms: 30_000 });
  await page.evaluate(() => Object.assign(document.querySelector('bsp-whep'), { volume: 0.5 }));
  await page.evaluate(() => (globalThis.loaded = true));
  await page.getByRole('radio', { name: 'Steady' }).check();
  await untilWay(page, 'hls');
  await untilPlaying(page, { ms: 30_000 });
  assert.deepEqual(await page.evaluate(() => [document.querySelector('mux-player').volume, document.querySelector('mux-player').muted]), [0.5, false]);
  assert.equal(await page.locator('bsp-whep').count(), 0, 'the other one is gone');
  await page.getByRole('radio', { name: 'Rewind' }).check();
  await until('the whole broadcast is there', () => page.evaluate(() => document.querySelector('mux-player')?.targetLiveWindow === Infinity));
  await untilPlaying(page, { ms: 30_000 });
  await page.getByRole('radio', { name: 'Lowest delay' }).check();
  await untilWay(page, 'webrtc');
  await untilPlaying(page, { ms: 30_000 });
  assert.deepEqual(await page.evaluate(() => [document.querySelector('bsp-whep').volume, document.querySelector('bsp-whep').muted]), [0.5, false]);
  await page.getByRole('radio', { name: 'Steady' }).check();
  await untilWay(page, 'hls');
  assert.ok(await page.evaluate(() => globalThis.loaded), 'in one and the same page');
  await page.reload();
  await untilWay(page, 'hls');
  assert.ok(await page.getByRole('radio', { name: 'Steady' }).isChecked());
  noProblems(browser);
});

test('of a picture in three sizes the viewer may choose one', async (t) => {
  const { browser, begin, url } = await onAir(t);
  const page = await browser.context.newPage();
  await begin({ width: 1280, height: 720, layers: 3 });
  await page.goto(url);
  await untilPlaying(page, { ms: 30_000 });
  const size = async () => (await videoState(page))?.width;
  const choose = async (name) => {
    await page.getByRole('region', { name: /^Video:/ }).hover();
    await page.locator('media-rendition-menu-button').click({ timeout: 60_000 });
    await page.getByRole('menuitemradio', { name }).click();
  };
  await choose(/^180p/);
  await until('it is small', async () => (await size()) === 320, 30_000);
  const asked = page.waitForRequest((r) => /\/layer$/.test(r.url()) && r.method() === 'POST');
  await choose(/^Auto/);
  assert.equal((await asked).postData(), '{}', 'the server chooses again');
  noProblems(browser);
});

test('a browser that allows no sound yet: silent, with a button', async (t) => {
  const { browser, begin, url } = await onAir(t, {}, ['--autoplay-policy=user-gesture-required']);
  const page = await browser.context.newPage();
  await begin();
  await page.goto(url);
  // Through the debugger: what looks into a page otherwise is a gesture to the browser.
  const look = await browser.context.newCDPSession(page);
  const expression = "!!document.querySelector('[data-way=webrtc] .player-sound')";
  await until('it plays, and there is a button', async () => (await look.send('Runtime.evaluate', { expression })).result.value, 30_000);
  const muted = () => page.evaluate(() => document.querySelector('bsp-whep').muted);
  const button = page.getByRole('button', { name: 'Turn on the sound' });
  assert.equal(await muted(), true);
  await button.click();
  assert.equal(await muted(), false);
  await button.waitFor({ state: 'detached' });
  await untilPlaying(page, { ms: 30_000 });
});

test('where UDP is closed it plays by HLS and says so', async (t) => {
  const { browser, begin, url } = await onAir(t);
  const page = await browser.context.newPage();
  await leadTo(page, 9);
  await begin();
  await page.goto(url);
  await untilWay(page, 'hls', 60_000);
  await untilPlaying(page, { ms: 30_000 });
  await page.getByText('This network does not let the fastest way through.', { exact: false }).first().waitFor();
  assert.ok(await page.getByRole('radio', { name: 'Steady' }).isChecked());
  // The way is open again, and asked for by hand.
  await page.unroute('**/whep/*');
  await page.getByRole('radio', { name: 'Lowest delay' }).check();
  await untilWay(page, 'webrtc');
  await untilPlaying(page, { ms: 30_000 });
});

test('a line that goes dead in the middle: HLS; a streamer who comes back: WebRTC again', async (t) => {
  const { server, browser, begin, end, url } = await onAir(t);
  const line = await badLine(t, server.webrtcPort);
  const page = await browser.context.newPage();
  await leadTo(page, line.port);
  await begin();
  await page.goto(url);
  await untilWay(page, 'webrtc');
  await untilPlaying(page, { ms: 30_000 });
  await end();
  const away = page.getByText('The stream goes on by itself when it is back.', { exact: false });
  await away.waitFor({ timeout: 20_000 });
  await begin();
  await away.waitFor({ state: 'detached', timeout: 20_000 });
  await untilPlaying(page, { ms: 30_000 });
  assert.equal(await way(page), 'webrtc');
  // A line that is away for a moment is waited for.
  const state = () => page.evaluate(() => document.querySelector('bsp-whep')?.state);
  line.loss = 1;
  await until('it notices', async () => (await state()) === 'reconnecting', 30_000);
  line.loss = 0;
  await until('it has mended itself', async () => (await state()) === 'playing', 30_000);
  // The tests' own ear hangs on the tracks of before.
  await page.evaluate(() => delete document.querySelector('bsp-whep').nativeEl.__tap);
  await untilPlaying(page, { ms: 30_000 });
  assert.equal(await way(page), 'webrtc');
  line.loss = 1;
  await untilWay(page, 'hls', 60_000);
  await untilPlaying(page, { ms: 30_000 });
  await page.getByText('The fastest way broke off.', { exact: false }).first().waitFor();
});

test('a stream from an encoder opens HLS, and has the lowest delay on request', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const browser = await launchBrowser(t, { expected: refusals });
  await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 60, gop: 1, bframes: 0 } });
  await ada.untilLive(stream.id);
  const { page } = browser;
  await page.goto(`${server.http}/stream/${stream.id}`);
  await untilWay(page, 'hls');
  await untilPlaying(page, { ms: 30_000 });
  await page.getByRole('radio', { name: 'Lowest delay' }).check();
  await untilWay(page, 'webrtc');
  await untilPlaying(page, { ms: 30_000 });
  noProblems(browser);
});

test('an encoder with B-frames and no room to take them out: HLS goes on, and it is said', async (t) => {
  const server = await startServer(t, { args: ['--webrtc-transcodes', '0'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const { page } = await launchBrowser(t, { expected: refusals });
  await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 60, bframes: 2 } });
  await ada.untilLive(stream.id);
  await page.goto(`${server.http}/stream/${stream.id}`);
  await untilWay(page, 'hls');
  await untilPlaying(page, { ms: 30_000 });
  await page.evaluate(() => (document.querySelector('mux-player').stays = true));
  await page.getByRole('radio', { name: 'Lowest delay' }).check();
  await page.getByText('This stream cannot be had the fastest way now.', { exact: false }).first().waitFor({ timeout: 30_000 });
  await untilPlaying(page, { ms: 30_000 });
  assert.equal(await page.evaluate(() => document.querySelector('mux-player').stays), true, 'the same player plays on');
});
