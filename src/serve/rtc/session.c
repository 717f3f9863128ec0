/* SPDX-License-Identifier: MIT */
/* What WHIP and WHEP share over HTTP: offers in, answers out, and the session's own address, which
 * may be asked for on any loop and is answered by the session's. */
#include "base/hash.h"
#include "base/xalloc.h"
#include "serve/rtc/rtc_priv.h"
#include <stdio.h>

#define CORS                                                                                       \
    {                                                                                              \
        "access-control-allow-origin", "*"                                                         \
    }
#define EXPOSE                                                                                     \
    {                                                                                              \
        "access-control-expose-headers", "Location, ETag, Link, Accept-Patch, Retry-After"         \
    }

void rtc_reply_error(struct http_request *r, int status, const char *code, const char *message)
{
    const struct http_header h[] = {
        CORS, EXPOSE, {"cache-control", "no-store"}, {"retry-after", "2"}};
    const bool later = status == 503 || status == 409;
    http_reply_error(r, status, code, message, NULL, h, later ? 4 : 3);
}

struct sdp *rtc_read_offer(struct http_request *r)
{
    struct span type = http_header_in(r, "content-type");
    const struct span media = span_trim(span_cut(&type, ';'));
    if (!span_ieq(media, SPAN_LIT("application/sdp"))) {
        rtc_reply_error(r, 415, "unsupported_media_type", "Send an offer as application/sdp.");
        return NULL;
    }
    struct sdp *o = xmalloc(sizeof *o);
    const enum err e = sdp_parse(http_body(r), o);
    if (e == E_OK) return o;
    free(o);
    rtc_reply_error(r, 400, "bad_sdp",
                    e == E_LIMIT ? "The offer is too large." : "The offer is not valid SDP.");
    return NULL;
}

void rtc_reply_created(struct http_request *r, const struct rtc_peer *p, struct sdp_answer *a)
{
    char location[RTC_ID_LEN + 8];
    struct str text = {0};
    rtc_peer_answer(p, a);
    sdp_answer_write(a, &text);
    snprintf(location, sizeof location, "/rtc/%s", p->id);
    const struct http_header h[] = {CORS,
                                    EXPOSE,
                                    {"content-type", "application/sdp"},
                                    {"location", location},
                                    {"etag", p->etag},
                                    {"accept-patch", "application/trickle-ice-sdpfrag"},
                                    {"cache-control", "no-store"}};
    struct buf *body = str_take_buf(&text);
    http_reply(r, 201, h, sizeof h / sizeof *h, body, 0);
    buf_unref(body);
}

/* --- PATCH and DELETE of a session --- */

struct visit {
    struct rtc_loop *to;
    struct loop *from;
    struct http_request *r; /* unanswered, so that what it holds stays where it is */
    bool patch;
    struct span if_match;
    int status;
    char etag[12];
    struct str body;
};

static void on_answer(void *arg)
{
    static const char *const TEXT[] = {
        [0] = "The fragment is malformed.",
        [4] = "There is no such session.",
        [12] = "The session has changed since: the entity tag is another one.",
        [28] = "An ICE restart needs If-Match.",
    };
    struct visit *v = arg;
    struct http_header h[5] = {CORS,
                               EXPOSE,
                               {"cache-control", "no-store"},
                               {"content-type", "application/trickle-ice-sdpfrag"},
                               {"etag", v->etag}};
    if (v->status < 300) {
        struct buf *body = str_take_buf(&v->body);
        http_reply(v->r, v->status, h, v->status == 200 && v->patch ? 5 : 3, body, 0);
        buf_unref(body);
    } else {
        rtc_reply_error(v->r, v->status, v->status == 404 ? "not_found" : "bad_request",
                        TEXT[v->status - 400]);
    }
    str_fini(&v->body);
    free(v);
}

static void on_visit(void *arg)
{
    struct visit *v = arg;
    struct rtc_peer *p = map_get(&v->to->by_id, span_str(http_param(v->r, 0)));
    if (!p) {
        v->status = 404;
    } else if (v->patch) {
        v->status = rtc_peer_patch(p, http_body(v->r), v->if_match, &v->body);
        snprintf(v->etag, sizeof v->etag, "%s", p->etag);
    } else {
        v->status = 200;
        rtc_peer_close(p, E_OK, "deleted by the client");
    }
    loop_post(v->from, on_answer, v);
}

static void visit(struct http_request *r, struct rtc_service *s, bool patch)
{
    uint8_t loop = 0;
    const struct span id = span_str(http_param(r, 0));
    if (id.len != RTC_ID_LEN || !hash_unhex(span_head(id, 2), &loop, 1) || loop >= s->n_loops) {
        rtc_reply_error(r, 404, "not_found", "There is no such session.");
        return;
    }
    struct visit *v = NEW(struct visit);
    v->to = &s->loops[loop];
    v->from = http_loop(r);
    v->r = r;
    v->patch = patch;
    v->if_match = http_header_in(r, "if-match");
    loop_post(v->to->loop, on_visit, v);
}

void rtc_on_patch(struct http_request *r, void *ctx)
{
    struct span type = http_header_in(r, "content-type");
    const struct span media = span_trim(span_cut(&type, ';'));
    if (span_ieq(media, SPAN_LIT("application/trickle-ice-sdpfrag")))
        visit(r, ctx, true);
    else
        rtc_reply_error(r, 415, "unsupported_media_type",
                        "Send a fragment as application/trickle-ice-sdpfrag.");
}

void rtc_on_delete(struct http_request *r, void *ctx)
{
    visit(r, ctx, false);
}

void rtc_on_options(struct http_request *r, void *ctx)
{
    static const struct http_header h[] = {
        CORS,
        EXPOSE,
        {"access-control-allow-methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"},
        {"access-control-allow-headers", "authorization, content-type, if-match"},
        {"access-control-max-age", "86400"},
        {"accept-post", "application/sdp"}};
    (void)ctx;
    http_reply(r, 204, h, sizeof h / sizeof *h, NULL, 0);
}

/* An endpoint has nothing to show; it says what may be posted (RFC 9725, 4.1; HEAD in WHEP). */
void rtc_on_get(struct http_request *r, void *ctx)
{
    static const struct http_header h[] = {
        CORS, EXPOSE, {"accept-post", "application/sdp"}, {"content-type", "application/sdp"}};
    (void)ctx;
    http_reply(r, 200, h, sizeof h / sizeof *h, NULL, 0);
}
