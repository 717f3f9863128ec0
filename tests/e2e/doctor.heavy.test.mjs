// SPDX-License-Identifier: MIT
// The ingest doctor and the viewer count with a browser at either end: what only WebRTC tells, and how the
// pages show it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { follow, hlsUrl, open } from './lib/hls.mjs';
import { assertAccessible, assertFits, refusals, register } from './lib/pages.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES, rtcPage, untilDecoding } from './lib/webrtc.mjs';

test('what a browser sends, and those who watch it', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream({ streamType: 'BROWSER' });
  const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
  const from = await rtcPage(context, server);
  const made = await from.evaluate(([url, key]) => window.publish(url, key), [`${server.http}/whip`, stream.ingest.streamKey]);
  assert.equal(made.status, 201, made.text);
  let last;
  const h = await until('all is measured', async () => {
    last = await ada.expect(200, 'GET', `/api/streams/${stream.id}/health`);
    return last.video?.bitrate && last.video.width && last.audio?.level !== undefined && last.network?.rtt !== undefined && last.avOffset !== undefined && last;
  }, 40_000, 400).catch((e) => assert.fail(`${e.message}: ${JSON.stringify(last)}`));
  assert.equal(h.protocol, 'whip');
  assert.match(h.encoder, /^Chrome \d+$/);
  assert.deepEqual([h.video.codec, h.audio.codec, h.audio.sampleRate], ['h264', 'opus', 48000]);
  assert.ok(h.video.fps > 2 && h.video.bitrate > 10_000, JSON.stringify(h.video));
  assert.ok(h.audio.level < 0 && h.audio.peakLevel >= h.audio.level && h.audio.peakLevel > -60, JSON.stringify(h.audio)); // the fake microphone beeps
  assert.ok(h.network.loss >= 0 && h.network.rtt < 2000 && h.network.jitter >= 0, JSON.stringify(h.network));
  assert.ok(!h.advice.some((a) => ['no_audio', 'no_video', 'audio_silent', 'not_connected', 'nothing_received'].includes(a.code)), JSON.stringify(h.advice));

  await ada.untilLive(stream.id);
  const events = await ada.events(stream.id, {}); // one page
  t.after(() => events.close());
  await events.wait('viewers', (v) => v.count === 1);
  const count = async () => (await ada.stream(stream.id)).viewerCount;
  const viewers = [];
  for (const n of [1, 2]) {
    const to = await rtcPage(context, server);
    assert.equal((await to.evaluate((url) => window.watch(url), `${server.http}/whep/${stream.playback.playbackId}`)).status, 201);
    await untilDecoding(to, 2);
    viewers.push(to);
    await events.wait('viewers', (v) => v.count === n);
    assert.equal(await count(), n);
  }
  await viewers[0].evaluate(() => fetch(viewer.session, { method: 'DELETE' }));
  await until('one is left', async () => (await count()) === 1);
  await ada.end(stream.id);
  await until('the most at once is kept', async () => (await ada.stream(stream.id)).peakViewers === 2);
  await until('nobody watches what has ended', async () => (await count()) <= 1);
});

test('VP8 from a browser and no transcoding slot', async (t) => {
  const server = await startServer(t, { args: ['--webrtc-transcodes', '0'] });
  const ada = await newUser(server);
  const stream = await ada.createStream({ streamType: 'BROWSER' });
  const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
  const from = await rtcPage(context, server);
  const made = await from.evaluate(([url, key]) => window.publish(url, key, { codec: 'video/VP8' }), [`${server.http}/whip`, stream.ingest.streamKey]);
  assert.equal(made.status, 201, made.text);
  let last;
  await until('the owner is told that HLS has nothing', async () => {
    last = await ada.expect(200, 'GET', `/api/streams/${stream.id}/health`);
    return last.video?.codec === 'vp8' && last.video.bitrate && last.advice.some((a) => a.code === 'vp8_no_slot');
  }, 30_000, 400).catch((e) => assert.fail(`${e.message}: ${JSON.stringify(last)}`));
});

test('who goes from HLS to WebRTC is one viewer', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 10, bframes: 0 } });
  await ada.untilLive(stream.id);
  const count = async () => (await ada.stream(stream.id)).viewerCount;
  const { context } = await launchBrowser(t, {});
  const page = await rtcPage(context, server);
  const { video } = await open(hlsUrl(server, stream.playback.playbackId));
  // This program asks too, and is another viewer at the same address.
  await until('both count as viewers by HLS', async () => {
    const text = await page.evaluate(async (path) => (await fetch(path)).text(), new URL(video).pathname);
    assert.match(text, /^#EXTM3U/);
    await open(video);
    return (await count()) === 2;
  });
  assert.equal((await page.evaluate((url) => window.watch(url), `${server.http}/whep/${stream.playback.playbackId}`)).status, 201);
  await untilDecoding(page, 5);
  assert.equal(await count(), 2);
  await follow(video, { seconds: 1 });
  assert.equal(await count(), 2);
});

test('the page: waiting, good, and with advice; accessible and not too wide', async (t) => {
  const server = await startServer(t);
  const { page, problems } = await launchBrowser(t, { expected: refusals });
  await register(page, server, 'Ada');
  const make = (title) => page.evaluate(async (title) => (await fetch('/api/streams', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ title, streamType: 'RTMP' }) })).json(), title);
  const sick = await make('Sick');
  await page.goto(`${server.http}/dashboard/${sick.id}`);
  await page.getByText('No encoder is connected.').waitFor();
  await page.getByText(/Service "Custom"/).waitFor();
  await publishFfmpeg(t, publishUrl(server, sick), { media: { seconds: 30, size: '180x320', gop: 10, bframes: 2, audio: false } });
  const advice = page.getByRole('list', { name: 'Advice' });
  await advice.getByText('There is a picture and no sound track.').waitFor();
  await advice.getByText('ffmpeg: -bf 0').waitFor();
  await page.getByRole('img', { name: /^Bit rate of the last/ }).waitFor();
  for (const colorScheme of ['light', 'dark'])
    for (const width of [375, 1440]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      await assertFits(page, `the signal, ${colorScheme}, ${width} px`);
      await assertAccessible(page, `the signal, ${colorScheme}, ${width} px`);
      if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/sick-${colorScheme}-${width}.png`, fullPage: true });
    }
  const well = await make('Well');
  await publishFfmpeg(t, publishUrl(server, well), { media: { seconds: 10 } });
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${server.http}/dashboard/${well.id}`);
  await page.getByText('The signal looks good.').waitFor();
  await page.getByText('Loudness').waitFor();
  await page.getByRole('img', { name: /^Bit rate of the last/ }).waitFor();
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/well.png`, fullPage: true });
  assert.deepEqual(problems, []);
});
