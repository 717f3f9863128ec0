// SPDX-License-Identifier: MIT
// The HTTP server alone (bsp-httpd, see httpd.c) against curl, h2load, node's client and node's parser,
// and raw sockets for what no client sends.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { raw, request } from './lib/http.mjs';
import { certificate, program, sleep, tempDir, until } from './lib/server.mjs';

const httpd = path.join(path.dirname(program), 'tests/e2e/bsp-httpd');
const exec = promisify(execFile);
const HELLO = '0123456789';

async function start(t, { tls = false, args = [] } = {}) {
  const folder = tempDir(t, 'httpd');
  const bytes = Buffer.alloc(700_000, 0).map((_, i) => (i * 7919) >> 5);
  fs.writeFileSync(path.join(folder, 'seg.m4s'), bytes);
  const pair = tls ? certificate(t) : undefined;
  const options = pair ? ['--cert', pair.cert, '--key', pair.key] : [];
  const child = spawn(httpd, ['--loops', '2', ...options, ...args, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ASAN_OPTIONS: 'exitcode=99', UBSAN_OPTIONS: 'halt_on_error=1', ...process.env },
  });
  const server = { child, bytes, folder, ca: pair?.ca, out: '', log: '' };
  child.stdout.on('data', (b) => (server.out += b));
  child.stderr.on('data', (b) => (server.log += b));
  server.exited = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  server.url = await until('the ready line', () => /^ready (\S+)/.exec(server.out)?.[1], 10_000, 10);
  server.get = (target, o = {}) => request(server.url + target, { ca: server.ca, ...o });
  server.stop = async () => {
    child.kill('SIGTERM');
    assert.equal(await server.exited, 0, `it ends cleanly:\n${server.log.slice(-3000)}`);
    return server.out;
  };
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) await server.stop();
  });
  return server;
}

const curl = async (server, ...args) =>
  (await exec('curl', ['-sk', '-m', '20', ...args.map((a) => (a.startsWith('/') && !a.startsWith('/dev/') ? server.url + a : a))], { encoding: 'buffer', maxBuffer: 1e8 })).stdout;

for (const [name, tls, version] of [
  ['HTTP/1.1', false, '--http1.1'],
  ['HTTP/1.1 over TLS', true, '--http1.1'],
  ['HTTP/2', true, '--http2'],
]) {
  test(`${name}: what curl sees`, async (t) => {
    const server = await start(t, { tls });
    const c = (...args) => curl(server, version, ...args);
    assert.equal((await c('-o', '/dev/null', '-w', '%{http_version}', '/hello')).toString(), version === '--http2' ? '2' : '1.1');
    assert.equal((await c('/hello')).toString(), HELLO);
    assert.ok((await c('/file/seg.m4s')).equals(server.bytes), 'a file');
    assert.ok((await c('-r', '100-199999', '/file/seg.m4s')).equals(server.bytes.subarray(100, 200_000)), 'a part of it');
    assert.ok((await c('-r', '-5', '/file/seg.m4s')).equals(server.bytes.subarray(-5)));
    assert.equal((await c('/big?n=30000000')).length, 30_000_000);
    assert.equal((await c('-d', 'question', '/echo')).toString(), 'question');
    const long = 'x'.repeat(65536);
    fs.writeFileSync(path.join(server.folder, 'long'), long);
    fs.writeFileSync(path.join(server.folder, 'longer'), `${long}x`);
    assert.equal((await c('--data-binary', `@${server.folder}/long`, '/echo')).toString(), long);
    assert.match((await c('--data-binary', `@${server.folder}/longer`, '/echo')).toString(), /"too_large"/);
    if (version !== '--http2') assert.equal((await c('-H', 'transfer-encoding: chunked', '-d', 'pieces', '/echo')).toString(), 'pieces');
    assert.equal((await c('-N', '/events?n=3&ms=20')).toString(), 'data: 2\n\ndata: 1\n\ndata: 0\n\n');
    assert.equal((await c('--compressed', '/page')).toString(), 'hello hello hello hello\n');
    assert.match((await c('--compressed', '-I', '/page')).toString(), /content-encoding: gzip/);
    assert.equal((await c('--compressed', '-r', '0-4', '/page')).toString(), 'hello');
    assert.equal((await c('/later')).toString(), 'later');
    const told = (await c('-b', 'session=s1; x=y', '/params/a%20b/x-1.2.bin?q=%2b+z')).toString();
    assert.equal(told, `a b|1.2|+ z|s1|127.0.0.1|${server.url}`);
    for (const [args, status] of [
      [['/hello'], 200],
      [['-H', 'if-none-match: "v0", W/"v1"', '/hello'], 304],
      [['-r', '10-', '/hello'], 416],
      [['-r', '2-3', '/hello'], 206],
      [['-r', '2-3', '-H', 'if-range: "v1"', '/hello'], 206],
      [['-r', '2-3', '-H', 'if-range: "v0"', '/hello'], 200],
      [['-r', '2-3,5-6', '/hello'], 200],
      [['-I', '/hello'], 200],
      [['-X', 'DELETE', '/hello'], 405],
      [['-X', 'OPTIONS', '/hello'], 204],
      [['-X', 'BREW', '/hello'], 501],
      [['-d', 'x', '/hello'], 405],
      [['-X', 'GET', '-d', 'x', '/hello'], 413],
      [['/nothing'], 404],
      [['/file/none'], 404],
      [['--path-as-is', '/file/../hello'], 400],
      [['/file/..%2fhello'], 400],
      [['/file/%2e%2e'], 400],
      [['/file/a%00'], 400],
      [['/file/a%5cb'], 400],
      [['/file/%zz'], 400],
      [['-H', `x: ${'a'.repeat(17_000)}`, '/hello'], 431],
      [[`/hello?${'a'.repeat(9000)}`], 414],
    ]) {
      const got = (await c('-o', '/dev/null', '-w', '%{http_code}', ...args)).toString();
      assert.equal(got, String(status), args.join(' ').slice(0, 80));
    }
    // A body that is taken as it comes.
    const film = Buffer.alloc(1_500_000, 'film');
    fs.writeFileSync(path.join(server.folder, 'film'), film);
    const sum = film.reduce((n, b) => n + b, 0);
    assert.equal((await c(`-T${path.join(server.folder, 'film')}`, '/take')).toString(), `${film.length} ${sum}`);
    assert.equal((await c(`-T${path.join(server.folder, 'film')}`, '-H', 'Expect: 100-continue', '/take')).toString(), `${film.length} ${sum}`);
    if (version !== '--http2') assert.equal((await c(`-T${path.join(server.folder, 'film')}`, '-H', 'Transfer-Encoding: chunked', '/take')).toString(), `${film.length} ${sum}`);
    assert.equal((await c('-X', 'PUT', '/take')).toString(), '0 0');
    assert.equal((await c('-X', 'PUT', '-d', 'small', '/take?gathered')).toString(), 'small');
    assert.match((await c(`-T${path.join(server.folder, 'film')}`, '/take?gathered')).toString(), /"too_large"/);
    assert.equal((await c(`-T${path.join(server.folder, 'film')}`, '-H', 'Expect: 100-continue', '-o', '/dev/null', '-w', '%{http_code}', '/take?refuse=1')).toString(), '403');
    const preflight = (await c('-D', '-', '-X', 'OPTIONS', '/page')).toString();
    assert.match(preflight, /access-control-allow-origin: \*/);
  });
}

test('h2load: ten connections with twenty streams each', async (t) => {
  const server = await start(t, { tls: true });
  for (const [target, n] of [['/list/a.m3u8', 3000], ['/file/seg.m4s', 200]]) {
    const { stdout } = await exec('h2load', ['-n', String(n), '-c', '10', '-m', '20', '-T', '30', server.url + target], { timeout: 60_000 });
    assert.match(stdout, new RegExp(`${n} succeeded, 0 failed, 0 errored, 0 timeout`));
  }
});

// The reply's status, and whether the connection was closed.
async function status(server, bytes, ms = 3000) {
  const got = await raw(server.url, bytes, { ms });
  return { code: Number(/^HTTP\/1\.1 (\d+)/.exec(got.text)?.[1] ?? 0), ...got };
}

test('malformed requests are refused and the connection is closed', async (t) => {
  const server = await start(t);
  const host = 'Host: h\r\n';
  for (const [what, bytes, code] of [
    ['two lengths', `POST /echo HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`, 400],
    ['length and chunked', `POST /echo HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['chunked not last', `POST /echo HTTP/1.1\r\n${host}Transfer-Encoding: chunked, gzip\r\n\r\n`, 501],
    ['folded', `GET /hello HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 400],
    ['space before colon', `GET /hello HTTP/1.1\r\n${host}X : a\r\n\r\n`, 400],
    ['bare LF', 'GET /hello HTTP/1.1\nHost: h\n\n', 400],
    ['bare CR', `GET /hello HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`, 400],
    ['no host', 'GET /hello HTTP/1.1\r\n\r\n', 400],
    ['two hosts', `GET /hello HTTP/1.1\r\n${host}${host}\r\n`, 400],
    ['a zero', `GET /hello HTTP/1.1\r\n${host}X: \0\r\n\r\n`, 400],
    ['TLS to a plain port', Buffer.from('1603010200010001fc0303', 'hex'), 400],
    ['HTTP/2 to a plain port', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 501],
    ['bad chunk', `POST /echo HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    ['chunk with a bare LF', `POST /echo HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n`, 400],
    ['a head of 20,000 bytes', `GET /hello HTTP/1.1\r\n${host}X: ${'a'.repeat(20_000)}`, 431],
    ['101 fields', `GET /hello HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(100)}\r\n`, 431],
  ]) {
    const got = await status(server, bytes);
    assert.equal(got.code, code, what);
    assert.ok(got.closed, `${what}: closed`);
    assert.match(got.text, /\r\nconnection: close\r\n/, what);
    assert.equal(got.text.match(/HTTP\/1\.1 /g).length, 1, `${what}: one reply`);
  }
  assert.equal((await server.get('/hello')).text, HELLO);
});

// What both accept, node's parser (llhttp) and ours must read alike: a character in any place of a request
// must not make two requests out of one, or another length. (llhttp refuses a little that RFC 9110 allows,
// such as a tab after a length.)
test('no request is read differently by a second implementation', async (t) => {
  const server = await start(t);
  const seen = [];
  const peer = http.createServer((req, res) => {
    const parts = [];
    req.on('data', (b) => parts.push(b));
    req.on('end', () => {
      seen.push(req.url);
      res.end(Buffer.concat(parts));
    });
  });
  // What comes after a good request is another matter: its reply shall still arrive.
  peer.on('clientError', (_, socket) => setTimeout(() => socket.destroy(), 50));
  await new Promise((r) => peer.listen(0, '127.0.0.1', r));
  t.after(() => (peer.closeAllConnections(), peer.close()));
  const peerUrl = `http://127.0.0.1:${peer.address().port}`;
  const bases = [
    'POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc',
    'POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ];
  const inserted = ['\r', '\n', ' ', '\t', '\0', ':', ',', '0', '\x0b', '\xff'];
  const inputs = bases.flatMap((b) =>
    Array.from({ length: b.length }, (_, at) => inserted.map((c) => b.slice(0, at) + c + b.slice(at))).flat(),
  );
  const bodies = (text) => text.split(/HTTP\/1\.1 /).slice(1).filter((r) => r.startsWith('200')).map((r) => r.slice(r.indexOf('\r\n\r\n') + 4));
  // Both get 2 s: an incomplete request has no answer.
  const ask = async (url, input) => (await raw(url, (s) => s.end(Buffer.from(input, 'latin1')), { ms: 2000 })).text;
  let accepted = 0;
  const alone = [];
  const plain = (text) => text.replace(/^[0-9a-f]+\r\n([^]*?)\r\n0\r\n\r\n$/, '$1'); // node chunks its replies
  async function check(input) {
    const [ours, theirs] = await Promise.all([ask(server.url, input), ask(peerUrl, input)]);
    const [got, other] = [bodies(ours), bodies(theirs).map(plain)];
    if (got.length && !other.length) alone.push(JSON.stringify(input));
    if (!got.length || !other.length) return;
    accepted++;
    assert.deepEqual(got, other, JSON.stringify(input));
  }
  for (let at = 0; at < inputs.length; at += 100) await Promise.all(inputs.slice(at, at + 100).map(check));
  t.diagnostic(`${accepted} of ${inputs.length} accepted by both, ${alone.length} by us alone: ${alone.join(' ').slice(0, 1000)}`);
  assert.ok(accepted > 50);
});

test('a request split at every byte, and requests sent ahead', async (t) => {
  const server = await start(t);
  const one = 'POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  const last = 'GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
  const all = one + last;
  await Promise.all(
    Array.from({ length: all.length - 1 }, (_, i) => i + 1).map(async (cut) => {
      const got = await raw(server.url, async (s) => {
        s.setNoDelay(true);
        s.write(all.slice(0, cut));
        await sleep(20);
        s.write(all.slice(cut));
      });
      assert.match(got.text, /hello[^]*0123456789$/, `cut at ${cut}`);
      assert.ok(got.closed);
    }),
  );
  const many = await raw(server.url, 'GET /later?ms=1 HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(500) + last, { ms: 20_000 });
  assert.equal(many.text.match(/\r\n\r\nlater/g).length, 500);
  assert.ok(many.text.endsWith(HELLO) && many.closed);
  // Large replies to a client that reads them late: the server stops listening, and loses nothing.
  const large = await raw(server.url, (s) => {
    s.pause();
    s.write('GET /file/seg.m4s HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(20) + last);
    setTimeout(() => s.resume(), 300);
  }, { ms: 20_000 });
  assert.equal(large.text.match(/HTTP\/1\.1 200/g).length, 21);
  assert.ok(large.bytes.length > 20 * 700_000 && large.closed);
});

test('100-continue', async (t) => {
  const server = await start(t);
  const got = await raw(server.url, (s) => {
    s.write('POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n');
    s.once('data', () => s.write('ok'));
  });
  assert.match(got.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*ok$/);
  const refused = await raw(server.url, 'POST /nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
  assert.match(refused.text, /^HTTP\/1\.1 404 /);
  assert.ok(refused.closed);
});

test('keep-alive: node reuses a connection, HTTP/1.0 only when it asks', async (t) => {
  const server = await start(t);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ports = new Set();
  for (let i = 0; i < 20; i++)
    await new Promise((resolve, reject) =>
      http.get(server.url + (i % 2 ? '/hello' : '/nothing'), { agent }, (res) => {
        ports.add(res.socket.localPort);
        res.resume().on('end', resolve);
      }).on('error', reject),
    );
  assert.equal(ports.size, 1);
  const old = await raw(server.url, 'GET /events?n=2&ms=1 HTTP/1.0\r\n\r\n');
  assert.ok(old.closed && /connection: close/.test(old.text) && old.text.endsWith('data: 1\n\ndata: 0\n\n'), old.text);
});

test('slow-loris and stopped readers are cut, however busy they look', async (t) => {
  const server = await start(t);
  const began = Date.now();
  const seconds = () => (Date.now() - began) / 1000;
  const loris = raw(server.url, (s) => {
    const head = 'GET /hello HTTP/1.1\r\nHost: h\r\nX: ';
    let at = 0;
    const timer = setInterval(() => s.write(head[at++] ?? 'x'), 100);
    s.on('close', () => clearInterval(timer));
  }, { ms: 20_000 });
  const stopped = raw(server.url, (s) => {
    s.pause();
    s.write('GET /big?n=50000000 HTTP/1.1\r\nHost: h\r\n\r\n');
    const timer = setInterval(() => s.write('GET /hello HTTP/1.1\r\nHost: h\r\n\r\n'), 500);
    setTimeout(() => (clearInterval(timer), s.resume()), 40_000);
  }, { ms: 60_000 });
  const cut = await loris;
  assert.ok(cut.closed && /^HTTP\/1\.1 408 /.test(cut.text), cut.text);
  assert.ok(seconds() < 15, `after ${seconds()} s`);
  await until('the stopped reader is closed', () => server.log.includes('http-slow'), 45_000);
  assert.ok(seconds() > 25, `after ${seconds()} s`);
  assert.equal((await server.get('/hello')).text, HELLO);
  const got = await stopped;
  assert.ok(got.closed && got.bytes.length < 50_000_000);
});

test('a thousand idle connections disturb nobody', async (t) => {
  const server = await start(t);
  const before = Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${server.child.pid}/status`))[1]);
  const sockets = [];
  const { hostname, port } = new URL(server.url);
  for (let i = 0; i < 1000; i++) {
    const s = net.connect({ host: hostname, port });
    sockets.push(s);
    if (i % 100 === 99) await new Promise((r) => s.once('connect', r));
  }
  t.after(() => sockets.forEach((s) => s.destroy()));
  await until('all are there', async () => /bspnode_connections\{protocol="http"\} 100\d/.test((await server.get('/metrics')).text));
  const after = Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${server.child.pid}/status`))[1]);
  t.diagnostic(`${((after - before) / 1000).toFixed(1)} KB each in this build`);
  assert.equal((await server.get('/hello')).text, HELLO);
});

test('clients that go away are told to their handlers', async (t) => {
  const server = await start(t);
  const gone = async () => Number((await server.get('/gone')).text);
  await raw(server.url, 'GET /later?ms=60000 HTTP/1.1\r\nHost: h\r\n\r\n', { ms: 200 });
  await raw(server.url, 'GET /events?n=60000 HTTP/1.1\r\nHost: h\r\n\r\n', { ms: 200 });
  await until('both', async () => (await gone()) === 2, 5000);
  // One that never reads: the stream's bound closes it.
  const { hostname, port } = new URL(server.url);
  const s = net.connect({ host: hostname, port });
  s.pause();
  s.write('GET /flood HTTP/1.1\r\nHost: h\r\n\r\n');
  await until('the flood', async () => (await gone()) === 3, 20_000);
  s.destroy();
});

test('HTTP/2 clients that go away, or never read', async (t) => {
  const server = await start(t, { tls: true });
  const gone = async () => Number((await server.get('/gone')).text);
  await assert.rejects(curl(server, '--http2', '-m', '1', '/later?ms=60000'));
  await assert.rejects(curl(server, '--http2', '-m', '1', '/events?n=60000'));
  await until('both', async () => (await gone()) === 2, 5000);
  const slow = spawn('curl', ['-sk', '--http2', '--limit-rate', '1000', '-o', '/dev/null', `${server.url}/flood`]);
  t.after(() => slow.kill());
  await until('the flood', async () => (await gone()) === 3, 20_000);
});

test('a body that its handler does not take stays with the client', async (t) => {
  const server = await start(t);
  const get = async (target) => Number(await (await fetch(server.url + target)).text());
  const { hostname, port } = new URL(server.url);
  const client = net.connect(Number(port), hostname);
  client.on('error', () => {});
  const size = 200 << 20; // more than the kernel's buffers take
  client.write(`PUT /take?hold=1 HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n`);
  for (let i = 0; i < 200; i++) client.write(Buffer.alloc(1 << 20));
  await until('some of it is taken', async () => (await get('/taken')) > 0);
  assert.ok((await get('/taken')) <= 65536, 'one piece');
  assert.ok(client.writableLength > 100 << 20, `${client.writableLength} bytes have not left the client`);
  client.destroy();
  assert.equal(await (await fetch(`${server.url}/release`)).text(), 'released');
  await until('its end is told when more is wanted', async () => (await get('/gone')) === 1);
  // A broken body, too.
  const broken = await status(server, `PUT /take HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n`);
  assert.equal(broken.code, 400);
  await until('it is told', async () => (await get('/gone')) === 2);
});

test('drain: running replies finish, streams end, idle connections close', async (t) => {
  const server = await start(t);
  const idle = raw(server.url, 'GET /hello HTTP/1.1\r\nHost: h\r\n\r\n', { ms: 10_000 });
  const later = raw(server.url, 'GET /later?ms=800 HTTP/1.1\r\nHost: h\r\n\r\n', { ms: 10_000 });
  const events = raw(server.url, 'GET /events?n=1000&ms=100 HTTP/1.1\r\nHost: h\r\n\r\n', { ms: 10_000 });
  await sleep(300);
  assert.match(await server.stop(), /drained left=0/);
  assert.ok((await idle).closed);
  assert.match((await later).text, /connection: close\r\n[^]*later$/);
  assert.match((await events).text, /0\r\n\r\n$/, 'the stream has its end');
});

test('trust-proxy believes the last of X-Forwarded-For', async (t) => {
  const server = await start(t, { args: ['--trust-proxy'] });
  const headers = { 'X-Forwarded-For': '203.0.113.9, 198.51.100.7', 'X-Forwarded-Proto': 'https', Host: 'live.example' };
  assert.equal((await server.get('/params/a/x-b.bin', { headers })).text, 'a|b|||198.51.100.7|https://live.example');
  const forged = { 'X-Forwarded-For': '<script>', Host: 'h' };
  assert.match((await server.get('/params/a/x-b.bin', { headers: forged })).text, /\|127\.0\.0\.1\|http:\/\/h$/);
});
