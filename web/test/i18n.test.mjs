// SPDX-License-Identifier: MIT
// The message table: every text of the pages has a line in each language, with the same places; no text
// stands outside it.
import assert from 'node:assert/strict';
import { buildSync } from 'esbuild';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { scan } from './i18n-scan.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const { said, bare, early } = scan(root);

async function load(file) {
  const { outputFiles } = buildSync({ entryPoints: [path.join(root, 'src/i18n', file)], bundle: true, write: false, format: 'esm' });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([p]) => p).sort().join(' ');
const all = { de: (await load('de.ts')).de, es: (await load('es.ts')).es };

for (const [language, table] of Object.entries(all)) {
  const missing = [...said].filter(([text]) => !table[text]).map(([text, at]) => `${at}: ${text}`);
  test(`${language}: every text has a line`, () => assert.deepEqual(missing, []));
  test(`${language}: a line has the same places`, () => {
    assert.deepEqual(Object.entries(table).filter(([text, line]) => places(text) !== places(line)).map(([text]) => text), []);
  });
  test(`${language}: no line is doubled or has no words`, async () => {
    const lines = Object.entries(table);
    assert.deepEqual(lines.filter(([, line]) => line.trim() === '').map(([text]) => text), []);
  });
}

test('nothing is said while a module is loaded, before the language is known', () => assert.deepEqual(early, []));

test('no text stands outside the table', () => assert.deepEqual(bare, []));
