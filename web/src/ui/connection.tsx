// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/t';
import { connection } from '../store/connection';
import { useStore } from './use-store';

const PATIENCE_MS = 1000;

/** Says, quietly and after a moment, that the server is away; the pages come back by themselves. */
export function ConnectionNote() {
  const { online } = useStore(connection);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (online) return setShown(false);
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [online]);
  return (
    <div class="away" role="status">
      {shown && (
        <p>
          <span class="spinner" aria-hidden="true" /> {t('Reconnecting to the server…')}
        </p>
      )}
    </div>
  );
}

/** Calls `fn` whenever the server is back. */
export function useReturn(fn: () => void): void {
  const { online } = useStore(connection);
  const [away, setAway] = useState(!online);
  useEffect(() => {
    if (!online) setAway(true);
    else if (away) {
      setAway(false);
      fn();
    }
  }, [online]);
}
