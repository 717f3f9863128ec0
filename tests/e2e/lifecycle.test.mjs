// SPDX-License-Identifier: MIT
// The program from outside: start, settings, the data folder's lock, drain, the other subcommands.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Client, newUser, password, publishUrl } from './lib/api.mjs';
import { hlsUrl, load, open } from './lib/hls.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { ffprobe } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { run, startServer, tempDir, until } from './lib/server.mjs';

const LOOPBACK = ['--http', '127.0.0.1:0', '--rtmp', '127.0.0.1:0', '--webrtc', '127.0.0.1:0'];

test('port 0 gets free ports, and the ready line names them', async (t) => {
  const [a, b] = await Promise.all([startServer(t), startServer(t)]);
  const ports = [a.http, a.rtmp, b.http, b.rtmp].map((u) => new URL(u).port);
  assert.equal(new Set(ports).size, 4, ports.join());
  assert.ok(!ports.includes('0') && !ports.includes(''));
  assert.equal(a.stdout.trim().split('\n').length, 1, 'one line on standard output');
});

test('healthz, readyz and metrics answer', async (t) => {
  const server = await startServer(t);
  assert.equal((await server.get('/healthz')).status, 200);
  assert.equal((await server.get('/readyz')).status, 200);
  const metrics = await server.get('/metrics');
  assert.equal(metrics.status, 200);
  assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  for (const line of metrics.text.trim().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) [a-z_:0-9]+ .*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? [-+0-9.eInfNa]+)$/);
});

test('a second start on the same data folder says that it is in use', async (t) => {
  const server = await startServer(t);
  const second = await run(['serve', '--data', server.dataDir, ...LOOPBACK]);
  assert.notEqual(second.code, 0);
  assert.match(second.stderr, /in use/i);
  assert.equal(second.stdout, '');
  assert.equal((await server.get('/readyz')).status, 200, 'the first is not disturbed');
});

test('a port that is taken is an error that names it', async (t) => {
  const server = await startServer(t);
  const taken = new URL(server.http).host;
  const second = await run(['serve', '--data', tempDir(t), ...LOOPBACK, '--http', taken]);
  assert.notEqual(second.code, 0);
  assert.ok(second.stderr.includes(new URL(server.http).port), second.stderr);
  assert.doesNotMatch(second.stderr, /Sanitizer/);
});

test('settings: bad ones are errors that name them', async (t) => {
  const data = tempDir(t);
  const file = path.join(data, 'conf');
  const cases = [
    [['--no-such-setting', '1'], {}, /no-such-setting/],
    [['--http', 'nonsense'], {}, /http.*nonsense|nonsense.*http/s],
    [['--http', '127.0.0.1:99999'], {}, /http/],
    [['--reconnect-window', '5 parsecs'], {}, /reconnect-window/],
    [['--hls-part-ms', '1'], {}, /hls-part-ms/],
    [[], { BSPNODE_MAX_UPLOAD_SIZE: 'huge' }, /BSPNODE_MAX_UPLOAD_SIZE|max-upload-size/],
    [[], { BSPNODE_NO_SUCH: '1' }, /BSPNODE_NO_SUCH|no-such/],
    [['--config', file], {}, /cofnig|colour|line 2/i],
    [['--config', path.join(data, 'absent')], {}, /absent/],
    [['--log-level', 'loud'], {}, /log-level.*debug/],
    [['--tls-cert', path.join(data, 'absent.pem')], {}, /tls/],
  ];
  fs.writeFileSync(file, '# a remark\ncolour = blue\n');
  for (const [args, env, expected] of cases) {
    const got = await run(['serve', '--data', path.join(data, 'd'), ...LOOPBACK, ...args], { env });
    assert.notEqual(got.code, 0, `${args} ${JSON.stringify(env)}`);
    assert.equal(got.signal, null, got.stderr);
    assert.match(got.stderr, expected);
  }
});

test('settings: flag beats environment beats file', async (t) => {
  const data = tempDir(t);
  const file = path.join(data, 'conf');
  fs.writeFileSync(file, 'registration = false\nlog-format = json\n');
  const closed = await startServer(t, { args: ['--config', file] });
  const refused = await new Client(closed).call('POST', '/api/auth/register', { name: 'A', email: 'a@example.org', password });
  assert.equal(refused.status, 403, refused.text);
  assert.doesNotThrow(() => JSON.parse(closed.log.trim().split('\n')[0]), 'log-format = json');
  const open = await startServer(t, { args: ['--config', file, '--registration', 'true'], env: { BSPNODE_LOG_FORMAT: 'text' } });
  await newUser(open);
  assert.throws(() => JSON.parse(open.log.trim().split('\n')[0]), 'the environment beats the file');
});

test('SIGTERM in the middle of a stream: recordings are closed, the exit is clean', async (t) => {
  const dataDir = tempDir(t);
  const server = await startServer(t, { dataDir });
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const publisher = await publishFfmpeg(t, publishUrl(server, stream));
  await ada.untilLive(stream.id);
  const { video } = await open(hlsUrl(server, stream.playback.playbackId));
  await until('a segment', async () => parseMedia(await load(video)).segments.length >= 1);
  const began = Date.now();
  await server.stop();
  assert.ok(Date.now() - began < 15_000, 'within the drain time');
  await publisher.exited;
  const again = await startServer(t, { dataDir });
  ada.server = again;
  const ended = await ada.untilReady(stream.id, 5000);
  await ffprobe(new URL(new URL(ended.recordingUrl, again.http).pathname, again.http).href);
});

test('SIGTERM with idle connections and an event stream open ends soon', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const events = await ada.events(stream.id);
  const began = Date.now();
  await server.stop();
  assert.ok(Date.now() - began < 12_000);
  await until('the event stream has ended', () => events.closed);
});

test('version, help, doctor, and an unknown command', async (t) => {
  const version = await run(['version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^bspnode \d+\.\d+\.\d+/);
  const help = await run(['serve', '--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--reconnect-window/);
  const unknown = await run(['dance']);
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /dance/);
  const doctor = await run(['doctor', '--data', tempDir(t), ...LOOPBACK]);
  assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
  assert.match(doctor.stdout, /disk/i);
});

test('user add makes an account that can log in', async (t) => {
  const dataDir = tempDir(t);
  const added = await run(['user', 'add', 'grace@example.org', '--name', 'Grace', '--data', dataDir], { input: `${password}\n` });
  assert.equal(added.code, 0, added.stderr);
  const twice = await run(['user', 'add', 'grace@example.org', '--name', 'Grace', '--data', dataDir], { input: `${password}\n` });
  assert.notEqual(twice.code, 0, 'the address is taken');
  const weak = await run(['user', 'add', 'weak@example.org', '--data', dataDir], { input: '123\n' });
  assert.notEqual(weak.code, 0, 'a weak password');
  const server = await startServer(t, { dataDir });
  const grace = new Client(server);
  const { user } = await grace.expect(200, 'POST', '/api/auth/login', { email: 'grace@example.org', password });
  assert.equal(user.name, 'Grace');
});

test('HTTPS and RTMPS, when given a certificate', async (t) => {
  const server = await startServer(t, { tls: true });
  assert.match(server.http, /^https:/);
  assert.match(server.rtmps, /^rtmps:/);
  const ada = await newUser(server);
  assert.match(ada.cookie, /./);
  const stream = await ada.createStream();
  await publishFfmpeg(t, `${server.rtmps}/live/${stream.ingest.streamKey}`);
  await ada.untilLive(stream.id);
  const { video } = await open(hlsUrl(server, stream.playback.playbackId), { ca: server.ca });
  assert.ok(parseMedia(await load(video, { ca: server.ca })).target);
});

test('another program beside the server leaves the server\'s journal alone', async (t) => {
  const server = await startServer(t);
  const ada = await newUser(server);
  const stream = await ada.createStream();
  for (const email of ['one@example.org', 'two@example.org']) {
    const added = await run(['user', 'add', email, '--data', server.dataDir], { input: `${password}\n` });
    assert.equal(added.code, 0, added.stderr);
  }
  assert.ok(fs.existsSync(path.join(server.dataDir, 'bspnode.db-wal')), 'the journal is still there');
  const one = new Client(server);
  await one.expect(200, 'POST', '/api/auth/login', { email: 'one@example.org', password });
  assert.equal((await ada.stream(stream.id)).title, 'A test');
});
