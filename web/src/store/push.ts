// SPDX-License-Identifier: MIT
// This browser's subscription to push messages (Push API): made and taken back, here and at the server.
import { client } from '../app';
import { t } from '../i18n/t';

/** none: the browser has no such thing; blocked: the person said no; else whether it is subscribed. */
export type PushHere = 'none' | 'blocked' | 'off' | 'on';

const able = () => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

export async function pushHere(): Promise<PushHere> {
  if (!able()) return 'none';
  if (Notification.permission === 'denied') return 'blocked';
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription().catch(() => null)) ? 'on' : 'off';
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

const same = (a: ArrayBuffer | null | undefined, b: Uint8Array) =>
  !!a && a.byteLength === b.length && new Uint8Array(a).every((v, i) => v === b[i]);

/** From a click: the browser asks the person. Rejects with words for people. */
export async function pushOn(publicKey: string): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted') throw new Error(t('You did not allow notifications.'));
  const { pushManager } = await navigator.serviceWorker.ready;
  const key = bytes(publicKey);
  const old = await pushManager.getSubscription();
  // Of another server's key (its secret was replaced): of no use any more.
  if (old && !same(old.options.applicationServerKey, key)) await old.unsubscribe();
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }).catch(() => {
    throw new Error(t('Your browser’s push service cannot be reached right now.'));
  });
  const { endpoint, keys } = subscription.toJSON();
  try {
    await client.subscribePush({ endpoint: endpoint ?? '', p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' });
  } catch (e) {
    await subscription.unsubscribe().catch(() => {});
    throw e;
  }
}

export async function pushOff(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (!subscription) return;
  await client.unsubscribePush(subscription.endpoint);
  await subscription.unsubscribe();
}
