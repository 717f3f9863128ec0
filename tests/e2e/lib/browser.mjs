// SPDX-License-Identifier: MIT
// Chromium through playwright-core, and what a person sees and hears in it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { chromium } from 'playwright-core';
import { observe } from './m3u8.mjs';
import { tempDir, until } from './server.mjs';

const FLAGS = [
  '--no-sandbox', // tests run as root in CI, where Chromium's sandbox refuses to start
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
];

// A browser with an empty profile: { context, page, problems }. `problems` collects page errors and
// console errors, and playlists that break Apple's rules; errors that match `expected` are left out.
export async function launchBrowser(t, { viewport = { width: 1280, height: 800 }, colorScheme = 'light', args = [], expected = [], ignoreHTTPSErrors = false } = {}) {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => fs.existsSync(p));
  assert.ok(executablePath, 'Chromium is installed (packages.txt)');
  const profile = tempDir(null, 'chromium');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath, headless: true, args: [...FLAGS, ...args], viewport, colorScheme, ignoreHTTPSErrors,
  });
  // In this order: a browser that runs writes into its profile while it is removed.
  t?.after(async () => {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  });
  const problems = [];
  // Every page with mux-player may try to fetch Google's cast script, which is not there offline.
  const fine = [/gstatic\.com/, /ERR_INTERNET_DISCONNECTED|ERR_NAME_NOT_RESOLVED/, ...expected];
  const note = (text) => fine.some((re) => re.test(text)) || problems.push(text);
  const watch = (page) => {
    page.on('pageerror', (e) => note(`page error: ${e.message}`));
    page.on('response', async (r) => {
      if (r.status() !== 200 || !/\.m3u8(\?|$)/.test(r.url())) return;
      const text = await r.text().catch(() => ''); // gone when the page went elsewhere meanwhile
      if (text) problems.push(...observe(r.url(), text));
    });
    page.on('console', (m) => m.type() === 'error' && note(`console: ${m.text()} ${m.location()?.url ?? ''}`));
  };
  context.pages().forEach(watch);
  context.on('page', watch);
  return { context, page: context.pages()[0] ?? (await context.newPage()), problems };
}

// Runs in the page: the first <video>, through whatever shadow roots are around it.
function findVideo() {
  const look = (node) => {
    for (const e of node.querySelectorAll('*')) {
      if (e instanceof HTMLVideoElement) return e;
      const inner = e.shadowRoot && look(e.shadowRoot);
      if (inner) return inner;
    }
    return null;
  };
  return look(document);
}

// The <video> that plays: { time, width, height, paused, readyState, ended, picture, level, live }.
// `picture` is a small fingerprint of what is shown, `level` the loudest sample of the last moments.
export async function videoState(page) {
  const handle = await page.evaluateHandle(findVideo);
  return handle.evaluate(async (video) => {
    if (!video) return null;
    const state = {
      time: video.currentTime, width: video.videoWidth, height: video.videoHeight, paused: video.paused,
      readyState: video.readyState, ended: video.ended, duration: video.duration,
      error: video.error && `${video.error.code} ${video.error.message}`, picture: '', level: 0,
      seekableEnd: video.seekable.length ? video.seekable.end(video.seekable.length - 1) : 0,
    };
    if (video.videoWidth) {
      const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 18 });
      const draw = canvas.getContext('2d');
      draw.drawImage(video, 0, 0, 32, 18);
      const px = draw.getImageData(0, 0, 32, 18).data;
      state.bright = px.reduce((sum, v, i) => (i % 4 === 3 ? sum : sum + v), 0) / (32 * 18 * 3);
      state.picture = Array.from(px.filter((_, i) => i % 4 === 1), (v) => (v >> 3).toString(32)).join('');
    }
    if (!video.paused && video.readyState >= 2) {
      // A tap that does not change what is heard; muted players are heard too.
      const tap = (video.__tap ??= (() => {
        const context = new AudioContext();
        const analyser = context.createAnalyser();
        context.createMediaStreamSource(video.captureStream()).connect(analyser);
        return { context, analyser };
      })());
      await tap.context.resume();
      await new Promise((r) => setTimeout(r, 300));
      const samples = new Float32Array(tap.analyser.fftSize);
      tap.analyser.getFloatTimeDomainData(samples);
      state.level = samples.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    }
    return state;
  });
}

// Waits until the picture moves, time passes and (with sound) the level is not zero; the last state.
export async function untilPlaying(page, { ms = 20_000, sound = true } = {}) {
  let last;
  let before = null;
  return until('the video plays', async () => {
    last = await videoState(page);
    const plays = last && before && last.time > before.time && last.picture && last.picture !== before.picture && (!sound || last.level > 0.01);
    before = last;
    return plays && last;
  }, ms, 400).catch((e) => {
    throw new Error(`${e.message}; last seen: ${JSON.stringify({ ...last, picture: last?.picture?.slice(0, 24) })}`);
  });
}
