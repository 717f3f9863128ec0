// SPDX-License-Identifier: MIT
// The validator finds what it is for: a good low-latency playlist passes, each broken copy is reported.
import assert from 'node:assert/strict';
import test from 'node:test';
import { observe } from './lib/m3u8.mjs';

const good = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0,CAN-SKIP-UNTIL=24
#EXT-X-PART-INF:PART-TARGET=1.0
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:4.00000,
seg0.m4s
#EXT-X-PART:DURATION=1.00000,URI="1.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=1.00000,URI="1.1.m4s"
#EXT-X-PART:DURATION=0.50000,URI="1.2.m4s"
#EXTINF:2.50000,
seg1.m4s
#EXT-X-PART:DURATION=1.00000,URI="2.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="2.1.m4s"
`;
const multivariant = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000
video.m3u8
`;

const subtitles = multivariant
  .replace('#EXT-X-STREAM', '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,FORCED=NO,URI="en.m3u8"\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="de.m3u8"\n#EXT-X-STREAM')
  .replace('\nvideo', ',SUBTITLES="s"\nvideo');
const texts = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:30
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:30,
text/0-9.vtt
#EXT-X-ENDLIST
`;

let n = 0;
const broken = (name, text, expected) =>
  test(name, () => {
    assert.notEqual(text, good, 'the case changes something');
    const said = observe(`case${n++}`, text).join('\n');
    assert.match(said, expected);
  });

test('good playlists pass', () => {
  assert.deepEqual(observe('good', good), []);
  assert.deepEqual(observe('good', good), [], 'and again');
  assert.deepEqual(observe('multivariant', multivariant), []);
  assert.deepEqual(observe('subtitles', subtitles), []);
  assert.deepEqual(observe('texts', texts), []);
});
broken('a segment above the target', good.replace('#EXTINF:4.00000', '#EXTINF:4.60000'), /above the target/);
broken('no target', good.replace('#EXT-X-TARGETDURATION:4\n', ''), /TARGETDURATION/);
broken('a part above the part target', good.replace('DURATION=1.00000,URI="1.1', 'DURATION=1.20000,URI="1.1'), /above the part target/);
broken('a short part in the middle', good.replace('DURATION=1.00000,URI="1.1', 'DURATION=0.50000,URI="1.1'), /85 %/);
broken('two hints', `${good}#EXT-X-PRELOAD-HINT:TYPE=PART,URI="2.2.m4s"\n`, /HINTs/);
broken('no hint', good.replace(/#EXT-X-PRELOAD.*\n/, ''), /no EXT-X-PRELOAD-HINT/);
broken('a small hold-back', good.replace('PART-HOLD-BACK=3.0', 'PART-HOLD-BACK=1.5'), /PART-HOLD-BACK/);
broken('no map', good.replace(/#EXT-X-MAP.*\n/, ''), /EXT-X-MAP/);
broken('a map changes without discontinuity', good.replace('#EXT-X-PART:DURATION=1.00000,URI="1.0', '#EXT-X-MAP:URI="b.mp4"\n#EXT-X-PART:DURATION=1.00000,URI="1.0'), /new EXT-X-MAP/);
broken('VOD that does not end', good.replace('#EXT-X-MEDIA', '#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA'), /VOD without/);
broken('no newline at the end', good.trimEnd(), /newline/);
broken('a variant without CODECS', multivariant.replace(/CODECS="[^"]*",/, ''), /CODECS/);
broken('a variant without FRAME-RATE', multivariant.replace(',FRAME-RATE=30.000', ''), /FRAME-RATE/);
broken('two subtitles of one name', subtitles.replace('Deutsch', 'English'), /one NAME/);
broken('two that are on', subtitles.replace('DEFAULT=NO', 'DEFAULT=YES'), /more than one DEFAULT/);
broken('subtitles without a language', subtitles.replace('LANGUAGE="de",', ''), /LANGUAGE/);
broken('subtitles without an address', subtitles.replace(',URI="de.m3u8"', ''), /without URI/);
broken('a variant without the subtitles', subtitles.replace(',SUBTITLES="s"', ''), /without the subtitles/);
broken('a group that there is not', subtitles.replace(',SUBTITLES="s"', ',SUBTITLES="t"'), /no EXT-X-MEDIA/);
broken('subtitles that go on', texts.replace('#EXT-X-PLAYLIST-TYPE:VOD\n', ''), /only VOD/);
test('a load that contradicts an earlier one is found', () => {
  assert.deepEqual(observe('history', good), []);
  assert.match(observe('history', good.replace('seg0.m4s', 'other.m4s')).join(), /changed its URI/);
  assert.match(observe('history', good.replace('PART-TARGET=1.0', 'PART-TARGET=1.1')).join(), /PART-TARGET changed/);
});
