// SPDX-License-Identifier: MIT
// A stream's state and the viewer's wish, as what the player shows: for the viewer page and the embedded one.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Stream } from '../api/types';
import { choiceOf, choicesOf, createWish, noteOf, pictureOf, sightOf, type Choice, type Picture, type Trouble } from '../store/source';
import { type WatchPhase } from '../store/watch';
import { useStore } from './use-store';

/** By HLS a live picture is some seconds behind: after the end it plays out before the page moves on. */
const PLAY_OUT_MS = { hls: 12_000, webrtc: 1000 };

const CAN_WEBRTC = typeof RTCPeerConnection === 'function';

export const onAir = (phase: WatchPhase) => phase === 'live' || phase === 'reconnecting';
export const isOver = (phase: WatchPhase) => phase.startsWith('ended');

/** The phase as shown: the end is held back until the live player has played out. */
function usePlayedOut(phase: WatchPhase, way: { current: Picture['way'] }): [WatchPhase, () => void] {
  const [shown, setShown] = useState(phase);
  const latest = useRef(phase);
  latest.current = phase;
  useEffect(() => {
    if (!(onAir(shown) && isOver(phase))) {
      setShown(phase);
      return;
    }
    const timer = setTimeout(() => setShown(latest.current), PLAY_OUT_MS[way.current]);
    return () => clearTimeout(timer);
  }, [phase]);
  return [shown, () => setShown(latest.current)];
}

export interface Shown {
  phase: WatchPhase;
  picture: Picture | null;
  /** Why it comes another way than it would. */
  note: string | null;
  choices: Choice[];
  choice: Choice | null;
  choose: (c: Choice) => void;
  /** Into the recording, at its first second; null while there is none. */
  fromStart: (() => void) | null;
  backToLive: () => void;
  onTrouble: (t: Trouble) => void;
  onPlayedOut: () => void;
}

export function usePicture(stream: Stream, phase: WatchPhase): Shown {
  const way = useRef<Picture['way']>('hls');
  const [shown, onPlayedOut] = usePlayedOut(phase, way);
  const wishes = useMemo(() => createWish(), []);
  const wish = useStore(wishes);
  const sight = sightOf(stream, { onAir: onAir(shown), recorded: shown === 'ended-recorded' });
  const recording = sight.recordingUrl; // as the pictures name it: one address, one player
  const picture = pictureOf(sight, wish, CAN_WEBRTC);
  if (picture) way.current = picture.way;
  useEffect(() => wishes.seen(sight), [sight.connected, recording]);
  useEffect(() => {
    addEventListener('online', wishes.networkChanged);
    return () => removeEventListener('online', wishes.networkChanged);
  }, [wishes]);
  return {
    phase: shown,
    picture,
    note: noteOf(sight, wish, CAN_WEBRTC),
    choices: choicesOf(sight, CAN_WEBRTC),
    choice: choiceOf(sight, wish, CAN_WEBRTC),
    choose: (c) => (c !== 'rewind' ? wishes.choose(c) : recording && wishes.rewind(recording)),
    fromStart: recording === null ? null : () => wishes.rewind(recording, 'start'),
    backToLive: wishes.backToLive,
    onTrouble: wishes.trouble,
    onPlayedOut,
  };
}
