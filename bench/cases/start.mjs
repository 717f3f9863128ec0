// SPDX-License-Identifier: MIT
// Start-up, and what an idle server costs.
import { aim, cost, freePort, median, sleep, startBspnode, startNginx, table } from '../lib.mjs';

export const title = 'Start and rest';
const TIMES = 7;
const IDLE_MS = 5000;

async function watch(startOne) {
  const times = [];
  let last;
  for (let i = 0; i < TIMES; i++) {
    if (last) await last.child.end();
    last = await startOne();
    times.push(last.startMs);
  }
  await sleep(1000);
  const before = cost(last.child.pid);
  await sleep(IDLE_MS);
  const after = cost(last.child.pid);
  await last.child.end();
  return { startMs: median(times), pssKb: after.pssKb, cpu: (after.cpuNs - before.cpuNs) / IDLE_MS / 1e4 };
}

export async function run() {
  const theirs = await watch(async () => {
    const port = await freePort();
    return startNginx(`rtmp { server { listen 127.0.0.1:${port}; application live { live on; } } }`, port);
  });
  const ours = await watch(() => startBspnode());
  const row = (name, r) => [name, `${r.startMs.toFixed(1)} ms`, `${(r.pssKb / 1024).toFixed(1)} MB`, `${r.cpu.toFixed(3)} %`];
  table([['', 'start', 'idle memory', 'idle CPU'], row('nginx-rtmp (accepting)', theirs), row('bspnode (ready line)', ours)]);
  console.log(`
  aim: start under 50 ms        ${aim(ours.startMs < 50)}
  aim: idle memory under 15 MB  ${aim(ours.pssKb < 15 * 1024)}
  aim: no CPU when idle         ${aim(ours.cpu < 0.05)}`);
  return true;
}
