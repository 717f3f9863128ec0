// SPDX-License-Identifier: MIT
// Runs the comparisons: node bench/run.mjs [case ...]. A case is a file in cases/ that exports `title` and
// `run()`, which prints what it finds and returns whether the measurement itself is sound.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cleanUp, root } from './lib.mjs';

const dir = path.join(root, 'bench/cases');
const all = fs.readdirSync(dir).filter((f) => f.endsWith('.mjs')).map((f) => f.slice(0, -4)).sort();
const wanted = process.argv.slice(2);
for (const name of wanted)
  if (!all.includes(name)) {
    console.error(`no case ${name}; there are: ${all.join(' ')}`);
    process.exit(2);
  }
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, async () => {
    await cleanUp();
    process.exit(130);
  });

console.log(`${os.cpus().length} × ${os.cpus()[0]?.model.trim()}, Linux ${os.release()}, loopback: quote ratios, not absolutes`);
let sound = true;
for (const name of wanted.length ? wanted : all) {
  const it = await import(path.join(dir, `${name}.mjs`));
  console.log(`\n${it.title}\n`);
  try {
    if (!(await it.run())) sound = false;
  } catch (e) {
    console.error(`  ${name} could not be measured: ${e.stack}`);
    sound = false;
  }
  await cleanUp();
}
process.exit(sound ? 0 : 1);
