// SPDX-License-Identifier: MIT
// The media API with 10,000 assets and 100,000 webhook deliveries in the database, beside a server with one
// page of each. The two run at the same time and are asked in turn, one request at a time on a connection that
// stays open: so what the machine does meanwhile is in both. One tenth of the deliveries wait for an endpoint
// that is to be asked again much later.
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { aim, makeStream, makeToken, ratio, startBspnode, table } from '../lib.mjs';

export const title = 'The media API with a full database';
const TIMES = 150; // of each call: below what one account may ask at once
const FULL = { assets: 10_000, deliveries: 100_000 };
const SMALL = { assets: 25, deliveries: 25 };
const FLAT = 1.5;
const FLAT_BY_NUMBER = 2; // the index is read up to the page; that is what cursors are for

const TRACKS = JSON.stringify([
  { type: 'video', id: 'v', max_width: 1920, max_height: 1080, max_frame_rate: 30 },
  { type: 'audio', id: 'a', max_channels: 2, max_channel_layout: 'stereo' }]);

function fill(server, hookId, { assets, deliveries }) {
  const data = JSON.stringify({ id: 'x'.repeat(22), status: 'ready', tracks: JSON.parse(TRACKS), playback_ids: [{ id: 'x'.repeat(22), policy: 'public' }] });
  const sql = `PRAGMA foreign_keys = ON; BEGIN IMMEDIATE;
    CREATE TEMP TABLE now AS SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000 AS us;
    CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${Math.max(assets, deliveries)}) SELECT i FROM c;
    INSERT INTO assets (id, user_id, status, dir, duration_us, created_at, updated_at, ingest_type, tracks, width, height, fps_milli)
      SELECT printf('benchasset%012d', i), (SELECT id FROM users), 'ready', printf('benchasset%012d', i), 60000000, us - i * 1000000, us - i * 1000000,
        'on_demand_url', '${TRACKS}', 1920, 1080, 30000 FROM n, now WHERE i <= ${assets};
    INSERT INTO playback_ids (id, kind, object_id, created_at)
      SELECT printf('benchplays%012d', i), 'asset', printf('benchasset%012d', i), us FROM n, now WHERE i <= ${assets};
    INSERT INTO media_events (id, user_id, type, object_type, object_id, data, created_at)
      SELECT printf('benchevent-%d', i), (SELECT id FROM users), 'video.asset.ready', 'asset', printf('benchasset%012d', i % ${assets} + 1), '${data}', us - i * 1000000
      FROM n, now WHERE i <= ${deliveries};
    INSERT INTO webhook_deliveries (id, event_id, webhook_id, state, attempts, next_at, give_up_at, created_at)
      SELECT '${hookId}.benchevent-' || i, printf('benchevent-%d', i), '${hookId}', CASE WHEN i % 10 THEN 'delivered' ELSE 'waiting' END, 1,
        CASE WHEN i % 10 THEN NULL ELSE us + 36000000000 END, us + 72000000000, us - i * 1000000 FROM n, now WHERE i <= ${deliveries};
    INSERT INTO webhook_attempts (delivery_id, at, status, answer, took_us)
      SELECT '${hookId}.benchevent-' || i, us - i * 1000000, CASE WHEN i % 10 THEN 200 ELSE 0 END, 'ok', 12345 FROM n, now WHERE i <= ${deliveries};
    COMMIT;`;
  execFileSync('sqlite3', ['-bail', '-cmd', '.timeout 20000', path.join(server.dataDir, 'bspnode.db')], { input: sql });
}

async function start(name, size) {
  const server = await startBspnode(['--loops', '1', '--webhook-allow-private']);
  await makeStream(server);
  const mux = await makeToken(server);
  const hook = await mux('/system/v1/webhooks', { address: 'http://127.0.0.1:9/', enabled: true });
  fill(server, hook.id, size);
  const headers = { ...mux.headers, Cookie: server.cookie, Origin: server.http };
  return { name, size, server, hook, headers, agent: new http.Agent({ keepAlive: true, maxSockets: 1 }), taken: new Map() };
}

function ask(on, method, target, body) {
  return new Promise((resolve, reject) => {
    const began = process.hrtime.bigint();
    const text = body && JSON.stringify(body);
    const request = http.request(on.server.http + target, { method, agent: on.agent, headers: { ...on.headers, 'Content-Length': text ? text.length : 0 } }, (answer) => {
      const parts = [];
      answer.on('data', (b) => parts.push(b));
      answer.on('end', () => {
        const ms = Number(process.hrtime.bigint() - began) / 1e6;
        if (answer.statusCode >= 300) reject(new Error(`${target}: ${answer.statusCode} ${Buffer.concat(parts)}`));
        else resolve({ ms, body: JSON.parse(Buffer.concat(parts)) });
      });
    });
    request.on('error', reject);
    request.end(text);
  });
}

// `make(on, i)` says what is asked: [method, target, body]. The rows of a list are counted, so that an empty
// page is not taken for a quick one.
async function measure(pair, call) {
  const seen = pair.map(() => []);
  for (let i = -5; i < (call.times ?? TIMES); i++)
    for (let k = 0; k < 2; k++) {
      const at = (k + i) & 1;
      const { ms, body } = await ask(pair[at], ...call.make(pair[at], i));
      const rows = body.data ?? body.deliveries;
      if (call.rows && rows.length !== call.rows) throw new Error(`${call.name}, ${pair[at].name}: ${rows.length} rows`);
      if (i >= 0) seen[at].push(ms);
    }
  const of = (list, share) => [...list].sort((a, b) => a - b)[Math.floor(list.length * share)];
  return seen.map((list) => ({ p50: of(list, 0.5), p99: of(list, 0.99) }));
}

const two = (n) => String(n).padStart(12, '0');
const PAGES = (on) => on.size.assets / 25;
const CALLS = [
  { name: 'assets, first page', rows: 25, make: () => ['GET', '/video/v1/assets?limit=25'] },
  { name: 'assets, last page', rows: 25, flat: FLAT_BY_NUMBER, make: (on) => ['GET', `/video/v1/assets?limit=25&page=${PAGES(on)}`] },
  { name: 'assets, late cursor', rows: 25, make: (on) => ['GET', `/video/v1/assets?limit=25${on.cursor}`] },
  { name: 'asset, by id', make: (on, i) => ['GET', `/video/v1/assets/benchasset${two(((i + 5) * 7919) % on.size.assets + 1)}`] },
  { name: 'webhooks', make: () => ['GET', '/system/v1/webhooks'] },
  { name: 'deliveries, first page', rows: 25, make: (on) => ['GET', `/api/webhooks/${on.hook.id}/deliveries?limit=25`] },
  { name: 'deliveries, late page', make: (on) => ['GET', `/api/webhooks/${on.hook.id}/deliveries?limit=25&cursor=${on.lateDelivery}`] },
  { name: 'upload, create', make: () => ['POST', '/video/v1/uploads', { cors_origin: '*' }] },
  { name: 'live stream, create', times: 20, make: () => ['POST', '/video/v1/live-streams', { playback_policies: ['public'] }] },
];

// A cursor is the server's own; the last of the first pages' is made from what is known of the rows.
function aimLate(on) {
  const sql = (text) => execFileSync('sqlite3', ['-readonly', path.join(on.server.dataDir, 'bspnode.db'), text], { encoding: 'utf8' }).trim();
  on.cursor = on.size.assets > 25 ? `&cursor=${sql(`SELECT created_at || '.' || id FROM assets ORDER BY created_at LIMIT 1 OFFSET 25`)}` : '';
  on.lateDelivery = on.size.deliveries > 25 ? sql(`SELECT created_at || '.' || id FROM webhook_deliveries ORDER BY created_at LIMIT 1 OFFSET 25`) : '';
}

export async function run() {
  const pair = [await start('one page', SMALL), await start('full', FULL)];
  pair.forEach(aimLate);
  const rows = [['', `${SMALL.assets} assets: p50`, 'p99', `${FULL.assets} assets: p50`, 'p99', 'p50 ratio']];
  let flat = true;
  const ms = (x) => `${x.toFixed(2)} ms`;
  for (const call of CALLS) {
    const [small, full] = await measure(pair, call);
    rows.push([call.name, ms(small.p50), ms(small.p99), ms(full.p50), ms(full.p99), ratio(full.p50, small.p50)]);
    flat &&= full.p50 <= small.p50 * (call.flat ?? FLAT);
  }
  table(rows);
  console.log(`\n  aim: flat, no p50 above ${FLAT} times (a late page by its number: ${FLAT_BY_NUMBER})    ${aim(flat)}`);
  for (const on of pair) {
    on.agent.destroy();
    await on.server.child.end();
  }
  return true;
}
