// SPDX-License-Identifier: MIT
// Apple's rules for playlists (draft-pantos-hls-rfc8216bis, and the authoring specification), as a validator.
//
// Every playlist that the harness or a browser under test loads passes through `observe`. Rules on one
// playlist need only its text; rules between loads compare facts that may never change (what a media
// sequence number names, how long it is), so they hold in whatever order answers arrive.

// Attribute lists: NAME=value, with quoted strings that may hold commas.
export function attributes(text) {
  const out = {};
  for (const m of text.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)(?:,|$)/g)) out[m[1]] = m[2].startsWith('"') ? m[2].slice(1, -1) : m[2];
  return out;
}

const TAG = /^#(EXT[A-Z0-9-]*)(?::(.*))?$/;

export function parseMultivariant(text) {
  const lines = text.split('\n');
  const out = { variants: [], renditions: [], independent: text.includes('#EXT-X-INDEPENDENT-SEGMENTS') };
  lines.forEach((line, i) => {
    const m = TAG.exec(line);
    if (m?.[1] === 'EXT-X-STREAM-INF') out.variants.push({ ...attributes(m[2]), uri: lines[i + 1] });
    if (m?.[1] === 'EXT-X-MEDIA') out.renditions.push(attributes(m[2]));
  });
  return out;
}

export const isMultivariant = (text) => text.includes('#EXT-X-STREAM-INF');

// { version, target, partTarget, type, ended, msn, discontinuitySequence, control, segments, tailParts,
// hints, reports, skipped }; a segment is { msn, uri, duration, parts, map, discontinuity, discNumber, pdt, gap }.
export function parseMedia(text) {
  const p = { version: 1, type: '', ended: false, msn: 0, discontinuitySequence: 0, control: {}, segments: [], tailParts: [], hints: [], reports: [], skipped: 0, tags: [] };
  let next = { parts: [] };
  let map;
  let mapFor;
  let disc = null;
  for (const line of text.split('\n')) {
    if (!line || (line.startsWith('#') && !line.startsWith('#EXT'))) continue;
    if (!line.startsWith('#')) {
      disc ??= p.discontinuitySequence;
      if (next.discontinuity) disc++;
      p.segments.push({ ...next, uri: line, map: mapFor ?? map, msn: p.msn + p.skipped + p.segments.length, discNumber: disc });
      next = { parts: [] };
      continue;
    }
    const [, tag, value = ''] = TAG.exec(line) ?? [];
    p.tags.push(tag);
    if (tag === 'EXT-X-VERSION') p.version = Number(value);
    else if (tag === 'EXT-X-TARGETDURATION') p.target = Number(value);
    else if (tag === 'EXT-X-PART-INF') p.partTarget = Number(attributes(value)['PART-TARGET']);
    else if (tag === 'EXT-X-PLAYLIST-TYPE') p.type = value;
    else if (tag === 'EXT-X-ENDLIST') p.ended = true;
    else if (tag === 'EXT-X-MEDIA-SEQUENCE') p.msn = Number(value);
    else if (tag === 'EXT-X-DISCONTINUITY-SEQUENCE') p.discontinuitySequence = Number(value);
    else if (tag === 'EXT-X-SERVER-CONTROL') p.control = attributes(value);
    else if (tag === 'EXT-X-SKIP') p.skipped = Number(attributes(value)['SKIPPED-SEGMENTS']);
    else if (tag === 'EXT-X-MAP') map = attributes(value).URI;
    else if (tag === 'EXT-X-DISCONTINUITY') next.discontinuity = true;
    else if (tag === 'EXT-X-GAP') next.gap = true;
    else if (tag === 'EXT-X-PROGRAM-DATE-TIME') next.pdt = Date.parse(value);
    else if (tag === 'EXT-X-BITRATE') next.bitrate = Number(value);
    else if (tag === 'EXTINF') next.duration = Number.parseFloat(value);
    else if (tag === 'EXT-X-PART') next.parts.push({ ...attributes(value), duration: Number(attributes(value).DURATION) });
    else if (tag === 'EXT-X-PRELOAD-HINT') p.hints.push(attributes(value));
    else if (tag === 'EXT-X-RENDITION-REPORT') p.reports.push(attributes(value));
  }
  p.tailParts = next.parts;
  p.tail = next;
  return p;
}

const SLACK = 0.001; // durations are written with rounding

function checkForm(text, say) {
  if (!text.startsWith('#EXTM3U\n') && !text.startsWith('#EXTM3U\r\n')) say('#EXTM3U is not the first line');
  if (!text.endsWith('\n')) say('no newline at the end');
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff]/.test(text)) say('control characters or a byte-order mark');
  for (const tag of ['EXT-X-VERSION', 'EXT-X-TARGETDURATION', 'EXT-X-MEDIA-SEQUENCE', 'EXT-X-DISCONTINUITY-SEQUENCE', 'EXT-X-PLAYLIST-TYPE', 'EXT-X-ENDLIST', 'EXT-X-PART-INF', 'EXT-X-SERVER-CONTROL', 'EXT-X-SKIP', 'EXT-X-INDEPENDENT-SEGMENTS'])
    if (text.split('\n').filter((l) => l === `#${tag}` || l.startsWith(`#${tag}:`)).length > 1) say(`${tag} more than once`);
}

function checkMultivariant(text, say) {
  const p = parseMultivariant(text);
  if (!p.variants.length) say('no variant');
  if (!p.independent) say('no EXT-X-INDEPENDENT-SEGMENTS');
  for (const v of p.variants) {
    if (!/^\d+$/.test(v.BANDWIDTH ?? '') || v.BANDWIDTH === '0') say('a variant without BANDWIDTH');
    if (!v.uri || v.uri.startsWith('#')) say('EXT-X-STREAM-INF without a URI in the next line');
    if (!v.CODECS) say('a variant without CODECS');
    if (/avc1|hvc1|av01|vp09/.test(v.CODECS ?? '')) {
      if (!/^\d+x\d+$/.test(v.RESOLUTION ?? '')) say('a video variant without RESOLUTION');
      if (!(Number(v['FRAME-RATE']) > 0)) say('a video variant without FRAME-RATE');
    }
    if (/hev1/.test(v.CODECS ?? '')) say('hev1: Apple plays hvc1 only');
    if (v['AVERAGE-BANDWIDTH'] && Number(v['AVERAGE-BANDWIDTH']) > Number(v.BANDWIDTH)) say('AVERAGE-BANDWIDTH above BANDWIDTH');
    for (const kind of ['AUDIO', 'VIDEO', 'SUBTITLES'])
      if (v[kind] && !p.renditions.some((r) => r.TYPE === kind && r['GROUP-ID'] === v[kind])) say(`no EXT-X-MEDIA for ${kind}="${v[kind]}"`);
  }
  for (const r of p.renditions) if (!r.TYPE || !r['GROUP-ID'] || !r.NAME) say('EXT-X-MEDIA without TYPE, GROUP-ID or NAME');
  checkGroups(p, say);
}

// 8216bis, 4.4.6.1 and 4.4.6.2; the authoring specification, 5.
function checkGroups(p, say) {
  const of = (r) => `${r.TYPE} ${r['GROUP-ID']}`;
  for (const group of new Set(p.renditions.map(of))) {
    const list = p.renditions.filter((r) => of(r) === group);
    if (new Set(list.map((r) => r.NAME)).size < list.length) say(`${group}: two renditions of one NAME`);
    if (list.filter((r) => r.DEFAULT === 'YES').length > 1) say(`${group}: more than one DEFAULT`);
  }
  for (const r of p.renditions) {
    if (r.DEFAULT === 'YES' && r.AUTOSELECT === 'NO') say(`${r.NAME}: DEFAULT without AUTOSELECT`);
    if (r.FORCED && r.TYPE !== 'SUBTITLES') say(`${r.NAME}: FORCED is for subtitles`);
    if (r.TYPE !== 'SUBTITLES') continue;
    if (!r.URI) say(`subtitles ${r.NAME} without URI`);
    if (!/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(r.LANGUAGE ?? '')) say(`subtitles ${r.NAME}: LANGUAGE ${r.LANGUAGE}`);
    if (r.CHARACTERISTICS && !r.CHARACTERISTICS.split(',').every((c) => /^public\.[a-z.-]+$/.test(c))) say(`CHARACTERISTICS ${r.CHARACTERISTICS}`);
    for (const v of p.variants) if (!v.SUBTITLES) say('a variant without the subtitles that others have');
  }
}

// Roku's Image Media Playlist, 0.4.
function checkImages(p, text, say) {
  for (const s of p.segments) if (!/\.jpg$/.test(s.uri) || !(s.duration > 0)) say(`${s.uri} is no picture`);
  const tiles = /^#EXT-X-TILES:(.*)$/m.exec(text);
  const { RESOLUTION = '', LAYOUT = '', DURATION } = tiles ? attributes(tiles[1]) : {};
  if (!/^\d+x\d+$/.test(RESOLUTION) || !/^\d+x\d+$/.test(LAYOUT) || !(Number(DURATION) > 0)) say('EXT-X-TILES without RESOLUTION, LAYOUT or DURATION');
}

function checkMedia(p, text, say) {
  if (p.tags.includes('EXT-X-IMAGES-ONLY')) return checkImages(p, text, say);
  if (!Number.isInteger(p.target) || p.target < 1) return say('EXT-X-TARGETDURATION is missing or not a whole number');
  const first = text.search(/^#EXTINF/m);
  for (const tag of ['EXT-X-MEDIA-SEQUENCE', 'EXT-X-DISCONTINUITY-SEQUENCE', 'EXT-X-TARGETDURATION', 'EXT-X-PLAYLIST-TYPE', 'EXT-X-PART-INF', 'EXT-X-SERVER-CONTROL']) {
    const at = text.indexOf(`#${tag}:`);
    if (first >= 0 && at > first) say(`${tag} after the first segment`);
  }
  const texts = p.segments.length > 0 && p.segments.every((s) => /\.vtt$/.test(s.uri)); // no initialisation segments
  if (texts && p.type !== 'VOD') say('only VOD subtitles may have a target duration of their own');
  if (p.version < 6) say(`version ${p.version}: EXT-X-MAP needs 6`);
  if (p.skipped && p.version < 9) say('EXT-X-SKIP needs version 9');
  if (p.type === 'VOD' && !p.ended) say('VOD without EXT-X-ENDLIST');
  if (p.type && !['VOD', 'EVENT'].includes(p.type)) say(`type ${p.type}`);
  if (p.type && p.msn !== 0) say(`${p.type}: segments were removed`);
  if (p.segments.length && !p.skipped && !p.segments.some((s) => s.pdt)) say('no EXT-X-PROGRAM-DATE-TIME');

  let before;
  for (const s of p.segments) {
    if (!(s.duration >= 0)) say(`segment ${s.msn}: no EXTINF`);
    if (Math.round(s.duration) > p.target) say(`segment ${s.msn}: ${s.duration} s, above the target of ${p.target}`);
    if (!s.map && !p.skipped && !texts) say(`segment ${s.msn}: no EXT-X-MAP before it`);
    if (s.pdt !== undefined && Number.isNaN(s.pdt)) say(`segment ${s.msn}: bad EXT-X-PROGRAM-DATE-TIME`);
    if (before?.pdt && s.pdt && !s.discontinuity && Math.abs(s.pdt - before.pdt - before.duration * 1000) > 50)
      say(`segment ${s.msn}: its date is ${s.pdt - before.pdt} ms after the one before, which lasts ${before.duration} s`);
    if (before && s.map !== before.map && before.map && !s.discontinuity) say(`segment ${s.msn}: a new EXT-X-MAP without EXT-X-DISCONTINUITY`);
    before = s;
  }
  // A rendition that comes late begins at the number where the others are, behind a discontinuity; see
  // History for that one.
  if (p.msn > 0 && !p.discontinuitySequence) checkLeft(p, say);
  checkParts(p, say);
}

// What is left behind must be enough for a player that starts at the edge (RFC 8216bis, 6.2.2).
function checkLeft(p, say) {
  const total = p.segments.reduce((sum, s) => sum + s.duration, 0);
  if (!p.ended && !p.skipped && total < 3 * p.target - SLACK) say(`only ${total.toFixed(1)} s left in a live playlist with a target of ${p.target}`);
}

function checkParts(p, say) {
  const anyParts = p.tailParts.length > 0 || p.segments.some((s) => s.parts.length);
  if (!p.partTarget) {
    if (anyParts) say('EXT-X-PART without EXT-X-PART-INF');
    if (p.hints.length) say('EXT-X-PRELOAD-HINT without EXT-X-PART-INF');
    return;
  }
  const c = p.control;
  if (c['CAN-BLOCK-RELOAD'] !== 'YES') say('parts without CAN-BLOCK-RELOAD=YES');
  if (!(Number(c['PART-HOLD-BACK']) >= 3 * p.partTarget - SLACK)) say(`PART-HOLD-BACK ${c['PART-HOLD-BACK']}: under three part targets`);
  if (c['HOLD-BACK'] && Number(c['HOLD-BACK']) < 3 * p.target - SLACK) say(`HOLD-BACK ${c['HOLD-BACK']}: under three target durations`);
  if (c['CAN-SKIP-UNTIL'] && Number(c['CAN-SKIP-UNTIL']) < 6 * p.target - SLACK) say(`CAN-SKIP-UNTIL ${c['CAN-SKIP-UNTIL']}: under six target durations`);
  const hints = p.hints.filter((h) => h.TYPE === 'PART');
  if (p.ended && p.hints.length) say('EXT-X-PRELOAD-HINT after the end');
  if (!p.ended && hints.length > 1) say(`${hints.length} EXT-X-PRELOAD-HINTs of a part`);
  if (!p.ended && hints.length === 0) say('no EXT-X-PRELOAD-HINT of a part');

  const groups = [...p.segments.map((s) => ({ ...s, whole: true })), { parts: p.tailParts, msn: p.msn + p.skipped + p.segments.length, whole: false }];
  let toEnd = 0; // seconds from a segment's end to the end of the playlist
  for (let g = groups.length - 1; g >= 0; g--) {
    const { parts, msn, duration, whole } = groups[g];
    const sum = parts.reduce((n, part) => n + part.duration, 0);
    parts.forEach((part, i) => {
      if (!part.URI) say(`a part of segment ${msn} has no URI`);
      if (!(part.duration <= p.partTarget + SLACK)) say(`part ${part.URI}: ${part.duration} s, above the part target of ${p.partTarget}`);
      // The newest part may turn out to be its segment's last; if not, the next load shows it in the middle.
      const last = i === parts.length - 1;
      if (!last && !part.GAP && part.duration < 0.85 * p.partTarget - SLACK) say(`part ${part.URI}: ${part.duration} s, under 85 % of the part target of ${p.partTarget}`);
    });
    if (whole && parts.length && Math.abs(sum - duration) > 0.01 + SLACK * parts.length) say(`segment ${msn}: its parts last ${sum.toFixed(3)} s, it ${duration}`);
    if (whole && parts.length && toEnd > 3 * p.target + SLACK) say(`segment ${msn}: parts ${toEnd.toFixed(1)} s from the end, past three target durations`);
    toEnd += whole ? duration : sum;
  }
  for (const hint of hints)
    if (groups.some((g) => g.parts.some((part) => part.URI === hint.URI && !part.BYTERANGE))) say(`${hint.URI} is hinted and there already`);
}

// Facts of one playlist URL that no later load may contradict.
class History {
  constructor() {
    this.facts = new Map();
  }

  same(key, value, say, words) {
    if (value === undefined) return;
    if (!this.facts.has(key)) this.facts.set(key, value);
    else if (this.facts.get(key) !== value) say(`${words}: ${value}, was ${this.facts.get(key)}`);
  }

  check(p, say) {
    this.first ??= p.msn;
    if (p.msn > this.first) checkLeft(p, say);
    this.same('target', p.target, say, 'EXT-X-TARGETDURATION changed');
    this.same('part', p.partTarget, say, 'PART-TARGET changed');
    for (const s of p.segments) {
      this.same(`uri ${s.msn}`, s.uri, say, `segment ${s.msn} changed its URI`);
      this.same(`duration ${s.msn}`, s.duration, say, `segment ${s.msn} changed its duration`);
      this.same(`pdt ${s.msn}`, s.pdt, say, `segment ${s.msn} changed its date`);
      if (!p.skipped) {
        this.same(`map ${s.msn}`, s.map, say, `segment ${s.msn} changed its EXT-X-MAP`);
        this.same(`disc ${s.msn}`, s.discNumber, say, `segment ${s.msn} changed its discontinuity sequence number`);
      }
    }
    for (const s of [...p.segments, { parts: p.tailParts }])
      for (const part of s.parts) this.same(`part ${part.URI} ${part.BYTERANGE}`, part.duration, say, `part ${part.URI} changed its duration`);
  }
}

const histories = new Map();
export const counts = { playlists: 0 };

// The violations of one load: an array of sentences, empty when there is none. `url` names the playlist;
// its query does not count.
export function observe(url, text) {
  const out = [];
  const say = (what) => out.push(`${url}: ${what}`);
  counts.playlists++;
  checkForm(text, say);
  if (isMultivariant(text)) checkMultivariant(text, say);
  else {
    const p = parseMedia(text);
    checkMedia(p, text, say);
    const key = url.replace(/\?.*/, '');
    if (!histories.has(key)) histories.set(key, new History());
    histories.get(key).check(p, say);
  }
  return out;
}
