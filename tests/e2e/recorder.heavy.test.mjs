// SPDX-License-Identifier: MIT
// The browser's own recording, with Chromium's fake devices: made while live or instead of it, kept in the
// browser, uploaded in pieces, resumed after everything that can happen to a tab.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { load } from './lib/hls.mjs';
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

// What lies in this browser's storage of a stream's.
const kept = (page, streamId) =>
  page.evaluate(async (id) => {
    const names = [];
    const root = await navigator.storage.getDirectory();
    const dir = await root.getDirectoryHandle('recordings').catch(() => null);
    if (!dir) return names;
    for await (const [name, file] of dir.entries()) {
      if (!name.endsWith('.journal')) continue;
      const text = await file.getFile().then((f) => f.text()).catch(() => '');
      if (text.includes(id)) names.push(name);
    }
    return names;
  }, streamId);

const untilGone = (page, id) => until('nothing is left here', async () => (await kept(page, id)).length === 0);

// The recording that a stream has now is one that plays.
async function assertPlays(stream) {
  assert.ok(stream.recordingUrl && stream.recordingId && stream.playback.playbackId);
  const media = await load(stream.recordingUrl);
  assert.match(media, /^#EXTM3U/);
}

const server = await startServer({ after }, { args: ['--reconnect-window', '2s'] });
const { context, page: first, problems } = await launchBrowser({ after }, { args: FAKE_DEVICES, expected: [...refusals, /ERR_FAILED/] });
// The ways to the addresses of uploads that are cut.
const line = { cut: false, pieces: 0 };
await context.route(/\/upload\/[^/]+$/, (route) => {
  if (line.cut) return route.abort();
  line.pieces++;
  return route.continue();
});
await register(first, server);

// Each in a tab of its own, three at a time: most of it is waiting.
describe('the browser’s own recording', { concurrency: 3 }, () => {
  test('while live, through a line that breaks, to the recording of the stream', async () => {
    const page = await context.newPage();
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
    await untilGone(page, id);
    // Both are there, and this one is what viewers see.
    await page.goto(`${server.http}/dashboard/${id}`);
    const own = page.getByRole('listitem').filter({ hasText: 'What viewers see' });
    await own.getByText('Recorded in the browser').waitFor();
    await page.getByText('Recorded by the server').waitFor();
    await page.goto(`${server.http}/stream/${id}`);
    await page.locator('mux-player').waitFor({ timeout: 30_000 });
    // Over and over: its second half, the camera off, is one picture.
    await page.evaluate(() => {
      const player = document.querySelector('mux-player');
      player.loop = true;
      return player.play();
    });
    await untilPlaying(page, { ms: 60_000 });
    await page.close();
  });

  test('the longest recording ends it; without MediaRecorder the broadcast goes on', async () => {
    const page = await context.newPage();
    await page.route('**/api/settings', async (route) => {
      const answer = await route.fetch();
      return route.fulfill({ response: answer, json: { ...(await answer.json()), maxRecordingDuration: 15 } });
    });
    const id = await createFromBrowser(page, server, 'Short tea');
    await page.getByRole('radio', { name: 'Record only' }).check();
    await press(page, 'Start recording');
    await page.getByText('The recording ends in').waitFor({ timeout: 30_000 });
    await page.getByText('The stream has ended').waitFor({ timeout: 30_000 });
    await assertPlays(await untilStream(page, id, 'READY', (s) => s.recordingStatus === 'READY'));

    await page.addInitScript(() => delete globalThis.MediaRecorder);
    const other = await createFromBrowser(page, server, 'Tea by the server');
    await page.getByText('This browser cannot record.').waitFor();
    assert.ok(await page.getByRole('radio', { name: 'Record only' }).isDisabled());
    await press(page, 'Go live');
    await untilStream(page, other, 'RECORDING', (s) => s.status === 'LIVE' && s.recordingStatus === 'RECORDING');
    await press(page, 'End stream', 'End now');
    await untilStream(page, other, 'READY', (s) => s.recordingStatus === 'READY');
    await page.close();
  });

  test('a tab that is closed in the middle: offered on the next visit, from the dashboard', async () => {
    const page = await context.newPage();
    const tab = await context.newPage();
    const id = await createFromBrowser(tab, server, 'Tea on the train');
    await press(tab, 'Go live');
    await tab.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
    await untilBytes(tab, 'max', 400_000);
    // Not offered while that tab is busy with it.
    const offer = page.getByRole('region', { name: 'A recording of “Tea on the train” was not uploaded completely.' });
    await page.goto(`${server.http}/dashboard`);
    await page.getByRole('heading', { name: 'Tea on the train' }).waitFor();
    assert.equal(await offer.count(), 0);
    await tab.close();

    const before = await untilStream(page, id, 'ended for want of an encoder', (s) => s.status === 'ENDED' && s.recordingStatus === 'UPLOADING');
    await offer.waitFor({ timeout: 30_000 });
    for (const [colorScheme, width] of [['light', 375], ['dark', 1280]]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      await assertFits(page, `the offer, ${width} px`);
      await assertAccessible(page, `the offer, ${colorScheme}`);
    }
    await offer.getByRole('button', { name: 'Upload now' }).click();
    await assertPlays(await untilStream(page, id, 'READY, another one', (s) => s.recordingStatus === 'READY' && s.recordingId !== before.recordingId));
    await untilGone(page, id);
    await page.close();
  });

  test('record only; what is discarded is gone', async () => {
    const page = await context.newPage();
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

    const tab = await context.newPage();
    const other = await createFromBrowser(tab, server, 'Not this one');
    await tab.getByRole('radio', { name: 'Record only' }).check();
    await press(tab, 'Start recording');
    await untilBytes(tab, 'max', 100_000);
    await tab.close();
    await assertPlays(await untilStream(page, id, 'READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY'));
    await page.goto(`${server.http}/dashboard/${other}`);
    await page.getByRole('button', { name: 'Discard' }).click({ timeout: 30_000 });
    await press(page, 'Discard recording');
    await untilGone(page, other);
    await untilStream(page, other, 'and not on the server', (s) => s.recordingStatus === 'NONE');
    await page.close();
  });

  test('a disk that fills up: the broadcast goes on', async () => {
    // The quota is the origin's in a whole browser: this one has its own.
    const own = await launchBrowser({ after }, { args: FAKE_DEVICES, expected: refusals });
    const { page } = own;
    await register(page, server);
    const id = await createFromBrowser(page, server, 'Too much tea');
    await press(page, 'Go live');
    await untilBytes(page, 'max', 50_000);
    const devtools = await own.context.newCDPSession(page);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.http, quotaSize: 1000 });
    await page.getByText('There is no room left on this computer').first().waitFor({ timeout: 60_000 });
    assert.equal((await stream(page, id)).status, 'LIVE');
    await devtools.detach();
    await press(page, 'End stream', 'End now');
    await untilStream(page, id, 'READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY');
    await untilGone(page, id);
    assert.deepEqual([...problems, ...own.problems], []);
  });
});
