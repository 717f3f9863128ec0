// SPDX-License-Identifier: MIT
// HEVC, AV1, VP9 and Opus by Enhanced RTMP: to HLS with the exact CODECS, to ffprobe without a warning, to
// Chromium where it has the codec, and to the recording.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { follow, hlsUrl, open } from './lib/hls.mjs';
import { decode, encode, ffprobe } from './lib/media.mjs';
import { program, startServer, until } from './lib/server.mjs';

const VIDEO = {
  hevc: { args: ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', 'log-level=error:keyint=60:min-keyint=60:scenecut=0:bframes=2'], codecs: /^hvc1\.1\.6\.L60\.90$/ },
  av1: { args: ['-c:v', 'libsvtav1', '-preset', '12', '-g', '60', '-svtav1-params', 'lp=1'], codecs: /^av01\.0\.0[0-4]M\.08$/ },
  vp9: { args: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '60', '-lag-in-frames', '0', '-b:v', '400k'], codecs: /^vp09\.00\.[1-3][01]\.08$/ },
  h264: { args: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '60', '-pix_fmt', 'yuv420p'], codecs: /^avc1\.[0-9a-f]{6}$/ },
};
const AUDIO = {
  aac: { args: ['-c:a', 'aac', '-b:a', '96k', '-ac', '2'], codecs: 'mp4a.40.2' },
  opus: { args: ['-c:a', 'libopus', '-b:a', '96k', '-ac', '2'], codecs: 'Opus' },
};

const file = (video, audio) =>
  encode(['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30:duration=8', '-f', 'lavfi', '-i', 'sine=frequency=1000:sample_rate=48000:duration=8',
    '-pix_fmt', 'yuv420p', ...VIDEO[video].args, ...AUDIO[audio].args, '-movflags', 'empty_moov+default_base_moof+frag_keyframe']);

// The tool stands beside the server in the build folder.
async function push(t, server, name, media) {
  const { hostname, port } = new URL(server.rtmp.replace('rtmp:', 'http:'));
  const child = spawn(path.join(path.dirname(program), 'tests/e2e/bsp-push'), [hostname, port, 'live', name, media, '60'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const out of [child.stdout, child.stderr]) out.on('data', (b) => (log += b));
  t.after(() => child.kill('SIGKILL'));
  await until(`bsp-push publishes: ${log}`, async () => {
    assert.equal(child.exitCode, null, log);
    return log.includes('publishing');
  });
  return child;
}

for (const [video, audio, browser] of [['hevc', 'aac', false], ['av1', 'opus', true], ['vp9', 'opus', true], ['h264', 'opus', true]]) {
  test(`${video} with ${audio}`, async (t) => {
    const media = await file(video, audio);
    const server = await startServer(t);
    const ada = await newUser(server);
    const stream = await ada.createStream({ title: `${video} and ${audio}` });
    const pusher = await push(t, server, stream.ingest.streamKey, media);
    await ada.untilLive(stream.id);
    const live = hlsUrl(server, stream.playback.playbackId);
    const { master, all } = await open(live);
    const [v, a] = master.variants[0].CODECS.split(',');
    assert.match(v, VIDEO[video].codecs);
    assert.equal(a, AUDIO[audio].codecs);
    assert.equal(master.variants[0].RESOLUTION, '320x180');
    assert.equal(Number(master.variants[0]['FRAME-RATE']), 30);
    await Promise.all(all.map((url) => follow(url, { seconds: 5 })));

    const { streams } = await ffprobe(live, ['-read_intervals', '%+2']);
    assert.deepEqual(streams.map((s) => s.codec_name).sort(), [audio, video].sort());

    if (browser) {
      const { page, problems } = await launchBrowser(t);
      await page.goto(`${server.http}/healthz`);
      const types = await page.evaluate((list) => list.map((c) => [c, MediaSource.isTypeSupported(`video/mp4; codecs="${c}"`)]), [v, `${v},${a}`]);
      for (const [codecs, supported] of types) assert.ok(supported, `Chromium knows ${codecs}`);
      await page.goto(`${server.http}/stream/${stream.id}`);
      const shown = await untilPlaying(page, { ms: 30_000 });
      assert.equal(shown.width, 320);
      assert.deepEqual(problems, []);
    }

    pusher.kill('SIGKILL');
    await ada.end(stream.id);
    const ended = await ada.untilReady(stream.id);
    const recorded = new URL(ended.recordingUrl, server.http).href;
    const counted = await decode(recorded);
    assert.ok(counted.video.frames > 100, `${counted.video.frames} frames recorded`);
    assert.ok(counted.audio.frames > 100, `${counted.audio.frames} of sound`);
  });
}
