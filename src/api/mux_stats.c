/* SPDX-License-Identifier: MIT */
/* What Mux has at stats.mux.com: how many watch, and how an encoder does. For browsers, by a token
 * that the owner's program has signed (`aud` says what `sub` names), from any site's page. */
#include "api/api_priv.h"
#include "api/audience.h"
#include "api/mux_call.h"
#include "api/mux_json.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "hub/hub.h"
#include "hub/ingest_stats.h"
#include "video/admit.h"

/* Drift up to which it is called that, as Mux does. */
#define EXCELLENT_MS 500
#define GOOD_MS      1000

static bool read_token(struct call *c, struct admit_statement *out)
{
    const char *reason = "";
    char token[LIMIT_JWT_BYTES];
    struct span rest = c->raw_query, value = SPAN_NULL;
    while (rest.len) {
        value = span_cut(&rest, '&');
        if (span_is(span_cut(&value, '='), "token")) break;
        value = SPAN_NULL;
    }
    if (!value.len || !span_cstr(value, token, sizeof token)) {
        mux_error(c, 403, MUX_FORBIDDEN, "%s", "This needs a token.");
        return false;
    }
    const enum err e = admit_read(c->db, token, out, &reason);
    if (e == E_AUTH)
        mux_error(c, 403, MUX_FORBIDDEN, "%s", reason);
    else if (e != E_OK)
        mux_fail(c, e);
    return e == E_OK;
}

/* The rows of objects that a token's `aud` may name, and the product's stream of each: the one that
 * is live, else the newest. "video_id" is what the player was told to play. */
static const struct {
    const char *use, *object, *stream;
} SUBJECTS[] = {
    {"live_stream_id", "SELECT 1 FROM live_streams WHERE id = ?1 AND user_id = ?2",
     "s.live_stream_id = ?1"},
    {"asset_id", "SELECT 1 FROM assets WHERE id = ?1 AND user_id = ?2", "s.recording_id = ?1"},
    {"playback_id",
     "SELECT 1 FROM playback_ids p WHERE p.id = ?1 AND EXISTS (SELECT 1 FROM live_streams l WHERE"
     " l.id = p.object_id AND l.user_id = ?2 UNION ALL SELECT 1 FROM assets a WHERE"
     " a.id = p.object_id AND a.user_id = ?2)",
     "(SELECT p.object_id FROM playback_ids p WHERE p.id = ?1) IN (s.live_stream_id,"
     " s.recording_id)"},
};

enum { N_SUBJECTS = sizeof SUBJECTS / sizeof *SUBJECTS };

static bool exists(struct call *c, const char *sql, const struct admit_statement *a)
{
    struct db_rows *q = db_query(c->db, sql, "ss", a->subject, a->user);
    const bool found = db_next(q);
    return db_done(q) == E_OK && found;
}

/* `stream` is "" when nothing was broadcast. False: the reply is made. */
static bool find_stream(struct call *c, const struct admit_statement *a, char stream[LIVE_ID_CAP])
{
    char sql[512];
    const char *use = !strcmp(a->use, "video_id") ? "playback_id" : a->use;
    size_t i = 0;
    while (i < N_SUBJECTS && strcmp(SUBJECTS[i].use, use) != 0) i++;
    if (i == N_SUBJECTS) {
        mux_error(c, 403, MUX_FORBIDDEN, "The token is for another use.");
        return false;
    }
    if (!exists(c, SUBJECTS[i].object, a)) {
        mux_missing(c, "object");
        return false;
    }
    snprintf(sql, sizeof sql,
             "SELECT s.id FROM streams s WHERE s.user_id = ?2 AND %s"
             " ORDER BY s.status = 'LIVE' DESC, s.created_at DESC LIMIT 1",
             SUBJECTS[i].stream);
    stream[0] = '\0';
    struct db_rows *q = db_query(c->db, sql, "ss", a->subject, a->user);
    if (db_next(q)) snprintf(stream, LIVE_ID_CAP, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    if (e != E_OK) mux_fail(c, e);
    return e == E_OK;
}

/* Viewers are people; of views we know those that last. */
static void counts(struct call *c)
{
    struct admit_statement a;
    char stream[LIVE_ID_CAP];
    if (!read_token(c, &a) || !find_stream(c, &a, stream)) return;
    const unsigned n = stream[0] ? audience_count(c->api->audience, stream) : 0;
    json_t *row = json_pack("{s:i, s:i}", "views", (int)n, "viewers", (int)n);
    mux_set(row, "updated_at", time_json(clock_wall_us()));
    mux_data(c, 200, json_pack("[o]", row));
}

static json_t *health_row(const struct ingest_stats *s)
{
    const int64_t session_ms = s->drift_us / US_PER_MS;
    json_t *j = json_object();
    mux_set(j, "updated_at", time_json(clock_wall_us()));
    if (!s->is) {
        mux_set(j, "status", json_string("unknown"));
        return j;
    }
    mux_set(j, "stream_drift_session_avg", json_integer(session_ms));
    mux_set(j, "stream_drift_deviation_from_rolling_avg",
            json_integer(s->drift_now_us / US_PER_MS));
    mux_set(j, "status",
            json_string(session_ms <= EXCELLENT_MS ? "excellent"
                        : session_ms <= GOOD_MS    ? "good"
                                                   : "poor"));
    return j;
}

static void health(struct call *c)
{
    struct admit_statement a;
    char stream[LIVE_ID_CAP];
    struct ingest_stats s = {0};
    if (!read_token(c, &a) || !find_stream(c, &a, stream)) return;
    struct channel *ch = stream[0] ? hub_find(c->api->cfg.hub, span_str(stream)) : NULL;
    if (ch) {
        struct channel_stats now;
        channel_get_stats(ch, &now);
        if (now.publishing) channel_get_ingest(ch, &s);
        channel_unref(ch);
    }
    mux_data(c, 200, json_pack("[{s:o}]", "ingest_health", health_row(&s)));
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/counts", counts, CALL_OPEN, {0}},
    {HTTP_GET, "/live-stream-health", health, CALL_OPEN, {0}},
};
const struct endpoint_table mux_stats = ENDPOINT_TABLE(ENDPOINTS);
