// SPDX-License-Identifier: MIT
// Addresses. Routes are few and flat, so a table and a history listener are enough.
import { connection } from './connection';
import { createStore } from './store';

export type Route =
  | { name: 'home' }
  | { name: 'login' }
  | { name: 'register' }
  | { name: 'dashboard' }
  | { name: 'account' }
  | { name: 'forgot' }
  | { name: 'reset' }
  | { name: 'confirm' }
  | { name: 'webhooks' }
  | { name: 'api' }
  | { name: 'unsubscribe' }
  | { name: 'notifications' }
  | { name: 'admin'; section: string }
  | { name: 'manage'; id: string }
  | { name: 'watch'; id: string }
  | { name: 'channel'; handle: string }
  | { name: 'broadcast'; id: string }
  | { name: 'not-found' };

export function match(pathname: string): Route {
  const path = pathname.replace(/\/+$/, '') || '/';
  switch (path) {
    case '/':
      return { name: 'home' };
    case '/login':
      return { name: 'login' };
    case '/register':
      return { name: 'register' };
    case '/dashboard':
      return { name: 'dashboard' };
    case '/notifications':
      return { name: 'notifications' };
    case '/unsubscribe':
      return { name: 'unsubscribe' };
    case '/account':
      return { name: 'account' };
    case '/forgot':
      return { name: 'forgot' };
    case '/reset':
      return { name: 'reset' };
    case '/confirm':
      return { name: 'confirm' };
    case '/dashboard/webhooks':
      return { name: 'webhooks' };
    case '/dashboard/api':
      return { name: 'api' };
  }
  const handle = /^\/@(\w+)$/.exec(path)?.[1];
  if (handle) return { name: 'channel', handle: handle.toLowerCase() };
  const section = /^\/admin(?:\/(users|streams|storage|limits|errors|reports|audit))?$/.exec(path);
  if (section) return { name: 'admin', section: section[1] ?? 'users' };
  const [, kind, id, studio] = /^\/(dashboard|stream)\/([^/]+)(\/broadcast)?$/.exec(path) ?? [];
  if (!kind || !id || (studio && kind !== 'stream')) return { name: 'not-found' };
  let decoded: string;
  try {
    decoded = decodeURIComponent(id);
  } catch {
    return { name: 'not-found' };
  }
  if (studio) return { name: 'broadcast', id: decoded };
  return kind === 'stream' ? { name: 'watch', id: decoded } : { name: 'manage', id: decoded };
}

export interface Place {
  path: string;
  search: string;
  route: Route;
}

const here = (): Place => ({
  path: location.pathname,
  search: location.search,
  route: match(location.pathname),
});

export const place = createStore<Place>(
  typeof location === 'undefined' ? { path: '/', search: '', route: { name: 'home' } } : here(),
);

/** A page with something going on is asked before it is left; it calls `navigate` again, with `force`. */
let guard: ((to: string) => void) | null = null;
let guarded = '';

export function guardLeaving(ask: ((to: string) => void) | null): void {
  guard = ask;
  guarded = ask ? location.pathname + location.search : '';
}

export const leavingIsGuarded = (): boolean => guard !== null;

export function navigate(to: string, options: { replace?: boolean; force?: boolean } = {}): void {
  if (guard && !options.force) return guard(to);
  // The server has other pages by now: theirs, from the beginning.
  if (connection.get().outdated) return location.assign(to);
  history[options.replace ? 'replaceState' : 'pushState'](null, '', to);
  place.set(here());
  scrollTo(0, 0);
}

/** Plain links stay plain links; a left click on one of ours changes the page without loading it anew. */
export function startRouter(): void {
  addEventListener('popstate', () => {
    if (!guard) return place.set(here());
    // Gone already: back to where we were, then the question.
    const to = location.pathname + location.search;
    history.pushState(null, '', guarded);
    guard(to);
  });
  document.addEventListener('click', (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const link = (e.target as Element).closest?.('a');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (match(link.pathname).name === 'not-found') return;
    if (link.pathname === location.pathname && link.hash) return;
    e.preventDefault();
    navigate(link.pathname + link.search + link.hash);
  });
}
