-- SPDX-License-Identifier: MIT
-- The room around the stream: accounts, channels, who may see a stream, notices, administration.

-- Accounts: addresses to confirm, forgotten passwords, sessions that can be told apart.

-- Signing in: second factor, other providers, avatars.

-- The chat's moderation.

-- Reactions, sessions of viewers and their counts.

-- Channels: what a streamer says of themselves, followers, schedules.

-- Mail and push: what waits to be sent, and who wants it.

-- Who may see a stream.

-- Administration: quotas, reports, the audit log.
