// SPDX-License-Identifier: MIT
// What all pages have in common: their language, the keyboard, the sizes of what is pressed, a server that
// goes away and comes back; and the page of components.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { launchBrowser } from './lib/browser.mjs';
import { assertAccessible, assertFits, createStream, refusals, register } from './lib/pages.mjs';
import { root, startServer, tempDir, until } from './lib/server.mjs';

const langOf = (page) => page.evaluate(() => document.documentElement.lang);

test('the language: the browser’s, or the one that is chosen; English fetches nothing', async (t) => {
  const server = await startServer(t);
  const { page, context, problems } = await launchBrowser(t, { expected: refusals });
  const asked = [];
  context.on('request', (r) => /\/assets\/(de|es)-/.test(r.url()) && asked.push(r.url()));
  await page.goto(server.http);
  await page.getByRole('link', { name: 'Log in' }).waitFor();
  assert.equal(await langOf(page), 'en');
  assert.deepEqual(asked, []);

  // In place: what is being typed stays.
  await page.goto(`${server.http}/register`);
  await page.getByLabel('Name').fill('Ada');
  await page.getByLabel('Language').selectOption('de');
  await page.getByRole('heading', { level: 1, name: 'Konto anlegen' }).waitFor();
  assert.equal(await langOf(page), 'de');
  assert.equal(await page.getByLabel('Name').inputValue(), 'Ada');
  assert.match(await page.title(), /^Konto anlegen/);
  await page.getByRole('button', { name: 'Konto anlegen' }).click();
  await page.getByText('Gib deine E-Mail-Adresse ein.').waitFor();
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Konto anlegen' }).waitFor();
  await page.getByLabel('Sprache').selectOption('es');
  await page.getByRole('heading', { level: 1, name: 'Crear una cuenta' }).waitFor();
  assert.equal(await langOf(page), 'es');

  // Without a choice, the first of the browser's languages that there is.
  await context.addInitScript(() => {
    localStorage.clear();
    Object.defineProperty(navigator, 'languages', { value: ['fr-FR', 'de-AT', 'en'] });
  });
  await page.goto(`${server.http}/login`);
  await page.getByRole('heading', { level: 1, name: 'Anmelden' }).waitFor();
  await page.goto(`${server.http}/embed/none`);
  await page.getByText('Dieses Video gibt es nicht').waitFor();
  assert.deepEqual(problems, []);
});

test('by keyboard: a dialog holds it and gives it back; everything that has it shows it; nothing is too small', async (t) => {
  const server = await startServer(t);
  const { page, problems } = await launchBrowser(t, { expected: refusals });
  await register(page, server);
  await page.goto(`${server.http}/dashboard`);
  await page.getByRole('button', { name: 'New stream' }).waitFor();

  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip', 'the first stop leads past the header');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');

  const opener = page.getByRole('button', { name: 'New stream' });
  await opener.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => !!document.activeElement.closest('dialog') || document.activeElement === document.body);
    assert.ok(at, `stop ${i} is in the dialog, or in the browser's own bar`);
  }
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.ok(await opener.evaluate((e) => e === document.activeElement), 'back where it was');

  // Every stop of the page, with its outline and its size (2.4.7, 2.4.11, 2.5.8).
  await page.reload();
  await page.getByText('You have no streams yet').waitFor();
  const seen = new Set();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const e = document.activeElement;
      if (e === document.body) return null;
      const style = getComputedStyle(e);
      const box = e.getBoundingClientRect();
      const covered = !e.closest('.skip') && !e.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
      return {
        what: `${e.localName}.${e.className} ${(e.getAttribute('aria-label') ?? e.textContent).trim().slice(0, 40)}`,
        outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        small: Math.min(box.width, box.height) < 24 && style.display !== 'inline',
        covered,
      };
    });
    if (!at || seen.has(at.what)) break;
    seen.add(at.what);
    assert.ok(at.outline, `${at.what}: the focus shows`);
    assert.ok(!at.small, `${at.what}: at least 24 pixels`);
    assert.ok(!at.covered, `${at.what}: nothing lies over it`);
  }
  assert.ok(seen.size > 6, [...seen].join('; '));

  // On to a stream's page, and a message, without a mouse.
  const id = await createStream(page, 'By keyboard');
  await page.getByRole('link', { name: 'Viewer page' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'By keyboard' }).waitFor();
  assert.equal(new URL(page.url()).pathname, `/stream/${id}`);
  await page.getByText('Nobody has written yet.').waitFor();
  for (let i = 0; i < 30 && (await page.evaluate(() => document.activeElement.getAttribute('aria-label'))) !== 'Your message'; i++) await page.keyboard.press('Tab');
  await page.keyboard.type('Typed, not clicked');
  await page.keyboard.press('Enter');
  await page.getByRole('log').getByText('Typed, not clicked').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Your message', 'the next message can be typed');
  assert.deepEqual(problems, []);
});

test('pages that are open while the server goes away and comes back, with other files', async (t) => {
  const server = await startServer(t);
  const { page, context } = await launchBrowser(t, { expected: [/./] });
  await register(page, server);
  const id = await createStream(page, 'Through a restart');
  const pages = { manage: page };
  for (const [name, url] of Object.entries({ lobby: '/', dashboard: '/dashboard', watch: `/stream/${id}` })) {
    pages[name] = await context.newPage();
    await pages[name].goto(server.http + url);
    await pages[name].locator('.skeleton').first().waitFor({ state: 'detached' });
  }
  const { dataDir, http: origin } = server;
  await server.stop();
  for (const [name, p] of Object.entries(pages)) {
    await p.bringToFront(); // a page that nobody looks at does not ask
    await p.getByText('Reconnecting to the server…').waitFor({ timeout: 45_000 }).catch((e) => assert.fail(`${name}: ${e.message}`));
  }
  // A part that nobody has fetched yet: it says so, and comes by itself.
  await pages.lobby.bringToFront();
  await pages.dashboard.getByRole('link', { name: 'API access' }).click();
  await pages.dashboard.getByText('The page could not be loaded').waitFor({ timeout: 45_000 });
  // What another build does: the files of this one are gone, for the page that is open alone.
  let reloads = 0;
  await pages.dashboard.route('**/assets/api-access-*.js', (route) => (reloads > 0 ? route.continue() : route.fulfill({ status: 404 })));
  pages.dashboard.on('framenavigated', () => reloads++);
  const again = await startServer(t, { dataDir, args: ['--http', new URL(origin).host] });
  assert.equal(again.http, origin);
  await pages.dashboard.bringToFront();
  await pages.dashboard.getByRole('heading', { name: 'Access tokens' }).waitFor({ timeout: 60_000 });
  assert.equal(reloads, 1, 'loaded again, once');
  for (const [name, p] of Object.entries(pages)) {
    await p.bringToFront();
    await p.getByText('Reconnecting to the server…').waitFor({ state: 'detached', timeout: 45_000 }).catch((e) => assert.fail(`${name}: ${e.message}`));
  }
  // And they are alive: what changes now shows in each.
  await pages.manage.bringToFront();
  await pages.manage.getByRole('button', { name: 'Edit details' }).click();
  await pages.manage.getByRole('dialog').getByLabel('Title').fill('After it');
  await pages.manage.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await pages.watch.bringToFront();
  await pages.watch.getByRole('heading', { level: 1, name: 'After it' }).waitFor({ timeout: 45_000 });

  // Other pages on the server: the next step loads them whole.
  await pages.lobby.bringToFront();
  await pages.lobby.route(`${origin}/`, async (route) => {
    if (route.request().resourceType() === 'document') return route.continue();
    await route.fulfill({ status: 200, contentType: 'text/html', body: '<script type="module" src="/assets/main-OTHER.js"></script>' });
  });
  await pages.lobby.evaluate(() => dispatchEvent(new Event('online')));
  await pages.lobby.evaluate(() => (globalThis.old = true));
  await until('the page is loaded anew', async () => {
    await pages.lobby.getByRole('link', { name: 'Dashboard' }).click();
    await pages.lobby.getByRole('heading', { name: 'My streams' }).waitFor();
    return !(await pages.lobby.evaluate(() => globalThis.old)) || (await pages.lobby.goBack(), false);
  });
});

test('the page of components, in both colours and at both sizes', async (t) => {
  const out = tempDir(t, 'ui');
  const { status, stderr } = spawnSync(process.execPath, ['build.mjs', '--dev', '--out', out], { cwd: path.join(root, 'web'), encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html' };
  const files = http.createServer((request, response) => {
    const file = path.join(out, request.url === '/_ui' ? '_ui.html' : path.normalize(request.url));
    if (!fs.existsSync(file) || !fs.statSync(file).isFile()) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': types[path.extname(file)] ?? 'text/plain' }).end(fs.readFileSync(file));
  });
  await new Promise((done) => files.listen(0, '127.0.0.1', done));
  t.after(() => files.close());
  const { page, problems } = await launchBrowser(t, { expected: refusals });
  for (const colorScheme of ['light', 'dark'])
    for (const width of [375, 1440]) {
      const where = `/_ui, ${colorScheme}, ${width} px`;
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce', forcedColors: 'none' });
      await page.setViewportSize({ width, height: 800 });
      await page.goto(`http://127.0.0.1:${files.address().port}/_ui`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await assertAccessible(page, where);
      await assertFits(page, where);
    }
  // Tabs and menu by keyboard.
  await page.getByRole('tab', { name: 'One' }).focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.getByRole('tab', { name: 'Two' }).getAttribute('aria-selected'), 'true');
  assert.ok(await page.getByRole('tab', { name: 'Two' }).evaluate((e) => e === document.activeElement));
  const more = page.getByRole('button', { name: 'More' });
  await more.focus();
  await page.keyboard.press('Enter');
  const holds = (name) => until(`${name} has the keyboard`, () => page.getByRole('menuitem', { name }).evaluate((e) => e === document.activeElement));
  await holds('Rename');
  await page.keyboard.press('ArrowDown');
  await holds('Copy');
  await assertAccessible(page, 'an open menu');
  await page.keyboard.press('Escape');
  assert.ok(await more.evaluate((e) => e === document.activeElement));
  assert.equal(await page.getByRole('menu').count(), 0);
  assert.deepEqual(problems, []);
});
