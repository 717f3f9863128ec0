// SPDX-License-Identifier: MIT
// The product API as functions. Every failure is an ApiError, so that a page has one thing to show.
import { t, told } from '../i18n/t';
import type { Channel, Following } from './types';
import type { Invitation, Visibility } from './types';
import type { ReactionPage, ChatMessage, ChatPage, Delivery, DeliveryDetail, DeliveryPage, DeliveryState, Health, Identity, Recording, ServerSettings, SigningKey, Stream, StreamPage, StreamStatus, StreamType, Token, User, Webhook } from './types';
import type { NotifyPrefs } from './types';
import type { ChatRoom } from './types';

const TIMEOUT_MS = 15_000;
const FILE_TIMEOUT_MS = 120_000;

/** A refusal by the server, or no answer at all (`status` 0). `message` is fit for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    /** Seconds, from Retry-After. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Trying again later may help: no answer, too many requests, or the server's own trouble. */
  get temporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

interface ErrorBody {
  error?: { code?: unknown; message?: unknown; field?: unknown };
}

const text = (v: unknown): string | null => (typeof v === 'string' && v !== '' ? v : null);

async function refusal(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as ErrorBody | null;
  const seconds = Number(response.headers.get('Retry-After'));
  const retryAfter = seconds > 0 ? seconds : null;
  const said = text(body?.error?.message);
  let message = said ? told(said) : t('The server answered with an error ({status}).', { status: response.status });
  if (response.status === 429 && retryAfter) message += ` ${t('Try again in {retryAfter} s.', { retryAfter })}`;
  const code = text(body?.error?.code) ?? `http_${response.status}`;
  return new ApiError(response.status, code, message, text(body?.error?.field), retryAfter);
}

export interface StreamQuery {
  status?: StreamStatus | 'SCHEDULED';
  mine?: boolean;
  /** Words in title, name or @handle. */
  q?: string;
  /** One streamer's, by id. */
  user?: string;
  /** Of those one follows. */
  following?: boolean;
  limit?: number;
  cursor?: string | null;
}

export type Client = ReturnType<typeof createClient>;

/** `onUnauthorized` is told when a session that the page believed in is gone. */
export function createClient(fetcher: Fetch, onUnauthorized: () => void = () => {}) {
  /** That a private stream's password was given, by what it is asked for: in a frame on another site's page
   * there are no cookies. */
  const entries = new Map<string, string>();
  const entryOf = (path: string) => entries.get(/^\/(?:streams|playback)\/([^/?]+)/.exec(path)?.[1] ?? '');

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init: RequestInit = {
      method,
      credentials: 'same-origin',
      headers: { Accept: 'application/json' },
      signal: AbortSignal.timeout(body instanceof Blob ? FILE_TIMEOUT_MS : TIMEOUT_MS),
    };
    if (body instanceof Blob) {
      init.headers = { Accept: 'application/json', 'Content-Type': body.type };
      init.body = body;
    } else if (body !== undefined) {
      init.headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
      init.body = JSON.stringify(body);
    }
    const entry = entryOf(path);
    if (entry) init.headers = { ...init.headers, 'Bspnode-Entry': entry };
    let response: Response;
    try {
      response = await fetcher(`/api${path}`, init);
    } catch {
      throw new ApiError(0, 'network', t('The server cannot be reached right now.'));
    }
    if (!response.ok) {
      const error = await refusal(response);
      const signingIn = path.startsWith('/auth/') || path === '/me';
      if (error.status === 401 && !signingIn) onUnauthorized();
      throw error;
    }
    if (response.status === 204 || response.headers.get('Content-Length') === '0') return undefined as T;
    try {
      return (await response.json()) as T;
    } catch {
      throw new ApiError(0, 'bad_answer', t('The server gave an answer that this page does not understand.'));
    }
  }

  const webhook = (id: string) => `/webhooks/${encodeURIComponent(id)}`;
  const delivery = (hook: string, id: string) => `${webhook(hook)}/deliveries/${encodeURIComponent(id)}`;
  const channel = (handle: string) => `/users/${encodeURIComponent(handle)}`;
  const stream = (id: string) => `/streams/${encodeURIComponent(id)}`;

  const one = (id: string, recording: string) => `${stream(id)}/recordings/${encodeURIComponent(recording)}`;

  return {
    /** For what is loaded later and has its own functions. */
    call,
    chatRoom: (id: string) => call<ChatRoom>('GET', `${stream(id)}/chat`),
    register: (name: string, email: string, password: string, invite?: string) =>
      call<{ user: User }>('POST', '/auth/register', { name, email, password, ...(invite && { invite }) }).then((r) => r.user),
    /** `code`: of the second factor, for an account that has one. */
    login: (email: string, password: string, code?: string) =>
      call<{ user: User }>('POST', '/auth/login', { email, password, ...(code ? { code } : {}) }).then((r) => r.user),
    logout: () => call<void>('POST', '/auth/logout'),
    /** Where the browser is to go, at the OpenID provider. */
    startSignIn: (next: string, connect: boolean) => call<{ url: string }>('POST', '/auth/oidc/start', { next, connect }).then((r) => r.url),
    identities: () => call<{ identities: Identity[] }>('GET', '/me/identities').then((r) => r.identities),
    disconnect: (id: string) => call<void>('DELETE', `/me/identities/${encodeURIComponent(id)}`),
    putAvatar: (file: Blob) => call<{ user: User }>('PUT', '/me/avatar', file).then((r) => r.user),
    deleteAvatar: () => call<void>('DELETE', '/me/avatar'),
    me: () => call<{ user: User }>('GET', '/me').then((r) => r.user),

    listStreams(query: StreamQuery = {}): Promise<StreamPage> {
      const params = new URLSearchParams();
      if (query.status) params.set('status', query.status);
      if (query.mine) params.set('mine', 'true');
      if (query.q) params.set('q', query.q);
      if (query.user) params.set('user', query.user);
      if (query.following) params.set('following', 'true');
      if (query.limit) params.set('limit', String(query.limit));
      if (query.cursor) params.set('cursor', query.cursor);
      const search = params.toString();
      return call<StreamPage>('GET', `/streams${search && `?${search}`}`);
    },
    createStream: (input: { title: string; description?: string; streamType: StreamType; scheduledAt?: string; visibility?: Visibility; password?: string | null }) =>
      call<Stream>('POST', '/streams', input),
    getStream: (id: string) => call<Stream>('GET', stream(id)),
    /** With the password of a private stream; by its id or by what it plays by. */
    async enterStream(id: string, password: string): Promise<Stream> {
      const { entry, stream: entered } = await call<{ entry: string; stream: Stream }>('POST', `${stream(id)}/access`, { password });
      for (const name of [id, entered.id, entered.playback?.playbackId]) if (name) entries.set(name, entry);
      return entered;
    },
    listInvitations: (id: string) => call<{ invitations: Invitation[] }>('GET', `${stream(id)}/invitations`).then((r) => r.invitations),
    invite: (id: string, email: string) => call<Invitation>('POST', `${stream(id)}/invitations`, { email }),
    uninvite: (id: string, invitation: string) => call<void>('DELETE', `${stream(id)}/invitations/${encodeURIComponent(invitation)}`),
    messages: (id: string, before: string | null) =>
      call<ChatPage>('GET', `${stream(id)}/messages?limit=100${before ? `&before=${encodeURIComponent(before)}` : ''}`),
    say: (id: string, content: string, programTime: string | null) =>
      call<ChatMessage>('POST', `${stream(id)}/messages`, { content, programTime }),
    reactions: (id: string, after: number | null) =>
      call<ReactionPage>('GET', `${stream(id)}/reactions${after === null ? '' : `?after=${Math.max(after, 0)}`}`),
    react: (id: string, kind: string, count: number, programTime: string | null) =>
      call<void>('POST', `${stream(id)}/reactions`, { kind, count, programTime }),
    unsay: (id: string, message: string) => call<void>('DELETE', `${stream(id)}/messages/${encodeURIComponent(message)}`),
    /** The stream that a playback id belongs to. */
    getPlayed: (playbackId: string) => call<Stream>('GET', `/playback/${encodeURIComponent(playbackId)}`),
    editStream: (id: string, input: { title?: string; description?: string; streamType?: StreamType; scheduledAt?: string | null; visibility?: Visibility; password?: string | null }) =>
      call<Stream>('PATCH', stream(id), input),
    deleteStream: (id: string) => call<void>('DELETE', stream(id)),
    endStream: (id: string) => call<Stream>('POST', `${stream(id)}/end`),
    resetKey: (id: string) => call<Stream>('POST', `${stream(id)}/reset-key`),
    /** A place for the browser's own recording, uploaded in pieces. Asked again with the same key, it is the same
     * place. */
    uploadRecording: (id: string, mimeType: string, key: string) =>
      call<{ uploadId: string; uploadUrl: string; remote?: boolean }>('POST', `${stream(id)}/upload-recording`, { mimeType, key }),
    /** Nothing more of it will come. */
    cancelRecording: (id: string, uploadId: string) => call<void>('DELETE', `${stream(id)}/upload-recording/${encodeURIComponent(uploadId)}`),
    listRecordings: (id: string) => call<{ recordings: Recording[] }>('GET', `${stream(id)}/recordings`).then((r) => r.recordings),
    /** What the stream's page plays. */
    chooseRecording: (id: string, recording: string) => call<Recording>('POST', `${one(id, recording)}/own`),
    /** Has a file made of it. */
    prepareDownload: (id: string, recording: string) => call<Recording>('POST', `${one(id, recording)}/download`),
    deleteRecording: (id: string, recording: string) => call<void>('DELETE', one(id, recording)),
    getSettings: () => call<ServerSettings>('GET', '/settings'),
    getHealth: (id: string) => call<Health>('GET', `${stream(id)}/health`),
    offerDirect: (id: string, sdp: string) => call<{ id: string }>('PUT', `${stream(id)}/direct/offer`, { sdp }),
    answerDirect: (id: string, offer: string, sdp: string) => call<void>('PUT', `${stream(id)}/direct/answer`, { id: offer, sdp }),
    getDirect: (id: string) =>
      call<{ id: string; answered: boolean; offer?: string; answer?: string }>('GET', `${stream(id)}/direct`),
    endDirect: (id: string) => call<void>('DELETE', `${stream(id)}/direct`),

    listTokens: () => call<{ tokens: Token[] }>('GET', '/tokens').then((r) => r.tokens),
    /** The answer has the secret, once. */
    createToken: (name: string) => call<Token & { secret: string }>('POST', '/tokens', { name }),
    deleteToken: (id: string) => call<void>('DELETE', `/tokens/${encodeURIComponent(id)}`),
    listSigningKeys: () => call<{ signingKeys: SigningKey[] }>('GET', '/signing-keys').then((r) => r.signingKeys),
    /** The answer has the private key, once: PEM in base64. */
    createSigningKey: () => call<SigningKey & { privateKey: string }>('POST', '/signing-keys'),
    deleteSigningKey: (id: string) => call<void>('DELETE', `/signing-keys/${encodeURIComponent(id)}`),

    listWebhooks: () => call<{ webhooks: Webhook[] }>('GET', '/webhooks').then((r) => r.webhooks),
    /** The answer has the signing secret, once. */
    createWebhook: (address: string) => call<Webhook & { signingSecret: string }>('POST', '/webhooks', { address }),
    changeWebhook: (id: string, input: { address?: string; enabled?: boolean }) => call<Webhook>('PATCH', webhook(id), input),
    renewWebhookSecret: (id: string) =>
      call<{ signingSecret: string }>('POST', `${webhook(id)}/secret`).then((r) => r.signingSecret),
    deleteWebhook: (id: string) => call<void>('DELETE', webhook(id)),
    listDeliveries(hook: string, query: { state?: DeliveryState | null; cursor?: string | null } = {}): Promise<DeliveryPage> {
      const params = new URLSearchParams();
      if (query.state) params.set('state', query.state);
      if (query.cursor) params.set('cursor', query.cursor);
      const search = params.toString();
      return call<DeliveryPage>('GET', `${webhook(hook)}/deliveries${search && `?${search}`}`);
    },
    getDelivery: (hook: string, id: string) => call<DeliveryDetail>('GET', delivery(hook, id)),
    sendAgain: (hook: string, id: string) => call<Delivery>('POST', `${delivery(hook, id)}/send`),

    getNotifyPrefs: () => call<NotifyPrefs>('GET', '/me/notifications'),
    changeNotifyPrefs: (input: Record<string, boolean>) => call<NotifyPrefs>('PATCH', '/me/notifications', input),
    subscribePush: (input: { endpoint: string; p256dh: string; auth: string }) => call<void>('POST', '/push/subscriptions', input),
    unsubscribePush: (endpoint: string) => call<void>('DELETE', '/push/subscriptions', { endpoint }),
    aboutUnsubscribe: (token: string) => call<{ name: string }>('GET', `/unsubscribe?token=${encodeURIComponent(token)}`),
    unsubscribe: (token: string, all: boolean) => call<void>('POST', `/unsubscribe?token=${encodeURIComponent(token)}${all ? '&all=1' : ''}`),
    getChannel: (handle: string) => call<{ user: Channel }>('GET', channel(handle)).then((r) => r.user),
    editChannel: (input: { handle?: string; about?: string }) =>
      call<{ user: Channel }>('PATCH', '/me/channel', input).then((r) => r.user),
    /** Also changes how one is told. */
    follow: (handle: string, choice: { mail?: boolean; push?: boolean } = {}) =>
      call<{ following: Following }>('PUT', `${channel(handle)}/follow`, choice).then((r) => r.following),
    unfollow: (handle: string) => call<void>('DELETE', `${channel(handle)}/follow`),

    /** The owner's own page does not count as a viewer; a browser counts once. */
    eventsUrl(id: string, role?: 'owner', viewer = '') {
      const params = new URLSearchParams(role ? { role } : viewer ? { viewer } : {});
      const entry = entries.get(id);
      if (entry) params.set('entry', entry);
      const search = params.toString();
      return `/api${stream(id)}/events${search && `?${search}`}`;
    },
  };
}
