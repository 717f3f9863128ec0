/* SPDX-License-Identifier: MIT */
/* /api/admin: the server itself: numbers, limits, invitations, recent errors; and who may make an
 * account. */
#include "api/api_priv.h"
#include "api/app_admin.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "video/quota.h"
#include <sys/statvfs.h>

/* --- registration ---------------------------------------------------------------------------- */

static bool tuned(struct call *c, struct tuning *t)
{
    return admin_well(c, tuning_get(c->db, c->api->cfg.settings, t));
}

enum registration app_registration(struct call *c)
{
    struct tuning t;
    c->db = api_db(c->api);
    return tuning_get(c->db, c->api->cfg.settings, &t) == E_OK ? t.registration
                                                               : REGISTRATION_CLOSED;
}

bool app_registration_admits(struct call *c, struct span invite)
{
    struct tuning t;
    if (!tuned(c, &t)) return false;
    switch (t.registration) {
    case REGISTRATION_OPEN:
        return true;
    case REGISTRATION_CLOSED:
        return admin_well(c, problem_set(&c->problem, E_AUTH, "registration_closed", NULL,
                                         "This server takes no new accounts; ask its operator for "
                                         "one."));
    case REGISTRATION_INVITE:
        break;
    }
    if (invite.len) return admin_well(c, invite_use(c->db, invite, &c->problem));
    return admin_well(c, problem_set(&c->problem, E_AUTH, "invite_needed", "invite",
                                     "New accounts need an invitation here."));
}

void app_registration_failed(struct call *c, struct span invite)
{
    if (invite.len && app_registration(c) == REGISTRATION_INVITE) invite_give_back(c->db, invite);
}

/* --- numbers --------------------------------------------------------------------------------- */

static json_t *disk_json(const struct settings *s)
{
    struct statvfs v;
    if (statvfs(s->data, &v) != 0) return json_null();
    return json_pack("{s:I, s:I, s:I}", "free", (json_int_t)((uint64_t)v.f_bavail * v.f_frsize),
                     "total", (json_int_t)((uint64_t)v.f_blocks * v.f_frsize), "reserved",
                     (json_int_t)s->min_free_disk);
}

static void overview(struct call *c)
{
    struct admin_totals t;
    struct tuning k;
    if (!admin_call(c) || !admin_well(c, admin_totals(c->db, &t)) || !tuned(c, &k)) return;
    call_json(c, 200,
              json_pack("{s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I}, s:o, s:s}", "users",
                        (json_int_t)t.users, "suspended", (json_int_t)t.suspended, "streams",
                        (json_int_t)t.streams, "live", (json_int_t)t.live, "reportsOpen",
                        (json_int_t)t.reports_open, "storage", "recordings",
                        (json_int_t)t.assets_bytes, "uploads", (json_int_t)t.uploads_bytes, "quota",
                        (json_int_t)k.storage_quota, "disk", disk_json(c->api->cfg.settings),
                        "version", BSPNODE_VERSION));
}

/* --- limits ---------------------------------------------------------------------------------- */

static void put(json_t *list, const char *name, json_t *value, const char *unit)
{
    json_array_append_new(list,
                          json_pack("{s:s, s:o, s:s}", "name", name, "value", value, "unit", unit));
}

/* Those of the command line that bound what people do. */
static json_t *fixed_json(const struct settings *s)
{
    json_t *list = json_array();
    put(list, "max-stream-duration", json_integer(s->max_stream_duration), "s");
    put(list, "max-recording-duration", json_integer(s->max_recording_duration), "s");
    put(list, "max-upload-size", json_integer(s->max_upload_size), "bytes");
    put(list, "upload-quota", json_integer(s->upload_quota), "bytes");
    put(list, "reconnect-window", json_integer(s->reconnect_window), "s");
    put(list, "min-free-disk", json_integer(s->min_free_disk), "bytes");
    put(list, "recording", json_boolean(s->recording), "");
    put(list, "media-provider", json_string(s->media_provider), "");
    return list;
}

static void reply_settings(struct call *c)
{
    struct tuning t;
    if (!tuned(c, &t)) return;
    call_json(c, 200,
              json_pack("{s:s, s:I, s:I, s:o}", "registration", REGISTRATION[t.registration],
                        "streamsPerUser", (json_int_t)t.streams_per_user, "storageQuota",
                        (json_int_t)t.storage_quota, "fixed", fixed_json(c->api->cfg.settings)));
}

static void settings(struct call *c)
{
    if (admin_call(c)) reply_settings(c);
}

/* Absent: as it is. */
static bool number(struct call *c, const struct body_field *f, int64_t *out)
{
    *out = f->value ? json_integer_value(f->value) : -1;
    if (!f->value || *out >= 0) return true;
    return admin_well(
        c, problem_set(&c->problem, E_INVALID, "invalid", f->name, "This must not be below 0."));
}

static void settings_change(struct call *c)
{
    struct body_field f[] = {{"registration", BODY_TEXT, false, NULL},
                             {"streamsPerUser", BODY_NUMBER, false, NULL},
                             {"storageQuota", BODY_NUMBER, false, NULL}};
    char word[16] = "";
    int64_t streams, quota;
    if (!admin_call(c) || !body_read(c, f, 3) || !number(c, &f[1], &streams) ||
        !number(c, &f[2], &quota))
        return;
    if (f[0].value && !span_cstr(body_text(&f[0]), word, sizeof word)) word[0] = 0;
    if (!admin_well(c, tuning_set(c->db, c->user.id, f[0].value ? word : NULL, streams, quota,
                                  &c->problem)))
        return;
    log_info("admin", "what=settings by=%s", c->user.id);
    reply_settings(c);
}

/* --- invitations ----------------------------------------------------------------------------- */

static void invites(struct call *c)
{
    if (!admin_call(c)) return;
    size_t n = LIMIT_PAGE_ITEMS;
    struct invite *rows = xcalloc(n, sizeof *rows);
    if (admin_well(c, invite_list(c->db, rows, &n))) {
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:I, s:o, s:o}", "id", rows[i].id, "note",
                                            rows[i].note, "usesLeft", (json_int_t)rows[i].uses_left,
                                            "expiresAt", time_json(rows[i].expires_at), "createdAt",
                                            time_json(rows[i].created_at)));
        call_json(c, 200, json_pack("{s:o}", "invites", list));
    }
    free(rows);
}

static void invite(struct call *c)
{
    struct body_field f[] = {{"note", BODY_TEXT, false, NULL},
                             {"uses", BODY_NUMBER, false, NULL},
                             {"days", BODY_NUMBER, false, NULL}};
    char code[INVITE_CODE_CAP];
    if (!admin_call(c) || !body_read(c, f, 3)) return;
    if (!admin_well(c, invite_add(c->db, c->user.id, body_text(&f[0]),
                                  f[1].value ? json_integer_value(f[1].value) : 1,
                                  f[2].value ? json_integer_value(f[2].value) : 14, code,
                                  &c->problem)))
        return;
    call_json(c, 201,
              json_pack("{s:s, s:o}", "code", code, "url",
                        json_sprintf("%s/register?invite=%s", c->origin, code)));
    explicit_bzero(code, sizeof code);
}

static void invite_drop(struct call *c)
{
    if (!admin_call(c) || !admin_id(c, "invitation") || !body_read(c, NULL, 0)) return;
    enum err e = invite_remove(c->db, c->user.id, c->param[0]);
    if (e == E_NOTFOUND)
        e = problem_set(&c->problem, e, "not_found", NULL, "There is no such invitation.");
    if (admin_well(c, e)) call_empty(c, 204);
}

/* --- storage --------------------------------------------------------------------------------- */

#define QUOTA_EACH 5 /* ticks: seconds */

static void tell_owner(void *ctx, const char *stream_id, int level, const char *text)
{
    api_stream_warning(ctx, stream_id, level == 100 ? "storage_full" : "storage_near", text);
}

static void quota_work(void *arg)
{
    struct api *a = arg;
    quota_sweep(a->cfg.live, api_db(a), tell_owner, a);
    atomic_store(&a->quota_queued, false);
}

void app_quota_tick(struct api *a)
{
    if (a->quota_ticks++ % QUOTA_EACH == 0 && !atomic_exchange(&a->quota_queued, true))
        pool_run(a->cfg.pool, quota_work, NULL, NULL, a);
}

/* What one's own recordings take, and what they may. */
static void my_storage(struct call *c)
{
    struct quota q;
    char text[QUOTA_TEXT_CAP];
    if (!admin_well(c, quota_get(c->db, c->api->cfg.settings, c->user.id, &q))) return;
    quota_text(&q, text);
    call_json(c, 200,
              json_pack("{s:I, s:I, s:i, s:s}", "used", (json_int_t)q.used, "quota",
                        (json_int_t)q.limit, "percent", (int)quota_percent(&q), "message", text));
}

/* --- recent errors --------------------------------------------------------------------------- */

static void errors(struct call *c)
{
    if (!admin_call(c)) return;
    size_t n = LIMIT_LOG_KEPT;
    struct log_kept *rows = xcalloc(n, sizeof *rows);
    log_recent(rows, &n);
    json_t *list = json_array();
    for (size_t i = n; i-- > 0;) {
        json_t *text = json_string(rows[i].text); /* NULL: bytes that are no UTF-8 */
        json_array_append_new(
            list, json_pack("{s:o, s:s, s:s, s:o}", "at", time_json(rows[i].at_us), "level",
                            rows[i].level == LOG_ERROR ? "error" : "warn", "event", rows[i].event,
                            "text", text ? text : json_string("(not text)")));
    }
    free(rows);
    call_json(c, 200, json_pack("{s:o}", "errors", list));
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/admin/overview", overview, CALL_USER, {0}},
    {HTTP_GET, "/api/admin/settings", settings, CALL_USER, {0}},
    {HTTP_PATCH, "/api/admin/settings", settings_change, CALL_USER | CALL_BODY, {0}},
    {HTTP_GET, "/api/admin/invites", invites, CALL_USER, {0}},
    {HTTP_POST, "/api/admin/invites", invite, CALL_USER, {0}},
    {HTTP_DELETE, "/api/admin/invites/{}", invite_drop, CALL_USER, {0}},
    {HTTP_GET, "/api/admin/errors", errors, CALL_USER, {0}},
    {HTTP_GET, "/api/me/storage", my_storage, CALL_USER, {0}},
};
const struct endpoint_table app_admin_server = ENDPOINT_TABLE(ENDPOINTS);
