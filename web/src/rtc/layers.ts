// SPDX-License-Identifier: MIT
// Choosing one of a publisher's layers (urn:ietf:params:whep:ext:core:layer): sizes of one picture.
import type { Fetch } from '../api/client';
import type { Link } from './signalling';

const LAYER_REL = 'urn:ietf:params:whep:ext:core:layer';

export interface Layer {
  id: string;
  width: number | null;
  height: number | null;
  bitrate: number | null;
}

export interface Layers {
  /** The layer that comes now. */
  current: string | null;
  /** The server follows the line; false: the viewer has chosen. */
  automatic: boolean;
  /** Largest first. */
  all: Layer[];
}

export const layerUrl = (links: readonly Link[]): string | null =>
  links.find((l) => l.rel.split(/\s+/).includes(LAYER_REL))?.target ?? null;

const number = (v: unknown): number | null => (typeof v === 'number' && v > 0 ? v : null);

/** What a server says, or null when it is nothing that can be used. */
export function readLayers(json: unknown): Layers | null {
  if (typeof json !== 'object' || json === null) return null;
  const { current, automatic, layers } = json as Record<string, unknown>;
  if (!Array.isArray(layers)) return null;
  const all: Layer[] = [];
  for (const l of layers as Record<string, unknown>[]) {
    if (typeof l?.encodingId !== 'string') continue;
    all.push({ id: l.encodingId, width: number(l.width), height: number(l.height), bitrate: number(l.bitrate) });
  }
  all.sort((a, b) => (b.height ?? 0) - (a.height ?? 0) || (b.bitrate ?? 0) - (a.bitrate ?? 0));
  return { current: typeof current === 'string' ? current : null, automatic: automatic !== false, all };
}

const browserFetch: Fetch = (url, init) => fetch(url, init);

export async function askLayers(url: string, fetcher: Fetch = browserFetch): Promise<Layers | null> {
  try {
    const answer = await fetcher(url, { cache: 'no-store', credentials: 'omit' });
    return answer.ok ? readLayers(await answer.json()) : null;
  } catch {
    return null;
  }
}

/** `id` null: the server chooses. True when it was taken. */
export async function chooseLayer(url: string, mediaId: string, id: string | null, fetcher: Fetch = browserFetch): Promise<boolean> {
  const body = JSON.stringify(id === null ? {} : { mediaId, encodingId: id });
  try {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body, credentials: 'omit' as const };
    return (await fetcher(url, init)).ok;
  } catch {
    return false;
  }
}
