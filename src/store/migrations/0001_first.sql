-- SPDX-License-Identifier: MIT
-- The first schema: accounts, streams and the media domain behind them.
--
-- Times are microseconds since 1970 (UTC), ids are random text. A stream is the product's object
-- (title, owner, state); the live stream behind it and its assets belong to the media domain, so
-- that the product's API and a Mux-compatible one are two views of the same rows.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    email         TEXT NOT NULL,        -- as it was typed
    email_key     TEXT NOT NULL UNIQUE, -- in lower case: what is compared
    password_hash TEXT NOT NULL,        -- argon2id, with its parameters
    image         TEXT,
    role          TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY, -- SHA-256 of the cookie's token, hex: the token is nowhere
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- What an encoder publishes to. `active`: an encoder is connected or within its reconnect window.
CREATE TABLE live_streams (
    id                TEXT PRIMARY KEY,
    user_id           TEXT REFERENCES users (id) ON DELETE CASCADE,
    stream_key_hash   TEXT NOT NULL UNIQUE, -- keyed: see base/secret.h
    stream_key_sealed BLOB NOT NULL,        -- for its owner's eyes, with a secret outside this file
    status            TEXT NOT NULL DEFAULT 'idle' CHECK (status IN ('idle', 'active', 'disabled')),
    reconnect_window_us BIGINT,             -- NULL: the setting
    max_duration_us   BIGINT,               -- NULL: the setting
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL
);
CREATE INDEX live_streams_user ON live_streams (user_id);
CREATE INDEX live_streams_status ON live_streams (status);

CREATE TABLE streams (
    id               TEXT PRIMARY KEY,
    user_id          TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    live_stream_id   TEXT NOT NULL UNIQUE REFERENCES live_streams (id),
    title            TEXT NOT NULL,
    description      TEXT NOT NULL DEFAULT '',
    status           TEXT NOT NULL DEFAULT 'CREATED' CHECK (status IN ('CREATED', 'LIVE', 'ENDED')),
    stream_type      TEXT NOT NULL DEFAULT 'RTMP' CHECK (stream_type IN ('RTMP', 'BROWSER')),
    recording_status TEXT NOT NULL DEFAULT 'NONE' CHECK (recording_status IN
                         ('NONE', 'RECORDING', 'UPLOADING', 'PROCESSING', 'READY', 'FAILED')),
    recording_id     TEXT,           -- assets.id; its URL follows from the asset's playback id
    duration         INTEGER,        -- whole seconds, once it has ended
    started_at       BIGINT,         -- first went live
    ended_at         BIGINT,
    ended_reason     TEXT NOT NULL DEFAULT '' CHECK (ended_reason IN
                         ('', 'owner', 'encoder', 'limit', 'restart')),
    scheduled_at     BIGINT,
    peak_viewers     INTEGER NOT NULL DEFAULT 0,
    webrtc_offer     TEXT,
    webrtc_answer    TEXT,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL
);
-- The lobby pages through each state, newest first; an owner pages through their own.
CREATE INDEX streams_status ON streams (status, (coalesce(started_at, created_at)), id);
CREATE INDEX streams_user ON streams (user_id, created_at, id);

-- A recording (or, later, an upload): a folder of segments.
CREATE TABLE assets (
    id             TEXT PRIMARY KEY,
    user_id        TEXT REFERENCES users (id) ON DELETE CASCADE,
    live_stream_id TEXT,
    stream_id      TEXT REFERENCES streams (id) ON DELETE SET NULL,
    status         TEXT NOT NULL DEFAULT 'preparing'
                       CHECK (status IN ('preparing', 'ready', 'errored')),
    is_live        INTEGER NOT NULL DEFAULT 0, -- 1 while its stream adds to it
    dir            TEXT NOT NULL,              -- name of its folder, not a path
    duration_us    BIGINT,
    problem        TEXT NOT NULL DEFAULT '',   -- when errored: why, in words
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);
CREATE INDEX assets_stream ON assets (stream_id);
CREATE INDEX assets_live_stream ON assets (live_stream_id);
CREATE INDEX assets_status ON assets (status);

-- Ids of live streams and of assets share one name space: they are what viewers' URLs hold.
CREATE TABLE playback_ids (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('live', 'asset')),
    object_id  TEXT NOT NULL, -- live_streams.id or assets.id
    policy     TEXT NOT NULL DEFAULT 'public' CHECK (policy IN ('public', 'signed')),
    created_at BIGINT NOT NULL
);
CREATE INDEX playback_ids_object ON playback_ids (object_id, created_at);
