// SPDX-License-Identifier: MIT
// The token of a mail's link is behind the '#', which no server is told; once read it is taken out of the
// address, so that it is in no history and no bookmark.
export function takeLinkToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (token) history.replaceState(history.state, '', location.pathname + location.search);
  return token;
}
