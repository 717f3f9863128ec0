// SPDX-License-Identifier: MIT
// WHIP and WHEP over HTTP (RFC 9725; draft-ietf-wish-whep): an offer goes out, an answer and the
// session's own address come back. No RTCPeerConnection here: text in, text out, and every refusal is a value.
import type { Fetch } from '../api/client';
import { t } from '../i18n/t';

const TIMEOUT_MS = 15_000;

/** A refusal by the server, or no answer at all (`status` 0). `message` is fit for people. */
export interface Refusal {
  ok: false;
  status: number;
  code: string;
  message: string;
  /** Seconds, from Retry-After. */
  retryAfter: number | null;
}

export interface Link {
  /** As it stands in the header, or resolved when it is an address of HTTP's. */
  target: string;
  rel: string;
  params: Record<string, string>;
}

export interface Created {
  ok: true;
  answer: string;
  /** The session's address, absolute: PATCH and DELETE go there. */
  location: string;
  etag: string | null;
  iceServers: RTCIceServer[];
  /** Every Link, for extensions: layer selection, events. */
  links: Link[];
}

export interface Restarted {
  ok: true;
  /** What the server's side looks like from now on: give it to `withFragment`. */
  fragment: string;
  etag: string | null;
}

/** A server that cannot be reached, is busy or has its own trouble: trying again may help. */
export function temporary(r: Refusal): boolean {
  return r.status === 0 || r.status === 409 || r.status === 429 || r.status >= 500;
}

// --- Link headers (RFC 8288; RFC 9725, 4.6)

/** Splits at `mark`, but not inside "quotes" or <brackets>. */
function split(text: string, mark: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  let inside = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') inside = true;
    else if (c === '>') inside = false;
    else if (c === mark && !inside) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((p) => p.trim()).filter((p) => p !== '');
}

const unquote = (v: string) => (/^".*"$/s.test(v) ? v.slice(1, -1).replace(/\\(.)/gs, '$1') : v);

export function parseLinks(header: string | null, base: string): Link[] {
  const links: Link[] = [];
  for (const one of split(header ?? '', ',')) {
    const [first = '', ...rest] = split(one, ';');
    const raw = /^<(.*)>$/.exec(first)?.[1]?.trim();
    if (!raw) continue;
    const params: Record<string, string> = {};
    for (const p of rest) {
      const at = p.indexOf('=');
      const name = (at < 0 ? p : p.slice(0, at)).trim().toLowerCase();
      if (!(name in params)) params[name] = at < 0 ? '' : unquote(p.slice(at + 1).trim());
    }
    let target = raw;
    if (!/^(?:stuns?|turns?):/i.test(raw)) {
      try {
        target = new URL(raw, base).href;
      } catch {
        continue;
      }
    }
    links.push({ target, rel: params.rel ?? '', params });
  }
  return links;
}

/** The ones that a browser takes; it throws for a TURN server without credentials. */
export function iceServers(links: readonly Link[]): RTCIceServer[] {
  const servers: RTCIceServer[] = [];
  for (const { target, rel, params } of links) {
    if (!rel.split(/\s+/).includes('ice-server') || !/^(?:stuns?|turns?):/i.test(target)) continue;
    const { username, credential } = params;
    if (/^stuns?:/i.test(target)) servers.push({ urls: target });
    else if (username && credential) servers.push({ urls: target, username, credential });
  }
  return servers;
}

// --- fragments (RFC 8840), for an ICE restart

const lines = (sdp: string) => sdp.split(/\r\n|\n/).filter((l) => l !== '');
const join = (all: readonly string[]) => all.map((l) => `${l}\r\n`).join('');

/** Of a new offer, what an ICE restart tells: credentials and candidates of its first section. */
export function fragmentOf(offer: string): string {
  const all = lines(offer);
  const start = all.findIndex((l) => l.startsWith('m='));
  const next = all.findIndex((l, i) => i > start && l.startsWith('m='));
  const session = all.slice(0, start < 0 ? all.length : start);
  const media = start < 0 ? [] : all.slice(start, next < 0 ? all.length : next);
  const find = (re: RegExp) => media.find((l) => re.test(l)) ?? session.find((l) => re.test(l));
  const wanted = [/^a=ice-options:/, /^a=ice-ufrag:/, /^a=ice-pwd:/, /^m=/, /^a=mid:/].map(find);
  const candidates = media.filter((l) => /^a=(?:candidate:|end-of-candidates)/.test(l));
  return join([...wanted.filter((l) => l !== undefined), ...candidates]);
}

/** The answer with the server's new credentials and candidates: the remote description after a restart. */
export function withFragment(answer: string, fragment: string): string {
  const news = lines(fragment);
  const ufrag = news.find((l) => l.startsWith('a=ice-ufrag:'));
  const pwd = news.find((l) => l.startsWith('a=ice-pwd:'));
  const candidates = news.filter((l) => /^a=(?:candidate:|end-of-candidates)/.test(l));
  const out: string[] = [];
  let placed = false;
  for (const line of lines(answer)) {
    if (/^a=(?:candidate:|end-of-candidates)/.test(line)) continue;
    // The bundle's first section carries the candidates: they stand at its end.
    if (line.startsWith('m=') && !placed && out.some((l) => l.startsWith('m='))) {
      out.push(...candidates);
      placed = true;
    }
    if (line.startsWith('a=ice-ufrag:') && ufrag) out.push(ufrag);
    else if (line.startsWith('a=ice-pwd:') && pwd) out.push(pwd);
    else out.push(line);
  }
  if (!placed) out.push(...candidates);
  return join(out);
}

// --- the calls

const text = (v: unknown): string | null => (typeof v === 'string' && v !== '' ? v : null);
const refuse = (status: number, code: string, message: string, retryAfter: number | null = null): Refusal => ({
  ok: false,
  status,
  code,
  message,
  retryAfter,
});

/** Retry-After: seconds, or a date. */
function secondsOf(header: string | null): number | null {
  if (!header) return null;
  const n = Number(header);
  const seconds = Number.isNaN(n) ? (Date.parse(header) - Date.now()) / 1000 : n;
  return seconds > 0 ? Math.ceil(seconds) : null;
}

async function refusal(response: Response): Promise<Refusal> {
  const body = (await response.json().catch(() => null)) as { error?: { code?: unknown; message?: unknown } } | null;
  const { status } = response;
  return refuse(
    status,
    text(body?.error?.code) ?? `http_${status}`,
    text(body?.error?.message) ?? t('The server answered with an error ({status}).', { status }),
    secondsOf(response.headers.get('Retry-After')),
  );
}

export interface SignallingOptions {
  /** WHIP: the stream key. */
  bearer?: string;
  fetcher?: Fetch;
  /** What relative addresses are relative to; the page's unless given. */
  base?: string;
  timeoutMs?: number;
}

export type Signalling = ReturnType<typeof createSignalling>;

/** `endpoint`: a WHIP or WHEP URL, relative or absolute. */
export function createSignalling(endpoint: string, options: SignallingOptions = {}) {
  const { bearer, fetcher = (url, init) => fetch(url, init), timeoutMs = TIMEOUT_MS } = options;
  const url = new URL(endpoint, options.base ?? (typeof location === 'undefined' ? 'http://localhost' : location.href)).href;
  const auth: Record<string, string> = bearer ? { Authorization: `Bearer ${bearer}` } : {};

  async function call(method: string, to: string, headers: Record<string, string>, body?: string, keepalive = false) {
    const init: RequestInit = {
      method,
      headers: { ...auth, ...headers },
      credentials: 'omit',
      cache: 'no-store',
      // A request that outlives its page has nobody to abort it.
      ...(keepalive ? { keepalive } : { signal: AbortSignal.timeout(timeoutMs) }),
    };
    if (body !== undefined) init.body = body;
    try {
      return await fetcher(to, init);
    } catch {
      return refuse(0, 'network', t('The server cannot be reached right now.'));
    }
  }

  const isRefusal = (r: Response | Refusal): r is Refusal => !(r instanceof Response);
  /** A body that breaks off is no answer. */
  const read = (r: Response) => r.text().catch(() => null);
  const cut = () => refuse(0, 'network', t('The connection broke off in the middle of an answer.'));

  return {
    url,

    /** What a server gives for reaching it, before an offer is made. None when it does not say. */
    async iceServers(): Promise<RTCIceServer[]> {
      const response = await call('OPTIONS', url, {});
      if (isRefusal(response) || !response.ok) return [];
      return iceServers(parseLinks(response.headers.get('Link'), url));
    },

    async offer(sdp: string): Promise<Created | Refusal> {
      const response = await call('POST', url, { 'Content-Type': 'application/sdp', Accept: 'application/sdp' }, sdp);
      if (isRefusal(response)) return response;
      if (response.status !== 201) return response.ok ? refuse(response.status, 'bad_answer', t('This address does not speak WHIP or WHEP.')) : refusal(response);
      // A redirect (307) may have led elsewhere: what is relative is relative to that.
      const from = response.url || url;
      const where = response.headers.get('Location');
      if (!where) return refuse(201, 'bad_answer', t('The server did not say where the session is.'));
      const answer = await read(response);
      if (answer === null) return cut();
      const links = parseLinks(response.headers.get('Link'), from);
      return {
        ok: true,
        answer,
        location: new URL(where, from).href,
        etag: response.headers.get('ETag'),
        iceServers: iceServers(links),
        links,
      };
    },

    /** An ICE restart: the same session over a new path. `etag` as last heard; "*" when there was none. */
    async restart(location: string, etag: string | null, offer: string): Promise<Restarted | Refusal> {
      const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': etag ?? '*' };
      const response = await call('PATCH', location, headers, fragmentOf(offer));
      if (isRefusal(response)) return response;
      if (response.status === 200) {
        const fragment = await read(response);
        return fragment === null ? cut() : { ok: true, fragment, etag: response.headers.get('ETag') };
      }
      // 204: it took the candidates and saw no restart in them.
      return response.ok ? refuse(response.status, 'no_restart', t('The server did not restart the connection.')) : refusal(response);
    },

    /** Ends the session. `keepalive`: the page is being closed, nobody waits. True when it is gone. */
    async end(location: string, { keepalive = false }: { keepalive?: boolean } = {}): Promise<boolean> {
      const response = await call('DELETE', location, {}, undefined, keepalive);
      return isRefusal(response) ? false : response.ok || response.status === 404;
    },
  };
}
