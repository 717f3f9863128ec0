// SPDX-License-Identifier: MIT
// For work on the pages: builds them on every change and serves them; everything else (API, events, media)
// comes from a running bspnode.   node dev/server.mjs [http://127.0.0.1:8080] [5173]
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const upstream = new URL(process.argv[2] ?? 'http://127.0.0.1:8080');
const port = Number(process.argv[3] ?? 5173);
const dist = path.join(root, 'dist');
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html', '.txt': 'text/plain' };
const PAGE = /^\/(?:login|register|dashboard(?:\/[^/]+)?|stream\/[^/]+(?:\/broadcast)?)?\/?$/;

const builder = spawn(process.execPath, ['build.mjs', '--watch', '--dev'], { cwd: root, stdio: 'inherit' });
process.on('exit', () => builder.kill());
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));

function fileFor(pathname) {
  if (PAGE.test(pathname)) return path.join(dist, 'index.html');
  if (pathname === '/_ui') return path.join(dist, '_ui.html');
  if (/^\/embed\/[^/]+$/.test(pathname)) return path.join(dist, 'embed.html');
  if (/^\/assets\/[\w.-]+$/.test(pathname)) return path.join(dist, pathname);
  return null;
}

// The server checks Origin, and must see its own.
function forward(request, response) {
  const headers = { ...request.headers, host: upstream.host };
  if (headers.origin) headers.origin = upstream.origin;
  const passed = http.request(new URL(request.url, upstream), { method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  passed.on('error', () => response.headersSent || response.writeHead(502).end());
  response.on('close', () => passed.destroy());
  request.pipe(passed);
}

http
  .createServer((request, response) => {
    const file = fileFor(new URL(request.url, 'http://localhost').pathname);
    if (!file) return forward(request, response);
    if (!fs.existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream', 'Cache-Control': 'no-store' });
    fs.createReadStream(file).pipe(response);
  })
  .listen(port, '127.0.0.1', () => console.log(`pages on http://127.0.0.1:${port}, the rest from ${upstream.origin}`));
