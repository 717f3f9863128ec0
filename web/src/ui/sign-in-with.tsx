// SPDX-License-Identifier: MIT
// The button to the OpenID provider, and what is said when the way there and back did not work.
import { useEffect, useState } from 'preact/hooks';
import { client } from '../app';
import { ApiError } from '../api/client';
import { msg, t } from '../i18n/t';
import { place } from '../store/router';
import { Button } from './button';
import { Problem } from './form';

const WORDS: Record<string, string> = {
  sign_in_account_exists: msg('There is an account with this e-mail address already. Log in with its password; then you can connect the two on your account page.'),
  sign_in_no_email: msg('The provider does not tell your e-mail address. Allow it there, or create an account here and connect the two on your account page.'),
  sign_in_cancelled: msg('You were not signed in: it was cancelled at the provider.'),
  sign_in_over: msg('That took too long, or was begun in another browser. Please begin again.'),
  sign_in_taken: msg('That identity belongs to another account here.'),
  sign_in_unreachable: msg('The sign-in provider cannot be reached now; try again later.'),
  registration_closed: msg('This server takes no new accounts; ask its operator for one.'),
  suspended: msg('This account is suspended.'),
  sign_in_failed: msg('You could not be signed in: what the provider answered is not valid.'),
};

/** The words for ?problem= in the page's address; none for what is no code of ours. */
export function signInProblem(search: string): string | null {
  const code = new URLSearchParams(search).get('problem');
  const words = code && Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  return words ? t(words) : null;
}

/** What the button says; null: there is no provider, or not known yet. */
export function useProvider(): string | null {
  const [label, setLabel] = useState<string | null>(null);
  useEffect(() => {
    client.getSettings().then((s) => setLabel(s.signIn?.label ?? null), () => {});
  }, []);
  return label;
}

/** Leaves for the provider. `connect`: joins it to the account that is signed in. */
export function useLeave(next: string, connect: boolean) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const leave = async () => {
    setBusy(true);
    setProblem(null);
    try {
      location.assign(await client.startSignIn(next, connect));
    } catch (e) {
      setBusy(false);
      setProblem(e instanceof ApiError ? e.message : t('Something went wrong.'));
    }
  };
  return { busy, problem, leave };
}

export function SignInWith({ next }: { next: string }) {
  const label = useProvider();
  const { busy, problem, leave } = useLeave(next, false);
  return (
    <div class="sign-in-with">
      <Problem text={problem ?? signInProblem(place.get().search)} />
      {label && (
        <Button busy={busy} onClick={() => void leave()}>
          {t('Sign in with {provider}', { provider: label })}
        </Button>
      )}
    </div>
  );
}
