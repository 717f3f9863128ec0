// SPDX-License-Identifier: MIT
// hls.js by itself in a page, to ask it for a level and to see what it does.
import fs from 'node:fs';
import path from 'node:path';
import { root, until } from './server.mjs';

// Plays `url` in the page; the page's window.hls and window.video are there then.
export async function hlsPlay(page, url, config = {}) {
  await page.evaluate(fs.readFileSync(path.join(root, 'tests/e2e/node_modules/hls.js/dist/hls.js'), 'utf8'));
  await page.evaluate(([u, c]) => {
    const video = (window.video = Object.assign(document.createElement('video'), { muted: true, autoplay: true }));
    document.body.append(video);
    const hls = (window.hls = new Hls({ lowLatencyMode: true, ...c }));
    window.seen = { fatal: [], errors: [], waits: 0, sizes: [] };
    hls.on(Hls.Events.ERROR, (_, e) => (e.fatal ? seen.fatal : seen.errors).push(e.details));
    video.addEventListener('waiting', () => seen.waits++);
    video.addEventListener('resize', () => seen.sizes.push(video.videoWidth));
    hls.loadSource(u);
    hls.attachMedia(video);
    video.play().catch(() => {}); // it may take long, and tells nothing that the state does not
  }, [url, config]);
}

export const hlsState = (page) =>
  page.evaluate(() => ({
    time: video.currentTime, width: video.videoWidth, level: hls.currentLevel, levels: hls.levels.map((l) => l.width),
    latency: hls.latency, buffered: video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : 0, ...seen,
  }));

// Waits until so many seconds more are played, and `also` is true of the state.
export async function untilPlayed(page, seconds, also = () => true, ms = 60_000) {
  let last = {};
  let from;
  return until(`${seconds} s more are played`, async () => {
    last = await hlsState(page);
    from ??= last.time;
    return last.time >= from + seconds && also(last) && last;
  }, ms).catch((e) => {
    throw new Error(`${e.message}; ${JSON.stringify(last)}`);
  });
}
