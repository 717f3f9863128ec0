// SPDX-License-Identifier: MIT
// The service worker: push messages, and a page for when there is no network.
export function startInstalled(): void {
  if (!('serviceWorker' in navigator)) return;
  // After the first picture: it has nothing to do with it.
  addEventListener('load', () => void navigator.serviceWorker.register('/service-worker.js').catch(() => {}), { once: true });
}
