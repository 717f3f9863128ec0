// SPDX-License-Identifier: MIT
// CPU and memory of an RTMP viewer, at 50 and at 500, against nginx-rtmp. Every viewer must get every frame.
import { aim, freePort, makeStream, output, publish, ratio, startBspnode, startNginx, sleep, build, table } from '../lib.mjs';
import path from 'node:path';

export const title = 'RTMP viewers: 2 Mbit/s, 720p30';
const VIEWERS = [50, 500];
const SECONDS = 10;

// The publisher's own cost (no viewers) is taken off, so that a viewer's is left.
async function measure(port, app, name, pid) {
  const viewers = async (n) => JSON.parse(await output(path.join(build, 'bench/rtmp_viewers'), ['127.0.0.1', String(port), app, name, String(n), String(SECONDS), String(pid)]));
  const none = await viewers(0);
  const results = [];
  for (const n of VIEWERS) {
    const r = await viewers(n);
    results.push({ ...r, cpuEach: (r.cpu_percent - none.cpu_percent) / n, kbEach: (r.pss_kb - none.pss_kb) / n, none });
    await sleep(2000);
  }
  return results;
}

async function bspnode(args) {
  const server = await startBspnode(['--max-stream-duration', '0', ...args]);
  const stream = await makeStream(server);
  const publisher = publish(`${server.rtmp}/live/${stream.ingest.streamKey}`);
  await sleep(10_000); // past the start of the recording, so that memory is steady
  const results = await measure(new URL(server.rtmp).port, 'live', stream.playback.playbackId, server.child.pid);
  await publisher.end();
  await server.child.end();
  return results;
}

async function nginx() {
  const port = await freePort();
  const server = await startNginx(`rtmp { server { listen 127.0.0.1:${port}; application live { live on; } } }`, port);
  const publisher = publish(`rtmp://127.0.0.1:${port}/live/bench`);
  await sleep(10_000); // past the start of the recording, so that memory is steady
  const results = await measure(port, 'live', 'bench', server.child.pid);
  await publisher.end();
  await server.child.end();
  return results;
}

export async function run() {
  const theirs = await nginx();
  const ours = await bspnode([]);
  const slot = await bspnode(['--rtmp-write-ms', '100']);
  const rows = [['', 'viewers', 'CPU a viewer', 'memory a viewer', 'join', 'frames', 'lost', 'Mbit/s each', 'CPU to nginx']];
  const add = (name, list) =>
    list.forEach((r, i) =>
      rows.push([name, r.viewers, `${r.cpuEach.toFixed(4)} %`, `${r.kbEach.toFixed(1)} KB`, `${r.join_ms.toFixed(1)} ms`, r.video_frames, r.lost + (r.dead ? ` (${r.dead} gone)` : ''), r.video_mbit.toFixed(2), ratio(r.cpuEach, theirs[i].cpuEach)]));
  add('nginx-rtmp', theirs);
  add('bspnode, a write a frame', ours);
  add('bspnode, a write in 100 ms', slot);
  table(rows);
  const [, big] = ours;
  const complete = [...ours, ...slot].every((r) => !r.lost && !r.dead && r.playing === r.viewers);
  console.log(`
  aim: every viewer gets every frame                        ${aim(complete)}
  aim: CPU at most half of nginx-rtmp's, a write a frame    ${aim(big.cpuEach <= theirs[1].cpuEach / 2)} (${ratio(big.cpuEach, theirs[1].cpuEach)})
  aim: CPU below 0.0108 % with writes in 100 ms slots       ${aim(slot[1].cpuEach < 0.0108)} (${slot[1].cpuEach.toFixed(4)} %; SRS 7 with 350 ms, measured elsewhere)
  aim: under 8 KB a viewer                                  ${aim(big.kbEach < 8)} (${big.kbEach.toFixed(1)} KB)
  the stream itself costs ${big.none.cpu_percent.toFixed(2)} % of a core (recording and HLS included; nginx-rtmp, which only relays here: ${theirs[1].none.cpu_percent.toFixed(2)} %)`);
  return complete;
}
