// SPDX-License-Identifier: MIT
// The pages without a picture: accounts, forms, dialogs, the keyboard, themes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newUser, password, publishUrl } from './lib/api.mjs';
import { launchBrowser } from './lib/browser.mjs';
import { createStream, publishAddress, refusals, register } from './lib/pages.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, until } from './lib/server.mjs';

test('forms say what is wrong beside the field', async (t) => {
  const server = await startServer(t);
  const { page, problems } = await launchBrowser(t, { expected: refusals });
  await page.goto(`${server.http}/register`);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByText('Enter the name that viewers will see.').waitFor();
  assert.equal(await page.getByLabel('Name').evaluate((e) => e === document.activeElement && e.getAttribute('aria-invalid')), 'true', 'the first wrong field has the keyboard');

  // The show-password button shows the password.
  const field = page.getByLabel('Password', { exact: true });
  await field.fill('hunter2');
  assert.equal(await field.getAttribute('type'), 'password');
  await page.getByRole('button', { name: 'Show password' }).click();
  assert.equal(await field.getAttribute('type'), 'text');

  const { email } = await register(page, server);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('link', { name: 'Sign up' }).waitFor();

  // The server's own refusals: a taken address, a wrong password.
  await page.goto(`${server.http}/register`);
  await page.getByLabel('Name').fill('Another Ada');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await until('the e-mail field is marked', () => page.getByLabel('E-mail').evaluate((e) => e.getAttribute('aria-invalid') === 'true'));

  await page.goto(`${server.http}/login?next=/dashboard`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await until('the refusal is spoken', async () => (await page.getByRole('alert').allInnerTexts()).join('').length > 5);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'My streams' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'My streams' }).waitFor();
  assert.deepEqual(problems, []);
});

test('a stream is edited, its key is reset, it is deleted after a question', async (t) => {
  const server = await startServer(t);
  const { page, problems } = await launchBrowser(t, { expected: refusals });
  await register(page, server);
  const nasty = '<img src=x onerror=alert(1)> & "quotes" \' \u{1F98A}';
  const id = await createStream(page, nasty, '<script>alert(2)</script>');
  await page.getByText('<script>alert(2)</script>').waitFor();
  const before = await publishAddress(page);

  await page.getByRole('button', { name: 'Edit details' }).click();
  await page.getByRole('dialog').getByLabel('Title').fill('Plain words');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: 'Plain words' }).waitFor();

  await page.getByRole('button', { name: 'Reset key' }).click();
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape'); // no
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Reset key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Reset the key' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.notEqual(await publishAddress(page), before, 'the key is another');

  await page.getByRole('button', { name: 'Delete stream' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete stream' }).click();
  await page.getByText('You have no streams yet').waitFor();
  await page.goto(`${server.http}/stream/${id}`);
  await page.getByText('There is no such stream').waitFor();
  assert.deepEqual(problems, []);
});

test("nobody manages another's stream, a guest is asked to log in", async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server, 'Ada');
  const stream = await ada.createStream({ title: 'Mine alone' });
  const { page } = await launchBrowser(t, { expected: refusals });
  await page.goto(`${server.http}/dashboard/${stream.id}`);
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('next'), `/dashboard/${stream.id}`);
  await register(page, server, 'Eve');
  await page.goto(`${server.http}/dashboard/${stream.id}`);
  await page.getByText('You have no such stream').waitFor();
  await page.goto(`${server.http}/stream/${stream.id}`);
  await page.getByText('Not live yet').first().waitFor();
  assert.equal(await page.getByRole('link', { name: 'Manage' }).count(), 0);
});

test('by keyboard alone: log in, create a stream, copy its key', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server, 'Ada');
  const { page, context } = await launchBrowser(t, { expected: refusals });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.http });
  await page.goto(server.http);
  await page.getByRole('link', { name: 'Log in' }).waitFor();

  // Tab until the thing with this role and name has the keyboard; every stop on the way is visible.
  const tabTo = async (name) => {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const e = document.activeElement;
        const label = e.labels?.[0]?.textContent ?? '';
        const box = e.getBoundingClientRect();
        return { name: (e.getAttribute('aria-label') ?? (label || e.textContent)).trim(), seen: box.width > 0 && box.height > 0 };
      });
      if (at.name === name) {
        assert.ok(at.seen, `${name} can be seen`);
        return;
      }
    }
    assert.fail(`the tab key does not reach ${name}`);
  };

  await tabTo('Log in');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  await tabTo('E-mail');
  await page.keyboard.type(ada.email);
  await tabTo('Password');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'My streams' }).waitFor();
  await page.getByRole('button', { name: 'New stream' }).waitFor();
  await tabTo('New stream');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'New stream', 'the keyboard is back where it was');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  if (!(await page.getByLabel('Title').evaluate((e) => e === document.activeElement))) await tabTo('Title');
  await page.keyboard.type('Typed');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Typed' }).waitFor();
  await tabTo('Copy stream key');
  await page.keyboard.press('Enter');
  const id = new URL(page.url()).pathname.split('/').pop();
  const { ingest } = await ada.stream(id);
  await until('the key is on the clipboard', async () => (await page.evaluate(() => navigator.clipboard.readText())) === ingest.streamKey);
  await page.getByRole('status').filter({ hasText: 'Copied the stream key' }).waitFor({ state: 'attached' }); // spoken, not shown
});

test('a chosen theme stays, and wins over the system', async (t) => {
  const server = await startServer(t);
  const { page } = await launchBrowser(t, { colorScheme: 'light', expected: refusals });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.goto(server.http);
  const light = await ground();
  await page.getByRole('button', { name: 'Dark colours' }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
});

test('an open page survives a restart of the server', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server, 'Ada');
  const stream = await ada.createStream({ title: 'Before the restart' });
  const { page } = await launchBrowser(t, { expected: [/./] });
  await page.goto(`${server.http}/stream/${stream.id}`);
  await page.getByText('Not live yet').first().waitFor();
  const { dataDir, http } = server;
  await server.kill();
  await page.getByText('Reconnecting to the server').waitFor({ timeout: 15_000 });
  const again = await startServer(t, { dataDir: dataDir, args: ['--http', new URL(http).host] });
  assert.equal(again.http, http);
  await page.getByText('Reconnecting to the server').waitFor({ state: 'detached', timeout: 30_000 });
  // And events arrive: a new title shows without a reload.
  ada.server = again;
  await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { title: 'After the restart' });
  await page.getByRole('heading', { level: 1, name: 'After the restart' }).waitFor({ timeout: 15_000 });
});

test('the lobby: empty, full, page by page, and while the server has trouble', async (t) => {
  const server = await startServer(t);
  const { page, problems } = await launchBrowser(t, { expected: refusals });
  await page.goto(server.http);
  await page.getByText('Nobody is live at the moment').waitFor();
  await page.getByText('No streams yet').waitFor();

  const ada = await newUser(server, 'Ada');
  const evening = async (i) => {
    const stream = await ada.createStream({ title: `Evening ${i}` });
    const publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { seconds: 3, size: '160x90' } });
    await ada.untilLive(stream.id);
    await ada.end(stream.id);
    await ada.untilReady(stream.id);
    await publisher.kill();
  };
  await Promise.all([1, 2, 3, 4, 5, 6, 7].map(evening));
  await Promise.all([8, 9, 10, 11, 12, 13, 14].map(evening));
  await page.reload();
  const cards = page.getByRole('article');
  await until('the first page', async () => (await cards.count()) === 12);
  await page.getByRole('button', { name: 'Show more' }).click();
  await until('all of them', async () => (await cards.count()) === 14);
  assert.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);

  // A refresh that fails leaves what is there; a first load that fails can be tried again.
  await page.route('**/api/streams?*', (route) => route.fulfill({ status: 503, json: { error: { code: 'busy', message: 'Busy just now.' } } }));
  await ada.expect(200, 'PATCH', `/api/streams/${(await ada.expect(200, 'GET', '/api/streams?limit=1')).streams[0].id}`, { description: 'Said later' }); // the page hears of it, and asks
  await page.getByText('Not up to date').first().waitFor({ timeout: 45_000 });
  assert.equal(await cards.count(), 14);
  await page.reload();
  await page.getByText('Busy just now.').first().waitFor();
  await page.unroute('**/api/streams?*');
  for (const button of await page.getByRole('button', { name: 'Try again' }).all()) await button.click().catch(() => {});
  await page.getByText('Nobody is live at the moment').waitFor();
  await until('the first page again', async () => (await cards.count()) === 12);
  await page.getByRole('link', { name: 'Evening 14', exact: true }).click();
  await page.getByText('Recorded', { exact: true }).waitFor();
  assert.deepEqual(problems, []);
});
