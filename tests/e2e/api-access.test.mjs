// SPDX-License-Identifier: MIT
// Access tokens and signing keys, made and revoked on the page, used by @mux/mux-node as its users do.
import assert from 'node:assert/strict';
import { describe, test, after, before } from 'node:test';
import Mux from '@mux/mux-node';
import { Client, newUser } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { request } from './lib/http.mjs';
import { assertAccessible, assertFits, refusals, register } from './lib/pages.mjs';
import { startServer, until } from './lib/server.mjs';

// What the page says is for a program's .env file.
const env = (text) => Object.fromEntries(text.trim().split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));

describe('API access', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server;
  before(async () => {
    server = await startServer(t);
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  test('on the page: a token for mux-node, its last use, its end; a key for signed playback', async () => {
    const { page, context, problems } = await launchBrowser(t, { expected: refusals });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await register(page, server);
    await page.getByRole('link', { name: 'API access' }).click();
    await page.getByRole('heading', { level: 1, name: 'API access' }).waitFor();
    await page.getByText('You have no access tokens yet').waitFor();

    await page.getByRole('button', { name: 'New token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Create token' }).click();
    await dialog.getByText('Give it a name').waitFor();
    await dialog.getByLabel('Name').fill('website');
    await dialog.getByRole('button', { name: 'Create token' }).click();
    await dialog.getByRole('heading', { name: 'Your new access token' }).waitFor();
    // A click beside it does not lose what is shown once.
    await page.mouse.click(5, 5);
    const lines = await dialog.getByRole('region', { name: /\.env/ }).innerText();
    await dialog.getByRole('button', { name: 'Copy lines for .env' }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), lines);
    await assertAccessible(page, 'the secret');
    await dialog.getByRole('button', { name: 'Done' }).click();

    const { MUX_TOKEN_ID, MUX_TOKEN_SECRET, MUX_BASE_URL, ...rest } = env(lines);
    assert.deepEqual(rest, {});
    Object.assign(process.env, { MUX_TOKEN_ID, MUX_TOKEN_SECRET, MUX_BASE_URL });
    const mux = new Mux({ maxRetries: 0 });
    const row = page.getByRole('listitem').filter({ hasText: 'website' });
    await row.getByText('Never used').waitFor();
    const live = await mux.video.liveStreams.create({ playback_policies: ['signed'] });
    assert.equal((await mux.system.utilities.whoami()).access_token_name, 'website');
    await page.reload();
    await row.getByText('Last used').waitFor();
    assert.ok(!(await page.content()).includes(MUX_TOKEN_SECRET), 'the secret is not shown again');

    await page.getByRole('button', { name: 'New signing key' }).click();
    const key = env(await dialog.getByRole('region', { name: /\.env/ }).innerText());
    await dialog.getByRole('button', { name: 'Done' }).click();
    const id = live.playback_ids[0].id;
    const token = await mux.jwt.signPlaybackId(id, { keyId: key.MUX_SIGNING_KEY, keySecret: key.MUX_PRIVATE_KEY });
    const status = async () => (await request(`${server.http}/${id}.m3u8?token=${token}`)).status;
    assert.equal(await status(), 412, 'the key is known; the stream is not live');

    for (const colorScheme of ['light', 'dark'])
      for (const width of [375, 1440]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize({ width, height: 800 });
        await assertFits(page, `API access, ${width} px`);
        await assertAccessible(page, `API access, ${colorScheme}, ${width} px`);
      }

    await page.getByRole('button', { name: `Delete signing key ${key.MUX_SIGNING_KEY}` }).click();
    await dialog.getByRole('button', { name: 'Delete signing key' }).click();
    await page.getByText('You have no signing keys yet').waitFor();
    await until('what it signed plays no more', async () => (await status()) === 403);

    await page.getByRole('button', { name: 'Revoke website' }).click();
    await dialog.getByText('are refused from now on').waitFor();
    await dialog.getByRole('button', { name: 'Revoke token' }).click();
    await page.getByText('You have no access tokens yet').waitFor();
    await assert.rejects(mux.system.utilities.whoami(), Mux.AuthenticationError);
    assert.deepEqual(problems, []);
  });

  test('by the API: for the person alone, of their own alone', async () => {
    const ada = await newUser(server, 'Ada');
    const eve = await newUser(server, 'Eve');
    const guest = new Client(server);
    await guest.expect(401, 'GET', '/api/tokens');
    await guest.expect(401, 'POST', '/api/signing-keys');
    const made = await ada.expect(201, 'POST', '/api/tokens', { name: 'one' });
    assert.deepEqual(Object.keys(made).sort(), ['createdAt', 'id', 'lastUsedAt', 'name', 'secret']);
    assert.equal(made.lastUsedAt, null);
    const second = await ada.expect(201, 'POST', '/api/tokens', {});
    assert.equal(second.name, 'API token');
    const { tokens } = await ada.expect(200, 'GET', '/api/tokens');
    assert.deepEqual(tokens.map((x) => x.id), [second.id, made.id], 'newest first');
    assert.ok(tokens.every((x) => !('secret' in x)));
    assert.equal((await ada.expect(422, 'POST', '/api/tokens', { name: 'x'.repeat(81) })).error.field, 'name');
    assert.equal((await ada.expect(422, 'POST', '/api/tokens', { name: 'a\u0007b' })).error.field, 'name');
    assert.equal((await ada.expect(403, 'POST', '/api/tokens', { name: 'x' }, { Origin: 'https://evil.example' })).error.code, 'bad_origin');
    assert.equal((await ada.expect(403, 'DELETE', `/api/tokens/${made.id}`, undefined, { Origin: 'https://evil.example' })).error.code, 'bad_origin');

    // A token does not make, or end, others: whoever finds one is locked out by its owner.
    const program = new Client(server);
    const auth = { Authorization: `Bearer ${made.id}:${made.secret}` };
    await program.expect(200, 'GET', '/api/me', undefined, auth);
    for (const [method, path] of [['POST', '/api/tokens'], ['GET', '/api/tokens'], ['DELETE', `/api/tokens/${second.id}`], ['POST', '/api/signing-keys']])
      assert.equal((await program.expect(403, method, path, method === 'POST' ? {} : undefined, auth)).error.code, 'session_needed', `${method} ${path}`);

    await eve.expect(404, 'DELETE', `/api/tokens/${made.id}`);
    await ada.expect(404, 'DELETE', '/api/tokens/nothing');
    await ada.expect(204, 'DELETE', `/api/tokens/${made.id}`);
    await ada.expect(404, 'DELETE', `/api/tokens/${made.id}`);
    await program.expect(401, 'GET', '/api/me', undefined, auth);

    const key = await ada.expect(201, 'POST', '/api/signing-keys');
    assert.match(Buffer.from(key.privateKey, 'base64').toString(), /^-----BEGIN PRIVATE KEY-----/);
    assert.deepEqual((await ada.expect(200, 'GET', '/api/signing-keys')).signingKeys, [{ id: key.id, createdAt: key.createdAt }]);
    await eve.expect(404, 'DELETE', `/api/signing-keys/${key.id}`);
    await ada.expect(204, 'DELETE', `/api/signing-keys/${key.id}`);
    assert.deepEqual((await ada.expect(200, 'GET', '/api/signing-keys')).signingKeys, []);
  });
});
