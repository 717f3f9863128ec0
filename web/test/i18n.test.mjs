// SPDX-License-Identifier: MIT
// The message table: every text of the pages has a line in each language, with the same places; no text
// stands outside it.
import assert from 'node:assert/strict';
import { buildSync } from 'esbuild';
import fs from 'node:fs';
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

/** The server's own sentences: the strings of its sources, in which numbers and words may be put. */
function serverSays() {
  const found = [];
  const walk = (dir) => {
    for (const e of fs.readdirSync(dir, { withFileTypes: true })) {
      if (e.isDirectory()) walk(path.join(dir, e.name));
      else if (/\.[ch]$/.test(e.name)) {
        const text = fs.readFileSync(path.join(dir, e.name), 'utf8').replace(/"\s*\n\s*"/g, '');
        for (const [, s] of text.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)) if (/\p{L} \p{L}/u.test(s)) found.push(s);
      }
    }
  };
  walk(path.join(root, '../src'));
  const part = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\d+(\\\.\d+)?/g, '(?:\\{\\d+\\}|$&)');
  return [...new Set(found)].map((s) => new RegExp(`^${s.split(/%(?:\d*\.?\d*(?:ll|z|l)?[dufs]|"\s*PRI\w+\s*")/).map((p) => part(p.replace(/%%/g, '%'))).join('.+')}$`));
}
const server = serverSays();
const all = { de: (await load('de.ts')).de, es: (await load('es.ts')).es };

for (const [language, table] of Object.entries(all)) {
  const missing = [...said].filter(([text]) => !table[text]).map(([text, at]) => `${at}: ${text}`);
  test(`${language}: every text has a line`, () => assert.deepEqual(missing, []));
  test(`${language}: a line has the same places`, () => {
    assert.deepEqual(Object.entries(table).filter(([text, line]) => places(text) !== places(line)).map(([text]) => text), []);
  });
  test(`${language}: no line is empty`, () => {
    assert.deepEqual(Object.entries(table).filter(([, line]) => line.trim() === '').map(([text]) => text), []);
  });
  const idle = Object.keys(table).filter((text) => !said.has(text) && !server.some((re) => re.test(text)));
  test(`${language}: no line is of a text that nobody says`, { todo: idle.length > 0 }, () => assert.deepEqual(idle, []));
}

test('nothing is said while a module is loaded, before the language is known', () => assert.deepEqual(early, []));

test('no text stands outside the table', () => assert.deepEqual(bare, []));
