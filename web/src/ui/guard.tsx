// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { session } from '../app';
import type { User } from '../api/types';
import { navigate } from '../store/router';
import { useStore } from './use-store';

/** Draws its child for a user; sends a guest to the login page and back here afterwards. `stay`: something is
 * going on that goes on without a session, too; who was here stays. */
export function ForUser({ children, stay }: { children: (user: User) => ComponentChildren; stay?: () => boolean }) {
  const who = useStore(session);
  const last = useRef<User | null>(null);
  if (who.phase === 'user') last.current = who.user;
  const user = who.phase === 'user' || (who.phase === 'guest' && stay?.()) ? last.current : null;
  const away = who.phase === 'guest' && !user;
  useEffect(() => {
    if (away) navigate(`/login?next=${encodeURIComponent(location.pathname + location.search)}`, { replace: true });
  }, [away]);
  if (!user) return <div class="page" aria-busy="true" />;
  return <>{children(user)}</>;
}

/** For the login and register pages: a user who comes here is sent on. */
export function useGuestOnly(next: string) {
  const who = useStore(session);
  useEffect(() => {
    if (who.phase === 'user') navigate(next, { replace: true });
  }, [who.phase]);
}
