// SPDX-License-Identifier: MIT
// Receivers of webhooks that mean harm, with thousands of events waiting for them: the server keeps its memory, threads
// and descriptors, and somebody else's webhook comes as ever.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { newUser } from './lib/api.mjs';
import { startServer, until } from './lib/server.mjs';
import { sql } from './lib/uploads.mjs';

const EACH = 800;

// What each does with a connection on which a request has come.
const HARM = {
  'takes and never answers': () => {},
  'hangs up': (s) => s.destroy(),
  'hangs up in the middle of its answer': (s) => s.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf'),
  'speaks something else': (s) => s.end('220 mail.example ESMTP\r\n'),
  'answers a byte at a time': (s, every) => every(() => s.write('H')),
  'sends headers without end': (s, every) => (s.write('HTTP/1.1 200 OK\r\n'), every(() => s.write(`X-${Math.random()}: ${'x'.repeat(8000)}\r\n`))),
  'sends a header line without end': (s, every) => (s.write('HTTP/1.1 200 OK\r\nX: '), every(() => s.write('x'.repeat(60_000)))),
  'sends a body without end': (s, every) => (s.write('HTTP/1.1 500 No\r\nContent-Type: text/html\r\n\r\n'), every(() => s.write('\u0000<b>\ud83c'.repeat(9000)))),
  'says continue without end': (s, every) => every(() => s.write('HTTP/1.1 100 Continue\r\n\r\n')),
  'packs a bomb': (s) => {
    const bomb = zlib.gzipSync(Buffer.alloc(20_000_000));
    s.write(`HTTP/1.1 503 Busy\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`);
    s.end(bomb);
  },
  'sends to itself': (s, _, port) => s.end(`HTTP/1.1 307 Again\r\nLocation: http://127.0.0.1:${port}/hook\r\nContent-Length: 0\r\n\r\n`),
  'sets a length that is none': (s) => s.end('HTTP/1.1 500 No\r\nContent-Length: 99999999999999999999999\r\n\r\nx'),
};

async function receiver(t, harm) {
  const open = new Set();
  const server = net.createServer((s) => {
    open.add(s);
    let timer;
    s.on('error', () => {}).on('close', () => (clearInterval(timer), open.delete(s)));
    s.once('data', () => {
      r.asked++;
      harm(s, (fn) => (timer = setInterval(() => s.writable && s.writableLength < 1e6 && fn(), 5)), r.port);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const s of open) s.destroy();
    server.close();
  });
  const r = { port: server.address().port, asked: 0 };
  r.url = `http://127.0.0.1:${r.port}/hook`;
  return r;
}

// As if so much had happened a moment ago: rows as the outbox writes them.
function plant(server, hook, n) {
  execFileSync('sqlite3', ['-cmd', '.timeout 20000', path.join(server.dataDir, 'bspnode.db'), `
    BEGIN IMMEDIATE;
    CREATE TEMP TABLE fresh AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${n})
      SELECT '${randomUUID()}-' || i AS id, i FROM n;
    INSERT INTO media_events (id, user_id, type, object_type, object_id, data, created_at)
      SELECT f.id, w.user_id, 'video.asset.updated', 'asset', 'o' || f.id, '{"id":"x","passthrough":"' || hex(zeroblob(200)) || '"}',
             CAST(strftime('%s', 'now') AS INTEGER) * 1000000 - 1000000 + f.i FROM fresh f, webhooks w WHERE w.id = '${hook}';
    INSERT INTO webhook_deliveries (id, event_id, webhook_id, next_at, give_up_at, created_at)
      SELECT '${hook}.' || e.id, e.id, '${hook}', e.created_at, e.created_at + 86400000000, e.created_at FROM media_events e JOIN fresh f ON f.id = e.id;
    COMMIT;`]);
}

function usage(server) {
  const { pid } = server.child;
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1]);
  return { kb: number('VmRSS'), threads: number('Threads'), files: fs.readdirSync(`/proc/${pid}/fd`).length };
}

test('10,000 events for receivers that mean harm', async (t) => {
  // The sanitizer keeps freed memory for a while, which is not what is measured here.
  const server = await startServer(t, { args: ['--webhook-allow-private'], env: { ASAN_OPTIONS: 'exitcode=99:quarantine_size_mb=4' } });
  const [mallory, ada] = [await newUser(server, 'Mallory'), await newUser(server, 'Ada')];
  const good = await receiver(t, (s) => s.end('HTTP/1.1 204 No Content\r\n\r\n'));
  const hook = await ada.expect(201, 'POST', '/api/webhooks', { address: good.url });
  await ada.createStream();
  const all = () => sql(server, "SELECT count(*) AS n FROM webhook_deliveries WHERE webhook_id = ? AND state = 'delivered'", hook.id)[0].n;
  await until('the good one gets its first', () => all() >= 1);
  const before = usage(server);

  const bad = {};
  for (const [name, harm] of Object.entries(HARM)) bad[name] = await receiver(t, harm);
  bad['is not there'] = { url: `http://127.0.0.1:1/`, asked: 1 };
  bad['has no name'] = { url: 'http://nobody.invalid/', asked: 1 };
  for (const r of Object.values(bad)) r.hook = await mallory.expect(201, 'POST', '/api/webhooks', { address: r.url });
  for (const r of Object.values(bad)) plant(server, r.hook.id, EACH);
  await mallory.createStream(); // and they are looked at
  const most = { ...before };
  const look = () => {
    const now = usage(server);
    for (const k of Object.keys(now)) most[k] = Math.max(most[k], now[k]);
  };
  await until('each was asked', () => (look(), Object.values(bad).every((r) => r.asked > 0)), 60_000, 20);

  // Somebody else's, meanwhile.
  for (let i = 0; i < 5; i++) {
    const had = all();
    await ada.createStream();
    await until('the good one gets its next', () => (look(), all() > had), 15_000, 20);
  }
  const noted = (r) => sql(server, 'SELECT d.attempts, d.state, a.status, a.answer FROM webhook_deliveries d JOIN webhook_attempts a ON a.delivery_id = d.id WHERE d.webhook_id = ?', r.hook.id);
  for (const [name, r] of Object.entries(bad)) {
    const rows = await until(`${name}: it is noted`, () => (look(), noted(r).length && noted(r)), 60_000);
    for (const a of rows) {
      assert.equal(a.state, 'waiting', `${name}: ${JSON.stringify(a)}`);
      assert.ok(Buffer.byteLength(a.answer) <= 3 * 2048, `${name}: ${a.answer.length} characters are kept`);
    }
  }
  assert.ok(most.threads <= before.threads + 8, `${before.threads} threads, then ${most.threads}`);
  assert.ok(most.files <= before.files + 128 + 40, `${before.files} descriptors, then ${most.files}`);
  assert.ok(most.kb <= before.kb + 96 * 1024, `${before.kb} kB, then ${most.kb}`);
  const waiting = sql(server, "SELECT count(*) AS n FROM webhook_deliveries WHERE state = 'waiting'")[0].n;
  assert.ok(waiting >= Object.keys(bad).length * EACH, `nothing is lost: ${waiting}`);
  const bytes = fs.readdirSync(server.dataDir).filter((f) => f.startsWith('bspnode.db')).reduce((sum, f) => sum + fs.statSync(path.join(server.dataDir, f)).size, 0);
  assert.ok(bytes < 64 << 20, `${bytes} bytes`);
  for (const r of Object.values(bad)) await mallory.expect(204, 'DELETE', `/api/webhooks/${r.hook.id}`);
  const began = Date.now();
  await server.stop();
  assert.ok(Date.now() - began < 20_000, 'and the server ends');
});
