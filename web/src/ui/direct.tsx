// SPDX-License-Identifier: MIT
// The viewer's side of the direct preview: a picture before the stream is live.
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { client } from '../app';
import { here } from '../api/playlist';
import type { Stream } from '../api/types';
import { t } from '../i18n/t';
import { createDirectViewer, type DirectApi } from '../rtc/direct';
import { createSignalling } from '../rtc/signalling';
import { useStore } from './use-store';

/** What the server keeps for the two, and the servers that help them to find each other. */
export function directApi(stream: Stream): DirectApi {
  const whep = stream.playback?.whepUrl;
  return {
    offer: (sdp) => client.offerDirect(stream.id, sdp),
    answer: (id, sdp) => client.answerDirect(stream.id, id, sdp),
    get: () => client.getDirect(stream.id),
    end: () => client.endDirect(stream.id),
    iceServers: () => (whep ? createSignalling(here(whep)).iceServers() : Promise.resolve([])),
  };
}

/** The picture while there is one; `children` before and after. */
export function DirectPreview({ stream, children }: { stream: Stream; children: preact.ComponentChildren }) {
  const viewer = useMemo(() => createDirectViewer(directApi(stream)), [stream.id]);
  const view = useStore(viewer);
  const video = useRef<HTMLVideoElement>(null);
  const id = stream.direct?.id;
  const answered = stream.direct?.answered;
  useEffect(() => {
    viewer.see(stream.direct ?? null);
  }, [viewer, id, answered]);
  useEffect(() => () => viewer.close(), [viewer]);
  const shown = view.phase === 'watching' && view.stream;
  useEffect(() => {
    const element = video.current;
    if (!element || !shown) return;
    element.srcObject = shown;
    // With sound where the browser lets it; else without, and the controls are there.
    element.play().catch(() => {
      element.muted = true;
      void element.play().catch(() => {});
    });
    return () => {
      element.srcObject = null;
    };
  }, [shown]);
  if (!shown) return <>{children}</>;
  return (
    <div class="screen">
      <div class="player">
        <video class="direct-video" ref={video} controls playsInline aria-label={t('Direct preview')} />
      </div>
      <p class="screen-banner">{t('Direct preview: only you see this. It goes live when somebody else comes.')}</p>
    </div>
  );
}
