// SPDX-License-Identifier: MIT
// Going live from this page: the studio's tracks into a sender, the stream's state from the server, and what
// the two together mean for the person.
import { encodingsFor, soundBitrate, withStereo, type Quality } from '../rtc/plan';
import type { Sender, SendPlan, SendState, Tracks } from '../rtc/whip';
import type { Stream } from '../api/types';
import { createStore, type Readable } from './store';
import type { Studio, StudioStore } from './studio';
import type { Watch, WatchStore } from './watch';

export type Situation =
  | 'prepare' // there is nothing to send yet
  | 'ready'
  | 'resumable' // live, nobody sends, the window is open
  | 'elsewhere' // live from another tab or program
  | 'yielded' // another tab took over from this one
  | 'starting' // sending, viewers cannot see it yet
  | 'live'
  | 'recovering'
  | 'refused'
  | 'over';

export interface Broadcast {
  send: SendState;
  /** Another tab of this browser sends this stream. */
  otherTab: boolean;
  yielded: boolean;
  /** Since when the path is there, the last time: browsers begin small each time. Null: not yet. */
  sinceMs: number | null;
}

export const NOT_SENDING: SendState = { phase: 'idle', how: null, attempt: 0, problem: null };

/** Ended because nobody sent any more: it goes live again with the same key. */
const comesBack = (s: Stream) => s.endedReason === 'encoder' || s.endedReason === 'restart';

export const isOver = (s: Stream) => s.status === 'ENDED' && !comesBack(s);

export function situationOf(stream: Stream, b: Broadcast, canSend: boolean): Situation {
  if (isOver(stream)) return 'over';
  switch (b.send.phase) {
    case 'connecting':
      return 'starting';
    case 'live':
      return stream.status === 'LIVE' ? 'live' : 'starting';
    case 'recovering':
      return 'recovering';
    case 'refused':
      return b.send.problem?.status === 409 ? 'elsewhere' : 'refused';
    default:
      if (b.yielded) return 'yielded';
      if (stream.status === 'LIVE') return stream.connected === false ? 'resumable' : 'elsewhere';
      return canSend ? 'ready' : 'prepare';
  }
}

export const isSending = (s: Situation) => s === 'starting' || s === 'live' || s === 'recovering';

export function planFor(quality: Quality, codecs: (t: RTCRtpTransceiver) => void): SendPlan {
  return {
    encodings: encodingsFor(quality),
    audioBitrate: soundBitrate(quality),
    codecs,
    answer: quality.stereo ? withStereo : (sdp) => sdp,
  };
}

export interface BroadcastStore extends Readable<Broadcast> {
  start(): void;
  /** Lets go of the session; the stream stays for its window. */
  leave(): Promise<void>;
  setOtherTab(on: boolean): void;
  letGo(): Promise<void>;
  sender(): Sender | null;
  close(): void;
}

export interface BroadcastWorld {
  sender(ingest: { whipUrl: string; streamKey: string }, tracks: Tracks, plan: SendPlan): Sender;
  codecs(t: RTCRtpTransceiver): void;
  now(): number;
}

export function createBroadcast(world: BroadcastWorld, watch: WatchStore, studio: StudioStore): BroadcastStore {
  const store = createStore<Broadcast>({ send: NOT_SENDING, otherTab: false, yielded: false, sinceMs: null });
  let sender: Sender | null = null;
  let stopFollowing = () => {};
  let seen: Pick<Studio, 'program' | 'quality'> = studio.get();

  function follow() {
    const { program, quality } = studio.get();
    if (sender && program !== seen.program) sender.replace(program);
    if (sender && quality !== seen.quality) sender.tune(planFor(quality, world.codecs));
    seen = { program, quality };
  }
  const unStudio = studio.subscribe(follow);

  async function leave() {
    const old = sender;
    sender = null;
    stopFollowing();
    stopFollowing = () => {};
    studio.hold(false);
    store.patch({ send: NOT_SENDING, sinceMs: null });
    await old?.stop();
  }

  const unWatch = watch.subscribe(() => {
    const { stream, phase }: Watch = watch.get();
    if (sender && (phase === 'deleted' || (stream && isOver(stream)))) void leave();
    if (stream && (stream.status !== 'LIVE' || stream.connected === false) && store.get().otherTab) store.patch({ otherTab: false });
  });

  return {
    get: store.get,
    subscribe: store.subscribe,
    sender: () => sender,
    start() {
      const ingest = watch.get().stream?.ingest;
      if (!ingest?.streamKey || sender?.get().phase === 'connecting' || sender?.get().phase === 'live' || sender?.get().phase === 'recovering') return;
      void leave();
      studio.hold(true);
      const { program, quality } = studio.get();
      seen = { program, quality };
      const made = (sender = world.sender({ whipUrl: ingest.whipUrl ?? '/whip', streamKey: ingest.streamKey }, program, planFor(quality, world.codecs)));
      stopFollowing = made.subscribe(() => {
        const send = made.get();
        const begins = send.phase === 'live' && store.get().send.phase !== 'live';
        store.patch({ send, sinceMs: begins ? world.now() : store.get().sinceMs });
      });
      store.patch({ yielded: false, otherTab: false });
      made.start();
    },
    leave,
    setOtherTab: (otherTab) => store.patch({ otherTab }),
    async letGo() {
      store.patch({ yielded: true });
      await leave();
    },
    close() {
      unStudio();
      unWatch();
      void leave();
    },
  };
}
