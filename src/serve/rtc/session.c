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

/* `accept` names the header that says what is taken (RFC 9110, 15.5.16). */
static void refuse_type(struct http_request *r, const char *accept, const char *type)
{
    const struct http_header h[] = {CORS, EXPOSE, {accept, type}};
    char message[96];
    snprintf(message, sizeof message, "Send the body as %s.", type);
    http_reply_error(r, 415, "unsupported_media_type", message, NULL, h, 3);
}

static bool body_is(struct http_request *r, const char *accept, const char *type)
{
    struct span v = http_header_in(r, "content-type");
    const struct span media = span_trim(span_cut(&v, ';'));
    if (span_ieq(media, span_str(type))) return true;
    refuse_type(r, accept, type);
    return false;
}

struct sdp *rtc_read_offer(struct http_request *r)
{
    if (!body_is(r, "accept-post", "application/sdp")) return NULL;
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
    char location[RTC_ID_LEN + 8], layer[RTC_ID_LEN + 80];
    struct str text = {0};
    rtc_peer_answer(p, a);
    sdp_answer_write(a, &text);
    snprintf(location, sizeof location, "/rtc/%s", p->id);
    struct rtc_ice_links links;
    struct http_header h[8 + LIMIT_RTC_ICE_SERVERS] = {
        CORS,
        EXPOSE,
        {"content-type", "application/sdp"},
        {"location", location},
        {"etag", p->etag},
        {"accept-patch", "application/trickle-ice-sdpfrag"},
        {"cache-control", "no-store"}};
    rtc_ice_links_init(&links, p->l->service, true);
    memcpy(h + 7, links.h, links.n * sizeof *h);
    size_t n = 7 + links.n;
    snprintf(layer, sizeof layer, "</rtc/%s/layer>; rel=\"urn:ietf:params:whep:ext:core:layer\"",
             p->id);
    if (p->ops == &WHEP_OPS) h[n++] = (struct http_header){"link", layer};
    struct buf *body = str_take_buf(&text);
    http_reply(r, 201, h, n, body, 0);
    buf_unref(body);
    rtc_ice_links_fini(&links);
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
        [28] = "A fragment needs If-Match with the session's entity tag.",
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
    if (body_is(r, "accept-patch", "application/trickle-ice-sdpfrag")) visit(r, ctx, true);
}

void rtc_on_delete(struct http_request *r, void *ctx)
{
    visit(r, ctx, false);
}

/* --- OPTIONS --- */

static bool is_preflight(const struct http_request *r)
{
    return http_get_method(r) == HTTP_OPTIONS &&
           http_header_in(r, "access-control-request-method").p;
}

static void reply_options(struct http_request *r, const struct rtc_ice_links *links)
{
    struct http_header h[6 + LIMIT_RTC_ICE_SERVERS] = {
        CORS,
        EXPOSE,
        {"access-control-allow-methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"},
        {"access-control-allow-headers", "authorization, content-type, if-match"},
        {"access-control-max-age", "86400"},
        {"accept-post", "application/sdp"}};
    if (links) memcpy(h + 6, links->h, links->n * sizeof *h);
    http_reply(r, 204, h, 6 + (links ? links->n : 0), NULL, 0);
}

struct question {
    struct rtc_service *service;
    struct http_request *r;
};

/* Credentials for TURN are worth something: they are for those whom a POST would serve. */
static void answer_question(struct question *q, bool turn)
{
    struct rtc_ice_links links;
    rtc_ice_links_init(&links, q->service, turn);
    reply_options(q->r, &links);
    rtc_ice_links_fini(&links);
    free(q);
}

static void on_may_publish(void *ctx, enum err e, const char *reason, struct channel *ch)
{
    answer_question(ctx, e == E_OK);
}

static void on_may_play(void *ctx, enum err e, const char *reason, struct channel *ch)
{
    answer_question(ctx, e == E_OK || e == E_CLOSED || e == E_AUTH);
}

/* RFC 9725, 4.6: ICE servers also here, but not for a browser's preflight. */
void rtc_on_options(struct http_request *r, void *ctx)
{
    struct rtc_service *s = ctx;
    const struct gate *gate = s->cfg.gate;
    char bearer[256] = "";
    const bool whep = span_starts(http_path(r), "/whep/");
    const bool whip = span_starts(http_path(r), "/whip");
    if (!s->n_ice_servers || is_preflight(r) || (!whep && !whip)) {
        reply_options(r, NULL);
        return;
    }
    struct question *q = NEW(struct question);
    *q = (struct question){s, r};
    const char *named = http_param(r, 0);
    if (whip && !named[0] && rtc_bearer(r, bearer, sizeof bearer)) named = bearer;
    const struct gate_publish ask = {
        .key = named, .protocol = "whip", .peer = http_peer(r), .only_ask = true};
    if (!named[0])
        answer_question(q, false);
    else if (whep)
        gate->play(gate->self, named, NULL, on_may_play, q);
    else
        gate->publish(gate->self, &ask, on_may_publish, q);
}

bool rtc_bearer(struct http_request *r, char *out, size_t cap)
{
    struct span v = http_header_in(r, "authorization");
    const struct span scheme = span_cut(&v, ' ');
    return span_ieq(scheme, SPAN_LIT("bearer")) && span_cstr(span_trim(v), out, cap) && out[0];
}

void rtc_limited(struct http_request *r, void *ctx)
{
    const struct rtc_route *route = ctx;
    unsigned retry_s = 0;
    char text[16];
    if (is_preflight(r) ||
        peer_limit_ask(route->service->limit, http_peer(r), loop_now_us(http_loop(r)), &retry_s)) {
        route->handler(r, route->service);
        return;
    }
    snprintf(text, sizeof text, "%u", retry_s);
    const struct http_header h[] = {
        CORS, EXPOSE, {"cache-control", "no-store"}, {"retry-after", text}};
    http_reply_error(r, 429, "too_many", "This address asks too often.", NULL, h, 4);
}

/* An endpoint has nothing to show; it says what may be posted (RFC 9725, 4.1; HEAD in WHEP). */
void rtc_on_get(struct http_request *r, void *ctx)
{
    static const struct http_header h[] = {
        CORS, EXPOSE, {"accept-post", "application/sdp"}, {"content-type", "application/sdp"}};
    (void)ctx;
    http_reply(r, 200, h, sizeof h / sizeof *h, NULL, 0);
}
