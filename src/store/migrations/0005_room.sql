-- SPDX-License-Identifier: MIT
-- The room around the stream: accounts, channels, who may see a stream, notices, administration.

-- Accounts: addresses to confirm, forgotten passwords, sessions that can be told apart.
-- `closing_at`: its owner has deleted it, nobody logs in; what it had is being removed, also after a
-- restart. `email_confirmed_at` NULL: nobody has shown that the address is theirs.
ALTER TABLE users ADD COLUMN email_confirmed_at BIGINT;
ALTER TABLE users ADD COLUMN closing_at BIGINT;
CREATE INDEX users_closing ON users (closing_at) WHERE closing_at IS NOT NULL;
ALTER TABLE sessions ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0; -- to five minutes; 0: as created
ALTER TABLE sessions ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT ''; -- its network, not the whole of it
-- What a mail's link is good for, once: the link's token is nowhere here, only its SHA-256.
CREATE TABLE account_links (
    token_hash TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('confirm', 'change', 'reset')),
    email      TEXT NOT NULL, -- that was written to: confirmed by the link, or changed to
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX account_links_user ON account_links (user_id, kind);
CREATE INDEX account_links_expires ON account_links (expires_at);

-- Signing in: second factor, other providers, avatars.
-- Who an OpenID provider knows an account by. An account without a password has password_hash ''.
CREATE TABLE identities (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    email      TEXT NOT NULL, -- as the provider last said; '': not told
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);

-- Sign-ins that were begun: a browser is at its provider. Neither text is here, only its SHA-256.
CREATE TABLE sign_ins (
    state_hash   TEXT PRIMARY KEY,
    browser_hash TEXT NOT NULL,
    user_id      TEXT REFERENCES users (id) ON DELETE CASCADE, -- who connects; NULL: signs in
    next         TEXT NOT NULL, -- the path to go on with
    redirect_uri TEXT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX sign_ins_expires ON sign_ins (expires_at);
-- `confirmed_at` NULL: being set up, nothing asks for it yet. `last_step`: of the last code that was
-- taken (RFC 6238), which is not taken again.
CREATE TABLE second_factors (
    user_id       TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret_sealed BLOB NOT NULL, -- with a secret outside this file
    last_step     BIGINT NOT NULL DEFAULT 0,
    confirmed_at  BIGINT,
    created_at    BIGINT NOT NULL
);
CREATE TABLE recovery_codes (
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL, -- keyed, as stream keys are
    PRIMARY KEY (user_id, code_hash)
);

-- The chat's moderation.
-- How a stream's room is kept. A stream without a row has an open one; a new stream copies the last.
CREATE TABLE chat_rooms (
    stream_id  TEXT PRIMARY KEY REFERENCES streams (id) ON DELETE CASCADE,
    mode       TEXT NOT NULL DEFAULT 'open' CHECK (mode IN ('open', 'followers', 'off')),
    slow_s     INTEGER NOT NULL DEFAULT 0, -- between two messages of somebody
    follow_s   INTEGER NOT NULL DEFAULT 0, -- how long followers must have been that
    words      TEXT NOT NULL DEFAULT '',   -- patterns that are not taken, one a line
    pinned_id  BIGINT,                     -- chat_messages.id
    version    BIGINT NOT NULL DEFAULT 0   -- the event of the last change
);
-- Moderators and bans are a streamer's: they hold in all their rooms.
CREATE TABLE chat_moderators (
    owner_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner_id, user_id)
);
CREATE INDEX chat_moderators_user ON chat_moderators (user_id);
CREATE TABLE chat_bans (
    id         TEXT PRIMARY KEY,
    owner_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    until      BIGINT NOT NULL, -- the largest number: for good
    reason     TEXT NOT NULL DEFAULT '',
    by_id      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (owner_id, user_id)
);
CREATE INDEX chat_bans_user ON chat_bans (user_id);
-- Addresses are nowhere as such: a keyed hash, another one for each streamer, with the key outside
-- of this file; forgotten after some weeks.
CREATE TABLE chat_addresses (
    owner_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address  TEXT NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (owner_id, user_id, address)
);
CREATE INDEX chat_addresses_seen ON chat_addresses (seen_at);
CREATE INDEX chat_addresses_user ON chat_addresses (user_id);
CREATE TABLE chat_ban_addresses (
    ban_id   TEXT NOT NULL REFERENCES chat_bans (id) ON DELETE CASCADE,
    owner_id TEXT NOT NULL,
    address  TEXT NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (ban_id, address)
);
CREATE INDEX chat_ban_addresses_find ON chat_ban_addresses (owner_id, address);
CREATE INDEX chat_ban_addresses_until ON chat_ban_addresses (until);
-- What was done in the rooms of a streamer, for those who moderate them.
CREATE TABLE chat_log (
    id         BIGINT PRIMARY KEY, -- of the events' kind
    owner_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    stream_id  TEXT NOT NULL,
    at         BIGINT NOT NULL,
    by_id      TEXT NOT NULL,
    action     TEXT NOT NULL,
    user_id    TEXT,            -- with whom
    message_id BIGINT,          -- chat_messages.id: its text is there, also when it is deleted
    detail     TEXT NOT NULL DEFAULT ''
);
CREATE INDEX chat_log_owner ON chat_log (owner_id, id);
CREATE INDEX chat_log_at ON chat_log (at);

-- Reactions, sessions of viewers and their counts.
CREATE TABLE reactions (
    stream_id TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    at_s      BIGINT NOT NULL, -- the second of the programme, since 1970
    kind      TEXT NOT NULL,
    n         BIGINT NOT NULL,
    PRIMARY KEY (stream_id, at_s, kind)
);

-- Everybody who has watched, by a keyed hash, until a day after the end; the numbers stay.
CREATE TABLE stream_viewers (
    stream_id TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    page      INTEGER NOT NULL, -- 1: by our page, 0: by a player, which may be a page's
    who       BIGINT NOT NULL,
    PRIMARY KEY (stream_id, page, who)
);
ALTER TABLE streams ADD COLUMN total_pages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE streams ADD COLUMN total_players INTEGER NOT NULL DEFAULT 0;

-- Channels: what a streamer says of themselves, followers, schedules.
ALTER TABLE users ADD COLUMN handle TEXT; -- of /@handle; who was here before gets one at the start
CREATE UNIQUE INDEX users_handle ON users (handle);
ALTER TABLE users ADD COLUMN about TEXT NOT NULL DEFAULT '';

CREATE TABLE follows (
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- who is followed
    follower_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    by_mail     INTEGER NOT NULL DEFAULT 1, -- how the follower wants to be told
    by_push     INTEGER NOT NULL DEFAULT 1,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, follower_id)
);
CREATE INDEX follows_follower ON follows (follower_id, created_at, user_id);

-- A schedule that was taken back keeps its time, for the calendars that have it.
ALTER TABLE streams ADD COLUMN was_scheduled_at BIGINT;
ALTER TABLE streams ADD COLUMN cancelled_at BIGINT;
ALTER TABLE streams ADD COLUMN schedule_number INTEGER NOT NULL DEFAULT 0; -- of its changes
ALTER TABLE streams ADD COLUMN schedule_changed_at BIGINT;
CREATE INDEX streams_scheduled ON streams (scheduled_at, id) WHERE scheduled_at IS NOT NULL;

-- Mail and push: what waits to be sent, and who wants it.
-- A mail's row goes when the mail server has taken it, or will not: nothing of it is kept.
CREATE TABLE mails (
    id          TEXT PRIMARY KEY, -- also in its Message-ID
    urgency     INTEGER NOT NULL, -- 0 asked for by its reader just now, 1 a notice
    user_id     TEXT REFERENCES users (id) ON DELETE CASCADE, -- NULL: goes out whoever it is
    to_name     TEXT NOT NULL,
    to_address  TEXT NOT NULL,
    subject     TEXT NOT NULL,
    body        TEXT NOT NULL,
    unsubscribe TEXT NOT NULL DEFAULT '',
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX mails_next ON mails (urgency, next_at);
CREATE INDEX mails_to ON mails (to_address);
CREATE INDEX mails_user ON mails (user_id);
CREATE INDEX mails_expires ON mails (expires_at);

-- Where a browser of a user takes push messages; the keys are the browser's (RFC 8291).
CREATE TABLE push_subscriptions (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    endpoint   TEXT NOT NULL UNIQUE,
    p256dh     TEXT NOT NULL,
    auth       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id, created_at);

-- Gone when the push service has taken it.
CREATE TABLE pushes (
    id              TEXT PRIMARY KEY,
    subscription_id TEXT NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    payload         TEXT NOT NULL,
    topic           TEXT NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    next_at         BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX pushes_next ON pushes (next_at);
CREATE INDEX pushes_subscription ON pushes (subscription_id);

-- Which notices an account wants at all, as bits: 1 live, 2 schedule, 4 reminder. No row: all.
CREATE TABLE notice_prefs (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    mail    INTEGER NOT NULL,
    push    INTEGER NOT NULL
);

-- What followers are being told, in the order of their ids: up to after_id it has been done.
CREATE TABLE notices (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('live', 'scheduled', 'moved', 'cancelled', 'soon')),
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- whose followers
    stream_id  TEXT NOT NULL, -- which may be deleted by now
    title      TEXT NOT NULL,
    at         BIGINT NOT NULL, -- the time that was set; of 'cancelled' the one that was
    was_at     BIGINT NOT NULL DEFAULT 0, -- of 'moved', as followers know it
    due_at     BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    after_id   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX notices_due ON notices (due_at);
CREATE INDEX notices_stream ON notices (stream_id);
CREATE INDEX notices_user ON notices (user_id);
ALTER TABLE streams ADD COLUMN live_told_at BIGINT NOT NULL DEFAULT 0; -- started_at of the broadcast
ALTER TABLE streams ADD COLUMN reminded_at BIGINT NOT NULL DEFAULT 0;  -- the scheduled_at of the reminder

-- Who may see a stream. Of a PRIVATE one: its owner, administrators, who was invited, and who knows
-- the password. What was let in carries `access_epoch`, or of the password `password_at`: counted up,
-- or set anew, it ends what was let in before.
ALTER TABLE streams ADD COLUMN visibility TEXT NOT NULL DEFAULT 'PUBLIC'
    CHECK (visibility IN ('PUBLIC', 'UNLISTED', 'PRIVATE'));
ALTER TABLE streams ADD COLUMN watch_password_hash TEXT NOT NULL DEFAULT ''; -- argon2id; '': none
ALTER TABLE streams ADD COLUMN password_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE streams ADD COLUMN access_epoch BIGINT NOT NULL DEFAULT 1;
CREATE TABLE stream_invitations (
    id         TEXT PRIMARY KEY,
    stream_id  TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    email      TEXT NOT NULL, -- as it was typed; there may be no account of it yet
    email_key  TEXT NOT NULL, -- users.email_key
    created_at BIGINT NOT NULL,
    UNIQUE (stream_id, email_key)
);

-- Administration: quotas, reports, the audit log.
ALTER TABLE users ADD COLUMN suspended_at BIGINT; -- not NULL: cannot sign in, publish or write
ALTER TABLE users ADD COLUMN suspended_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN last_seen_at BIGINT NOT NULL DEFAULT 0; -- to some minutes
ALTER TABLE users ADD COLUMN storage_quota BIGINT;                   -- bytes, 0 none; NULL: the setting
ALTER TABLE users ADD COLUMN storage_told INTEGER NOT NULL DEFAULT 0; -- percent that was told of: 80, 100
CREATE INDEX users_created ON users (created_at, id);
-- What the folder of an asset takes on disk, as of `bytes_at`.
ALTER TABLE assets ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN bytes_at BIGINT NOT NULL DEFAULT 0;

-- Who did what. A row is written in the transaction of the change and refers to nothing: it stays,
-- with the actor's name, when the account or the object is gone.
CREATE TABLE audit_log (
    id          TEXT PRIMARY KEY,
    at          BIGINT NOT NULL,
    actor_id    TEXT,           -- NULL: the terminal, or the server itself
    actor_name  TEXT NOT NULL,
    action      TEXT NOT NULL,  -- 'user.suspend'
    object_kind TEXT NOT NULL,  -- 'user'
    object_id   TEXT NOT NULL,
    detail      TEXT NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (at, id);
CREATE INDEX audit_log_actor ON audit_log (actor_id, at, id);
CREATE INDEX audit_log_object ON audit_log (object_id, at, id);

-- What viewers complain of. What is reported is written down here, so that deleting it does not
-- take the complaint away.
CREATE TABLE reports (
    id           TEXT PRIMARY KEY,
    stream_id    TEXT NOT NULL,
    stream_title TEXT NOT NULL,
    owner_id     TEXT NOT NULL,
    message_id   BIGINT,         -- of the chat; NULL: the stream itself
    message_by   TEXT NOT NULL DEFAULT '',
    message_text TEXT NOT NULL DEFAULT '',
    reporter_id  TEXT REFERENCES users (id) ON DELETE SET NULL, -- NULL: a guest
    reason       TEXT NOT NULL,
    content      TEXT NOT NULL DEFAULT '',
    state        TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved', 'dismissed')),
    note         TEXT NOT NULL DEFAULT '',
    closed_by    TEXT NOT NULL DEFAULT '', -- a name
    closed_at    BIGINT,
    created_at   BIGINT NOT NULL
);
CREATE INDEX reports_state ON reports (state, created_at, id);
CREATE INDEX reports_stream ON reports (stream_id, state);
CREATE INDEX reports_reporter ON reports (reporter_id);

-- Settings that are changed while the server runs; the others are the command line's.
CREATE TABLE admin_settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Codes that make an account while registration is by invitation; the code is nowhere here.
CREATE TABLE invites (
    code_hash  TEXT PRIMARY KEY,
    note       TEXT NOT NULL DEFAULT '',
    uses_left  INTEGER NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- What only the running server can do, wished in the transaction of the change, or by the terminal.
CREATE TABLE admin_orders (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('end', 'delete')),
    object_id  TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    done_at    BIGINT,
    problem    TEXT NOT NULL DEFAULT ''
);
CREATE INDEX admin_orders_waiting ON admin_orders (created_at) WHERE done_at IS NULL;
