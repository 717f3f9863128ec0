// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { session } from '../app';
import type { User } from '../api/types';
import { navigate } from '../store/router';
import { useStore } from './use-store';

/** Draws its child for a user; sends a guest to the login page and back here afterwards. */
export function ForUser({ children }: { children: (user: User) => ComponentChildren }) {
  const who = useStore(session);
  useEffect(() => {
    if (who.phase === 'guest')
      navigate(`/login?next=${encodeURIComponent(location.pathname + location.search)}`, { replace: true });
  }, [who.phase]);
  if (who.phase !== 'user') return <div class="page" aria-busy="true" />;
  return <>{children(who.user)}</>;
}

/** For the login and register pages: a user who comes here is sent on. */
export function useGuestOnly(next: string) {
  const who = useStore(session);
  useEffect(() => {
    if (who.phase === 'user') navigate(next, { replace: true });
  }, [who.phase]);
}
