// SPDX-License-Identifier: MIT
// Makes docs/img/*.png: the pages as they are, with a live stream from ffmpeg.   node tests/e2e/picture.mjs
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { root, sleep, startServer } from './lib/server.mjs';

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
} finally {
  for (const fn of cleanups) await fn();
}
