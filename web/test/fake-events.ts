// SPDX-License-Identifier: MIT
// A line to the server that a test holds the other end of.
import type { EventSourceLike, EventsClock } from '../src/api/events';

class FakeSource implements EventSourceLike {
  readyState = 0;
  onopen: ((e: Event) => void) | null = null;
  onerror: ((e: Event) => void) | null = null;
  closed = false;
  private listeners = new Map<string, (e: MessageEvent<string>) => void>();
  addEventListener(type: string, listener: (e: MessageEvent<string>) => void) {
    this.listeners.set(type, listener);
  }
  close() {
    this.closed = true;
  }
  open() {
    this.onopen?.({} as Event);
  }
  fail() {
    this.onerror?.({} as Event);
  }
  send(type: string, data: string) {
    this.listeners.get(type)?.({ data } as MessageEvent<string>);
  }
}

export class FakeEvents implements EventsClock {
  sources: FakeSource[] = [];
  waits: number[] = [];
  private due: (() => void)[] = [];
  connect() {
    const source = new FakeSource();
    this.sources.push(source);
    return source;
  }
  after(ms: number, fn: () => void) {
    this.waits.push(ms);
    this.due.push(fn);
    return () => {
      this.due = this.due.filter((f) => f !== fn);
    };
  }
  /** Everything that waits happens now. */
  tick() {
    for (const fn of this.due.splice(0)) fn();
  }
  get last(): FakeSource {
    const source = this.sources[this.sources.length - 1];
    if (!source) throw new Error('nobody connected');
    return source;
  }
}
