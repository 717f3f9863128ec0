// SPDX-License-Identifier: MIT
// What is shipped: within its budgets, without the page of components; which a development build has.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

function built(t, ...args) {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), 'bspnode-web-bundle-'));
  t.after(() => fs.rmSync(out, { recursive: true, force: true }));
  const { status, stderr } = spawnSync(process.execPath, ['build.mjs', '--out', out, ...args], { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return { out, read: (name) => fs.readFileSync(path.join(out, name)) };
}

test('the first page: under 60 kB of script, all that is asked for before it draws', (t) => {
  const { read } = built(t);
  const html = read('index.html').toString();
  // Not what the build's own arithmetic says: every file that the page names.
  const named = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, url]) => url);
  const weigh = (ext) => named.filter((url) => url.endsWith(ext)).reduce((n, url) => n + gzipSync(read(url)).length, 0);
  const script = weigh('.js');
  const style = weigh('.css');
  t.diagnostic(`first page: ${script} bytes of script, ${style} of style, compressed`);
  assert.ok(script < 60_000, `${script} bytes of script`);
  assert.ok(style < 16_000, `${style} bytes of style`);
  assert.ok(!named.some((url) => /mux|whep|\/(de|es)-/.test(url)), `no player, no other language: ${named}`);
  assert.deepEqual(html.match(/<(style|script)(?![^>]*\ssrc=)[^>]*>|\sstyle=/g), null, 'nothing inline');
});

test('the page of components is in a development build alone', (t) => {
  const shipped = built(t);
  assert.ok(!fs.existsSync(path.join(shipped.out, '_ui.html')));
  for (const name of fs.readdirSync(path.join(shipped.out, 'assets')))
    assert.ok(!/Every component in its states|ui-swatch/.test(shipped.read(`assets/${name}`).toString()), name);
  const dev = built(t, '--dev');
  assert.match(dev.read('_ui.html').toString(), /bspnode components/);
});
