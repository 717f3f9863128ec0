// SPDX-License-Identifier: MIT
// CPU and memory of a WebRTC viewer, against the floor measured on the spot and against Debian's Janus, with
// pion at both ends. Every viewer must get every packet.
import path from 'node:path';
import { aim, build, makeStream, ratio, sleep, startBspnode, table } from '../lib.mjs';
import { buildLoad, load, publishRtc, startJanus, streams } from '../webrtc_lib.mjs';

export const title = 'WebRTC viewers: 2 Mbit/s, 720p30 and Opus, from WHIP';
const VIEWERS = (process.env.VIEWERS ?? '20,100,200,400').split(',').map(Number);
const SECONDS = Number(process.env.SECONDS ?? 10);

// The stream's own cost (no viewers) is taken off, so that a viewer's is left.
async function measure(program, target, pid, viewers) {
  const none = await load(program, 'watch', target, 0, SECONDS, pid);
  const results = [];
  for (const n of viewers) {
    const r = await load(program, 'watch', target, n, SECONDS, pid);
    results.push({ ...r, cpuEach: (r.cpu_percent - none.cpu_percent) / n, kbEach: (r.pss_kb - none.pss_kb) / n, none });
    await sleep(3000);
  }
  return results;
}

async function bspnode(program, media) {
  const server = await startBspnode(['--max-stream-duration', '0', '--log-level', 'warn']);
  const stream = await makeStream(server, 'BROWSER');
  const publisher = await publishRtc(program, `${server.http}/whip/${stream.ingest.streamKey}`, media);
  await sleep(5000);
  const results = await measure(program, `${server.http}/whep/${stream.playback.playbackId}`, server.child.pid, VIEWERS);
  await publisher.end();
  await server.child.end();
  return results;
}

async function janus(program, media) {
  const server = await startJanus();
  const publisher = await publishRtc(program, server.target, media);
  await sleep(2000);
  const results = await measure(program, server.target, server.child.pid, VIEWERS.filter((n) => n <= 200));
  await publisher.end();
  await server.child.end();
  return results;
}

export async function run() {
  const program = buildLoad();
  const media = streams();
  const floors = [];
  for (const n of VIEWERS) floors.push(await load(path.join(build, 'bench/rtc_floor'), media.video, n, SECONDS));
  const direct = await load(program, 'direct', media.video, media.audio, SECONDS);
  const ours = await bspnode(program, media);
  const theirs = await janus(program, media);

  const us = (r, cpu) => `${((cpu * 1e4) / r.packets_s).toFixed(2)} µs`;
  const rows = [['', 'viewers', 'CPU a viewer', 'a packet', 'memory a viewer', 'join', 'longest', 'key frame', 'longest', 'packets/s', 'lost', 'delay p50', 'p99', 'CPU to floor', 'load CPU']];
  floors.forEach((f) => rows.push(['floor', f.viewers, `${(f.cpu_percent / f.viewers).toFixed(4)} %`, us(f, f.cpu_percent / f.viewers), '', '', '', '', '', f.packets_s.toFixed(0), '', '', '', '1.00×', '']));
  const add = (name, list) =>
    list.forEach((r) => {
      const floor = floors.find((f) => f.viewers === r.viewers);
      rows.push([name, r.viewers, `${r.cpuEach.toFixed(4)} %`, us(r, r.cpuEach), `${r.kbEach.toFixed(1)} KB`, `${r.join_ms.toFixed(1)} ms`, `${r.join_max_ms.toFixed(0)} ms`, `${r.key_ms.toFixed(1)} ms`, `${r.key_max_ms.toFixed(0)} ms`, r.packets_s.toFixed(0),
        r.lost + (r.playing < r.viewers ? ` (${r.viewers - r.playing} without a picture)` : ''), `${r.delay_p50_us.toFixed(0)} µs`, `${r.delay_p99_us.toFixed(0)} µs`, ratio(r.cpuEach, floor.cpu_percent / floor.viewers), `${r.own_percent.toFixed(0)} %`]);
    });
  add('bspnode', ours);
  add('janus', theirs);
  table(rows);
  console.log(`
  join: from the viewer's POST to its first key frame, with pion's own 200 ms between ICE checks; key frame: from the end of its
  handshake. Delay: from the publisher's call to the viewer's, both ends included.`);

  const complete = ours.every((r) => r.lost === 0 && r.playing === r.viewers);
  const worst = Math.max(...ours.map((r, i) => r.cpuEach / (floors[i].cpu_percent / floors[i].viewers)));
  const big = ours.at(-1);
  const against = theirs.map((j) => ours.find((r) => r.viewers === j.viewers).cpuEach / j.cpuEach);
  const added = ours[0].delay_p99_us - direct.delay_p99_us;
  console.log(`
  aim: every viewer gets every packet                 ${aim(complete)}
  aim: CPU at most 1.3 times the floor                ${aim(worst <= 1.3)} (${worst.toFixed(2)}× at worst)
  aim: CPU a fifth of Janus's                         ${aim(Math.max(...against) <= 0.2)} (${against.map((x) => `${x.toFixed(2)}×`).join(', ')})
  aim: under 40 KB a viewer after the handshake       ${aim(big.kbEach < 40)} (${big.kbEach.toFixed(1)} KB)
  aim: under 2 ms added, WHIP to WHEP, p99            ${aim(added < 2000)} (${(added / 1000).toFixed(2)} ms with ${ours[0].viewers} viewers; the two ends alone: p50 ${direct.delay_p50_us.toFixed(0)} µs, p99 ${direct.delay_p99_us.toFixed(0)} µs)
  the stream itself costs ${big.none.cpu_percent.toFixed(2)} % of a core (recording and HLS included; Janus, which only relays here: ${theirs[0]?.none.cpu_percent.toFixed(2)} %)`);
  return complete;
}
