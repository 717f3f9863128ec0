// SPDX-License-Identifier: MIT
// Clients of WHIP and WHEP that were written for other servers: Eyevinn's, as they come from npm.
import assert from 'node:assert/strict';
import { build } from 'esbuild';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { newUser } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { refusals } from './lib/pages.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES } from './lib/webrtc.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

// A page on the server's own origin with both libraries as globals.
async function eyevinnPage(context, server) {
  const contents = `
    import { WHIPClient } from '@eyevinn/whip-web-client';
    import { WebRTCPlayer } from '@eyevinn/webrtc-player';
    Object.assign(globalThis, { WHIPClient, WebRTCPlayer });`;
  const made = await build({ stdin: { contents, resolveDir: here }, bundle: true, write: false, format: 'iife', logLevel: 'error', define: { global: 'globalThis' } });
  const page = await context.newPage();
  await page.goto(`${server.http}/healthz`);
  await page.evaluate(made.outputFiles[0].text);
  return page;
}

test('whip-web-client publishes, webrtc-player plays; both end their sessions', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream({ streamType: 'BROWSER' });
  // It sends its candidates without If-Match, and is told so (RFC 9725, 4.3.1); nobody needs them.
  const expected = [...refusals, /status of 428/];
  const { context, problems } = await launchBrowser(t, { args: FAKE_DEVICES, expected });
  const from = await eyevinnPage(context, server);
  const deleted = [];
  context.on('response', (r) => r.request().method() === 'DELETE' && deleted.push(r.status()));
  await from.evaluate(async ([endpoint, authkey]) => {
    const client = (globalThis.client = new WHIPClient({ endpoint, opts: { authkey } }));
    await client.setIceServersFromEndpoint();
    const media = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
    await client.ingest(media);
  }, [`${server.http}/whip`, stream.ingest.streamKey]);
  await ada.untilLive(stream.id, 30_000);
  assert.match(await from.evaluate(() => client.getResourceUrl()), new RegExp(`^${server.http}/rtc/`), 'it found the session');

  const to = await eyevinnPage(context, server);
  await to.evaluate(async (url) => {
    const video = document.createElement('video');
    Object.assign(video, { autoplay: true, muted: true, playsInline: true });
    document.body.append(video);
    const player = (globalThis.player = new WebRTCPlayer({ video, type: 'whep' }));
    await player.load(new URL(url));
    player.unmute();
  }, `${server.http}/whep/${stream.playback.playbackId}`);
  await untilPlaying(to, { ms: 30_000 });

  await to.evaluate(() => player.unload());
  await until("the viewer's session is ended", () => deleted.length === 1);
  await from.evaluate(() => client.destroy());
  await until("the publisher's session is ended", () => deleted.length === 2);
  assert.deepEqual(deleted, [200, 200]);
  await ada.untilStream(stream.id, 'the streamer is away', (s) => s.connected === false);
  assert.deepEqual(problems, []);
});
