// SPDX-License-Identifier: MIT
// The direct preview: from one browser to another, without the server; and the change to WHIP when a second
// viewer comes. Each person has a browser of their own.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, newUser } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { assertAccessible, assertFits, refusals, register } from './lib/pages.mjs';
import { startServer, until } from './lib/server.mjs';
import { FAKE_DEVICES } from './lib/webrtc.mjs';

const stream = (page, id) => page.evaluate(async (i) => (await fetch(`/api/streams/${i}`)).json(), id);

test('one viewer without the server, a second one and everybody by WHIP', async (t) => {
  const server = await startServer(t);
  const { page, problems } = await launchBrowser(t, { args: FAKE_DEVICES, expected: refusals });
  const guest = await launchBrowser(t, { expected: [...refusals, /WHEP|whep/] });
  await register(page, server);
  const made = await page.evaluate(async () => (await fetch('/api/streams', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ title: 'Rehearsal', streamType: 'BROWSER' }) })).json());
  await page.goto(`${server.http}/stream/${made.id}/broadcast`);
  await untilPlaying(page, { sound: false });

  // The viewer waits, and sees the picture when it is offered.
  await guest.page.goto(`${server.http}/stream/${made.id}`);
  await guest.page.getByText('Stay here: it starts by itself.').waitFor();
  const toggle = page.getByRole('switch', { name: 'Direct preview' });
  await toggle.check();
  await page.getByText('One viewer sees you now.').waitFor({ timeout: 30_000 });
  const seen = await untilPlaying(guest.page, { ms: 30_000 });
  assert.ok(seen.width >= 320, JSON.stringify(seen));
  await guest.page.getByText('Direct preview: only you see this.').waitFor();
  const now = await stream(page, made.id);
  assert.deepEqual([now.status, now.direct.answered, now.recordingStatus], ['CREATED', true, 'NONE']);
  const health = await page.evaluate(async (id) => (await fetch(`/api/streams/${id}/health`)).json(), made.id);
  assert.equal(health.connected, false, 'no media goes through the server');
  for (const [who, p] of [['streamer', page], ['viewer', guest.page]]) {
    await assertFits(p, who);
    await assertAccessible(p, who);
    if (process.env.PICTURES) await p.screenshot({ path: `${process.env.PICTURES}/direct-${who}.png`, fullPage: true });
  }

  // A viewer who leaves makes room for another.
  await guest.page.goto(`${server.http}/`);
  await page.getByText('Ready. Open the viewer page somewhere').waitFor({ timeout: 30_000 });
  await guest.page.goto(`${server.http}/stream/${made.id}`);
  await untilPlaying(guest.page, { ms: 30_000 });

  // A second one: the streamer goes live, and the first one changes over.
  const second = await guest.context.newPage();
  await second.goto(`${server.http}/stream/${made.id}`);
  await until('the stream is live', async () => (await stream(page, made.id)).status === 'LIVE', 40_000);
  await Promise.all([guest.page, second].map(async (p) => {
    await p.getByText('Direct preview: only you see this.').waitFor({ state: 'detached' });
    await untilPlaying(p, { ms: 40_000 });
  }));
  await page.getByText('Live', { exact: true }).waitFor();
  assert.equal(await toggle.count(), 0);
  const after = await stream(page, made.id);
  assert.equal(after.direct, null);
  assert.equal(after.viewerCount, 2);
  assert.deepEqual(problems, []);
});

const SDP = (n) => `v=0\r\no=- ${n} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\n`;

test('offer and answer: whose they are, how many, how large', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const eve = await newUser(server, 'Eve');
  const guest = new Client(server);
  const { id } = await ada.createStream({ streamType: 'BROWSER' });
  const at = `/api/streams/${id}/direct`;
  const events = await guest.events(id);
  t.after(() => events.close());
  await guest.expect(404, 'GET', at);
  await guest.expect(401, 'PUT', `${at}/offer`, { sdp: SDP(1) });
  await eve.expect(403, 'PUT', `${at}/offer`, { sdp: SDP(1) });
  await eve.expect(403, 'DELETE', at);
  for (const sdp of ['', 'x', SDP(1) + 'a=x\r\n'.repeat(5000), 7]) {
    const refused = await ada.expect(422, 'PUT', `${at}/offer`, { sdp });
    assert.equal(refused.error.field, 'sdp');
  }
  const offered = await ada.expect(200, 'PUT', `${at}/offer`, { sdp: SDP(1) });
  await events.wait('stream', (s) => s.direct?.id === offered.id && !s.direct.answered);
  const seen = await guest.expect(200, 'GET', at);
  assert.deepEqual(seen, { id: offered.id, answered: false, offer: SDP(1) });
  assert.equal((await ada.expect(200, 'GET', at)).offer, undefined);
  await guest.expect(404, 'PUT', `${at}/answer`, { id: '1', sdp: SDP(2) });
  await guest.expect(204, 'PUT', `${at}/answer`, { id: offered.id, sdp: SDP(2) });
  await events.wait('stream', (s) => s.direct?.answered);
  assert.equal((await eve.expect(409, 'PUT', `${at}/answer`, { id: offered.id, sdp: SDP(3) })).error.code, 'taken');
  assert.deepEqual(await eve.expect(200, 'GET', at), { id: offered.id, answered: true });
  assert.equal((await ada.expect(200, 'GET', at)).answer, SDP(2));
  const other = await eve.events(id); // a second page
  t.after(() => other.close());
  const again = await ada.expect(200, 'PUT', `${at}/offer`, { sdp: SDP(4) });
  assert.equal((await guest.expect(409, 'PUT', `${at}/answer`, { id: again.id, sdp: SDP(2) })).error.code, 'not_alone');
  other.close();
  let status;
  await until('it is too often', async () => (status = (await guest.call('PUT', `${at}/answer`, { id: '1', sdp: SDP(2) })).status) === 429);
  assert.equal(status, 429);
  await ada.expect(204, 'DELETE', at);
  await events.wait('stream', (s) => s.direct === null && s.status === 'CREATED');
  await ada.expect(404, 'GET', at);
});
