// SPDX-License-Identifier: MIT
// A real SMTP server (aiosmtpd) on loopback, and what it has taken.
//
//   const box = await mailbox(t);
//   const server = await startServer(t, { args: box.args });
//   const mail = await box.wait('ada@example.org', 'Confirm');   by recipient and words of the subject
//   mail.text, mail.subject, mail.header('List-Unsubscribe'), mail.link('/confirm')
//
// Options: port (that one, of a server that has gone), tls and user/password (both required then). The server's
// origin is in the mails' links, since no public URL is set.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { certificate, root, until } from './server.mjs';

const script = path.join(root, 'tests/e2e/peers/mailbox.py');

class Mail {
  constructor(fields) {
    Object.assign(this, fields);
    assert.deepEqual(this.defects, [], 'a mail without defects');
  }

  header(name) {
    return this.headers.find(([k]) => k.toLowerCase() === name.toLowerCase())?.[1];
  }

  // The first address in the text that holds this.
  link(part = '') {
    return this.text.match(/https?:\/\/\S+/g)?.find((url) => url.includes(part));
  }
}

export async function mailbox(t, { port, tls = false, user, password } = {}) {
  const pair = tls ? certificate(t) : undefined;
  const child = spawn('/usr/bin/python3', [script, JSON.stringify({ port, user, password, cert: pair?.cert, key: pair?.key })],
    { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => child.once('close', resolve));
  const box = { mails: [], said: 0, told: 0, log: '' };
  let rest = '';
  child.stderr.on('data', (b) => (box.log += b));
  child.stdout.on('data', (b) => {
    const lines = (rest + b).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const it = JSON.parse(line);
      if (it.port) box.port = it.port;
      if (it.mail) box.mails.push(new Mail(it.mail));
      if (it.said) box.said++;
      if (it.told) box.told++;
    }
  });
  box.close = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  t?.after(box.close);
  await until('the mail server listens', () => {
    if (child.exitCode !== null) throw new Error(box.log);
    return box.port;
  });
  box.url = `smtp://127.0.0.1:${box.port}`;
  box.args = ['--smtp-url', box.url, '--smtp-from', 'The platform <live@example.org>',
    ...(tls ? ['--smtp-ca', pair.cert] : ['--smtp-tls', 'none']), ...(user ? ['--smtp-user', user, '--smtp-password', password] : [])];
  // How the next messages are answered: box.say('451 later', { times: 2, at: 'rcpt' }); also at 'mail', 'data'.
  box.say = async (say, { times = 1, at = 'rcpt' } = {}) => {
    const before = box.told;
    child.stdin.write(`${JSON.stringify({ say, times, at })}\n`);
    await until('the mail server knows', () => box.told > before);
  };
  const match = (to, words) => box.mails.filter((m) => m.to.includes(to) && m.subject.includes(words));
  box.to = (to, words = '') => match(to, words);
  // The newest of at least `n` mails.
  box.wait = (to, words = '', n = 1) => until(`${n} mails to ${to} "${words}"`, () => {
    const found = match(to, words);
    return found.length >= n && found.at(-1);
  }).catch((e) => {
    throw new Error(`${e.message}; there is ${JSON.stringify(box.mails.map((m) => [m.to, m.subject]))}`);
  });
  return box;
}
