// SPDX-License-Identifier: MIT
// Tabs of one browser that broadcast the same stream know of each other, and one can hand over to another.

export interface Tabs {
  /** Asks around whether another tab is sending; `onOther` hears of it. */
  ask(): void;
  /** Asks the other tab to let go; resolves when it has, or when none answers. */
  takeOver(): Promise<void>;
  close(): void;
}

export interface TabsHandlers {
  /** Is this tab sending? */
  sending(): boolean;
  onOther(): void;
  /** Another tab takes over: let go, then the promise resolves. */
  letGo(): Promise<void>;
}

export type Channel = Pick<BroadcastChannel, 'postMessage' | 'close'> & { onmessage: ((e: MessageEvent) => void) | null };

const ANSWER_MS = 4000;

export function createTabs(
  id: string,
  handlers: TabsHandlers,
  open: (name: string) => Channel | null = (name) => (typeof BroadcastChannel === 'undefined' ? null : (new BroadcastChannel(name) as unknown as Channel)),
  after: (ms: number, fn: () => void) => void = (ms, fn) => void setTimeout(fn, ms),
): Tabs {
  const channel = open(`bspnode-broadcast-${id}`);
  let waiting: (() => void) | null = null;
  if (channel)
    channel.onmessage = async ({ data }) => {
      if (data === 'who' && handlers.sending()) channel.postMessage('me');
      else if (data === 'me') handlers.onOther();
      else if (data === 'yield' && handlers.sending()) {
        await handlers.letGo();
        channel.postMessage('yielded');
      } else if (data === 'yielded') waiting?.();
    };
  return {
    ask: () => channel?.postMessage('who'),
    takeOver: () =>
      new Promise<void>((done) => {
        if (!channel) return done();
        waiting = done;
        channel.postMessage('yield');
        after(ANSWER_MS, done);
      }),
    close: () => channel?.close(),
  };
}
