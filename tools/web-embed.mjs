// SPDX-License-Identifier: MIT
// Turns the built pages into one C file: node web-embed.mjs DIST_DIR OUT.c
//
// Every file becomes a `struct web_asset` (src/api/web_assets.h) with its bytes as they are and, where
// that saves a tenth or more, compressed. The same input gives the same output, byte for byte.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fs from 'node:fs';
import path from 'node:path';

const [dist, outFile] = process.argv.slice(2);
if (!dist || !outFile) {
  console.error('usage: node web-embed.mjs DIST_DIR OUT.c');
  process.exit(2);
}

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

function* walk(dir) {
  for (const e of fs.readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const full = path.join(dir, e.name);
    if (e.isDirectory()) yield* walk(full);
    else if (e.isFile()) yield full;
  }
}

// C string literals compile many times faster than lists of numbers. Three-digit octal escapes
// cannot swallow a digit that follows; `?` is escaped because of trigraphs.
const ESCAPED = Array.from({ length: 256 }, (_, b) => {
  const c = String.fromCharCode(b);
  return b >= 32 && b < 127 && !'"\\?'.includes(c) ? c : `\\${b.toString(8).padStart(3, '0')}`;
});

function literal(bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 96) {
    let line = '';
    for (const b of bytes.subarray(i, i + 96)) line += ESCAPED[b];
    lines.push(`    "${line}"`);
  }
  return lines.length ? lines.join('\n') : '    ""';
}

const arrays = [];
const rows = [];
let total = 0;
for (const file of walk(dist)) {
  const rel = path.relative(dist, file).split(path.sep).join('/');
  const type = TYPES[path.extname(rel)];
  if (!type) throw new Error(`web-embed: no content type for ${rel}`);
  const bytes = fs.readFileSync(file);
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
  const small = gzipSync(bytes, { level: 9 });
  const useGz = small.length < bytes.length * 0.9;
  const n = rows.length;
  arrays.push(`static const uint8_t plain_${n}[] =\n${literal(bytes)};`);
  if (useGz) arrays.push(`static const uint8_t gz_${n}[] =\n${literal(small)};`);
  // Names under assets/ carry their content's hash, so they never change.
  const immutable = rel.startsWith('assets/');
  rows.push(
    `    {"/${rel}", "${type}", "\\"${hash}\\"", plain_${n}, ${bytes.length},` +
      ` ${useGz ? `gz_${n}, ${small.length}` : 'NULL, 0'}, ${immutable}},`,
  );
  total += useGz ? small.length : bytes.length;
}
if (!rows.length) throw new Error(`web-embed: ${dist} is empty: the pages were not built`);

fs.writeFileSync(
  outFile,
  `/* SPDX-License-Identifier: MIT */
/* Made by tools/web-embed.mjs from web/dist: do not edit. */
#include "api/web_assets.h"

${arrays.join('\n')}

const struct web_asset web_assets[] = {
${rows.join('\n')}
};
const size_t web_assets_len = ${rows.length};
`,
);
console.log(`web: ${rows.length} files embedded, ${(total / 1024).toFixed(0)} kB as sent`);
