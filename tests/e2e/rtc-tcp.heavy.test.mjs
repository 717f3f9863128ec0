// SPDX-License-Identifier: MIT
// ICE over TCP, for those whose network lets no UDP through: on the number of the UDP port.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { pionPublish } from './lib/pion.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES, rtcPage, tcpLine, untilDecoding } from './lib/webrtc.mjs';

// The statistics name the pair of candidates only now and then while it is being chosen.
async function byTcp(page, who) {
  const paths = await until('the path is known', async () => {
    const seen = (await page.evaluate(`stats(${who})`)).paths;
    return seen.length > 0 && seen;
  });
  assert.deepEqual(paths, ['tcp']);
}

test('Chromium publishes and watches with no UDP at all', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
  const from = await rtcPage(context, server);
  const made = await from.evaluate(([url, o]) => window.publish(url, '', o),
    [`${server.http}/whip/${stream.ingest.streamKey}`, { width: 640, height: 360, via: 'tcp' }]);
  assert.equal(made.status, 201, made.text);
  assert.match(made.text, /^a=candidate:\S+ 1 tcp \d+ 127\.0\.0\.1 \d+ typ host tcptype passive\r$/m);
  await until('the publisher is connected', async () => (await from.evaluate('stats(publisher)')).state === 'connected', 30_000);
  // Several, so that sessions and connections meet on different loops.
  for (let i = 0; i < 3; i++) {
    const to = await rtcPage(context, server);
    assert.equal((await to.evaluate(([url, via]) => window.watch(url, via), [`${server.http}/whep/${stream.playback.playbackId}`, 'tcp'])).status, 201);
    await untilDecoding(to, 30);
    await byTcp(to, 'viewer');
    await to.close();
  }
  await byTcp(from, 'publisher');
  await ada.untilLive(stream.id);
});

test('a viewer that takes nothing is let go, and the others see all', async (t) => {
  const server = await startServer(t, { args: ['--log-level', 'debug'] });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const { context } = await launchBrowser(t, { args: FAKE_DEVICES });
  await (await pionPublish(t, `${server.http}/whip/${stream.ingest.streamKey}`)).connected();
  const line = await tcpLine(t, server.webrtcPort);
  const [slow, good] = [await rtcPage(context, server), await rtcPage(context, server)];
  for (const [page, via] of [[slow, `tcp:${line.port}`], [good, 'tcp']]) {
    assert.equal((await page.evaluate(([url, by]) => window.watch(url, by), [`${server.http}/whep/${stream.playback.playbackId}`, via])).status, 201);
    await untilDecoding(page, 10);
  }
  line.stop();
  await until('its connection is closed', () => /rtc-tcp-closed .*reason="nothing is read"/.test(server.log), 90_000);
  await untilDecoding(good, 30);
});
