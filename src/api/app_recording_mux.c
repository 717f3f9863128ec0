/* SPDX-License-Identifier: MIT */
/* With Mux as the provider a browser's own recording goes to Mux: a direct upload is made there,
 * and the browser gets its address and nothing else of Mux's. */
#include "api/api_priv.h"
#include "api/app_recording.h"
#include "base/limits.h"
#include "base/log.h"
#include "product/stream.h"
#include "video/provider.h"

/* Whose pages may send it: Mux wants one origin, as the browser will say it. */
static void page_origin(const struct call *c, char out[PROVIDER_ORIGIN_CAP])
{
    struct span o = c->origin_header.len ? c->origin_header : span_str(c->origin);
    for (size_t i = 0; i < o.len; i++)
        if (o.p[i] <= ' ' || o.p[i] >= 127 || strchr("\"\\,;", o.p[i])) o = SPAN_NULL;
    if (!o.len || !span_cstr(o, out, PROVIDER_ORIGIN_CAP)) snprintf(out, PROVIDER_ORIGIN_CAP, "*");
}

static void not_yet(struct call *c, const struct provider_upload *u, bool has_key)
{
    /* Nobody can ask for it again. */
    if (!has_key && provider_upload_cancel(c->db, c->param[0], u->id) != E_OK)
        log_warn("upload-recording", "upload=%.8s stays until it times out", u->id);
    problem_set(&c->problem, E_TIMEOUT, "provider_slow", NULL,
                "Mux has made no place for this recording yet; ask again in a few seconds%s.",
                has_key ? ", with the same key" : "");
    c->problem.retry_s = 3;
    c->status = 503;
}

void app_recording_at_mux(struct call *c, struct span key)
{
    char origin[PROVIDER_ORIGIN_CAP], text[PROVIDER_UPLOAD_KEY_CAP] = "";
    struct provider_upload u;
    const struct provider_upload_ask ask = {
        .stream_id = c->param[0], .user_id = c->user.id, .client_key = text, .cors_origin = origin};
    page_origin(c, origin);
    if (key.len && !span_cstr(key, text, sizeof text)) text[0] = 0;
    enum err e = provider_upload_want(c->db, &ask, &u);
    if (e == E_OK) e = provider_upload_wait(c->db, u.id, &u);
    if (e == E_LIMIT)
        problem_set(&c->problem, e, "too_many_uploads", NULL,
                    "There are %d recordings that wait for their uploads already.",
                    LIMIT_UPLOADS_WAITING);
    if (e != E_OK) {
        call_fail(c, e, e == E_LIMIT ? 413 : 0);
        return;
    }
    api_stream_changed(c->api, c->param[0]);
    if (u.over) {
        problem_set(&c->problem, E_CONFLICT, "provider_failed", NULL,
                    "Mux did not take this recording: %s", u.problem);
        c->status = 409; /* asking again by itself would not help */
    } else if (!u.url[0]) {
        not_yet(c, &u, text[0] != 0);
    } else {
        call_json(
            c, 201,
            json_pack("{s:s, s:s, s:b}", "uploadId", u.remote_id, "uploadUrl", u.url, "remote", 1));
    }
}

enum err app_recording_drop_at_mux(struct call *c)
{
    const enum err e = provider_upload_cancel(c->db, c->param[0], c->param[1]);
    if (e == E_OK) api_stream_changed(c->api, c->param[0]);
    return e;
}
