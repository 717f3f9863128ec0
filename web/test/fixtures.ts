// SPDX-License-Identifier: MIT
import type { Stream } from '../src/api/types';

export function aStream(part: Partial<Stream> = {}): Stream {
  return {
    id: 's1',
    title: 'Tea',
    description: null,
    status: 'CREATED',
    streamType: 'RTMP',
    recordingStatus: 'NONE',
    recordingUrl: null,
    recordingId: null,
    duration: null,
    startedAt: null,
    endedAt: null,
    scheduledAt: null,
    viewerCount: 0,
    peakViewers: 0,
    createdAt: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-01T00:00:00Z',
    user: { id: 'u1', name: 'Ada', image: null },
    playback: { playbackId: 'p1', hlsUrl: '/p1.m3u8' },
    ...part,
  };
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(status === 204 ? null : JSON.stringify(body), { status, headers });

/** Lets everything that is ready to run do so. */
export const settle = () => new Promise<void>((done) => setImmediate(done));
