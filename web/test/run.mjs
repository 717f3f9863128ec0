// SPDX-License-Identifier: MIT
// Unit tests of the plain TypeScript: bundled for node, run by its own test runner.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = fs.mkdtempSync(path.join(os.tmpdir(), 'bspnode-web-test-'));
try {
  const tests = fs.readdirSync(here).filter((f) => f.endsWith('.test.ts'));
  await build({
    entryPoints: tests.map((f) => path.join(here, f)),
    outdir: out,
    bundle: true,
    platform: 'node',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  // Those that look at the sources instead of running them.
  const plain = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs'));
  const files = [...tests.map((f) => path.join(out, f.replace(/\.ts$/, '.mjs'))), ...plain.map((f) => path.join(here, f))];
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  fs.rmSync(out, { recursive: true, force: true });
}
