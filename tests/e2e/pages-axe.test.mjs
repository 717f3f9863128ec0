// SPDX-License-Identifier: MIT
// Every page for assistive technology, in both colours and at both sizes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { launchBrowser } from './lib/browser.mjs';
import { assertAccessible, assertFits, createStream, refusals, register } from './lib/pages.mjs';
import { startServer } from './lib/server.mjs';

test('every page, in both colours and at both sizes, is accessible and fits', async (t) => {
  const server = await startServer(t);
  const { page, context, problems } = await launchBrowser(t, { expected: refusals });
  await register(page, server, 'A very long name for a person, as some people have');
  const id = await createStream(page, 'A title that is long enough to need a second line on the screen of a telephone', 'Words.\n\nMore of them.');
  const cookies = await context.cookies();
  const guestPages = ['/', '/login', '/register', `/stream/${id}`, '/stream/none', '/nowhere', '/embed/none', '/forgot', '/reset', '/unsubscribe'];
  const { user } = await page.evaluate(() => fetch('/api/me').then((r) => r.json()));
  const ownPages = ['/', '/account', '/notifications', `/@${user.handle}`, '/dashboard', '/dashboard/api', '/dashboard/webhooks', `/dashboard/${id}`, `/stream/${id}`, `/stream/${id}/broadcast`];
  for (const colorScheme of ['light', 'dark'])
    for (const width of [375, 1440]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      for (const [who, paths] of [['guest', guestPages], ['user', ownPages]]) {
        await context.clearCookies();
        if (who === 'user') await context.addCookies(cookies);
        for (const path of paths) {
          const where = `${path} for a ${who}, ${colorScheme}, ${width} px`;
          await page.goto(server.http + path);
          await page.locator('h1').first().waitFor({ state: 'attached', timeout: 10_000 }).catch(async (e) => {
            throw new Error(`${where}: ${e.message}\n${(await page.content()).slice(0, 3000)}`);
          });
          await page.locator('[aria-busy=true], .skeleton').first().waitFor({ state: 'detached' });
          assert.equal(await page.locator('h1').count(), 1, `${where}: one h1`);
          await assertFits(page, where);
          await assertAccessible(page, where);
        }
      }
      // The dialogs too.
      await page.goto(`${server.http}/dashboard`);
      await page.getByRole('button', { name: 'New stream' }).click();
      await assertAccessible(page, `New stream, ${colorScheme}, ${width} px`);
      await assertFits(page, `New stream, ${colorScheme}, ${width} px`);
    }
  // The longer words of the other languages, where there is the least room for them.
  await page.setViewportSize({ width: 375, height: 800 });
  for (const language of ['de', 'es'])
    for (const [who, paths] of [['guest', guestPages], ['user', ownPages]]) {
      await context.clearCookies();
      if (who === 'user') await context.addCookies(cookies);
      await page.evaluate((l) => localStorage.setItem('bspnode-language', l), language);
      for (const path of paths.filter((p, i) => language === 'de' || i % 3 === 0)) {
        await page.goto(server.http + path);
        await page.locator('h1').first().waitFor({ state: 'attached' });
        await page.locator('[aria-busy=true], .skeleton').first().waitFor({ state: 'detached' });
        assert.equal(await page.evaluate(() => document.documentElement.lang), language, path);
        await assertFits(page, `${path} for a ${who}, in ${language}`);
      }
    }
  assert.deepEqual(problems, []);
});
