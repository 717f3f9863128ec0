// SPDX-License-Identifier: MIT
// Runs the end-to-end files: node run.mjs [--name TEXT] [--results FILE] [--list]
//
// Three places: a file takes one, those named *.heavy.test.mjs (browsers that encode, OBS) two. The
// heavy ones begin, so that the light ones fill what is left. A file's output is shown when it ends. --name takes a part of a
// file's name, or of a case's. Each file is a process of its own with a time limit.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const FILE_LIMIT_MS = 10 * 60_000; // a slow machine takes several times what a quick one does
const PLACES = 3;
const placesOf = (file) => (file.includes('.heavy.') ? 2 : 1);
const REASON_CHARS = 600;

const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};

// TAP, because every node from 18 on writes it the same way; nested cases are indented.
function readTap(text, file) {
  const counts = { passed: 0, failed: [], skipped: 0 };
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const m = /^(\s*)(not ok|ok) \d+ - (.*)$/.exec(lines[i]);
    if (!m) continue;
    // A case that holds others is counted by them; its lines end in "type: 'suite'".
    let end = i + 1;
    while (end < lines.length && /^\s*(---|\s+\S|$)/.test(lines[end]) && !/^\s*\.\.\.$/.test(lines[end])) end++;
    const about = lines.slice(i + 1, end);
    if (about.some((l) => /^\s*type: 'suite'/.test(l))) continue;
    const name = m[3].replace(/ # (SKIP|TODO).*$/, '');
    if (/ # SKIP/.test(m[3])) counts.skipped++;
    else if (m[2] === 'ok') counts.passed++;
    else counts.failed.push(`e2e ${file}: ${name}${reason(about)}`);
  }
  return counts;
}

// The error's text out of a case's YAML, short: what is read first of a run that failed.
function reason(about) {
  const at = about.findIndex((l) => /^\s*error: /.test(l));
  if (at < 0) return '';
  const end = about.findIndex((l, i) => i > at && /^\s*(code|name|stack|expected|actual|operator|failureType): /.test(l));
  const text = about.slice(at, end < 0 ? at + 8 : end).join(' ').replace(/^\s*error: (\|-)?/, '');
  return `\n       ${text.replace(/\s+/g, ' ').trim().slice(0, REASON_CHARS)}`;
}

function runFile(file, pattern) {
  return new Promise((resolve) => {
    const tap = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'bspnode-e2e-')), 'tap');
    const args = [
      '--test-reporter=spec', '--test-reporter-destination=stdout',
      '--test-reporter=tap', `--test-reporter-destination=${tap}`,
    ];
    if (pattern) args.push(`--test-name-pattern=${pattern}`);
    const began = Date.now();
    // A group of its own, so that a file that hangs takes its servers and publishers with it.
    const child = spawn(process.execPath, [...args, path.join(here, file)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const out = [];
    child.stdout.on('data', (b) => out.push(b));
    child.stderr.on('data', (b) => out.push(b));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      killGroup(child);
    }, FILE_LIMIT_MS);
    child.on('exit', () => killGroup(child)); // what a file leaves behind does not disturb the next
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      const text = fs.existsSync(tap) ? fs.readFileSync(tap, 'utf8') : '';
      fs.rmSync(path.dirname(tap), { recursive: true, force: true });
      const counts = readTap(text, file);
      if (late) counts.failed.push(`e2e ${file}: not finished in ${FILE_LIMIT_MS / 1000} s`);
      else if (code !== 0 && !counts.failed.length)
        counts.failed.push(`e2e ${file}: ended with ${signal ?? code}\n       ${Buffer.concat(out).toString().replace(/\s+/g, ' ').slice(-REASON_CHARS)}`);
      const seconds = ((Date.now() - began) / 1000).toFixed(1);
      process.stdout.write(`\n── ${file} (${seconds} s)\n${Buffer.concat(out).toString()}`);
      resolve(counts);
    });
  });
}

const running = new Set();
function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    for (const child of running) killGroup(child);
    process.exit(130);
  });

const name = option('name');
let files = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs')).sort();
let pattern;
if (name) {
  const byFile = files.filter((f) => f.includes(name));
  if (byFile.length) files = byFile;
  else {
    pattern = name;
    files = files.filter((f) => fs.readFileSync(path.join(here, f), 'utf8').includes(name));
  }
}
if (process.argv.includes('--list')) {
  for (const f of files) console.log(f);
  process.exit(0);
}

const total = { passed: 0, failed: [], skipped: 0 };
const add = (counts) => {
  total.passed += counts.passed;
  total.skipped += counts.skipped;
  total.failed.push(...counts.failed);
};
// Whichever of those that wait is first and fits, whenever a place is free.
const waiting = files.sort((a, b) => placesOf(b) - placesOf(a));
let free = PLACES;
await new Promise((resolve) => {
  const begin = () => {
    for (let at; (at = waiting.findIndex((f) => placesOf(f) <= free)) >= 0; ) {
      const [file] = waiting.splice(at, 1);
      free -= placesOf(file);
      runFile(file, pattern).then((counts) => {
        add(counts);
        free += placesOf(file);
        begin();
      });
    }
    if (free === PLACES) resolve();
  };
  begin();
});

if (option('results')) fs.writeFileSync(option('results'), JSON.stringify(total));
for (const f of total.failed) console.log(`FAILED ${f}`);
console.log(`\nend to end: ${total.passed} passed, ${total.failed.length} failed, ${total.skipped} skipped`);
process.exit(total.failed.length ? 1 : 0);
