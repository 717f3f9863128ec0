// SPDX-License-Identifier: MIT
// The main path, through the pages alone: sign up, create, publish, watch, end, watch again.
import assert from 'node:assert/strict';
import test from 'node:test';
import { launchBrowser, untilPlaying, videoState } from './lib/browser.mjs';
import { createStream, publishAddress, refusals, register } from './lib/pages.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, until } from './lib/server.mjs';

test('from signing up to the recording', async (t) => {
  const server = await startServer(t);
  const streamer = await launchBrowser(t, { expected: refusals });
  const viewer = await launchBrowser(t, { expected: refusals });
  const elsewhere = [];
  viewer.page.on('request', (r) => {
    const url = new URL(r.url());
    if (/^https?:$/.test(url.protocol) && url.origin !== server.http) elsewhere.push(r.url());
  });

  await register(streamer.page, server);
  const id = await createStream(streamer.page, 'Tea with Ada', 'A cup of it.');
  const address = await publishAddress(streamer.page);

  // The viewer is early.
  const page = viewer.page;
  await page.goto(`${server.http}/stream/${id}`);
  await page.getByRole('heading', { level: 1, name: 'Tea with Ada' }).waitFor();
  await page.getByText('Not live yet').first().waitFor();

  const publisher = await publishFfmpeg(t, address, { media: { seconds: 60 } });
  // Both pages change by themselves.
  await streamer.page.getByText('Live', { exact: true }).first().waitFor({ timeout: 20_000 });
  await streamer.page.getByRole('button', { name: 'End stream' }).waitFor();
  await page.getByText('Live', { exact: true }).first().waitFor({ timeout: 20_000 });
  const seen = await untilPlaying(page, { ms: 30_000 });
  assert.ok(seen.width >= 320, `the picture has a size: ${seen.width}`);

  // Health arrives without a reload.
  await streamer.page.getByText('H.264').waitFor({ timeout: 15_000 });
  await streamer.page.getByText('Being recorded', { exact: true }).waitFor();
  // The viewer is counted, on both pages.
  await page.getByText(/\b[1-9]\d* viewers?$/).first().waitFor({ timeout: 20_000 });

  // The lobby shows it to everybody.
  const other = await viewer.context.newPage();
  await other.goto(server.http);
  await other.getByRole('link', { name: 'Tea with Ada' }).waitFor();
  await other.close();

  // It plays on while the encoder is away and comes back.
  await streamer.page.getByRole('button', { name: 'End stream' }).click();
  await streamer.page.getByRole('dialog').getByRole('button', { name: 'End now' }).click();
  await streamer.page.getByRole('heading', { name: 'This stream is over' }).waitFor({ timeout: 15_000 });
  await publisher.stop();

  // The recording takes the live picture's place.
  await page.getByText('Recorded', { exact: true }).waitFor({ timeout: 20_000 });
  await until('the player holds the recording', () => page.evaluate(() => document.querySelector('mux-player')?.getAttribute('stream-type') === 'on-demand'), 25_000);
  await page.evaluate(() => document.querySelector('mux-player').play());
  await untilPlaying(page, { ms: 20_000 });
  const recorded = await videoState(page);
  assert.ok(recorded.duration > 2 && Number.isFinite(recorded.duration), `the recording has a length: ${recorded.duration}`);

  assert.deepEqual(elsewhere, [], 'no request leaves for anybody else');
  assert.deepEqual(viewer.problems, []);
  assert.deepEqual(streamer.problems, []);
});

test('an encoder that drops and returns is waited for', async (t) => {
  const server = await startServer(t);
  const { page } = await launchBrowser(t, { expected: [/./] });
  await register(page, server);
  const id = await createStream(page, 'A bad line');
  const address = await publishAddress(page);
  const first = await publishFfmpeg(t, address, { media: { seconds: 60 } });
  await page.goto(`${server.http}/stream/${id}`);
  await untilPlaying(page, { ms: 30_000 });
  await first.kill();
  await page.getByText('The streamer lost the connection.', { exact: false }).first().waitFor({ timeout: 15_000 });
  await publishFfmpeg(t, address, { media: { seconds: 60 } });
  await page.getByText('Live', { exact: true }).first().waitFor({ timeout: 15_000 });
  await untilPlaying(page, { ms: 40_000 });
});

test('a live stream can be watched from its start, and embedded', async (t) => {
  const server = await startServer(t);
  const { page } = await launchBrowser(t, { expected: refusals });
  await register(page, server);
  const id = await createStream(page, 'Rewind');
  const address = await publishAddress(page);
  const code = await page.getByLabel('Player for your own site').inputValue();
  const [, embedded] = /src="([^"]+)"/.exec(code);
  await publishFfmpeg(t, address, { media: { seconds: 60 } });
  await page.goto(`${server.http}/stream/${id}`);
  await untilPlaying(page, { ms: 30_000 });
  await until('ten seconds are there', async () => (await videoState(page))?.seekableEnd > 10, 30_000);
  await page.getByRole('button', { name: 'Watch from the start' }).click();
  const early = await until('it plays the start', async () => {
    const v = await videoState(page);
    return v && !v.paused && v.readyState > 2 && v.time > 0.5 && v.time < 9 && v;
  }, 20_000);
  assert.ok(early.seekableEnd > early.time + 2, 'and there is more to come');
  await page.getByRole('button', { name: 'Back to live' }).click();
  await until('it is live again', async () => {
    const v = await videoState(page);
    return v && !v.paused && v.time > 9;
  }, 20_000);

  const other = await page.context().newPage();
  await other.goto(embedded);
  await untilPlaying(other, { ms: 30_000 });
  await other.close();

  // Who watches from the start is left where they are when the stream ends.
  await page.getByRole('button', { name: 'Watch from the start' }).click();
  await until('it plays the start again', async () => {
    const v = await videoState(page);
    const alone = await page.evaluate(() => [...document.querySelectorAll('mux-player')].every((p) => p.targetLiveWindow === Infinity)); // the live one is gone
    return alone && v && !v.paused && v.readyState > 2 && v.time > 0.5 && v.time < 9;
  }, 20_000);
  await page.evaluate(() => (document.querySelector('mux-player').stays = true));
  await page.evaluate((path) => fetch(path, { method: 'POST' }), `/api/streams/${id}/end`);
  await page.getByText('Recorded', { exact: true }).waitFor({ timeout: 20_000 });
  await page.getByRole('button', { name: 'Back to live' }).waitFor({ state: 'detached', timeout: 30_000 });
  await untilPlaying(page, { ms: 20_000 });
  assert.equal(await page.evaluate(() => document.querySelector('mux-player').stays), true, 'the same player plays on');
});

test('a viewer in front of a server that is killed and comes back gets the recording', async (t) => {
  const server = await startServer(t);
  const { page } = await launchBrowser(t, { expected: [/./] });
  await register(page, server);
  const id = await createStream(page, 'Power cut');
  const address = await publishAddress(page);
  await publishFfmpeg(t, address, { media: { seconds: 60 } });
  await page.goto(`${server.http}/stream/${id}`);
  await untilPlaying(page, { ms: 30_000 });
  await server.kill();
  await page.getByText('Reconnecting to the server').waitFor({ timeout: 15_000 });
  await startServer(t, { dataDir: server.dataDir, args: ['--http', new URL(server.http).host] });
  await page.getByText('Recorded', { exact: true }).waitFor({ timeout: 40_000 });
  await until('the player holds the recording', () => page.evaluate(() => document.querySelector('mux-player')?.getAttribute('stream-type') === 'on-demand'), 30_000);
  await page.evaluate(() => document.querySelector('mux-player').play());
  await untilPlaying(page, { ms: 30_000 });
});

// A service worker is not installed from a server whose certificate nobody vouches for, whatever the page was told to ignore.
const SELF_SIGNED = /SSL certificate error occurred when fetching the script/;

test('over HTTPS and HTTP/2, from an encoder with B-frames and rare key frames', async (t) => {
  const server = await startServer(t, { tls: true });
  const { page, problems } = await launchBrowser(t, { expected: [...refusals, SELF_SIGNED], ignoreHTTPSErrors: true });
  const versions = new Set();
  const wire = await page.context().newCDPSession(page);
  await wire.send('Network.enable');
  wire.on('Network.responseReceived', ({ response }) => versions.add(response.protocol));
  await register(page, server);
  const id = await createStream(page, 'As OBS sends it');
  const address = await publishAddress(page);
  await publishFfmpeg(t, address, { media: { seconds: 48, gop: 8, bframes: 2 } });
  await page.getByText('Live', { exact: true }).first().waitFor({ timeout: 20_000 });
  await page.getByText('A key frame comes every 8', { exact: false }).waitFor({ timeout: 30_000 });
  await page.goto(`${server.http}/stream/${id}`);
  await untilPlaying(page, { ms: 40_000 });
  assert.ok(versions.has('h2'), [...versions].join());
  assert.deepEqual(problems, []);
});
