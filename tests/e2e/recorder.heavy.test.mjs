// SPDX-License-Identifier: MIT
// The browser's own recording, with Chromium's fake devices: made while live or instead of it, kept in the
// browser, uploaded in pieces, resumed after everything that can happen to a tab.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { assertAccessible, assertFits, refusals, register } from './lib/pages.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES } from './lib/webrtc.mjs';

const stream = (page, id) => page.evaluate(async (i) => (await fetch(`/api/streams/${i}`)).json(), id);

async function untilStream(page, id, what, is, ms = 60_000) {
  let last;
  return until(what, async () => ((last = await stream(page, id)), is(last) && last), ms).catch((e) => {
    throw new Error(`${e.message}; ${JSON.stringify(last)}`);
  });
}

// From the dashboard; ends on the broadcast page with the picture there. Returns the stream's id.
async function createFromBrowser(page, server, title) {
  await page.goto(`${server.http}/dashboard`);
  await page.getByRole('button', { name: 'New stream' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill(title);
  await dialog.getByRole('radio', { name: 'Go live from browser' }).check();
  await dialog.getByRole('button', { name: 'Create stream' }).click();
  await page.waitForURL(/\/stream\/[^/]+\/broadcast$/);
  await untilPlaying(page, { sound: false });
  return new URL(page.url()).pathname.split('/')[2];
}

const uploaded = (page) => page.getByRole('progressbar', { name: 'Uploaded of the recording' });

// As much as that is recorded (and uploaded), in bytes.
const untilBytes = (page, name, bytes) =>
  until(`${bytes} bytes: ${name}`, async () => (await uploaded(page).evaluate((e, n) => Number(e[n]), name)) >= bytes, 60_000);

const press = async (page, ...names) => {
  for (const name of names) await page.getByRole('button', { name }).click();
};

// What lies in this browser's storage.
const kept = (page) =>
  page.evaluate(async () => {
    const names = [];
    const root = await navigator.storage.getDirectory();
    const dir = await root.getDirectoryHandle('recordings').catch(() => null);
    if (dir) for await (const name of dir.keys()) names.push(name);
    return names;
  });

// The recording that a stream has now plays on the viewer page, to its end.
async function untilWatched(page, server, id) {
  await page.goto(`${server.http}/stream/${id}`);
  await page.locator('mux-player').waitFor({ timeout: 30_000 });
  await page.evaluate(() => document.querySelector('mux-player').play());
  await untilPlaying(page, { ms: 60_000 });
}

describe('the browser’s own recording', () => {
  let server;
  let context;
  let page;
  let problems;
  // The way to the address of uploads: cut, or open.
  const line = { cut: false, pieces: 0 };
  const cleanups = [];
  const t = { after: (fn) => cleanups.push(fn) };

  before(async () => {
    server = await startServer(t, { args: ['--reconnect-window', '2s'] });
    ({ context, page, problems } = await launchBrowser(t, { args: FAKE_DEVICES, expected: [...refusals, /ERR_FAILED/] }));
    await context.route(/\/upload\/[^/]+$/, (route) => {
      if (line.cut) return route.abort();
      line.pieces++;
      return route.continue();
    });
    await register(page, server);
  });
  beforeEach(() => {
    line.cut = false;
  });
  after(async () => {
    for (const fn of cleanups.reverse()) await fn();
  });

  test('while live, through a line that breaks, to the recording of the stream', async () => {
    const id = await createFromBrowser(page, server, 'Tea in studio quality');
    await press(page, 'Go live');
    await page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
    await untilBytes(page, 'max', 300_000);
    const live = await stream(page, id);
    assert.equal(live.recordingStatus, 'RECORDING');

    // Another source under the same recording.
    await press(page, 'Camera off');
    line.cut = true;
    await untilBytes(page, 'max', 450_000);
    await page.getByRole('button', { name: 'End stream' }).click();
    await press(page, 'End now');
    await page.getByText('The stream has ended').waitFor();
    await page.getByText('It goes on by itself').waitFor({ timeout: 60_000 });
    const ended = await untilStream(page, id, 'UPLOADING', (s) => s.status === 'ENDED' && s.recordingStatus === 'UPLOADING');
    assert.equal(ended.recordingId, live.recordingId, 'the server’s own stays until then');

    // Closing the page now is asked about.
    let asked = 0;
    const onDialog = (d) => {
      asked++;
      return d.dismiss();
    };
    page.on('dialog', onDialog);
    await page.close({ runBeforeUnload: true });
    await until('the browser asks', () => asked > 0);
    page.off('dialog', onDialog);

    line.cut = false;
    const ready = await untilStream(page, id, 'READY, another one', (s) => s.recordingStatus === 'READY' && s.recordingId !== live.recordingId);
    assert.equal(ready.playback.playbackId.length > 0, true);
    assert.ok(line.pieces >= 2);
    await until('nothing is left here', async () => (await kept(page)).length === 0);
    await untilWatched(page, server, id);
  });

  test('a tab that is closed in the middle: offered on the next visit, from the dashboard', async () => {
    const tab = await context.newPage();
    const id = await createFromBrowser(tab, server, 'Tea on the train');
    await press(tab, 'Go live');
    await tab.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
    await untilBytes(tab, 'max', 400_000);
    // Not offered while that tab is busy with it.
    await page.goto(`${server.http}/dashboard`);
    await page.getByRole('heading', { name: 'Tea on the train' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Upload now' }).count(), 0);
    await tab.close();

    const before = await untilStream(page, id, 'ended for want of an encoder', (s) => s.status === 'ENDED' && s.recordingStatus === 'UPLOADING');
    await page.getByText('A recording of “Tea on the train” was not uploaded completely.').waitFor({ timeout: 30_000 });
    for (const [colorScheme, width] of [['light', 375], ['dark', 1280]]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      await assertFits(page, `the offer, ${width} px`);
      await assertAccessible(page, `the offer, ${colorScheme}`);
    }
    await press(page, 'Upload now');
    const ready = await untilStream(page, id, 'READY, another one', (s) => s.recordingStatus === 'READY' && s.recordingId !== before.recordingId);
    assert.ok(ready.recordingUrl);
    await until('nothing is left here', async () => (await kept(page)).length === 0);
    await untilWatched(page, server, id);
  });

  test('record only; what is discarded is gone', async () => {
    const id = await createFromBrowser(page, server, 'Tea for later');
    await page.getByRole('radio', { name: 'Record only' }).check();
    await press(page, 'Start recording');
    await untilBytes(page, 'max', 300_000);
    await assertFits(page, 'recording');
    await assertAccessible(page, 'recording');
    const during = await stream(page, id);
    assert.equal(during.status, 'CREATED');
    assert.equal(during.recordingStatus, 'RECORDING');
    await press(page, 'End recording', 'End now');
    await page.getByText('The stream has ended').waitFor();
    const ready = await untilStream(page, id, 'READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY');
    assert.ok(ready.recordingUrl && ready.recordingId);
    await untilWatched(page, server, id);

    const tab = await context.newPage();
    const other = await createFromBrowser(tab, server, 'Not this one');
    await tab.getByRole('radio', { name: 'Record only' }).check();
    await press(tab, 'Start recording');
    await untilBytes(tab, 'max', 100_000);
    await tab.close();
    await page.goto(`${server.http}/dashboard/${other}`);
    await page.getByRole('button', { name: 'Discard' }).click({ timeout: 30_000 });
    await press(page, 'Discard recording');
    await until('nothing is left here', async () => (await kept(page)).length === 0);
    await untilStream(page, other, 'and not on the server', (s) => s.recordingStatus === 'NONE');
    assert.deepEqual(problems, []);
  });

  test('a disk that fills up: the broadcast goes on', async () => {
    const id = await createFromBrowser(page, server, 'Too much tea');
    await press(page, 'Go live');
    await untilBytes(page, 'max', 50_000);
    const devtools = await context.newCDPSession(page);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.http, quotaSize: 1000 });
    await page.getByText('There is no room left on this computer').first().waitFor({ timeout: 60_000 });
    assert.equal((await stream(page, id)).status, 'LIVE');
    await devtools.detach();
    await press(page, 'End stream', 'End now');
    await untilStream(page, id, 'READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY');
    await until('nothing is left here', async () => (await kept(page)).length === 0);
  });
});

test('the longest recording ends it; without MediaRecorder the broadcast goes on', async (t) => {
  const server = await startServer(t, { args: ['--max-recording-duration', '6s'] });
  const { page, context } = await launchBrowser(t, { args: FAKE_DEVICES, expected: refusals });
  await register(page, server);
  const id = await createFromBrowser(page, server, 'Short tea');
  await page.getByRole('radio', { name: 'Record only' }).check();
  await press(page, 'Start recording');
  await page.getByText('The recording ends in').waitFor({ timeout: 30_000 });
  await page.getByText('The stream has ended').waitFor({ timeout: 30_000 });
  const ready = await untilStream(page, id, 'READY', (s) => s.recordingStatus === 'READY');
  assert.ok(ready.recordingUrl);

  await context.addInitScript(() => delete globalThis.MediaRecorder);
  const other = await createFromBrowser(page, server, 'Tea by the server');
  await page.getByText('This browser cannot record.').waitFor();
  assert.ok(await page.getByRole('radio', { name: 'Record only' }).isDisabled());
  await press(page, 'Go live');
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
  await untilStream(page, other, 'RECORDING', (s) => s.recordingStatus === 'RECORDING');
  await press(page, 'End stream', 'End now');
  await untilStream(page, other, 'READY', (s) => s.recordingStatus === 'READY');
});
