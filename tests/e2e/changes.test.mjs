// SPDX-License-Identifier: MIT
// A source that changes while it is live: a picture that comes late, another size in the middle. The playlists
// keep Apple's rules all the time (lib/m3u8.mjs holds every load against them).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { follow, hlsUrl, load, open } from './lib/hls.mjs';
import { parseMedia } from './lib/m3u8.mjs';
import { decode, encode } from './lib/media.mjs';
import { program, root, startServer, until } from './lib/server.mjs';

async function live(t, server, video, seconds) {
  const ada = await newUser(server);
  const stream = await ada.createStream();
  const port = new URL(server.rtmp.replace('rtmp', 'http')).port;
  const sender = spawn(path.join(path.dirname(program), 'tests/e2e/bsp-rtmp-send'), [port, stream.ingest.streamKey, video, 'aac-48000.mp4', String(seconds)], { stdio: 'ignore' });
  const done = new Promise((r) => sender.on('close', r));
  t.after(() => sender.kill('SIGKILL'));
  await ada.untilLive(stream.id);
  const recording = async () => {
    await done;
    await ada.end(stream.id);
    return new URL((await ada.untilReady(stream.id)).recordingUrl, server.http).href;
  };
  return { ada, stream, url: hlsUrl(server, stream.playback.playbackId), recording };
}

const discontinuities = (p) => p.segments.filter((s) => s.discontinuity).length;
const inits = (p) => new Set(p.segments.filter((s) => !s.gap).map((s) => s.map?.URI ?? s.map)).size;

test('another size in the middle: a discontinuity and a new initialisation segment', async (t) => {
  const server = await startServer(t);
  const second = await encode(['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=5', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p',
    '-g', '60', '-b:v', '200k', '-movflags', 'empty_moov+default_base_moof+frag_keyframe']);
  const video = `h264-baseline.mp4+${path.relative(path.join(root, 'tests/golden/media'), second)}`;
  const { url, stream, recording } = await live(t, server, video, 20);
  const { page } = await launchBrowser(t, { expected: [/401 .*\/api\/me/] });
  await page.goto(`${server.http}/stream/${stream.id}`);
  const { all } = await open(url);
  await Promise.all(all.map((each) => follow(each, { seconds: 8 })));
  const shown = await until('the browser shows the new size', async () => {
    const state = await untilPlaying(page, { ms: 20_000 });
    return state.width === 320 && state;
  }, 30_000);
  assert.equal(shown.height, 180);
  const recorded = await open(await recording());
  for (const each of recorded.all) {
    const p = parseMedia(await load(each));
    assert.equal(discontinuities(p), 1, each);
    assert.equal(inits(p), each === recorded.video ? 2 : 1, each);
  }
});

test('a picture that comes late: sound alone first, then both', async (t) => {
  const server = await startServer(t);
  const { url, recording } = await live(t, server, '4@h264-baseline.mp4', 12);
  const first = await open(url);
  assert.equal(first.video && first.all.length, 1, 'sound alone');
  await follow(first.all[0], { seconds: 5 });
  const both = await until('the picture is there', async () => {
    const now = await open(url);
    return now.all.length === 2 && now;
  });
  await Promise.all(both.all.map((each) => follow(each, { seconds: 3 })));
  const recorded = await recording();
  const { video, audio } = await decode(recorded);
  assert.ok(video.frames > 100 && audio.frames > 300, `${video.frames} pictures, ${audio.frames} of sound`);
});
