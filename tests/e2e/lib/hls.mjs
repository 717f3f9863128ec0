// SPDX-License-Identifier: MIT
// An HLS client for tests: loads playlists (each one validated, see m3u8.mjs), follows a live one by
// blocking reload, fetches what they name.
import assert from 'node:assert/strict';
import { request } from './http.mjs';
import { isMultivariant, parseMedia, parseMultivariant } from './m3u8.mjs';
import { until } from './server.mjs';

export const hlsUrl = (server, playbackId) => `${server.http}/${playbackId}.m3u8`;

export async function load(url, options = {}) {
  const answer = await request(url, options);
  assert.equal(answer.status, 200, `${url}: ${answer.status} ${answer.text.slice(0, 300)}`);
  return answer.text;
}

// The media playlists behind a multivariant one: { master, video, audio, all } as absolute URLs, waiting
// until it is there. `video` is the first variant's.
export async function open(url, { ca, ms = 20_000 } = {}) {
  const text = await until(`${url} is there`, async () => {
    const answer = await request(url, { ca });
    return answer.status === 200 && answer.text;
  }, ms);
  if (!isMultivariant(text)) return { master: null, video: url, all: [url], text };
  const master = parseMultivariant(text);
  const absolute = (uri) => new URL(uri, url).href;
  const renditions = master.renditions.filter((r) => r.URI).map((r) => ({ ...r, url: absolute(r.URI) }));
  const all = [...new Set([...master.variants.map((v) => absolute(v.uri)), ...renditions.map((r) => r.url)])];
  return { master, text, video: absolute(master.variants[0].uri), audio: renditions.find((r) => r.TYPE === 'AUDIO')?.url, all };
}

// Follows a live media playlist for `seconds`, as a low-latency player does. Returns every load, parsed,
// and checks what only a sequence of loads shows: the edge never goes back, each answer is what was asked for.
export async function follow(url, { seconds = 6, ca, fetchMedia = true } = {}) {
  const end = Date.now() + seconds * 1000;
  const loads = [];
  const fetched = new Map(); // URI -> bytes
  const edgeOf = (p) => p.msn + p.skipped + p.segments.length + p.tailParts.length / 1000;
  let target = url;
  let wanted;
  while (Date.now() < end) {
    const p = parseMedia(await load(target, { ca, timeout: 40_000 }));
    const before = loads.at(-1);
    if (before) {
      assert.ok(edgeOf(p) >= edgeOf(before), `${url}: the edge went back from ${edgeOf(before)} to ${edgeOf(p)}`);
      assert.ok(p.msn >= before.msn, `${url}: EXT-X-MEDIA-SEQUENCE went back`);
    }
    if (wanted) {
      const edge = p.msn + p.skipped + p.segments.length;
      const there = wanted.msn < edge || (wanted.msn === edge && wanted.part < p.tailParts.length);
      assert.ok(there || p.ended, `${target} was answered without what it waits for`);
    }
    p.at = Date.now();
    loads.push(p);
    if (fetchMedia) await fetchNew(url, p, fetched, ca);
    if (p.ended) break;
    wanted = { msn: p.msn + p.skipped + p.segments.length, part: p.tailParts.length };
    const at = new URL(url);
    if (p.control['CAN-BLOCK-RELOAD'] === 'YES') {
      at.searchParams.set('_HLS_msn', wanted.msn);
      if (p.partTarget) at.searchParams.set('_HLS_part', wanted.part);
      if (!p.partTarget) wanted.part = -1;
    } else await new Promise((r) => setTimeout(r, 500));
    target = at.href;
  }
  return { loads, fetched, last: loads.at(-1) };
}

async function fetchNew(url, p, fetched, ca) {
  const uris = new Set();
  for (const s of p.segments.slice(-3)) {
    if (s.map) uris.add(s.map);
    if (!s.gap) uris.add(s.uri);
    s.parts.forEach((part) => uris.add(part.URI));
  }
  p.tailParts.forEach((part) => uris.add(part.URI));
  for (const uri of uris) {
    if (fetched.has(uri)) continue;
    const answer = await request(new URL(uri, url).href, { ca });
    assert.ok([200, 206].includes(answer.status), `${uri}: ${answer.status}`);
    assert.ok(answer.body.length > 8, `${uri} is empty`);
    fetched.set(uri, answer.body);
  }
}

// Top-level MP4 boxes: [{ type, size }].
export function boxes(bytes) {
  const out = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    out.push({ type: bytes.toString('latin1', at + 4, at + 8), size });
    assert.ok(size >= 8, 'a box smaller than its header');
    at += size;
  }
  return out;
}
