// SPDX-License-Identifier: MIT
// Direct uploads: pieces as a client sends them, and what the server has made of them.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { request } from './http.mjs';

export const GRAIN = 256 << 10;

// Bytes that pass for Matroska at first sight, and are none.
export function fakeFile(size) {
  const file = randomBytes(size);
  Buffer.from([0x1a, 0x45, 0xdf, 0xa3]).copy(file);
  return file;
}

// One request with a Content-Range of the reader's making; range undefined: none.
export function put(url, body, range, options = {}) {
  const headers = { 'Content-Length': body.length, ...(range && { 'Content-Range': range }), ...options.headers };
  return request(url, { method: 'PUT', ...options, headers, body });
}

export const piece = (url, file, from, to, total = file.length, options) => put(url, file.subarray(from, to), `bytes ${from}-${to - 1}/${total}`, options);

// How far the server has got; undefined when it does not answer 308.
export async function offset(url, options) {
  const a = await put(url, Buffer.alloc(0), 'bytes */*', options);
  if (a.status !== 308) return undefined;
  return a.headers.range ? Number(/^bytes=0-(\d+)$/.exec(a.headers.range)[1]) + 1 : 0;
}

export const uploadId = (url) => /\/upload\/([A-Za-z0-9]+)/.exec(url)[1];

// Rows of a query on the server's database, as objects.
export function sql(server, query, ...args) {
  const code = `import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=20); db.row_factory = sqlite3.Row
rows = [dict(r) for r in db.execute(sys.argv[2], sys.argv[3:])]; db.commit()
print(json.dumps(rows))`;
  const file = fs.readdirSync(server.dataDir).find((f) => f.endsWith('.db'));
  return JSON.parse(execFileSync('python3', ['-c', code, path.join(server.dataDir, file), query, ...args.map(String)], { encoding: 'utf8' }));
}

export const row = (server, id) => sql(server, 'SELECT * FROM uploads WHERE id = ?', id)[0];

// What is on disk of an upload that waits; undefined: nothing.
export function partial(server, id) {
  const file = path.join(server.dataDir, 'uploads', id);
  return fs.existsSync(file) ? fs.readFileSync(file) : undefined;
}
