/* SPDX-License-Identifier: MIT */
/* A live stream in Mux's words: section 2.2 of the contract, docs/api/media.md. */
#include "api/mux_json.h"
#include "api/mux_live.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/live_stream.h"

enum { RECENT_MAX = 100 };

/* Set once before the threads are there: what the rows leave open. */
static struct {
    const struct secret *secret;
    const struct settings *settings;
} env;

void api_outbox_init(const struct secret *secret, const struct settings *settings)
{
    env.secret = secret;
    env.settings = settings;
    outbox_set(mux_render, NULL, NULL);
}

const char *mux_public_url(void)
{
    return env.settings ? env.settings->public_url : "";
}

json_t *mux_target_json(const struct live_target *t, const char *status)
{
    json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "id", t->id, "url", t->url, "stream_key",
                          t->stream_key, "status", status);
    mux_set_text(j, "passthrough", t->passthrough);
    return j;
}

static void set_targets(json_t *j, struct db *db, const struct live_stream *s, enum mux_form form)
{
    struct live_target *all = xcalloc(LIMIT_MUX_TARGETS, sizeof *all);
    size_t n = 0;
    if (live_target_list(db, s->id, all, &n) == E_OK && n) {
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++) {
            json_t *target = mux_target_json(&all[i], "idle");
            if (form == MUX_EVENT) json_object_del(target, "stream_key");
            json_array_append_new(list, target);
        }
        mux_set(j, "simulcast_targets", list);
    }
    free(all);
}

static void set_recent(json_t *j, struct db *db, const struct live_stream *s)
{
    char(*ids)[ID_CAP] = xcalloc(RECENT_MAX, sizeof *ids);
    size_t n = 0;
    json_t *list = json_array();
    if (live_stream_recordings(db, s, RECENT_MAX, ids, &n) != E_OK) n = 0;
    for (size_t i = 0; i < n; i++) json_array_append_new(list, json_string(ids[i]));
    mux_set(j, "recent_asset_ids", list);
    free(ids);
}

static void set_key(json_t *j, struct db *db, const struct live_stream *s)
{
    char key[INGEST_KEY_CAP];
    const enum err e = ingest_key(db, env.secret, s->id, key);
    if (e == E_OK)
        mux_set_text(j, "stream_key", key);
    else
        log_error("stream_key", "live_stream=%s cannot be shown: %s (was secret.key replaced?)",
                  s->id, err_text(e));
}

static void set_times(json_t *j, const struct live_stream *s)
{
    const int64_t limit = env.settings->max_stream_duration;
    int64_t longest = s->max_duration_us >= 0 ? s->max_duration_us / US_PER_SEC : LIVE_LONGEST_S;
    if (limit > 0 && limit < longest) longest = limit;
    mux_set(j, "max_continuous_duration", json_integer(longest));
    if (s->reconnect_window_us < 0)
        mux_set(j, "reconnect_window", json_integer(env.settings->reconnect_window));
    else if (s->reconnect_window_us % US_PER_SEC == 0)
        mux_set(j, "reconnect_window", json_integer(s->reconnect_window_us / US_PER_SEC));
    else
        mux_set(j, "reconnect_window", json_real((double)s->reconnect_window_us / US_PER_SEC));
}

static json_t *meta_json(const struct live_stream *s)
{
    if (*s->meta) return mux_stored(s->meta);
    return s->reusable ? NULL : json_pack("{s:s}", "title", s->title);
}

static void set_options(json_t *j, const struct live_stream *s)
{
    json_t *assets = mux_stored(s->asset_options), *others = mux_stored(s->options);
    if (!assets)
        assets = s->reusable ? json_object() : json_pack("{s:[s]}", "playback_policies", "public");
    mux_set(j, "new_asset_settings", assets);
    if (others) json_object_update_missing(j, others);
    json_decref(others);
}

static json_t *live_json(struct db *db, struct live_stream *s, enum mux_form form)
{
    const bool active = !strcmp(s->status, "active") || s->connected;
    /* In an event of the end the asset is still named; in a reply it has become a recent one. */
    if (!active && form == MUX_REPLY) s->active_asset_id[0] = 0;
    json_t *j = json_pack("{s:s, s:o, s:s, s:s, s:o}", "id", s->id, "created_at",
                          mux_created(s->created_at, form), "status", s->status, "latency_mode",
                          s->latency_mode, "playback_ids", mux_playback_ids_json(db, s->id));
    /* Events are kept in the database and go to others: keys stay here. */
    if (form == MUX_REPLY) set_key(j, db, s);
    mux_set_text(j, "active_asset_id", s->active_asset_id);
    set_recent(j, db, s);
    set_times(j, s);
    if (active)
        mux_set_text(j, "active_ingest_protocol",
                     span_starts(span_str(s->ingest_protocol), "rtmp") ? "rtmp" : "webrtc");
    mux_set_text(j, "passthrough", s->passthrough);
    mux_set(j, "meta", meta_json(s));
    if (s->test) mux_set(j, "test", json_true());
    set_options(j, s);
    set_targets(j, db, s, form);
    if (form == MUX_EVENT) {
        mux_set(j, "connected", json_boolean(s->connected));
        mux_set(j, "recording", json_boolean(s->recording));
    }
    return j;
}

json_t *mux_live_json(struct db *db, const char *id, enum mux_form form)
{
    struct live_stream s;
    if (live_stream_get(db, id, NULL, &s) != E_OK) return NULL;
    json_t *j = live_json(db, &s, form);
    live_stream_fini(&s);
    return j;
}
