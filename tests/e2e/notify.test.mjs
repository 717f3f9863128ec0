// SPDX-License-Identifier: MIT
// What is sent to people who are elsewhere: mail by a real SMTP server, push messages to a receiver of the test's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { mailbox } from './lib/mailbox.mjs';
import { run, startServer, tempDir, until } from './lib/server.mjs';

// Rows from outside, as a change would write them.
const sql = (server, text) => execFileSync('sqlite3', ['-cmd', '.timeout 20000', path.join(server.dataDir, 'bspnode.db'), text], { encoding: 'utf8' }).trim();

const queue = (server, to, { subject = 'Hello', name = '', urgency = 0, lasts = 3600 } = {}) =>
  sql(server, `INSERT INTO mails (id, urgency, to_name, to_address, subject, body, next_at, expires_at, created_at)
    VALUES (lower(hex(randomblob(8))), ${urgency}, '${name}', '${to}', '${subject}', 'Ciao, ${to}' || char(10) || '.' || char(10), 0,
    (unixepoch() + ${lasts}) * 1000000, unixepoch() * 1000000)`);

test('bspnode mail test says what the mail server says', async (t) => {
  const [open, strict] = await Promise.all([mailbox(t), mailbox(t, { tls: true, user: 'live', password: 'päss word' })]);
  const send = (box, ...more) => run(['mail', 'test', 'ada@example.org', ...box.args, ...more]);
  assert.equal((await send(open)).code, 0);
  const mail = await open.wait('ada@example.org', 'works');
  assert.equal(mail.header('From'), 'The platform <live@example.org>');
  assert.equal(mail.from, 'live@example.org');
  assert.match(mail.header('Message-ID'), /^<\w+@example\.org>$/);
  // TLS is required unless it is said otherwise; a certificate nobody vouches for is none.
  const clear = await run(['mail', 'test', 'ada@example.org', '--smtp-url', open.url, '--smtp-from', 'a@example.org']);
  assert.equal(clear.code, 1, clear.stdout);
  assert.equal((await send(strict)).code, 0);
  assert.deepEqual((({ tls, user }) => ({ tls, user }))(await strict.wait('ada@example.org')), { tls: true, user: 'live' });
  const stranger = await run(['mail', 'test', 'ada@example.org', '--smtp-url', strict.url, '--smtp-from', 'a@example.org']);
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /certificate/i);
  const wrong = await send(strict, '--smtp-password', 'guess');
  assert.equal(wrong.code, 1);
  await open.say('550 5.1.1 No such mailbox');
  const refused = await send(open);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /550/);
  for (const [bad, ...args] of [['no server'], ['usage', '--smtp-from', 'x'], ['not an address', 'a b@example.org', ...open.args], ['injected', 'a@b.c\r\nDATA', ...open.args],
    ['no sender', 'a@b.c', '--smtp-url', open.url], ['sender', 'a@b.c', ...open.args, '--smtp-from', 'a@b.c\r\nBcc: x@y.z'],
    ['scheme', 'a@b.c', ...open.args, '--smtp-url', 'http://127.0.0.1'], ['password in it', 'a@b.c', ...open.args, '--smtp-url', 'smtp://a:b@127.0.0.1']]) {
    const { code, stderr } = await run(['mail', 'test', ...args]);
    assert.ok(code === 1 || code === 2, `${bad}: ${code}`);
    assert.match(stderr, /^bspnode: /, bad);
  }
  assert.equal(open.mails.length, 1);
  const server = await run(['serve', '--data', tempDir(t), '--http', '127.0.0.1:0', '--rtmp', '', '--webrtc', '', '--smtp-url', 'smtp://127.0.0.1:1', '--smtp-from', 'nobody']);
  assert.equal(server.code, 1);
  assert.match(server.stderr, /smtp-from/);
});

test('what waits goes out: after a kill, when the mail server comes back, and refusals end', async (t) => {
  const first = await mailbox(t);
  await first.close();
  const dataDir = tempDir(t);
  let server = await startServer(t, { dataDir, args: first.args });
  queue(server, 'ada@example.org', { subject: 'Grüße 🎉 of a length that a line of a mail cannot hold, and some more', name: 'Ada "X" Lövelace' });
  queue(server, 'late@example.org', { lasts: -5 });
  await until('the mail server was asked for', () => server.log.includes('no mail goes out'));
  await server.kill();
  const box = await mailbox(t, { port: first.port });
  server = await startServer(t, { dataDir, args: first.args });
  const mail = await box.wait('ada@example.org');
  assert.equal(mail.subject, 'Grüße 🎉 of a length that a line of a mail cannot hold, and some more');
  assert.equal(mail.header('To'), '"Ada \\"X\\" Lövelace" <ada@example.org>');
  assert.equal(mail.text, 'Ciao, ada@example.org\n.\n');

  // Put off, then taken; refused, then not tried again; meanwhile nobody else waits.
  await box.say('451 4.7.1 Greylisted', { at: 'rcpt' });
  queue(server, 'grey@example.org');
  await until('it was put off', () => box.said === 1);
  await box.say('550 5.1.1 No such mailbox', { at: 'data' });
  queue(server, 'gone@example.org');
  await until('it was refused', () => box.said === 2);
  for (let i = 0; i < 3; i++) queue(server, `b${i}@example.org`, { urgency: 1 });
  for (const who of ['grey', 'b0', 'b1', 'b2']) await box.wait(`${who}@example.org`);
  await until('nothing is kept', () => sql(server, 'SELECT count(*) FROM mails') === '0');
  assert.equal(box.to('gone@example.org').length + box.to('late@example.org').length, 0);
  assert.equal(box.mails.length, 5, 'each once');
  assert.ok(!server.log.includes('@example.org'), 'nobody is named in the log');
});
