// SPDX-License-Identifier: MIT
// A room with many readers: each message reaches all of them as a server-sent event. Beside it nginx with nchan,
// which does nothing else: no account, no database, no rate limit.
import path from 'node:path';
import { cost, freePort, makeStream, ratio, root, sleep, start, startBspnode, startNginx, table } from '../lib.mjs';

export const title = 'A room: server-sent events to 5,000 readers, one core';
const READERS = 5000;
const MESSAGES = 40;
const EVERY_MS = 500;

async function load(port, target) {
  const child = start('node', [path.join(root, 'bench/room_load.mjs'), '127.0.0.1', String(port), target, String(READERS)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = async (pattern, ms) => {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) {
      const m = pattern.exec(child.text);
      if (m) return m;
    }
    throw new Error(`the readers do not say ${pattern}: ${child.text.slice(-300)}`);
  };
  await said(/^there$/m, 60_000);
  return {
    async end() {
      child.stdin.end();
      return JSON.parse((await said(/^\{.*\}$/m, 30_000))[0]);
    },
  };
}

// Says MESSAGES times what the time is, and waits until the last of them may have come.
async function measure(name, pid, port, target, say) {
  const before = cost(pid);
  const readers = await load(port, target);
  await sleep(2000); // until what came with the readers is done
  const idle = cost(pid);
  for (let i = 0; i < MESSAGES; i++) {
    const next = Date.now() + EVERY_MS;
    await say(i, `at=${performance.timeOrigin + performance.now()};`);
    await sleep(Math.max(0, next - Date.now()));
  }
  await sleep(1500);
  const after = cost(pid);
  const seen = await readers.end();
  return { name, ...seen, us: (after.cpuNs - idle.cpuNs) / 1000 / (READERS * MESSAGES), kb: (after.pssKb - before.pssKb) / READERS };
}

async function ours() {
  const server = await startBspnode(['--loops', '1']);
  const stream = await makeStream(server);
  const cookies = [server.cookie];
  const headers = { 'Content-Type': 'application/json', Origin: server.http };
  const made = await fetch(`${server.http}/api/auth/register`, { method: 'POST', headers, body: JSON.stringify({ name: 'Other', email: 'other@example.org', password: 'a long enough password' }) });
  cookies.push(made.headers.get('set-cookie').split(';')[0]);
  const url = `/api/streams/${stream.id}`;
  return measure('bspnode, chat', server.child.pid, new URL(server.http).port, `${url}/events`, async (i, content) => {
    const answer = await fetch(`${server.http}${url}/messages`, { method: 'POST', headers: { ...headers, Cookie: cookies[i % 2] }, body: JSON.stringify({ content }) });
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  });
}

async function theirs() {
  const port = await freePort();
  const nginx = await startNginx(`http { access_log off; nchan_shared_memory_size 64m; server { listen 127.0.0.1:${port};
  location = /say { nchan_publisher; nchan_channel_id room; }
  location = /hear { nchan_subscriber eventsource; nchan_channel_id room; nchan_subscriber_first_message newest; } } }`, port, 'ngx_nchan_module.so');
  const said = (content) => fetch(`http://127.0.0.1:${port}/say`, { method: 'POST', body: JSON.stringify({ content, programTime: new Date().toISOString(), user: { name: 'Other' } }) });
  return measure('nginx, nchan', nginx.child.pid, port, '/hear', (_, content) => said(content));
}

export async function run() {
  const all = [await ours(), await theirs()];
  table([['', 'heard', 'lost readers', 'CPU a message and reader', 'memory a reader', 'delay p50', 'p99'],
    ...all.map((r) => [r.name, `${((100 * r.heard) / (READERS * MESSAGES)).toFixed(2)} %`, r.lost, `${r.us.toFixed(2)} us`, `${r.kb.toFixed(1)} KB`, `${r.p50?.toFixed(1)} ms`, `${r.p99?.toFixed(1)} ms`])]);
  const [a, b] = all;
  console.log(`\n  CPU ${ratio(a.us, b.us)}, memory ${ratio(a.kb, b.kb)} of nchan's`);
  return all.every((r) => r.heard === READERS * MESSAGES && r.lost === 0);
}
