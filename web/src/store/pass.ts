// SPDX-License-Identifier: MIT
// What lets into a private stream's media stands in its addresses and is renewed: a player goes by the address
// without it, so that a new one does not begin the picture anew, and takes the newest when it asks.

const newest = new Map<string, string>();

/** The address without its token, which is kept. */
export function keepPass(address: string): string {
  const [path = '', query = ''] = address.split('?', 2);
  const params = new URLSearchParams(query);
  const token = params.get('token');
  params.delete('token');
  if (token) newest.set(path, token);
  else newest.delete(path);
  const rest = params.toString();
  return rest ? `${path}?${rest}` : path;
}

/** The token that goes with it, as a query; "" for what needs none. */
export function passOf(address: string): string {
  const token = newest.get(address.split('?', 1)[0] ?? '');
  return token ? `token=${encodeURIComponent(token)}` : '';
}

/** The address as it is to be asked for now. */
export function withPass(address: string): string {
  const pass = passOf(address);
  return pass ? `${address}${address.includes('?') ? '&' : '?'}${pass}` : address;
}
