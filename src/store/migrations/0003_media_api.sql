-- SPDX-License-Identifier: MIT
-- The media domain as Mux's contract has it: tokens, uploads, jobs, signed playback, webhooks. JSON
-- columns hold what a client gave, checked, for giving it back; what the server decides by has a
-- column of its own.

CREATE TABLE api_tokens (
    id          TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    secret_hash TEXT NOT NULL, -- SHA-256, hex: the secret is random and long
    created_at  BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL DEFAULT 0 -- to the minute; 0: never
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

-- `reusable`: made through the media API; ending a broadcast does not end the stream.
ALTER TABLE live_streams ADD COLUMN reusable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE live_streams ADD COLUMN latency_mode TEXT NOT NULL DEFAULT 'low';
ALTER TABLE live_streams ADD COLUMN passthrough TEXT NOT NULL DEFAULT '';
ALTER TABLE live_streams ADD COLUMN meta TEXT NOT NULL DEFAULT '';          -- JSON
ALTER TABLE live_streams ADD COLUMN asset_options TEXT NOT NULL DEFAULT ''; -- JSON: new_asset_settings
ALTER TABLE live_streams ADD COLUMN options TEXT NOT NULL DEFAULT '';       -- JSON: everything else
-- Of new_asset_settings, for the recording's row: the policies of its playback ids ("public,signed").
ALTER TABLE live_streams ADD COLUMN asset_policies TEXT NOT NULL DEFAULT 'public';
ALTER TABLE live_streams ADD COLUMN asset_passthrough TEXT NOT NULL DEFAULT '';
ALTER TABLE live_streams ADD COLUMN asset_meta TEXT NOT NULL DEFAULT '';    -- JSON
ALTER TABLE live_streams ADD COLUMN ingest_protocol TEXT NOT NULL DEFAULT ''; -- of the last encoder
ALTER TABLE live_streams ADD COLUMN test INTEGER NOT NULL DEFAULT 0;
ALTER TABLE live_streams ADD COLUMN active_asset_id TEXT; -- while connected or within the window
ALTER TABLE live_streams ADD COLUMN connected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE live_streams ADD COLUMN recording INTEGER NOT NULL DEFAULT 0;
CREATE INDEX live_streams_created ON live_streams (user_id, created_at, id);

ALTER TABLE assets ADD COLUMN ingest_type TEXT NOT NULL DEFAULT 'live_rtmp';
ALTER TABLE assets ADD COLUMN upload_id TEXT;
ALTER TABLE assets ADD COLUMN source_asset_id TEXT;                   -- of a clip
ALTER TABLE assets ADD COLUMN passthrough TEXT NOT NULL DEFAULT '';
ALTER TABLE assets ADD COLUMN meta TEXT NOT NULL DEFAULT '';          -- JSON
ALTER TABLE assets ADD COLUMN options TEXT NOT NULL DEFAULT '';       -- JSON: AssetOptions as given
ALTER TABLE assets ADD COLUMN tracks TEXT NOT NULL DEFAULT '';        -- JSON: known at ready
ALTER TABLE assets ADD COLUMN inputs TEXT NOT NULL DEFAULT '';        -- JSON: as given
ALTER TABLE assets ADD COLUMN input_info TEXT NOT NULL DEFAULT '';    -- JSON
ALTER TABLE assets ADD COLUMN non_standard TEXT NOT NULL DEFAULT '';  -- JSON: reasons; '': none
ALTER TABLE assets ADD COLUMN error_type TEXT NOT NULL DEFAULT '';    -- with `problem`
ALTER TABLE assets ADD COLUMN progress_state TEXT NOT NULL DEFAULT ''; -- '': follows from status
ALTER TABLE assets ADD COLUMN progress INTEGER NOT NULL DEFAULT -1;   -- percent
ALTER TABLE assets ADD COLUMN width INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN height INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN fps_milli INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN started_at BIGINT;                      -- of the recording
ALTER TABLE assets ADD COLUMN thumbnail_time_us BIGINT;
ALTER TABLE assets ADD COLUMN master_until BIGINT;                    -- master_access: temporary
-- The file behind an address of its own (video/master.h).
ALTER TABLE assets ADD COLUMN master_status TEXT NOT NULL DEFAULT '';
ALTER TABLE assets ADD COLUMN master_key TEXT NOT NULL DEFAULT '';
ALTER TABLE assets ADD COLUMN master_file TEXT NOT NULL DEFAULT '';   -- in the asset's folder
ALTER TABLE assets ADD COLUMN master_name TEXT NOT NULL DEFAULT '';   -- in the address
ALTER TABLE assets ADD COLUMN master_origin TEXT NOT NULL DEFAULT ''; -- of who asked for it
ALTER TABLE assets ADD COLUMN source_file TEXT;                       -- in the asset's folder
ALTER TABLE assets ADD COLUMN test INTEGER NOT NULL DEFAULT 0;
CREATE INDEX assets_user ON assets (user_id, created_at, id);
CREATE INDEX assets_upload ON assets (upload_id);
CREATE INDEX assets_test ON assets (created_at) WHERE test = 1;
CREATE INDEX assets_master ON assets (master_key) WHERE master_key <> '';

-- The address of an upload is its only credential: the id is random and long. `received`: so many
-- bytes from the beginning are on disk. `size` NULL: not known yet.
CREATE TABLE uploads (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    stream_id     TEXT REFERENCES streams (id) ON DELETE SET NULL, -- whose recording it becomes
    asset_id      TEXT NOT NULL, -- chosen beforehand; there is such an asset with 'asset_created'
    status        TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN
                      ('waiting', 'asset_created', 'errored', 'cancelled', 'timed_out')),
    client_key    TEXT NOT NULL DEFAULT '', -- the client's own name of its recording; '': none
    cors_origin   TEXT NOT NULL DEFAULT '',
    timeout_s     BIGINT NOT NULL,
    size          BIGINT,
    received      BIGINT NOT NULL DEFAULT 0,
    content_type  TEXT NOT NULL DEFAULT '',
    asset_options TEXT NOT NULL DEFAULT '', -- JSON: new_asset_settings
    asset_meta    TEXT NOT NULL DEFAULT '', -- JSON, and the next two: of those, for the asset's row
    passthrough   TEXT NOT NULL DEFAULT '',
    policies      TEXT NOT NULL DEFAULT '', -- of its playback ids: 'public,signed'
    keep_source   INTEGER NOT NULL DEFAULT 0,
    problem       TEXT NOT NULL DEFAULT '',
    test          INTEGER NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX uploads_user ON uploads (user_id, created_at, id);
CREATE INDEX uploads_stream ON uploads (stream_id);
CREATE INDEX uploads_status ON uploads (status, created_at);

-- Work for bspnode-worker that survives a restart: a running job is queued again then.
CREATE TABLE jobs (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,            -- 'import', 'fetch', …
    asset_id   TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    input      TEXT NOT NULL DEFAULT '', -- what the kind says
    state      TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_state ON jobs (state, created_at);
CREATE INDEX jobs_asset ON jobs (asset_id);

CREATE TABLE signing_keys (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    public_pem TEXT NOT NULL, -- the private half is given out once, and is nowhere here
    created_at BIGINT NOT NULL
);
CREATE INDEX signing_keys_user ON signing_keys (user_id, created_at, id);

CREATE TABLE playback_restrictions (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    allowed_domains            TEXT NOT NULL, -- with a space between: "*", "a.example", "*.b.example"
    allow_no_referrer          INTEGER NOT NULL,
    allow_no_user_agent        INTEGER NOT NULL,
    allow_high_risk_user_agent INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX playback_restrictions_user ON playback_restrictions (user_id, created_at, id);

CREATE TABLE static_renditions (
    id          TEXT PRIMARY KEY,
    asset_id    TEXT NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    resolution  TEXT NOT NULL,
    status      TEXT NOT NULL DEFAULT 'preparing' CHECK (status IN
                    ('preparing', 'ready', 'skipped', 'errored')),
    passthrough TEXT NOT NULL DEFAULT '',
    name        TEXT NOT NULL,              -- of the file, in URLs and in the asset's folder
    problem     TEXT NOT NULL DEFAULT '',   -- of an errored one, in words
    width       INTEGER NOT NULL DEFAULT 0,
    height      INTEGER NOT NULL DEFAULT 0,
    filesize    BIGINT NOT NULL DEFAULT 0,
    bitrate     BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    UNIQUE (asset_id, name)
);
CREATE INDEX static_renditions_asset ON static_renditions (asset_id, created_at);

CREATE TABLE text_tracks (
    id            TEXT PRIMARY KEY,
    asset_id      TEXT NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    status        TEXT NOT NULL DEFAULT 'preparing' CHECK (status IN
                      ('preparing', 'ready', 'errored', 'deleted')),
    name          TEXT NOT NULL DEFAULT '',
    language_code TEXT NOT NULL DEFAULT '',
    closed_captions INTEGER NOT NULL DEFAULT 0,
    passthrough   TEXT NOT NULL DEFAULT '',
    url           TEXT NOT NULL DEFAULT '', -- where it came from
    body          TEXT NOT NULL DEFAULT '', -- WebVTT
    error_type    TEXT NOT NULL DEFAULT '', -- with `problem`
    problem       TEXT NOT NULL DEFAULT '',
    created_at    BIGINT NOT NULL
);
CREATE INDEX text_tracks_asset ON text_tracks (asset_id, created_at);

-- Text tracks that the asset of an upload shall have (inputs of its new_asset_settings).
CREATE TABLE upload_texts (
    upload_id     TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    place         INTEGER NOT NULL,
    url           TEXT NOT NULL,
    language_code TEXT NOT NULL,
    name          TEXT NOT NULL,
    closed_captions INTEGER NOT NULL,
    passthrough   TEXT NOT NULL,
    PRIMARY KEY (upload_id, place)
);

CREATE TABLE simulcast_targets (
    id             TEXT PRIMARY KEY,
    live_stream_id TEXT NOT NULL REFERENCES live_streams (id) ON DELETE CASCADE,
    url            TEXT NOT NULL,
    stream_key     TEXT NOT NULL DEFAULT '',
    passthrough    TEXT NOT NULL DEFAULT '',
    created_at     BIGINT NOT NULL
);
CREATE INDEX simulcast_targets_live ON simulcast_targets (live_stream_id, created_at);

-- What was delivered by HLS, by asset, hour and the shorter side of the picture (0: sound).
CREATE TABLE delivery (
    asset_id TEXT NOT NULL,
    hour     BIGINT NOT NULL, -- microseconds since 1970
    height   INTEGER NOT NULL DEFAULT 0,
    us       BIGINT NOT NULL,
    PRIMARY KEY (asset_id, hour, height)
);

-- --- what is told to the outside ---

CREATE TABLE webhooks (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address       TEXT NOT NULL,
    enabled       INTEGER NOT NULL DEFAULT 1,
    secret_sealed BLOB NOT NULL, -- with a secret outside this file: it signs
    created_at    BIGINT NOT NULL,
    UNIQUE (user_id, address)
);

-- The outbox: a row is written in the transaction of the change that it tells of. `data`: the object
-- as it was then, JSON.
CREATE TABLE media_events (
    id          TEXT PRIMARY KEY, -- a UUID
    user_id     TEXT NOT NULL,
    type        TEXT NOT NULL,    -- "video.asset.ready"
    object_type TEXT NOT NULL,    -- 'asset', 'upload', 'live'
    object_id   TEXT NOT NULL,
    data        TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX media_events_user ON media_events (user_id, created_at, id);
CREATE INDEX media_events_created ON media_events (created_at);

-- One for each event and endpoint that existed then. `next_at` NULL: done, or given up; after
-- `give_up_at` it is not tried again.
CREATE TABLE webhook_deliveries (
    id         TEXT PRIMARY KEY,
    event_id   TEXT NOT NULL REFERENCES media_events (id) ON DELETE CASCADE,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    state      TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    BIGINT,
    give_up_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
-- Of what waits: when an endpoint is next, the oldest of it, and what has waited too long.
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (webhook_id, next_at)
    WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_old ON webhook_deliveries (webhook_id, created_at)
    WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_end ON webhook_deliveries (give_up_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_hook ON webhook_deliveries (webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (webhook_id, state, created_at, id);
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id);

CREATE TABLE webhook_attempts (
    delivery_id TEXT NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    at          BIGINT NOT NULL,
    status      INTEGER NOT NULL, -- of HTTP; 0: there was no answer
    answer      TEXT NOT NULL,    -- its beginning, or why there was none
    took_us     BIGINT NOT NULL,
    PRIMARY KEY (delivery_id, at)
);

-- --- Mux as the provider (--media-provider mux) ---

-- `remote`: this stream's encoder and viewers are Mux's. The rest is NULL or '' until it is known.
ALTER TABLE live_streams ADD COLUMN remote INTEGER NOT NULL DEFAULT 0;
ALTER TABLE live_streams ADD COLUMN remote_id TEXT;
ALTER TABLE live_streams ADD COLUMN remote_key_sealed BLOB;
ALTER TABLE live_streams ADD COLUMN remote_playback_id TEXT NOT NULL DEFAULT '';
ALTER TABLE live_streams ADD COLUMN remote_asset_id TEXT NOT NULL DEFAULT ''; -- the last recording
ALTER TABLE live_streams ADD COLUMN remote_asset_playback_id TEXT NOT NULL DEFAULT ''; -- it plays
ALTER TABLE live_streams ADD COLUMN remote_asset_end TEXT NOT NULL DEFAULT ''; -- 'ready', 'errored'
CREATE UNIQUE INDEX live_streams_remote ON live_streams (remote_id);
CREATE INDEX live_streams_remote_asset ON live_streams (remote_asset_id);
CREATE INDEX live_streams_remote_plays ON live_streams (remote_playback_id);
CREATE INDEX live_streams_remote_recorded ON live_streams (remote_asset_playback_id);

-- Recordings that browsers upload to Mux. The id is what Mux gets as the asset's passthrough.
-- `client_key`: the client's own name of its recording, so that asking twice makes one; '' once it
-- is over. `url`: where the browser sends it, its only credential; kept while it may be asked for.
CREATE TABLE provider_uploads (
    id          TEXT PRIMARY KEY,
    stream_id   TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    user_id     TEXT NOT NULL,
    client_key  TEXT NOT NULL DEFAULT '',
    cors_origin TEXT NOT NULL,
    status      TEXT NOT NULL DEFAULT 'wanted' CHECK (status IN
                    ('wanted', 'waiting', 'asset_created', 'ready', 'errored', 'cancelled')),
    remote_id   TEXT,
    url         TEXT NOT NULL DEFAULT '',
    asset_id    TEXT NOT NULL DEFAULT '',
    playback_id TEXT NOT NULL DEFAULT '',
    duration    BIGINT,
    problem     TEXT NOT NULL DEFAULT '',
    looked_at   BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL
);
CREATE INDEX provider_uploads_stream ON provider_uploads (stream_id);
CREATE UNIQUE INDEX provider_uploads_remote ON provider_uploads (remote_id);
CREATE INDEX provider_uploads_asset ON provider_uploads (asset_id);
CREATE UNIQUE INDEX provider_uploads_key ON provider_uploads (stream_id, client_key)
    WHERE client_key <> '';
-- The playback id at Mux of the recording that a browser uploaded, once it is the stream's.
ALTER TABLE streams ADD COLUMN uploaded_playback_id TEXT NOT NULL DEFAULT '';
CREATE INDEX streams_uploaded ON streams (uploaded_playback_id);

-- What is to be told to Mux or asked there, written in the transaction that wants it.
CREATE TABLE provider_jobs (
    id         TEXT PRIMARY KEY,            -- kind and object: a wish that waits is not doubled
    kind       TEXT NOT NULL,
    object_id  TEXT NOT NULL,               -- what the kind says: streams.id, or an id of Mux's
    remote_id  TEXT NOT NULL DEFAULT '',
    asked      INTEGER NOT NULL DEFAULT 0,  -- a creation was sent, and its answer is not known; 2: and
                                            -- it was sought once in vain
    wishes     INTEGER NOT NULL DEFAULT 1,  -- counts up: what was wished meanwhile is done again
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_at    BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX provider_jobs_next ON provider_jobs (next_at);

-- Ids of webhooks that were taken; older ones than a day and a bit are not sent again.
CREATE TABLE provider_events (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE INDEX provider_events_at ON provider_events (at);
