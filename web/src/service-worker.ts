// SPDX-License-Identifier: MIT
// The service worker: shows push messages, leads to what they are about, and has one page for when there is no
// network. It keeps that page and nothing else: media, the API and the pages are never taken from a cache.
import { sentence, type Message } from './i18n/push';

/** From build.mjs: the offline page with what it needs, and a name that changes with them. */
declare const OFFLINE: { page: string; files: string[]; name: string };

interface WindowClient {
  url: string;
  focus(): Promise<WindowClient>;
  navigate(url: string): Promise<WindowClient | null>;
}
interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Worker {
  location: Location;
  navigator: Navigator;
  registration: { showNotification(title: string, options: object): Promise<void> };
  clients: { claim(): Promise<void>; matchAll(o: object): Promise<WindowClient[]>; openWindow(url: string): Promise<WindowClient | null> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: 'install' | 'activate', fn: (e: Waiting) => void): void;
  addEventListener(kind: 'fetch', fn: (e: Waiting & { request: Request; respondWith(r: Promise<Response>): void }) => void): void;
  addEventListener(kind: 'push', fn: (e: Waiting & { data: { json(): unknown } | null }) => void): void;
  addEventListener(kind: 'notificationclick', fn: (e: Waiting & { notification: { data: unknown; close(): void } }) => void): void;
}
const worker = self as unknown as Worker;

worker.addEventListener('install', (e) => {
  const keep = async () => {
    const cache = await caches.open(OFFLINE.name);
    await cache.addAll([OFFLINE.page, ...OFFLINE.files].map((url) => new Request(url, { cache: 'no-cache' })));
    await worker.skipWaiting();
  };
  e.waitUntil(keep());
});

worker.addEventListener('activate', (e) => {
  const tidy = async () => {
    for (const name of await caches.keys()) if (name !== OFFLINE.name) await caches.delete(name);
    await worker.clients.claim();
  };
  e.waitUntil(tidy());
});

const kept = async (url: string) => (await caches.match(url)) ?? Response.error();

worker.addEventListener('fetch', (e) => {
  const url = new URL(e.request.url);
  if (e.request.mode === 'navigate') e.respondWith(fetch(e.request).catch(() => kept(OFFLINE.page)));
  else if (url.origin === worker.location.origin && OFFLINE.files.includes(url.pathname)) e.respondWith(fetch(e.request).catch(() => kept(url.pathname)));
});

worker.addEventListener('push', (e) => {
  let message: Message | null = null;
  try {
    message = e.data?.json() as Message;
  } catch {
    // not one of ours: shown as something without words, since the browser wants something shown
  }
  const { title, body } = sentence(message, worker.navigator.languages);
  e.waitUntil(
    worker.registration.showNotification(title, { body, tag: message?.tag ?? '', renotify: !!message?.tag, icon: '/icons/192.png', badge: '/icons/badge.png', data: { url: message?.url ?? '/' } }),
  );
});

/** Only a page of this site. */
function target(data: unknown): string {
  const url = new URL(String((data as { url?: unknown } | null)?.url ?? '/'), worker.location.origin);
  return url.origin === worker.location.origin ? url.href : worker.location.origin;
}

worker.addEventListener('notificationclick', (e) => {
  e.notification.close();
  const url = target(e.notification.data);
  const show = async () => {
    const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const there = windows.find((w) => w.url === url);
    await (there ? there.focus() : worker.clients.openWindow(url));
  };
  e.waitUntil(show());
});
