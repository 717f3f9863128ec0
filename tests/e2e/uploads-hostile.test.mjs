// SPDX-License-Identifier: MIT
// Uploads, imports and webhooks when it matters: kills at each step, clients that fight, cancels in the middle, a disk that
// is nearly full. Nothing is lost, nothing is there twice, nothing is left over.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import Mux from '@mux/mux-node';
import { newUser } from './lib/api.mjs';
import { request } from './lib/http.mjs';
import { sample } from './lib/media.mjs';
import { run, smallDisk, startServer, tempDir, until } from './lib/server.mjs';
import { fakeFile, GRAIN, offset, partial, piece, put, row, sql } from './lib/uploads.mjs';

async function client(server) {
  const ada = await newUser(server);
  const made = await run(['token', 'create', '--json', '--data', server.dataDir, '--email', ada.email]);
  assert.equal(made.code, 0, made.stderr);
  const { TOKEN_ID: tokenId, TOKEN_SECRET: tokenSecret } = JSON.parse(made.stdout);
  return (at) => new Mux({ baseURL: at.http, tokenId, tokenSecret });
}

async function listen(t, answer) {
  const server = http.createServer(answer);
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}/`;
}

test('killed at every step from the last byte to the last webhook: each upload is one asset, told of', async (t) => {
  const dataDir = tempDir(t);
  const args = ['--webhook-allow-private'];
  const told = new Map(); // event id -> [type, object, how often]
  const hook = await listen(t, (req, res) => {
    let body = '';
    req.on('data', (b) => (body += b));
    req.on('end', () => {
      const e = JSON.parse(body);
      const seen = told.get(e.id) ?? { type: e.type, object: e.object.id, times: 0 };
      seen.times++;
      told.set(e.id, seen);
      if (told.size % 2 || seen.times > 1) res.writeHead(200).end();
      else res.destroy(); // taken, and not said so
    });
  });
  let server = await startServer(null, { dataDir, args });
  t.after(() => server.stop());
  const mux = await client(server);
  await mux(server).system.webhooks.create({ address: hook });
  const film = fs.readFileSync(await sample({ seconds: 1 }));

  // Each: when the kill comes. The request's end is whatever it is by then.
  const line = (re) => (s) => until(`${re}`, () => re.test(s.log), 30_000, 2);
  const MOMENTS = {
    'with the last byte': async () => {},
    'with the reply': async (_, sent) => sent,
    'when it is written down': line(/upload-complete/),
    'when the import has begun': async (s) => {
      await until('a worker', () => fs.readdirSync(`/proc/${s.child.pid}/task`).some((task) => fs.readFileSync(`/proc/${s.child.pid}/task/${task}/children`, 'utf8').trim()), 30_000, 2);
    },
    'when the import has ended': line(/job kind=import .*result=ok/),
    'when a webhook is out': (s, _, before) => until('a webhook', () => told.size > before, 30_000, 2),
  };
  const uploads = [];
  for (const [when, moment] of Object.entries(MOMENTS)) {
    const up = await mux(server).video.uploads.create({ cors_origin: '*', new_asset_settings: { playback_policies: ['public'], passthrough: when } });
    uploads.push(up.id);
    const before = told.size;
    const sent = put(up.url, film).catch((e) => e); // it may be cut off
    await moment(server, sent, before);
    await server.kill();
    await sent;
    server = await startServer(null, { dataDir, args });
    const url = `${server.http}/upload/${up.id}`;
    const at = await offset(url);
    if (at !== undefined) {
      assert.ok(at === 0 || at === film.length, `${when}: ${at}`);
      assert.equal((await put(url, film)).status, 200, when);
    }
    assert.equal((await put(url, Buffer.alloc(0), 'bytes */*')).status, 200, when);
    const { video } = mux(server);
    const now = await video.uploads.retrieve(up.id);
    assert.equal(now.status, 'asset_created');
    const asset = await until(`${when}: the asset is settled`, async () => {
      const a = await video.assets.retrieve(now.asset_id);
      return a.status !== 'preparing' && a;
    }, 60_000);
    assert.equal(asset.status, 'ready', JSON.stringify(asset));
    assert.equal((await request(`${server.http}/${asset.playback_ids[0].id}.m3u8`)).status, 200);
  }
  const { video } = mux(server);
  assert.equal((await video.assets.list({ limit: 100 })).data.length, uploads.length, 'one asset each');
  assert.deepEqual(fs.readdirSync(path.join(dataDir, 'uploads')), []);
  assert.equal(fs.readdirSync(path.join(dataDir, 'recordings')).length, uploads.length);
  await until('all is delivered', () => sql(server, "SELECT count(*) AS n FROM webhook_deliveries WHERE state <> 'delivered'")[0].n === 0, 60_000);
  const events = sql(server, 'SELECT id, type, object_id FROM media_events');
  for (const e of events) assert.ok(told.get(e.id)?.times >= 1, `${e.type} was told`);
  assert.equal(told.size, events.length, 'and nothing that has not happened');
  const names = (id) => events.filter((e) => e.object_id === id).map((e) => e.type.replace('video.', '')).sort();
  for (const id of uploads) {
    assert.deepEqual(names(id), ['upload.asset_created', 'upload.created']);
    assert.deepEqual(names(row(server, id).asset_id), ['asset.created', 'asset.ready']);
  }
});

test('clients that fight, and owners who cancel', async (t) => {
  const server = await startServer(t);
  const { video } = (await client(server))(server);
  const make = (more) => video.uploads.create({ cors_origin: '*', new_asset_settings: { master_access: 'temporary' }, ...more });
  const sha = (b) => createHash('sha256').update(b).digest('hex');

  await t.test('four send four files at once to one address: one of them is there, whole', async () => {
    const up = await make();
    // Films that differ in what is behind their end.
    const film = fs.readFileSync(await sample({ seconds: 4, bitrate: '4000k' }));
    const files = Array.from({ length: 4 }, () => {
      const tail = fakeFile(100_000);
      tail.writeUInt32BE(tail.length);
      tail.write('free', 4);
      return Buffer.concat([film, tail]);
    });
    const whole = await Promise.all(files.slice(0, 2).map((f) => put(up.url, f)));
    const pieces = await Promise.all(files.slice(2).map(async (f) => {
      const seen = [];
      for (let at = 0; at < f.length; at += 2 * GRAIN) seen.push((await piece(up.url, f, at, Math.min(at + 2 * GRAIN, f.length))).status);
      return seen;
    }));
    const statuses = [...whole.map((a) => a.status), ...pieces.flat()];
    assert.ok(statuses.every((s) => [200, 308, 400, 503].includes(s)), `${statuses}`);
    if (row(server, up.id).status === 'waiting') assert.equal((await put(up.url, files[0])).status, 200);
    const stored = fs.readFileSync(path.join(server.dataDir, 'recordings', row(server, up.id).asset_id, 'source'));
    assert.ok(files.some((f) => sha(f) === sha(stored)), 'it is one of theirs');
    assert.equal(sql(server, 'SELECT id FROM assets WHERE upload_id = ?', up.id).length, 1);
  });

  await t.test('cancelled while it is being sent: the sender is told, and the disk is given back', async () => {
    const up = await make();
    const { hostname, port, pathname } = new URL(up.url);
    const sender = net.connect(Number(port), hostname);
    t.after(() => sender.destroy());
    let answer = '';
    sender.on('data', (b) => (answer += b)).on('error', () => {});
    sender.write(`PUT ${pathname} HTTP/1.1\r\nHost: x\r\nContent-Length: ${400 * GRAIN}\r\n\r\n`);
    sender.write(fakeFile(4 * GRAIN));
    await until('some of it is on the disk', () => partial(server, up.id)?.length >= GRAIN);
    assert.equal((await video.uploads.cancel(up.id)).status, 'cancelled');
    await until('the sender is told', () => {
      if (!answer && !sender.destroyed) sender.write(Buffer.alloc(100_000));
      return /^HTTP\/1\.1 (503|410) /.test(answer) || sender.destroyed;
    });
    assert.equal((await put(up.url, fakeFile(1000))).status, 410);
    const open = () => fs.readdirSync(`/proc/${server.child.pid}/fd`).map((n) => {
      try {
        return fs.readlinkSync(`/proc/${server.child.pid}/fd/${n}`);
      } catch {
        return '';
      }
    });
    await until('nothing holds the file', () => !open().some((f) => f.includes(up.id)));
    assert.equal(partial(server, up.id), undefined);
  });

  await t.test('cancelled with the last byte: either there is an asset, or there is nothing', async () => {
    for (let i = 0; i < 8; i++) {
      const up = await make();
      const file = fakeFile(GRAIN);
      const [sent, cancelled] = await Promise.all([put(up.url, file), video.uploads.cancel(up.id).catch((e) => e)]);
      const now = row(server, up.id);
      const folder = path.join(server.dataDir, 'recordings', now.asset_id);
      if (now.status === 'asset_created') {
        assert.equal(sent.status, 200);
        assert.ok(cancelled instanceof Mux.PermissionDeniedError, `${cancelled}`);
        continue;
      }
      assert.equal(now.status, 'cancelled');
      assert.ok([410, 503].includes(sent.status), `${sent.status}`);
      assert.ok(!fs.existsSync(folder), 'no folder is left');
      assert.equal(partial(server, up.id), undefined);
    }
  });
});

test('a file without end, fetched: the disk keeps its room, and gets back what was taken', async (t) => {
  const dataDir = smallDisk(t, '64m');
  if (!dataDir) return t.skip('mounting is not allowed here');
  const server = await startServer(null, { dataDir, args: ['--min-free-disk', '24m', '--fetch-allow-private'] });
  let sent = 0;
  const block = fakeFile(1 << 20);
  const endless = await listen(t, (_, res) => {
    res.writeHead(200, { 'content-type': 'video/webm' });
    const more = () => {
      for (let go = true; go && !res.destroyed; sent++) go = res.write(block);
    };
    res.on('drain', more);
    more();
  });
  const { video } = (await client(server))(server);
  const free = () => {
    const s = fs.statfsSync(dataDir);
    return s.bavail * s.bsize;
  };
  const asset = await video.assets.create({ inputs: [{ url: endless }] });
  let least = Infinity;
  await until('it is given up for now', () => {
    least = Math.min(least, free());
    return /job kind=fetch .*attempt=1/.test(server.log);
  }, 60_000, 5);
  assert.ok(sent >= 10, `${sent} MB were sent`);
  assert.ok(least >= 20 << 20, `${least} bytes were free`);
  assert.ok(free() >= 48 << 20, 'and are again');
  assert.equal((await video.assets.retrieve(asset.id)).status, 'preparing', 'there may be room later');
  await video.assets.delete(asset.id);
  await until('nothing is left', () => !fs.existsSync(path.join(dataDir, 'recordings', asset.id)));
});
