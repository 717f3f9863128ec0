// SPDX-License-Identifier: MIT
// Makes docs/img/*.png: the pages as they are, with a live stream from ffmpeg.   node tests/e2e/picture.mjs
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { root, sleep, startServer, tempDir, until } from './lib/server.mjs';
import { FAKE_DEVICES } from './lib/webrtc.mjs';

const cleanups = [];
const t = { after: (fn) => cleanups.unshift(fn) };
const out = path.join(root, 'docs/img');
const SIZE = { width: 1280, height: 960 };

async function shoot(page, name) {
  const raw = path.join(out, `${name}.raw.png`);
  await page.screenshot({ path: raw });
  // 256 colours: a third of the bytes, and nobody sees the difference.
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', raw, '-vf', 'split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=dither=none', '-frames:v', '1', '-compression_level', '9', path.join(out, `${name}.png`)]);
  fs.rmSync(raw);
}

try {
  const server = await startServer(t);
  const ada = await newUser(server, 'Ada Lovelace');
  const stream = await ada.createStream({
    title: 'Morning light over the harbour',
    description: 'One camera, no talk. The tide turns at nine.',
  });
  const text = (size, y, words) =>
    `drawtext=font=Liberation Sans:fontsize=${size}:fontcolor=white@0.92:x=(w-text_w)/2:y=${y}:text='${words}'`;
  const ffmpeg = spawn('ffmpeg', [
    '-v', 'error', '-re', '-f', 'lavfi',
    '-i', `gradients=s=1280x720:r=30:n=4:c0=0x0f2a3a:c1=0x1f7a78:c2=0xf2a65a:c3=0xe8674a:x0=640:y0=720:x1=640:y1=0:speed=0.004,${text(120, 270, '%{localtime\\:%H\\\\\\:%M\\\\\\:%S}')},${text(34, 420, 'straight from ffmpeg, by RTMP')}`,
    '-re', '-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000',
    '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-b:v', '2500k', '-g', '60', '-pix_fmt', 'yuv420p',
    '-c:a', 'aac', '-b:a', '128k', '-f', 'flv', publishUrl(server, stream),
  ], { stdio: ['ignore', 'inherit', 'inherit'] });
  t.after(() => ffmpeg.kill('SIGKILL'));
  await ada.untilLive(stream.id);

  const viewer = await launchBrowser(t, { viewport: SIZE, colorScheme: 'dark' });
  await viewer.page.goto(`${server.http}/stream/${stream.id}`);
  await untilPlaying(viewer.page, { ms: 30_000 });
  await viewer.page.mouse.move(640, 300); // the player shows its controls
  await sleep(6000);
  await viewer.page.mouse.move(660, 320);
  await sleep(600);
  await shoot(viewer.page, 'viewer');

  const [name, value] = ada.cookie.split('=');
  await viewer.context.addCookies([{ name, value, url: server.http }]);
  await viewer.page.emulateMedia({ colorScheme: 'light' });
  await viewer.page.goto(`${server.http}/dashboard/${stream.id}`);
  await viewer.page.getByText('H.264').waitFor();
  await sleep(3000);
  await shoot(viewer.page, 'dashboard');
  ffmpeg.kill('SIGKILL');

  // What the camera sees.
  const camera = path.join(tempDir(t, 'camera'), 'camera.mjpeg');
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `gradients=s=1280x720:r=30:d=6:n=4:c0=0x0f2a3a:c1=0x1f7a78:c2=0xf2a65a:c3=0xe8674a:x0=0:y0=720:x1=1280:y1=0:speed=0.01,${text(60, 320, 'straight from the camera')}`, '-pix_fmt', 'yuvj420p', '-q:v', '4', camera]);
  const studio = await launchBrowser(t, { viewport: { width: 1280, height: 800 }, colorScheme: 'dark', args: [...FAKE_DEVICES, `--use-file-for-fake-video-capture=${camera}`] });
  await studio.context.addCookies([{ name, value, url: server.http }]);
  const tea = await ada.createStream({ title: 'Tea from the kitchen', streamType: 'BROWSER' });
  const { page } = studio;
  await page.goto(`${server.http}/stream/${tea.id}/broadcast`);
  await untilPlaying(page, { sound: false, ms: 30_000 });
  await page.getByLabel('Mirror my preview').uncheck(); // there are words in it
  await page.getByRole('button', { name: 'Go live' }).click();
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
  const bar = page.getByRole('progressbar', { name: 'Uploaded of the recording' });
  await until('something is uploaded', async () => (await bar.evaluate((e) => Number(e.value))) > 0, 60_000);
  await sleep(4000);
  await page.evaluate(() => scrollTo(0, 0));
  await shoot(page, 'broadcast');
} finally {
  for (const fn of cleanups) await fn();
}
