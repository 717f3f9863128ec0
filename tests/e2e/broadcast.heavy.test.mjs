// SPDX-License-Identifier: MIT
// Going live from the browser, as a person does it, with Chromium's fake camera, microphone and screen.
import assert from 'node:assert/strict';
import test from 'node:test';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { assertAccessible, assertFits, refusals, register } from './lib/pages.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES, badLine } from './lib/webrtc.mjs';

// From the dashboard's choice; ends on the broadcast page. Returns the stream's id.
async function createFromBrowser(page, title) {
  await page.getByRole('button', { name: 'New stream' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill(title);
  await dialog.getByRole('radio', { name: 'Go live from browser' }).check();
  await dialog.getByRole('button', { name: 'Create stream' }).click();
  await page.waitForURL(/\/stream\/[^/]+\/broadcast$/);
  return new URL(page.url()).pathname.split('/')[2];
}

const goLive = (page) => page.getByRole('button', { name: 'Go live' });
const stream = (page, id) => page.evaluate(async (i) => (await fetch(`/api/streams/${i}`)).json(), id);

async function untilStream(page, id, what, is, ms = 30_000) {
  let last;
  return until(what, async () => ((last = await stream(page, id)), is(last) && last), ms).catch((e) => {
    throw new Error(`${e.message}; ${JSON.stringify(last)}`);
  });
}

async function begin(t, { args = FAKE_DEVICES, server = {}, ...browser } = {}) {
  const running = await startServer(t, server);
  const launched = await launchBrowser(t, { args, expected: refusals, ...browser });
  await register(launched.page, running);
  return { server: running, ...launched };
}

test('from the dashboard to the recording', async (t) => {
  const { server, page, context, problems } = await begin(t);
  const id = await createFromBrowser(page, 'Tea from the kitchen');

  // Seen first, sent nothing.
  const preview = await untilPlaying(page);
  assert.ok(preview.width >= 640, JSON.stringify(preview));
  assert.equal((await stream(page, id)).status, 'CREATED');

  await goLive(page).click();
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
  const live = await untilStream(page, id, 'LIVE', (s) => s.status === 'LIVE');
  assert.equal(live.streamType, 'BROWSER');
  await page.getByText('Your connection carries everything.').or(page.getByText('The browser begins with')).waitFor({ timeout: 30_000 });
  await page.getByText('H.264, Opus').waitFor();
  assert.match(await page.title(), /^● Live: Tea from the kitchen/);

  for (const [colorScheme, width] of [['light', 375], ['dark', 1440]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 800 });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await assertFits(page, `live, ${width} px`);
    await assertAccessible(page, `live, ${colorScheme}, ${width} px`);
  }

  // A viewer comes, and is counted.
  const viewer = await context.newPage();
  await viewer.goto(`${server.http}/stream/${id}`);
  await page.getByText('1 viewer', { exact: true }).waitFor({ timeout: 30_000 });
  const playlist = await until('a playlist with segments', async () => {
    const text = await viewer.evaluate(async (u) => (await fetch(u)).text(), `/${live.playback.playbackId}.m3u8`);
    return text.includes('#EXT-X-STREAM-INF') && text;
  }, 30_000);
  assert.match(playlist, /#EXTM3U/);
  await viewer.close();

  // Leaving asks first; so does ending.
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'End stream' }).click();
  const question = page.getByRole('dialog');
  await question.getByRole('heading', { name: 'End this stream?' }).waitFor();
  await question.getByRole('button', { name: 'End now' }).click();
  await page.getByText('The stream has ended').waitFor();
  const ended = await untilStream(page, id, 'the recording is READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY');
  assert.ok(ended.recordingUrl);
  await page.getByRole('link', { name: 'Watch the recording' }).waitFor();
  assert.deepEqual(problems, []);
});

// The page's sessions go over `port`; what each POST and PATCH of them answered is noted.
async function through(page, port) {
  const seen = [];
  const rewrite = (text) => text.replace(/^a=candidate:.* tcp .*\r\n/gim, '').replace(/^(a=candidate:\S+ 1 udp \d+ \S+) \d+/gim, `$1 ${port}`);
  await page.route(/\/(whip|rtc\/[^/]+)$/, async (route) => {
    const method = route.request().method();
    if (method !== 'POST' && method !== 'PATCH') return route.continue();
    const response = await route.fetch();
    seen.push({ method, status: response.status(), location: response.headers().location });
    await route.fulfill({ response, body: rewrite(await response.text()) });
  });
  return seen;
}

const untilLive = (page) => page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });

test('a line that breaks, a session that is gone, a page loaded anew: the same stream goes on', async (t) => {
  const { server, page, context } = await begin(t);
  const id = await createFromBrowser(page, 'Tea on the train');
  const line = await badLine(t, server.webrtcPort);
  const calls = await through(page, line.port);
  page.on('dialog', (d) => d.accept()); // the question before a page with something going on is left
  await goLive(page).click();
  await untilLive(page);
  const before = await stream(page, id);

  // The line is down for a while: the same session over a new path.
  line.loss = 1;
  await page.getByText('The connection to the server is lost.').waitFor({ timeout: 60_000 });
  line.loss = 0;
  await untilLive(page);
  await until('the path was mended', () => calls.some((c) => c.method === 'PATCH' && c.status === 200));
  assert.equal(calls.filter((c) => c.method === 'POST').length, 1, JSON.stringify(calls));

  // The session is taken away: a new one.
  const { location } = calls.find((c) => c.method === 'POST');
  await page.evaluate((l) => fetch(l, { method: 'DELETE' }), location);
  await until('a second POST', () => calls.filter((c) => c.method === 'POST' && c.status === 201).length === 2, 60_000);
  await untilLive(page);

  // The page is loaded anew: it says that the stream waits.
  await page.reload();
  await page.getByText('The stream is live and waits for you.').waitFor({ timeout: 30_000 });
  await goLive(page).click();
  await untilLive(page);
  const after = await untilStream(page, id, 'LIVE and connected', (s) => s.status === 'LIVE' && s.connected);
  assert.deepEqual([after.startedAt, after.recordingId, after.recordingStatus], [before.startedAt, before.recordingId, 'RECORDING']);

  // The person's session is gone: the broadcast goes on.
  const refused = page.waitForResponse((r) => r.url().endsWith('/health') && r.status() === 401);
  await context.clearCookies();
  await refused;
  await page.getByLabel('Main').getByRole('link', { name: 'Log in' }).waitFor();
  await untilLive(page);
  assert.equal((await stream(page, id)).connected, true);
});

// What the preview shows where the camera stands over a screen: how much its brightness varies there.
const insetContrast = (page) =>
  page.evaluate(() => {
    const video = document.querySelector('video');
    const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
    const draw = canvas.getContext('2d');
    const [sx, sy] = [video.videoWidth / 1280, video.videoHeight / 720];
    draw.drawImage(video, 1000 * sx, 540 * sy, 160 * sx, 120 * sy, 0, 0, 160, 120);
    const green = draw.getImageData(0, 0, 160, 120).data.filter((_, i) => i % 4 === 1);
    return Math.max(...green) - Math.min(...green);
  });

test('the screen with and without the camera over it, camera off, mute; another tab takes over', async (t) => {
  const { page, context, problems } = await begin(t, { args: [...FAKE_DEVICES, '--auto-select-desktop-capture-source=Entire screen'] });
  const id = await createFromBrowser(page, 'My desk');
  await untilPlaying(page);
  await goLive(page).click();
  await untilLive(page);

  await page.getByRole('button', { name: 'Share screen' }).click();
  await page.getByRole('button', { name: 'Stop sharing' }).waitFor();
  const inset = page.getByLabel('My camera over the screen');
  await inset.waitFor();
  await until('the camera is over the screen', async () => (await insetContrast(page)) > 60);
  await inset.uncheck();
  await until('the screen alone', async () => (await insetContrast(page)) < 20);
  await untilPlaying(page, { sound: false }); // it listens to what the preview had before
  await page.getByRole('button', { name: 'Stop sharing' }).click();

  // By keyboard.
  await page.locator('main').focus();
  await page.keyboard.press('v');
  await page.getByRole('button', { name: 'Camera on' }).waitFor();
  await page.keyboard.press('m');
  await page.getByRole('button', { name: 'Unmute' }).click();
  await page.getByRole('button', { name: 'Mute', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Camera on' }).click();
  await page.getByRole('button', { name: 'Camera off' }).waitFor();
  assert.equal((await stream(page, id)).status, 'LIVE');

  const other = await context.newPage();
  await other.goto(page.url());
  await other.getByText('You are live in another tab.').waitFor();
  await other.getByRole('button', { name: 'Go on in this tab' }).click();
  await untilLive(other);
  await page.getByRole('main').getByText('Another tab has taken over.').waitFor();
  const now = await untilStream(other, id, 'LIVE and connected', (s) => s.status === 'LIVE' && s.connected);
  assert.equal(now.recordingStatus, 'RECORDING');
  assert.deepEqual(problems, []);
});

test('no permission, no camera, the time limit', async (t) => {
  const server = await startServer(t, { args: ['--max-stream-duration', '4s'] });
  const denied = await launchBrowser(t, { args: [FAKE_DEVICES[0], '--deny-permission-prompts'], expected: refusals });
  await register(denied.page, server);
  await createFromBrowser(denied.page, 'No');
  await denied.page.getByText('This page may not use your camera').waitFor();
  await denied.page.getByText('This page may not use your microphone').waitFor();
  assert.ok(await goLive(denied.page).isDisabled());
  await denied.page.getByRole('button', { name: 'Try again: camera' }).click();
  await denied.page.getByText('This page may not use your camera').waitFor();
  await denied.context.close();

  const blind = await launchBrowser(t, { args: ['--use-fake-device-for-media-stream=device-count=0', FAKE_DEVICES[1]], expected: refusals });
  const { page } = blind;
  await register(page, server);
  const id = await createFromBrowser(page, 'Radio');
  await page.getByText('No camera was found').waitFor();
  await goLive(page).click();
  await untilLive(page);
  await page.getByText('It had reached the longest time that this server allows.').waitFor({ timeout: 30_000 });
  const ended = await untilStream(page, id, 'recorded', (s) => s.recordingStatus === 'READY');
  assert.equal(ended.endedReason, 'limit');
});

test('an address without TLS, and a stream that is somebody else’s', async (t) => {
  const { server, page, context } = await begin(t, { args: [...FAKE_DEVICES, '--host-resolver-rules=MAP live.lan 127.0.0.1'] });
  const id = await createFromBrowser(page, 'Mine');
  await context.clearCookies();
  await page.goto(`${server.http}/stream/${id}/broadcast`);
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  await register(page, server, 'Grace Hopper');
  await page.goto(`${server.http}/stream/${id}/broadcast`);
  await page.getByText('This is not your stream').waitFor();
  await page.goto(`${server.http}/stream/nothing/broadcast`);
  await page.getByText('There is no such stream').waitFor();

  const lan = { http: `http://live.lan:${new URL(server.http).port}` };
  await register(page, lan, 'Joan Clarke');
  await createFromBrowser(page, 'From the sofa');
  await page.getByText('Browsers give no camera to this address').waitFor();
  await page.getByRole('link', { name: 'Stream with OBS' }).click();
  assert.match(await page.getByLabel('Server (WHIP)').inputValue(), /\/whip$/);
  await page.getByLabel('Bearer token', { exact: true }).waitFor();
});
