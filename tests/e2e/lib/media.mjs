// SPDX-License-Identifier: MIT
// Pictures and sound to publish, made once by ffmpeg and kept in build-asan/e2e-media; and what ffprobe
// says of what comes back.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { load, open } from './hls.mjs';
import { parseMedia } from './m3u8.mjs';
import { root } from './server.mjs';

const execute = promisify(execFile);
const folder = path.join(root, 'build-asan/e2e-media');

const making = new Map(); // file -> promise, in this process

// Encodes with these ffmpeg arguments unless that was done before; the file's path.
export function encode(args, ext = 'mp4') {
  const name = createHash('sha256').update(JSON.stringify(args)).digest('hex').slice(0, 16);
  const file = path.join(folder, `${name}.${ext}`);
  if (!making.has(file)) making.set(file, make(file, args, path.join(folder, `.${name}.${process.pid}.${ext}`)));
  return making.get(file);
}

async function make(file, args, unfinished) {
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(folder, { recursive: true });
  await execute('ffmpeg', ['-hide_banner', '-v', 'error', '-nostdin', '-y', ...args, unfinished]);
  fs.renameSync(unfinished, file); // whole, or not there: two test files may make the same
  return file;
}

// A moving picture with a tone. gop and seconds in seconds; bframes 0 to 3; audio or video may be left out.
export function sample({ seconds = 10, size = '640x360', fps = 30, gop = 2, bframes = 0, bitrate = '800k', audio = true, video = true, rate = 48000, profile = 'high' } = {}) {
  const args = [];
  if (video) args.push('-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}:duration=${seconds}`);
  if (audio) args.push('-f', 'lavfi', '-i', `sine=frequency=1000:sample_rate=${rate}:duration=${seconds}`);
  if (video)
    args.push('-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-profile:v', profile, '-b:v', bitrate,
      '-g', String(Math.round(gop * fps)), '-keyint_min', String(Math.round(gop * fps)), '-sc_threshold', '0', '-bf', String(bframes));
  if (audio) args.push('-c:a', 'aac', '-b:a', '96k', '-ac', '2');
  return encode(args);
}

// ffprobe's JSON of streams and format. Any warning on the way is a failure.
export async function ffprobe(url, args = [], { quiet = true, timeout = 40_000 } = {}) {
  const { stdout, stderr } = await execute('ffprobe', ['-v', 'warning', '-print_format', 'json', '-show_streams', '-show_format', ...args, url], {
    timeout,
    maxBuffer: 64 << 20,
  });
  if (quiet) assert.equal(stderr, '', `ffprobe warns about ${url}`);
  return { ...JSON.parse(stdout), warnings: stderr };
}

// Packet list of a URL: [{ codec_type, pts_time, dts_time, flags }], for continuity checks.
export async function packets(url, args = []) {
  const got = await ffprobe(url, ['-show_entries', 'packet=codec_type,stream_index,pts_time,dts_time,duration_time,flags', ...args]);
  return got.packets;
}

// The numbers of the segments that a recording's playlists call gaps.
async function gaps(url) {
  const { all } = await open(url);
  const lists = await Promise.all(all.map(async (u) => parseMedia(await load(u))));
  return new Set(lists.flatMap((p) => p.segments.filter((s) => s.gap).map((s) => s.msn)));
}

// ffmpeg's HLS reader asks for gaps too, and says that they are not there. What it says of anything else stays.
const OF_A_GAP = /HTTP error 404|keepalive request failed for .* with error: 'Server returned 404|Failed to open segment \d+ of playlist|Segment \d+ of playlist \d+ failed too many times/;

async function withoutGaps(url, warnings) {
  const asked = warnings.map((l) => /[Ss]egment (\d+) of playlist/.exec(l)?.[1]).filter(Boolean);
  if (!asked.length) return warnings;
  const known = await gaps(url);
  return asked.every((n) => known.has(Number(n))) ? warnings.filter((l) => !OF_A_GAP.test(l)) : warnings;
}

// Decodes all of it and returns the frame count of each kind; a decoder's complaint is a failure.
export async function decode(url, seconds, { timeout = 60_000 } = {}) {
  const args = ['-hide_banner', '-nostdin', '-v', 'repeat+warning', '-i', url];
  if (seconds) args.push('-t', String(seconds));
  const count = async (kind) => {
    const { stdout, stderr } = await execute('ffmpeg', [...args, '-map', `0:${kind}:0`, '-f', 'framemd5', '-'], { timeout, maxBuffer: 64 << 20 });
    // Its HLS reader joins the initialisation segments of both sides of a discontinuity, and says so.
    const warnings = stderr.split('\n').filter((l) => l && !/Found duplicated MOOV Atom\. Skipped it/.test(l));
    assert.deepEqual(await withoutGaps(url, warnings), [], `ffmpeg warns about ${url}`);
    const lines = stdout.split('\n').filter((l) => l && !l.startsWith('#'));
    return { frames: lines.length, distinct: new Set(lines.map((l) => l.split(',').pop().trim())).size };
  };
  return { video: await count('v'), audio: await count('a') };
}
