// SPDX-License-Identifier: MIT
// Readers of server-sent events: node room_load.mjs HOST PORT PATH READERS. Says "there" when all have had their
// first bytes; every message that holds "at=<ms>;" is counted, with its delay at every tenth reader. At the end of
// its input it prints what it saw, as JSON.
import net from 'node:net';

const [host, port, path, readers] = process.argv.slice(2);
const now = () => performance.timeOrigin + performance.now();
const delays = [];
let heard = 0;
let there = 0;
let lost = 0;

function read(i) {
  const s = net.connect({ host, port: Number(port) });
  let first = true;
  let rest = '';
  s.write(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept: text/event-stream\r\n\r\n`);
  s.on('data', (b) => {
    if (first) {
      first = false;
      there++;
      if (there === Number(readers)) console.log('there');
    }
    const text = rest + b.toString('latin1');
    let at = 0;
    for (;;) {
      const from = text.indexOf('at=', at);
      const to = from < 0 ? -1 : text.indexOf(';', from);
      if (to < 0) break;
      heard++;
      if (i % 10 === 0) delays.push(now() - Number(text.slice(from + 3, to)));
      at = to;
    }
    rest = text.slice(Math.max(at, text.length - 40));
  });
  s.on('error', () => lost++);
  s.on('close', () => lost++);
}

// Not all in one moment: the queue of those that want to be let in is short everywhere.
for (let i = 0; i < Number(readers); i++) {
  read(i);
  if (i % 100 === 99) await new Promise((r) => setTimeout(r, 20));
}
process.stdin.on('end', () => {
  delays.sort((a, b) => a - b);
  const of = (share) => delays[Math.floor(delays.length * share)] ?? null;
  console.log(JSON.stringify({ heard, lost, p50: of(0.5), p99: of(0.99) }));
  process.exit(0);
});
process.stdin.resume();
