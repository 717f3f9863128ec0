// SPDX-License-Identifier: MIT
// What this browser is known by when viewers are counted: random, kept here, told to nobody else.
const KEY = 'bspnode-viewer';

export function viewerId(storage: Pick<Storage, 'getItem' | 'setItem'> = localStorage): string {
  try {
    const known = storage.getItem(KEY);
    if (known && /^[0-9a-f]{32}$/.test(known)) return known;
    const made = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
    storage.setItem(KEY, made);
    return made;
  } catch {
    return ''; // no storage: each page is somebody else
  }
}
