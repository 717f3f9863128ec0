// SPDX-License-Identifier: MIT
// What the product API answers, as docs/api describes it. Times are ISO 8601 in UTC, durations whole seconds.

export type StreamStatus = 'CREATED' | 'LIVE' | 'ENDED';
export type StreamType = 'RTMP' | 'BROWSER';
export type RecordingStatus = 'NONE' | 'RECORDING' | 'UPLOADING' | 'PROCESSING' | 'READY' | 'FAILED';

export interface Person {
  id: string;
  name: string;
  /** Of the channel's address: /@ada. */
  handle?: string;
  image: string | null;
}

/** How somebody follows a channel, and is told. */
export interface Following {
  mail: boolean;
  push: boolean;
  since: string;
}

/** A streamer as everybody may see them. */
export interface Channel extends Person {
  handle: string;
  about: string;
  followers: number;
  createdAt: string;
  /** Of the one who asks; null: does not follow. */
  following: Following | null;
}

export interface User extends Person {
  email: string;
  /** Nobody has shown yet that the address is theirs, and this server can ask by mail. */
  confirmEmail?: boolean;
  role?: 'user' | 'admin';
}

/** At an OpenID provider: by which somebody can sign in. */
export interface Identity {
  id: string;
  issuer: string;
  email: string | null;
  createdAt: string;
  usedAt: string;
}

export interface Playback {
  playbackId: string;
  /** Null: where it plays is not known yet. */
  hlsUrl: string | null;
  whepUrl?: string | null;
  thumbnailUrl?: string | null;
  storyboardUrl?: string | null;
  /** Of a private stream: until when its addresses let in. */
  expiresAt?: string;
  /** Another server plays it: its addresses are used as they are. */
  remote?: boolean;
}

export interface Ingest {
  rtmpUrl: string;
  rtmpsUrl?: string | null;
  /** Null: where the encoder goes is still being made ready. */
  streamKey: string | null;
  whipUrl?: string | null;
}

export interface ChatMessage {
  id: string;
  content: string;
  createdAt: string;
  /** The programme time at which its writer saw the picture. */
  programTime: string;
  /** `role`: in this room; null for those who read and write. */
  user: { id: string; name: string; image: string | null; handle?: string; role?: 'owner' | 'moderator' | null };
}

/** How a stream's room is kept. Seconds; 0: none. */
export interface ChatSettings {
  mode: 'open' | 'followers' | 'off';
  slowMode: number;
  followAge: number;
  /** Grows with every change of settings and pin. */
  version: string;
}

/** What one may do in a room. */
export interface ChatMe {
  role: 'owner' | 'moderator' | 'admin' | null;
  mayWrite: boolean;
  why: 'off' | 'banned' | 'timeout' | 'followers' | 'followAge' | 'slow' | null;
  until: string | null;
  /** Until then. */
  seconds: number | null;
}

export interface ChatRoom {
  settings: ChatSettings;
  pinned: ChatMessage | null;
  /** Null: a guest. */
  me: ChatMe | null;
  /** For those who keep the room: what is not taken. */
  words?: string[];
}

export interface ChatPage {
  messages: ChatMessage[];
  /** Ask for what is before this id; null: that was all. */
  nextBefore: string | null;
}

export type Visibility = 'PUBLIC' | 'UNLISTED' | 'PRIVATE';

/** Of an address that may watch a private stream. */
export interface Invitation {
  id: string;
  email: string;
  createdAt: string;
}

export interface Stream {
  id: string;
  title: string;
  description: string | null;
  status: StreamStatus;
  streamType: StreamType;
  recordingStatus: RecordingStatus;
  recordingUrl: string | null;
  recordingId: string | null;
  /** For its owner: percent of what is UPLOADING or PROCESSING, where it is known. */
  recordingProgress?: number | null;
  /** For its owner: why it failed. */
  recordingProblem?: string | null;
  duration: number | null;
  startedAt: string | null;
  endedAt: string | null;
  /** owner, limit: for good. encoder, restart: goes live again when the encoder comes back. */
  endedReason?: string | null;
  /** Announced: in the future, or it is late. */
  scheduledAt: string | null;
  /** The announced start was taken back, and what it was. */
  cancelledAt?: string | null;
  wasScheduledAt?: string | null;
  viewerCount: number;
  peakViewers: number;
  totalViewers?: number;
  createdAt: string;
  updatedAt: string;
  user: Person;
  playback: Playback | null;
  ingest?: Ingest;
  visibility?: Visibility;
  /** For its owner. */
  hasPassword?: boolean;
  /** Before it is live: the streamer's browser offers its picture to one viewer. */
  direct?: DirectState | null;
  /** LIVE only: false while the encoder is away but still in its reconnect window. */
  connected?: boolean;
}

/** One of a stream's recordings, for its owner. */
export interface Recording {
  id: string;
  /** The stream's: what its page plays. */
  own: boolean;
  source: 'SERVER' | 'BROWSER';
  status: 'RECORDING' | 'UPLOADING' | 'PROCESSING' | 'READY' | 'FAILED';
  /** Another server keeps it, and plays it. */
  remote?: boolean;
  /** Percent, where it is known. */
  progress: number | null;
  /** Bytes, while it is uploaded. */
  received: number | null;
  problem: string | null;
  duration: number | null;
  /** Bytes. */
  size: number | null;
  width: number | null;
  height: number | null;
  createdAt: string;
  startedAt: string | null;
  hlsUrl: string | null;
  thumbnailUrl: string | null;
  /** The recording as one file, made when it is asked for. */
  download: { status: 'NONE' | 'PREPARING' | 'READY' | 'FAILED'; url: string | null; size: number | null };
}

export interface DirectState {
  id: string;
  answered: boolean;
}

export interface StreamPage {
  streams: Stream[];
  nextCursor: string | null;
}

/** GET /api/settings: the limits that a page keeps to. Seconds, bytes; 0: none. */
export interface ServerSettings {
  /** The OpenID provider that people may sign in with. */
  signIn: { label: string } | null;
  registration?: 'open' | 'invite' | 'closed';
  maxStreamDuration: number;
  maxRecordingDuration: number;
  maxUploadSize: number;
}

/** GET /api/streams/{id}/health: what the encoder sends now. Everything but `connected` may be missing. */
export interface Health {
  connected: boolean;
  protocol?: string;
  encoder?: string;
  connectedAt?: string;
  /** The encoder's. */
  address?: string;
  video?: {
    codec?: string;
    profile?: string;
    width?: number;
    height?: number;
    fps?: number;
    bitrate?: number;
    keyFrameInterval?: number;
    keyFrameIntervalLongest?: number;
    bFrames?: boolean;
    /** Simulcast, in the publisher's order. */
    layers?: { bitrate: number }[];
  } | null;
  audio?: {
    codec?: string;
    profile?: string;
    sampleRate?: number;
    channels?: number;
    bitrate?: number;
    /** dB relative to full scale. */
    level?: number;
    peakLevel?: number;
  } | null;
  /** jitter and rtt in ms, behind in seconds, loss 0 to 1. */
  network?: { jitter?: number; behind?: number; speed?: number; loss?: number; nacks?: number; rtt?: number } | null;
  /** ms; positive: the sound is ahead of the picture. */
  avOffset?: number;
  avStart?: number;
  /** Which way viewers by WebRTC get the picture. */
  webrtc?: { state: 'direct' | 'transcoded' | 'refused'; message?: string };
  advice?: Advice[];
}

export interface Advice {
  level: 'ok' | 'info' | 'warning' | 'error';
  code?: string;
  message: string;
  /** The encoder's own setting, by its name. */
  setting?: string;
}

/** What a program logs in with. */
export interface Token {
  id: string;
  name: string;
  createdAt: string;
  /** To the minute; null: never. */
  lastUsedAt: string | null;
}

/** What a program signs playback with. */
export interface SigningKey {
  id: string;
  createdAt: string;
}

export interface Webhook {
  id: string;
  address: string;
  enabled: boolean;
  createdAt: string;
  /** Deliveries that are still to be made. */
  waiting: number;
}

export type DeliveryState = 'WAITING' | 'DELIVERED' | 'GIVEN_UP';

export interface Delivery {
  id: string;
  eventId: string;
  /** "video.asset.ready" */
  type: string;
  objectType: string;
  objectId: string;
  state: DeliveryState;
  attempts: number;
  createdAt: string;
  nextAt: string | null;
  lastAt: string | null;
  /** null: there was no answer. */
  lastStatus: number | null;
}

export interface DeliveryPage {
  deliveries: Delivery[];
  nextCursor: string | null;
}

export interface DeliveryDetail extends Delivery {
  /** The body as it is sent. */
  request: string;
  /** Oldest first; `answer` is its beginning, or why there was none. */
  answers: { at: string; status: number | null; answer: string; tookMs: number }[];
}

/** What an account is told of. */
export type NotifyWhat = 'live' | 'schedule' | 'reminder';
export interface NotifyPrefs {
  mail: Record<NotifyWhat, boolean> & { available: boolean };
  push: Record<NotifyWhat, boolean> & { publicKey: string; browsers: number };
}

export interface ReactionPage {
  totals: Record<'heart' | 'laugh' | 'wow' | 'clap' | 'fire', number>;
  /** [second of the programme since 1970, kind, how many] */
  timeline: [number, 'heart' | 'laugh' | 'wow' | 'clap' | 'fire', number][];
  nextAfter: number | null;
}
