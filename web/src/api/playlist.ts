// SPDX-License-Identifier: MIT
// What stands at a playback address now, found out before a player is made for it.

export type Playable =
  | 'live'
  | 'recorded' // it has an end
  | 'starting' // live, without a whole segment yet: hls.js gives up on a playlist of parts alone
  | 'not-live' // 412
  | 'missing' // 404, 410
  | 'failed'; // no answer, or not one that can be understood: try again

export type FetchText = (url: string) => Promise<{ status: number; url: string; text(): Promise<string> }>;

const browserFetch: FetchText = (url) => fetch(url, { cache: 'no-store' });

/** Playlists are asked for from where this page came from, whatever name the server calls itself by: the
 * pages' Content-Security-Policy allows nothing else. */
export function here(src: string, base: string = location.href): string {
  const url = new URL(src, base);
  return url.pathname + url.search;
}

function refusal(status: number): Playable | null {
  if (status === 200) return null;
  if (status === 412) return 'not-live';
  return status === 404 || status === 410 ? 'missing' : 'failed';
}

export async function lookAt(src: string, fetchText: FetchText = browserFetch): Promise<Playable> {
  try {
    const master = await fetchText(src);
    const no = refusal(master.status);
    if (no) return no;
    const list = await master.text();
    if (!list.startsWith('#EXTM3U')) return 'failed';
    const first = list.split('\n').find((line) => line !== '' && !line.startsWith('#'));
    if (!first) return 'failed';
    const media = await fetchText(new URL(first.trim(), new URL(master.url, 'http://localhost')).href);
    const gone = refusal(media.status);
    if (gone) return gone === 'missing' ? 'failed' : gone; // between the two it ended, or began
    const text = await media.text();
    if (text.includes('#EXT-X-ENDLIST')) return 'recorded';
    return text.includes('#EXTINF') ? 'live' : 'starting';
  } catch {
    return 'failed';
  }
}
