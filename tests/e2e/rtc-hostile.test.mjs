// SPDX-License-Identifier: MIT
// What WebRTC's ports and addresses must bear from strangers, while others publish and watch.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { request } from './lib/http.mjs';
import { pionPublish, pionWatch } from './lib/pion.mjs';
import { check, clientHello, frame, isDtls, isSuccess, offer, post, SDP, tcp, udp } from './lib/raw_rtc.mjs';
import { run, startServer, tempDir, until } from './lib/server.mjs';

async function begin(t, options) {
  const server = await startServer(t, options);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  return { server, ada, stream, whip: `${server.http}/whip/${stream.ingest.streamKey}`, whep: `${server.http}/whep/${stream.playback.playbackId}` };
}

// So that the answer to something that must be ignored would have come: a check is answered after it.
async function answered(line, session) {
  await line.send(check(session));
  await line.next(isSuccess);
}

test('offers that are none', async (t) => {
  const { whip } = await begin(t);
  const cases = [
    [offer({ fingerprint: '' }), 400],
    [offer({ setup: 'passive' }), 400],
    [offer({ setup: '' }), 400],
    [offer({ fingerprint: 'AB:CD' }), 422],
    [offer().replace(/sha-256 /g, 'md5 '), 422],
    [offer().replace('BUNDLE 0 1', 'BUNDLE 0'), 400],
    [offer().replace(/a=rtcp-mux\r\n/g, ''), 400],
    [offer({ receive: true }), 400],
    [offer() + offer().slice(offer().indexOf('m=video')), 400],
    [offer({ extra: Array.from({ length: 5000 }, (_, i) => `m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:x${i}`).join('\r\n') }), 413],
    [offer({ extra: Array.from({ length: 1500 }, () => 'm=video 9 UDP/TLS/RTP/SAVPF 96').join('\r\n') }), 400],
    [`${offer()}a=x:${'y'.repeat(10 << 20)}\r\n`, 413],
  ];
  for (const [body, status] of cases) {
    const answer = await post(whip, body).catch((e) => ({ status: e.code })); // 10 MB: it may be closed before it is sent
    assert.ok(answer.status === status || (status === 413 && /EPIPE|ECONNRESET/.test(answer.status)), `${answer.status} for ${body.slice(0, 1000)}`);
    if (answer.text) assert.ok(JSON.parse(answer.text).error.message.length > 10, answer.text);
  }
  const made = await post(whip, offer({ setup: 'active' }), { 'Content-Type': 'application/sdp; charset=utf-8' });
  assert.equal(made.status, 201, made.text);
  assert.equal((await request(made.session, { method: 'DELETE' })).status, 200);
});

test('only an authentic check opens the door, and only for where it came from', async (t) => {
  const { server, whip } = await begin(t);
  const session = await post(whip);
  assert.equal(session.status, 201, session.text);
  const [own, other] = [await udp(t, server.webrtcPort), await udp(t, server.webrtcPort)];
  await own.send(clientHello()); // before any check
  await own.send(check({ ...session, pwd: 'x'.repeat(24) }));
  await own.send(check({ ...session, ufrag: session.ufrag.replace(/.$/, (c) => (c === 'a' ? 'b' : 'a')) }));
  await own.send(check({ ...session, ufrag: `ff${session.ufrag.slice(2)}` }));
  await own.send(check(session, { theirs: 'liar' }));
  await own.send(check(session).subarray(0, 40));
  const forged = check(session);
  forged[forged.length - 1] ^= 1;
  await own.send(forged);
  for (let i = 0; i < 50; i++) await own.send(Buffer.from(Array.from({ length: 1 + ((i * 37) % 300) }, (_, k) => (i * 7 + k * 13) & 255)));
  await answered(own, session);
  assert.deepEqual(own.got, [], 'nothing else was answered');
  // Another address may not go on with the handshake, nor end it, whatever it says it is.
  await other.send(clientHello());
  await other.send(Buffer.from('15fefd0000000000000000000202 28'.replace(' ', ''), 'hex')); // a fatal alert
  await other.send(Buffer.concat([Buffer.from('800060010000000000000001', 'hex'), Buffer.alloc(100)]));
  await own.send(clientHello());
  await own.next(isDtls);
  assert.deepEqual(other.got, []);
  // Deleted in the middle of the handshake; what still comes is for nobody.
  assert.equal((await request(session.session, { method: 'DELETE' })).status, 200);
  await own.send(clientHello(30));
  await own.send(check(session));
  const again = await post(whip);
  assert.equal(again.status, 201, 'the key is free at once');
  own.got.length = 0;
  await answered(own, again);
  assert.deepEqual(own.got.filter((b) => isSuccess(b)), []);
});

test('on every address: answers leave from the one that was asked; what is announced is what was said', async (t) => {
  const { server, whip } = await begin(t, { args: ['--webrtc', ':0', '--public-ip', '203.0.113.7, 2001:db8::7,203.0.113.7'] });
  const session = await post(whip);
  const candidates = [...session.text.matchAll(/^a=candidate:\d+ 1 (udp|tcp) (\d+) (\S+) (\d+) typ host/gm)];
  assert.deepEqual(candidates.map((c) => `${c[1]} ${c[3]} ${c[4]}`),
    ['udp', 'tcp'].flatMap((by) => ['203.0.113.7', '2001:db8::7'].map((ip) => `${by} ${ip} ${server.webrtcPort}`)));
  const priorities = candidates.map((c) => Number(c[2]));
  assert.deepEqual(priorities, [...priorities].sort((a, b) => b - a));
  for (const address of ['127.0.0.1', '127.0.0.2', '::1']) {
    await answered(await udp(t, server.webrtcPort, address), session);
    const line = await tcp(t, server.webrtcPort, address);
    line.write(frame(check(session)));
    await until(`TCP answers at ${address}`, () => line.got.some(isSuccess));
  }
  const taken = await run(['serve', '--data', tempDir(t), '--http', '127.0.0.1:0', '--rtmp', '127.0.0.1:0', '--webrtc', `:${server.webrtcPort}`]);
  assert.ok(taken.code === 1 && /in use/.test(taken.stderr), taken.stderr);
  for (const [flag, value, says] of [['--public-ip', '203.0.113.7,here', /'here' is no IP address/], ['--ice-servers', 'http://x', /not a stun: or turn: URL/], ['--ice-servers', 'turn:x', /needs --turn-secret/]]) {
    const wrong = await run(['serve', '--data', tempDir(t), '--http', '127.0.0.1:0', '--rtmp', '127.0.0.1:0', '--webrtc', ':0', flag, value]);
    assert.ok(wrong.code === 1 && says.test(wrong.stderr), wrong.stderr);
  }
});

test('TCP that says nothing, nonsense, too much, or half of it', async (t) => {
  const { server, whip } = await begin(t, { args: ['--log-level', 'debug'] });
  const session = await post(whip);
  const lines = {
    silent: Buffer.alloc(0),
    half: frame(check(session)).subarray(0, 30),
    long: Buffer.from([255, 255, 1]),
    http: Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    nobody: frame(check({ ufrag: '00nobody', pwd: session.pwd })),
    media: frame(Buffer.concat([Buffer.from('8000600100', 'hex'), Buffer.alloc(50)])),
    forged: frame(check({ ...session, pwd: 'x'.repeat(24) })),
  };
  const open = {};
  for (const [name, bytes] of Object.entries(lines)) {
    open[name] = await tcp(t, server.webrtcPort);
    open[name].write(bytes);
  }
  const good = await tcp(t, server.webrtcPort);
  for (const byte of Buffer.concat([frame(Buffer.alloc(0)), frame(check(session))])) {
    good.write(Buffer.from([byte])); // one at a time
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until('the good one is answered', () => good.got.some(isSuccess));
  good.write(frame(clientHello()));
  await until('and shakes hands', () => good.got.some(isDtls));
  good.write(Buffer.concat([frame(check(session)), frame(check(session))])); // two in one
  await until('both are answered', () => good.got.filter(isSuccess).length === 3);
  await until('the others are closed', () => Object.values(open).every((line) => line.closed), 20_000);
  for (const [name, line] of Object.entries(open)) assert.deepEqual(line.got, [], name);
  assert.equal(good.closed, false);
  assert.equal((await request(session.session, { method: 'DELETE' })).status, 200);
  await until('it ends with its session', () => good.closed);
});

const rss = (server) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]);

// So many POSTs, ten at a time on connections that stay; how often each status came.
async function flood(url, n, address) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
  const body = offer({ receive: true });
  const seen = {};
  let left = n;
  const one = () => new Promise((resolve, reject) => {
    const req = http.request(url, { agent, method: 'POST', headers: { ...SDP, 'X-Forwarded-For': address(left), 'Content-Length': body.length } }, (res) => {
      seen[res.statusCode] = (seen[res.statusCode] ?? 0) + 1;
      if (res.statusCode >= 429) assert.ok(Number(res.headers['retry-after']) >= 1);
      res.resume().on('end', resolve);
    });
    req.on('error', reject);
    req.end(body);
  });
  await Promise.all(Array.from({ length: 10 }, async () => {
    while (left-- > 0) await one();
  }));
  agent.destroy();
  return seen;
}

test('10,000 POSTs without ICE, and those who watch notice nothing', async (t) => {
  const { server, whip, whep } = await begin(t, { args: ['--trust-proxy', 'true', '--loops', '2'],
    env: { ASAN_OPTIONS: 'exitcode=99:quarantine_size_mb=8' } }); // freed memory is not to be mistaken for growth
  await (await pionPublish(t, whip)).connected();
  const viewer = await (await pionWatch(t, whep)).connected();
  await viewer.untilWatching(50);
  // One address: it gets what an address gets, then is told to wait.
  const alone = await flood(whep, 2000, () => '192.0.2.1');
  assert.ok(alone[201] >= 100 && alone[201] < 1000 && alone[429] > 100, JSON.stringify(alone));
  const neighbour = await (await pionWatch(t, whep)).connected();
  // Every one from another address: as many as the server takes, the silent ones making room.
  const first = await flood(whep, 4000, (i) => `198.51.${i >> 8}.${i & 255}`);
  await flood(whep, 4000, (i) => `100.64.${i >> 8}.${i & 255}`);
  const before = rss(server);
  const second = await flood(whep, 4000, (i) => `203.0.${i >> 8}.${i & 255}`);
  const grown = rss(server) - before;
  assert.ok(first[201] >= 500 && first[503] > 0, JSON.stringify(first));
  t.diagnostic(JSON.stringify({ alone, first, second, grownKiB: grown }));
  assert.ok(grown < 64 << 10, `memory grew by ${grown} KiB`);
  const late = await until('a newcomer gets in', async () => {
    const it = await pionWatch(t, whep);
    return (await it.line('status')).status === 201 && it;
  });
  for (const it of [viewer, neighbour, late]) await it.untilWatching(50);
});

test('session addresses cannot be guessed, and PATCH keeps to RFC 9725', async (t) => {
  const { server, whip, whep } = await begin(t);
  const session = await post(whip);
  assert.match(session.headers.location, /^\/rtc\/[0-9a-z]{24}$/i);
  const id = session.headers.location.slice(5);
  for (const guess of [`${id.slice(0, -1)}${id.endsWith('a') ? 'b' : 'a'}`, id.slice(0, 8), id.toUpperCase() === id ? id.toLowerCase() : id.toUpperCase(), `${id}a`])
    assert.equal((await request(`${server.http}/rtc/${guess}`, { method: 'DELETE' })).status, 404);
  const patch = (body, headers = {}, url = session.session) => request(url, { method: 'PATCH', headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', ...headers, 'Content-Length': Buffer.byteLength(body) }, body });
  const trickle = ['a=ice-ufrag:peer', 'a=ice-pwd:passwordpasswordpassword', 'm=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0',
    'a=candidate:1 1 udp 2130706431 4f1b3a7c-1111-4222-8333-123456789abc.local 5000 typ host', 'a=candidate:2 1 sctp 5 192.0.2.1 9 typ host', 'a=candidate:nonsense', 'a=end-of-candidates', ''].join('\r\n');
  const restart = trickle.replace('peer', 'next').replace(/password/g, 'drowssap');
  const tag = { 'If-Match': session.etag };
  assert.equal((await patch(trickle, tag)).status, 204);
  assert.equal((await patch(trickle + Array.from({ length: 200 }, (_, i) => `a=candidate:${i} 1 udp 5 192.0.2.1 ${i + 1} typ host\r\n`).join(''), tag)).status, 204);
  assert.equal((await patch(trickle)).status, 428);
  assert.equal((await patch(restart)).status, 428);
  assert.equal((await patch(trickle, { 'If-Match': '"other"' })).status, 412);
  assert.equal((await patch('hello', tag)).status, 400);
  assert.equal((await patch(trickle.replace('a=ice-pwd:passwordpasswordpassword', 'a=x'), tag)).status, 400);
  const wrong = await patch(trickle, { ...tag, 'Content-Type': 'application/sdp' });
  assert.equal(wrong.status, 415);
  assert.equal(wrong.headers['accept-patch'], 'application/trickle-ice-sdpfrag');
  let etag = session.etag;
  for (const match of [session.etag, '*', '"*"']) {
    const answer = await patch(restart.replace('next', `next${match.length}`), { 'If-Match': match });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['content-type'], /trickle-ice-sdpfrag/);
    assert.match(answer.text, /a=ice-ufrag:\S{8}\r\na=ice-pwd:\S{24}\r\nm=video 9 .*\r\na=mid:0\r\na=candidate:/);
    assert.notEqual(answer.headers.etag, etag);
    assert.equal((await patch(trickle, { 'If-Match': etag })).status, 412);
    etag = answer.headers.etag;
    assert.equal((await patch(restart.replace('next', `next${match.length}`), { 'If-Match': etag })).status, 204, 'its own trickle');
  }
  // None of these restarts came to anything: the session goes on with what it had.
  const line = await udp(t, server.webrtcPort);
  await answered(line, session);
  const head = await request(whep, { method: 'HEAD' });
  assert.ok(head.status === 200 && head.headers['content-type'] === 'application/sdp');
  const gone = await request(session.session, { method: 'DELETE', headers: { 'If-Match': '"other"' } });
  assert.equal(gone.status, 200);
  assert.equal((await patch(trickle, tag)).status, 404);
});

test('the same key again: a silent one gives way, one that sends does not', async (t) => {
  const { server, ada, stream, whip, whep } = await begin(t);
  const old = await (await pionPublish(t, whip)).connected();
  await ada.untilLive(stream.id);
  const refused = await post(whip);
  assert.equal(refused.status, 409, 'while it sends');
  assert.ok(Number(refused.headers['retry-after']) > 0);
  const viewer = await (await pionWatch(t, whep)).connected();
  old.child.kill('SIGSTOP'); // its machine sleeps, or its network is gone
  let next;
  await until('the newcomer is taken', async () => {
    next = await pionPublish(t, whip);
    return (await next.line('status')).status === 201;
  }, 20_000, 500);
  await next.connected();
  assert.equal((await request(old.has('session').session, { method: 'DELETE' })).status, 404, 'the ghost is gone');
  await viewer.untilWatching(100);
  assert.equal((await ada.stream(stream.id)).status, 'LIVE');
  old.child.kill('SIGCONT');
  // By DELETE the key is free at once.
  assert.equal(await next.close(), 200);
  await (await pionPublish(t, whip)).connected();
  assert.doesNotMatch(server.log, /level=error/);
});
