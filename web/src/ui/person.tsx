// SPDX-License-Identifier: MIT
import type { Person } from '../api/types';

export const channelUrl = (handle: string) => `/@${handle}`;

/** Somebody's name, which leads to their channel. */
export function PersonName({ person }: { person: Person }) {
  if (!person.handle) return <bdi>{person.name}</bdi>;
  return (
    <a class="person" href={channelUrl(person.handle)}>
      <bdi>{person.name}</bdi>
    </a>
  );
}
