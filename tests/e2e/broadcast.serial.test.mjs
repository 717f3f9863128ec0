// SPDX-License-Identifier: MIT
// Going live from the browser, as a person does it, with Chromium's fake camera, microphone and screen.
import assert from 'node:assert/strict';
import test from 'node:test';
import { launchBrowser, untilPlaying, videoState } from './lib/browser.mjs';
import { assertAccessible, assertFits, refusals, register } from './lib/pages.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES } from './lib/webrtc.mjs';

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
