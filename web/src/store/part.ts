// SPDX-License-Identifier: MIT
// Parts of the pages that are files of their own. One that cannot be had although the server answers is of a
// build that the server no longer has (or the browser keeps the failure): loading the page again helps, once.
import { connection } from './connection';
import { leavingIsGuarded } from './router';

const KEY = 'bspnode-reloaded';
const ONCE_MS = 60_000;

/** False when it was done a moment ago, or the page has something going on. */
function reload(): boolean {
  if (leavingIsGuarded()) return false;
  try {
    if (Date.now() - Number(sessionStorage.getItem(KEY)) < ONCE_MS) return false;
    sessionStorage.setItem(KEY, String(Date.now()));
  } catch {
    return false; // nothing would keep it from going on for ever
  }
  location.reload();
  return true;
}

/** `load` imports the part. Rejects when it cannot be had now. */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (e) {
    if ((await connection.ask()) && reload()) return new Promise(() => {}); // until the page is gone
    throw e;
  }
}
