// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { here, lookAt, type FetchText } from '../src/api/playlist';

const master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx/v0.m3u8\n';

/** A server with a multivariant playlist at /p.m3u8 and this media playlist behind it. */
const serving =
  (media: string | number, masterStatus = 200): FetchText =>
  async (url) => {
    const answer = (status: number, body: string) => ({ status, url: `http://h${new URL(url, 'http://h').pathname}`, text: async () => body });
    if (url === '/p.m3u8') return answer(masterStatus, master);
    assert.equal(url, 'http://h/x/v0.m3u8');
    return typeof media === 'number' ? answer(media, '') : answer(200, media);
  };

test('what stands at an address', async () => {
  const look = (media: string | number, status?: number) => lookAt('/p.m3u8', serving(media, status));
  assert.equal(await look('#EXTM3U\n#EXTINF:4,\na.m4s\n'), 'live');
  assert.equal(await look('#EXTM3U\n#EXT-X-PART:DURATION=1,URI="a.0.m4s"\n'), 'starting');
  assert.equal(await look('#EXTM3U\n#EXTINF:4,\na.m4s\n#EXT-X-ENDLIST\n'), 'recorded');
  assert.equal(await look('', 412), 'not-live');
  assert.equal(await look('', 404), 'missing');
  assert.equal(await look('', 503), 'failed');
  assert.equal(await look(404), 'failed', 'the media playlist went meanwhile');
  assert.equal(await look(412), 'not-live');
  assert.equal(await lookAt('/p.m3u8', () => Promise.reject(new TypeError('refused'))), 'failed');
  assert.equal(await lookAt('/p.m3u8', async (url) => ({ status: 200, url, text: async () => '<html>' })), 'failed');
});

test('addresses are asked for here', () => {
  assert.equal(here('http://127.0.0.1:8080/a.m3u8?t=1', 'http://localhost:8080/stream/x'), '/a.m3u8?t=1');
});
