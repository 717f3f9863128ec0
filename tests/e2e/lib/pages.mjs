// SPDX-License-Identifier: MIT
// What a person does on the pages, by the names they see; and axe over a page.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { password } from './api.mjs';
import { until } from './server.mjs';

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Refusals are part of what these tests do; the browser writes a line about each to its console.
export const refusals = [/status of (401|404|409|412|422|429|503)/];

let people = 0;

// Through the register page; ends on the dashboard.
export async function register(page, server, name = 'Ada Lovelace') {
  const email = `page.${process.pid}.${++people}@example.org`;
  await page.goto(`${server.http}/register`);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'My streams' }).waitFor();
  return { email, name };
}

// From the dashboard; ends on the new stream's page. Returns its id.
export async function createStream(page, title, description = '') {
  await page.getByRole('button', { name: 'New stream' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill(title);
  if (description) await dialog.getByLabel('Description').fill(description);
  await dialog.getByRole('button', { name: 'Create stream' }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  return new URL(page.url()).pathname.split('/').pop();
}

// What a fresh page has in its "For your encoder" fields, as an encoder's one URL.
export async function publishAddress(page) {
  const address = await page.getByLabel('Server', { exact: true }).inputValue();
  await page.getByRole('button', { name: 'Show stream key' }).click();
  const key = await page.getByLabel('Stream key', { exact: true }).inputValue();
  assert.match(key, /^\S{16,}$/, 'there is a key');
  return `${address}/${key}`;
}

// Fails with axe's own words when the page has a violation that matters.
export async function assertAccessible(page, where) {
  // Through the debugger, because the page's policy allows no script of ours.
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    // The player's inside is its makers'; everything around it is ours. Style sheets are not read once more by axe, which
    // would do it by elements of its own: the policy has none of that.
    const found = await globalThis.axe.run({ exclude: [['mux-player']] }, { resultTypes: ['violations'], preload: false });
    return found.violations.map((v) => ({
      id: v.id,
      impact: v.impact,
      help: v.help,
      nodes: v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 160)} — ${n.failureSummary?.split('\n').slice(1).join(' ').slice(0, 240)}`),
    }));
  });
  const bad = violations.filter((v) => ['serious', 'critical', 'moderate'].includes(v.impact));
  assert.deepEqual(bad, [], `${where}: axe`);
}

// Nothing sticks out to the right. A tab that is not in front learns of its new size a moment later.
export async function assertFits(page, where) {
  let last;
  const fits = async () => {
    last = await page.evaluate(() => {
      const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1);
      return {
        content: document.documentElement.scrollWidth,
        window: innerWidth,
        out: wide.slice(0, 5).map((e) => `${e.localName}.${e.className} to ${Math.round(e.getBoundingClientRect().right)}: ${e.textContent.slice(0, 40)}`),
      };
    });
    return last.content <= last.window;
  };
  await until('it fits', fits, 5000).catch(() => {
    assert.fail(`${where}: ${last.content} px wide in a window of ${last.window}; ${last.out.join(' | ')}`);
  });
}
