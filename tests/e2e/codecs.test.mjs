// SPDX-License-Identifier: MIT
// AV1, VP9 and Opus in the browser: published by Enhanced RTMP, watched live in Chromium through the page, and
// the recording decoded. (Chromium has no HEVC here; rtmp.test.mjs has that with ffprobe.)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { newUser } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { hlsUrl, open } from './lib/hls.mjs';
import { decode } from './lib/media.mjs';
import { program, startServer } from './lib/server.mjs';

for (const [video, audio, codecs] of [
  ['av1.mp4', 'opus.mp4', 'av01.0.00M.08,Opus'],
  ['vp9.mp4', 'opus.mp4', 'vp09.00.10.08,Opus'],
  ['h264-bframes.mp4', 'opus.mp4', 'avc1.64000b,Opus'],
]) {
  test(`${codecs} plays in the browser`, async (t) => {
    const server = await startServer(t);
    const ada = await newUser(server);
    const stream = await ada.createStream({ title: codecs });
    const port = new URL(server.rtmp.replace('rtmp', 'http')).port;
    const sender = spawn(path.join(path.dirname(program), 'tests/e2e/bsp-rtmp-send'), [port, stream.ingest.streamKey, video, audio, '60'], { stdio: 'ignore' });
    t.after(() => sender.kill('SIGKILL'));
    await ada.untilLive(stream.id);
    const { master } = await open(hlsUrl(server, stream.playback.playbackId));
    assert.equal(master.variants[0].CODECS, codecs);
    assert.equal(master.variants[0].RESOLUTION, '160x90');

    const { page, problems } = await launchBrowser(t, { expected: [/401 .*\/api\/me/] }); // nobody is logged in
    await page.goto(`${server.http}/stream/${stream.id}`);
    assert.ok(await page.evaluate((c) => MediaSource.isTypeSupported(`video/mp4; codecs="${c}"`), codecs), 'Chromium knows it by that name');
    assert.equal((await untilPlaying(page, { ms: 30_000 })).width, 160);
    assert.deepEqual(problems, []);

    sender.kill('SIGKILL');
    await ada.end(stream.id);
    const ended = await ada.untilReady(stream.id);
    const { video: pictures, audio: sound } = await decode(new URL(ended.recordingUrl, server.http).href);
    assert.ok(pictures.frames > 60 && sound.frames > 60, `${pictures.frames} pictures and ${sound.frames} of sound`);
  });
}
