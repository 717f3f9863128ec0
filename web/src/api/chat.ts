// SPDX-License-Identifier: MIT
// What those who keep a room ask for: loaded with their tools.
import type { Client } from './client';
import type { ChatRoom, ChatSettings, Person } from './types';

export interface ChatBan {
  id: string;
  user: Person;
  /** Null: for good. */
  until: string | null;
  reason: string;
  by: string;
  createdAt: string;
  address: boolean;
}

export interface ChatLogLine {
  id: string;
  at: string;
  action: 'delete' | 'timeout' | 'ban' | 'unban' | 'settings' | 'moderator' | 'unmoderator' | 'pin' | 'unpin';
  by: Person | null;
  user: Person | null;
  content: string | null;
  detail: string;
}

export interface BanInput {
  userId: string;
  /** Without: for good. */
  seconds?: number;
  address?: boolean;
  deleteMessages?: boolean;
  reason?: string;
}

export type RoomChange = Partial<Omit<ChatSettings, 'version'>> & { words?: string[] };

export function chatCalls({ call }: Client, streamId: string) {
  const room = `/streams/${encodeURIComponent(streamId)}/chat`;
  const one = (kind: string, id: string) => `${room}/${kind}/${encodeURIComponent(id)}`;
  const before = (cursor: string | null) => (cursor ? `?before=${encodeURIComponent(cursor)}` : '');
  return {
    change: (input: RoomChange) => call<ChatRoom>('PATCH', room, input),
    get: () => call<ChatRoom>('GET', room),
    pin: (messageId: string) => call<void>('PUT', `${room}/pinned`, { messageId }),
    unpin: () => call<void>('DELETE', `${room}/pinned`),
    ban: (input: BanInput) => call<ChatBan>('POST', `${room}/bans`, input),
    unban: (id: string) => call<void>('DELETE', one('bans', id)),
    bans: (cursor: string | null) => call<{ bans: ChatBan[]; nextBefore: string | null }>('GET', `${room}/bans${before(cursor)}`),
    moderators: () => call<{ moderators: Person[] }>('GET', `${room}/moderators`).then((r) => r.moderators),
    addModerator: (userId: string) => call<void>('POST', `${room}/moderators`, { userId }),
    removeModerator: (userId: string) => call<void>('DELETE', one('moderators', userId)),
    people: (q: string) => call<{ people: Person[] }>('GET', `${room}/people?q=${encodeURIComponent(q)}`).then((r) => r.people),
    log: (cursor: string | null) => call<{ log: ChatLogLine[]; nextBefore: string | null }>('GET', `${room}/log${before(cursor)}`),
  };
}

export type ChatCalls = ReturnType<typeof chatCalls>;
