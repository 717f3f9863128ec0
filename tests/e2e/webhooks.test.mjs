// SPDX-License-Identifier: MIT
// Webhooks against receivers that are down, slow, wrong and killed; Mux's own client checks the signatures.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import Mux from '@mux/mux-node';
import { newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { assertAccessible, assertFits } from './lib/pages.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run, startServer, until } from './lib/server.mjs';

// Takes what is posted. `answer(req, res, n)`: what it does with the n-th; default 204.
async function receiver(answer = (_, res) => res.writeHead(204).end()) {
  const got = [];
  const server = http.createServer((req, res) => {
    let body = '';
    req.on('data', (b) => (body += b));
    req.on('end', () => {
      got.push({ body, headers: req.headers, method: req.method, url: req.url, event: JSON.parse(body || '{}') });
      r.answer(req, res, got.length);
    });
  });
  const r = {
    got,
    answer,
    types: () => got.map((g) => g.event.type),
    open: (port = 0) => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
    close: () => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))),
  };
  await r.open();
  r.port = server.address().port;
  r.url = `http://127.0.0.1:${r.port}/hook`;
  after(() => r.close());
  return r;
}

async function account(server, name) {
  const user = await newUser(server, name);
  const made = await run(['token', 'create', '--json', '--data', server.dataDir, '--email', user.email]);
  assert.equal(made.code, 0, made.stderr);
  const t = JSON.parse(made.stdout);
  user.mux = new Mux({ baseURL: server.http, tokenId: t.TOKEN_ID, tokenSecret: t.TOKEN_SECRET, maxRetries: 0 });
  user.hooks = async () => (await user.expect(200, 'GET', '/api/webhooks')).webhooks;
  user.log = async (hook, query = '') => (await user.expect(200, 'GET', `/api/webhooks/${hook.id}/deliveries${query}`)).deliveries;
  user.detail = (hook, d) => user.expect(200, 'GET', `/api/webhooks/${hook.id}/deliveries/${d.id}`);
  return user;
}

// Something that is told of: a live stream is made.
const happens = (user, passthrough = 'x') => user.mux.video.liveStreams.create({ passthrough });

// As if so much had happened a moment ago: rows as the outbox writes them.
function plant(server, hook, count, object = 'o') {
  const sql = `
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO media_events (id, user_id, type, object_type, object_id, data, created_at)
      SELECT 'plant-${randomUUID()}-' || i, w.user_id, 'video.asset.updated', 'asset', '${object}' || i, '{"id":"' || i || '"}',
             CAST(strftime('%s', 'now') AS INTEGER) * 1000000 - 1000000 + i FROM n, webhooks w WHERE w.id = '${hook.id}';
    INSERT INTO webhook_deliveries (id, event_id, webhook_id, next_at, give_up_at, created_at)
      SELECT w.id || '.' || e.id, e.id, w.id, e.created_at, e.created_at + 86400000000, e.created_at
      FROM media_events e, webhooks w WHERE w.id = '${hook.id}' AND e.object_id LIKE '${object}%' AND e.id LIKE 'plant-%'
        AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.event_id = e.id AND d.webhook_id = w.id);`;
  execFileSync('sqlite3', ['-cmd', '.timeout 20000', path.join(server.dataDir, 'bspnode.db'), sql]);
}

let server = await startServer({ after }, { args: ['--webhook-allow-private'] });
after(() => server.stop()); // another one than at first, by then
const ada = await account(server, 'Ada');

describe('endpoints, with mux-node', () => {
  test('made, listed, changed, deleted', async () => {
    const bob = await account(server, 'Bob');
    const { system } = bob.mux;
    const made = await system.webhooks.create({ address: 'https://example.org/a' });
    assert.equal(made.enabled, true);
    assert.ok(made.signing_secret.length >= 32 && !Number.isNaN(Date.parse(made.created_at)));
    const second = await system.webhooks.create({ address: 'https://example.org/b' });
    const seen = [];
    for await (const w of system.webhooks.list({ limit: 1 })) seen.push(w);
    assert.deepEqual(seen.map((w) => w.id), [second.id, made.id]);
    assert.ok(!('signing_secret' in seen[0]));
    await assert.rejects(system.webhooks.create({ address: 'https://example.org/a' }), Mux.BadRequestError);
    await assert.rejects(system.webhooks.update(second.id, { address: 'https://example.org/a' }), Mux.BadRequestError);
    await assert.rejects(system.webhooks.update(second.id, {}), Mux.BadRequestError);
    for (const address of ['ftp://example.org/', 'not an address', 'https://a:b@example.org/', '', 7, undefined, `https://example.org/${'x'.repeat(3000)}`])
      await assert.rejects(system.webhooks.create({ address }), Mux.BadRequestError, String(address));
    const off = await system.webhooks.update(second.id, { enabled: false });
    assert.deepEqual([off.enabled, off.address], [false, 'https://example.org/b']);
    await assert.rejects(ada.mux.system.webhooks.retrieve(made.id), Mux.NotFoundError);
    await assert.rejects(ada.mux.system.webhooks.delete(made.id), Mux.NotFoundError);
    assert.equal((await system.webhooks.retrieve(made.id)).address, 'https://example.org/a');
    await system.webhooks.delete(made.id);
    await assert.rejects(system.webhooks.retrieve(made.id), Mux.NotFoundError);
    for (let i = 0; i < 19; i++) await system.webhooks.create({ address: `https://example.org/n${i}` });
    await assert.rejects(system.webhooks.create({ address: 'https://example.org/n20' }), /at most 20/);
  });

  test('the product has the same ones, and its own words for what is wrong', async () => {
    const made = await ada.expect(201, 'POST', '/api/webhooks', { address: 'https://example.org/p' });
    assert.ok(made.signingSecret);
    assert.equal((await ada.expect(409, 'POST', '/api/webhooks', { address: 'https://example.org/p' })).error.code, 'address_taken');
    assert.equal((await ada.expect(422, 'POST', '/api/webhooks', { address: 'x' })).error.field, 'address');
    assert.equal((await ada.expect(422, 'GET', `/api/webhooks/${made.id}/deliveries?state=ODD`)).error.field, 'state');
    const { signingSecret } = await ada.expect(200, 'POST', `/api/webhooks/${made.id}/secret`);
    assert.notEqual(signingSecret, made.signingSecret);
    assert.equal((await ada.mux.system.webhooks.retrieve(made.id)).address, 'https://example.org/p');
    await ada.expect(204, 'DELETE', `/api/webhooks/${made.id}`);
    await ada.expect(404, 'GET', `/api/webhooks/${made.id}`);
    await ada.expect(404, 'GET', `/api/webhooks/${made.id}/deliveries`);
  });
});

describe('deliveries', () => {
  test('signed as Mux signs, in Mux\'s envelope', async () => {
    const r = await receiver();
    const hook = await ada.mux.system.webhooks.create({ address: r.url });
    const live = await happens(ada, 'first');
    await until('it arrives', () => r.got.length);
    const { body, headers, method, event } = r.got[0];
    assert.deepEqual([method, headers['content-type']], ['POST', 'application/json']);
    assert.match(headers['mux-signature'], /^t=\d+,v1=[0-9a-f]{64}$/);
    const opened = await ada.mux.webhooks.unwrap(body, headers, hook.signing_secret);
    assert.equal(opened.type, 'video.live_stream.created');
    assert.deepEqual(event.object, { type: 'live', id: live.id });
    assert.equal(event.data.id, live.id);
    assert.equal(typeof event.data.created_at, 'number');
    assert.match(event.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.match(event.id, /^[0-9a-f-]{36}$/);
    assert.equal(event.environment.id, (await ada.mux.system.utilities.whoami()).environment_id);
    assert.deepEqual([event.attempts, event.request_id, event.accessor, event.accessor_source], [[], null, null, null]);
    await assert.rejects(ada.mux.webhooks.unwrap(`${body} `, headers, hook.signing_secret));
    await assert.rejects(ada.mux.webhooks.unwrap(body, headers, 'another'));
    await until('it is noted', async () => (await ada.log(hook))[0]?.state === 'DELIVERED');
    await ada.mux.system.webhooks.delete(hook.id);
  });

  test('one that is wrong, one that is slow and one that sends elsewhere delay no other', async () => {
    const eve = await account(server, 'Eve');
    const elsewhere = await receiver();
    const good = await receiver();
    const wrong = await receiver((_, res, n) => res.writeHead(n < 3 ? 500 : 200).end('<b>\u00e4\u0007</b>'));
    const slow = await receiver(() => {}); // never answers
    const away = await receiver((_, res) => res.writeHead(302, { location: elsewhere.url }).end());
    const hooks = {};
    for (const [name, r] of Object.entries({ good, wrong, slow, away }))
      hooks[name] = await eve.expect(201, 'POST', '/api/webhooks', { address: r.url });
    const live = await happens(eve);
    await eve.mux.video.liveStreams.update(live.id, { passthrough: 'changed' });
    await until('the good one has both', () => good.got.length === 2);
    assert.deepEqual(good.types(), ['video.live_stream.created', 'video.live_stream.updated']);
    assert.equal(elsewhere.got.length, 0);

    // The first of them fails twice; the second of the same stream waits for it.
    await until('the wrong one has taken both', () => wrong.got.length >= 4, 60_000);
    assert.deepEqual(wrong.types().slice(0, 4), ['created', 'created', 'created', 'updated'].map((t) => `video.live_stream.${t}`));
    assert.equal(new Set(wrong.got.slice(0, 3).map((g) => g.event.id)).size, 1);
    assert.deepEqual(wrong.got[2].event.attempts.map((a) => a.response_status_code), [500, 500]);
    for (const g of wrong.got.slice(0, 4)) await eve.mux.webhooks.unwrap(g.body, g.headers, hooks.wrong.signingSecret);
    const [, first] = await until('both are noted', async () => {
      const log = await eve.log(hooks.wrong, '?state=DELIVERED');
      return log.length === 2 && log;
    });
    const detail = await eve.detail(hooks.wrong, first);
    assert.deepEqual(detail.answers.map((a) => [a.status, a.answer]), [[500, '<b>\u00e4?</b>'], [500, '<b>\u00e4?</b>'], [200, '<b>\u00e4?</b>']]);
    assert.equal(JSON.parse(detail.request).id, first.eventId);

    const late = await until('the slow one was given up for now', async () => (await eve.log(hooks.slow)).find((d) => d.attempts), 60_000);
    assert.equal(late.lastStatus, null);
    assert.equal(late.state, 'WAITING');
    const [answer] = (await eve.detail(hooks.slow, late)).answers;
    assert.ok(answer.tookMs >= 4900, `after ${answer.tookMs} ms`);
    const sent = (await eve.log(hooks.away)).find((d) => d.attempts);
    assert.equal(sent.lastStatus, 302);
    assert.equal(elsewhere.got.length, 0);
    for (const h of Object.values(hooks)) await eve.expect(204, 'DELETE', `/api/webhooks/${h.id}`);
  });

  test('again by hand; and what is off gets nothing', async () => {
    const r = await receiver();
    const hook = await ada.expect(201, 'POST', '/api/webhooks', { address: r.url });
    await happens(ada);
    const done = await until('it is noted', async () => (await ada.log(hook)).find((d) => d.state === 'DELIVERED'));
    await ada.expect(202, 'POST', `/api/webhooks/${hook.id}/deliveries/${done.id}/send`);
    await until('it comes again', () => r.got.length === 2);
    assert.equal(r.got[1].event.id, r.got[0].event.id);
    await until('both are noted', async () => (await ada.detail(hook, done)).answers.length === 2);
    await ada.expect(404, 'POST', `/api/webhooks/${hook.id}/deliveries/${hook.id}.none/send`);
    await ada.expect(200, 'PATCH', `/api/webhooks/${hook.id}`, { enabled: false });
    await ada.expect(409, 'POST', `/api/webhooks/${hook.id}/deliveries/${done.id}/send`);
    await happens(ada);
    assert.equal((await ada.log(hook)).length, 1);
    await ada.expect(204, 'DELETE', `/api/webhooks/${hook.id}`);
  });

  test('a broadcast, from the encoder to the recording', async (t) => {
    const r = await receiver();
    const hook = await ada.expect(201, 'POST', '/api/webhooks', { address: r.url });
    const stream = await ada.createStream();
    const publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 20 } });
    await until('the recording can be played', () => r.types().includes('video.asset.ready'), 60_000);
    await ada.end(stream.id);
    await until('it is whole', () => r.types().includes('video.asset.live_stream_completed'), 60_000);
    await until('the stream is idle', () => r.types().includes('video.live_stream.idle'));
    await publisher.kill();
    const of = (type) => r.got.filter((g) => g.event.object.type === type).map((g) => g.event.type.split('.').pop());
    const live = of('live');
    for (const [before, behind] of [['connected', 'recording'], ['recording', 'active'], ['active', 'idle']])
      assert.ok(live.indexOf(before) >= 0 && live.indexOf(before) < live.indexOf(behind), `${before}, ${behind}: ${live}`);
    const asset = of('asset');
    assert.deepEqual([asset[0], asset.at(-1)], ['created', 'live_stream_completed'], String(asset));
    for (const g of r.got) await ada.mux.webhooks.unwrap(g.body, g.headers, hook.signingSecret);
    await ada.expect(204, 'DELETE', `/api/webhooks/${hook.id}`);
  });

  test('10,000 for a dead host are in nobody\'s way', async () => {
    const gone = await receiver();
    await gone.close();
    const alive = await receiver();
    const dead = await ada.expect(201, 'POST', '/api/webhooks', { address: gone.url });
    plant(server, dead, 10_000, 'dead');
    const hook = await ada.expect(201, 'POST', '/api/webhooks', { address: alive.url });
    await until('it is tried', async () => (await ada.log(dead, '?limit=100&state=WAITING')).length && Number((await server.get('/metrics')).text.match(/bspnode_webhooks_total\{result="failed"\} (\d+)/)[1]) > 2);
    await happens(ada);
    await until('the other one is told', () => alive.got.length === 1);
    assert.equal((await ada.hooks()).find((h) => h.id === dead.id).waiting, 10_001);
    // It is there again: what waited comes, a little of it is enough here.
    await gone.open(gone.port);
    await ada.expect(200, 'PATCH', `/api/webhooks/${dead.id}`, { enabled: true }); // and is asked now
    await until('what waited comes', () => gone.got.length >= 300, 90_000);
    await ada.expect(204, 'DELETE', `/api/webhooks/${dead.id}`);
    await ada.expect(204, 'DELETE', `/api/webhooks/${hook.id}`);
  });

  test('a kill between loses nothing', async () => {
    const r = await receiver(() => {}); // takes it, and never says so
    const hook = await ada.expect(201, 'POST', '/api/webhooks', { address: r.url });
    const { id } = await happens(ada);
    const other = await happens(ada);
    await until('both are under way', () => r.got.length === 2);
    await server.kill();
    r.answer = (_, res) => res.writeHead(200).end();
    server = await startServer(null, { dataDir: server.dataDir, args: ['--webhook-allow-private'] });
    ada.server = server;
    await until('both come again', () => new Set(r.got.slice(2).map((g) => g.event.data.id)).size === 2);
    assert.deepEqual(new Set(r.got.map((g) => g.event.data.id)), new Set([id, other.id]));
    assert.equal(new Set(r.got.map((g) => g.event.id)).size, 2);
    await until('both are noted', async () => (await ada.log(hook)).every((d) => d.state === 'DELIVERED'));
    await ada.expect(204, 'DELETE', `/api/webhooks/${hook.id}`);
  });
});

test('without leave nothing goes to a private address', async (t) => {
  const strict = await startServer(t);
  const user = await account(strict, 'Ada');
  const r = await receiver();
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '10.0.0.1', '169.254.169.254', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])
    await assert.rejects(user.mux.system.webhooks.create({ address: `http://${host}:${r.port}/` }), /private network/, host);
  // A name is looked at when it is asked: this machine's own leads to an address of its own.
  const hook = await user.expect(201, 'POST', '/api/webhooks', { address: `http://${os.hostname()}:${r.port}/` });
  plant(strict, hook, 1);
  const tried = await until('it is tried', async () => (await user.log(hook)).find((d) => d.attempts));
  const [answer] = (await user.detail(hook, tried)).answers;
  assert.equal(answer.status, null);
  assert.match(answer.answer, /private network|resolve/i);
  assert.equal(r.got.length, 0);
});

describe('the page', () => {
  test('empty, made, told, looked into, sent again, deleted; also on a phone', async (t) => {
    const user = await account(server, 'Grace');
    const r = await receiver((_, res, n) => res.writeHead(n === 1 ? 200 : 202).end('taken'));
    const { page, context, problems } = await launchBrowser(t, { viewport: { width: 375, height: 760 }, expected: [/503|422/] });
    const [name, value] = user.cookie.split('=');
    await context.addCookies([{ name, value, url: server.http }]);
    await page.goto(`${server.http}/dashboard`);
    await page.getByRole('link', { name: 'Webhooks' }).click();
    await page.getByText('You have no webhooks yet').waitFor();
    await page.getByRole('button', { name: 'New webhook' }).click();
    await page.getByLabel('Address').fill('nonsense');
    await page.getByRole('button', { name: 'Create webhook' }).click();
    await page.getByText('This must be an address such as').waitFor();
    await page.getByLabel('Address').fill(r.url);
    await page.getByRole('button', { name: 'Create webhook' }).click();
    const secret = page.getByLabel('Signing secret', { exact: true }).last();
    await until('the secret is there', async () => (await secret.inputValue()).length >= 32);
    const key = await secret.inputValue();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('Nothing was sent yet').waitFor();
    await happens(user);
    await page.getByRole('heading', { name: 'video.live_stream.created' }).waitFor();
    await page.getByText('Delivered', { exact: true }).last().waitFor();
    await user.mux.webhooks.unwrap(r.got[0].body, r.got[0].headers, key);
    await page.getByRole('button', { name: 'Details' }).click();
    await until('the request shows', async () => (await page.getByLabel('Request', { exact: true }).innerText()).includes(r.got[0].event.id));
    assert.equal(await page.getByLabel('Answer', { exact: true }).innerText(), 'taken');
    await page.getByRole('button', { name: 'Send again' }).click();
    await page.getByText('Sending it again.').first().waitFor();
    await page.getByText('HTTP 202').first().waitFor();
    for (const [width, colorScheme] of [[375, 'light'], [1280, 'dark']]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 760 });
      await assertFits(page, `webhooks at ${width} px`);
      await assertAccessible(page, `webhooks, ${colorScheme}`);
    }
    await page.route('**/api/webhooks', (route) => route.fulfill({ status: 503, json: { error: { code: 'busy', message: 'Busy just now.' } } }));
    await page.reload();
    await page.getByText('Your webhooks could not be loaded').waitFor();
    await page.unroute('**/api/webhooks');
    await page.getByRole('button', { name: 'Try again' }).click().catch(() => {});
    await page.getByRole('button', { name: `Delete ${r.url}` }).click();
    await page.getByRole('button', { name: 'Delete webhook' }).click();
    await page.getByText('You have no webhooks yet').waitFor();
    assert.deepEqual(await user.hooks(), []);
    assert.deepEqual(problems, []);
  });
});
