/* SPDX-License-Identifier: MIT */
#include "api/call.h"
#include "api/api_priv.h"
#include "api/call_stream.h"
#include "api/mux_call.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include <stdio.h>

enum { CALL_MAGIC = 0x43414c4c };
static const char COOKIE[] = "bsp_session";
static const char BARE[] = "default-src 'none'; sandbox; frame-ancestors 'none'";

/* --- the reply ------------------------------------------------------------------------------ */

static int status_of(enum err e)
{
    static const int STATUS[ERR_COUNT] = {
        [E_PROTO] = 400,   [E_AUTH] = 403,  [E_NOTFOUND] = 404,    [E_CONFLICT] = 409,
        [E_CLOSED] = 409,  [E_LIMIT] = 429, [E_UNSUPPORTED] = 415, [E_INVALID] = 422,
        [E_TIMEOUT] = 503, [E_FULL] = 507,
    };
    return STATUS[e] ? STATUS[e] : 500;
}

static void reply_json(struct http_request *r, struct call *c)
{
    char id[RAND_UUID_CAP], retry[24];
    struct http_header h[9] = {
        {"content-type", c->type ? c->type : "application/json"},
        {"cache-control", c->life ? c->life : "no-store"},
        {"x-content-type-options", "nosniff"},
    };
    size_t n = 3;
    if (c->location[0]) h[n++] = (struct http_header){"location", c->location};
    /* An image that is opened as a page runs nothing. */
    if (c->type) h[n++] = (struct http_header){"content-security-policy", BARE};
    if (c->cookie[0]) h[n++] = (struct http_header){"set-cookie", c->cookie};
    if (c->ep->flags & CALL_MUX) {
        rand_uuid(id);
        h[n++] = (struct http_header){"x-request-id", id};
    }
    if (c->ep->flags & CALL_OPEN) h[n++] = (struct http_header){"access-control-allow-origin", "*"};
    if (c->retry_s) {
        snprintf(retry, sizeof retry, "%lld", (long long)c->retry_s);
        h[n++] = (struct http_header){"retry-after", retry};
    }
    /* 204 has no body, and so no type either. */
    const size_t skip = c->reply ? 0 : 1;
    http_reply(r, c->status, h + skip, n - skip, c->reply, 0);
}

static void reply_problem(struct http_request *r, struct call *c)
{
    char retry[24];
    const struct problem *p = &c->problem;
    struct http_header h[3] = {{"cache-control", "no-store"}};
    size_t n = 1;
    if (p->retry_s) {
        snprintf(retry, sizeof retry, "%lld", (long long)p->retry_s);
        h[n++] = (struct http_header){"retry-after", retry};
    }
    if (c->cookie[0]) h[n++] = (struct http_header){"set-cookie", c->cookie};
    http_reply_error(r, c->status, p->code, p->text, p->field, h, n);
}

void call_answer(struct call *c)
{
    CHECK(c->status);
    if (c->source) {
        call_stream_begin(c);
        return;
    }
    if (c->problem.code)
        reply_problem(c->r, c);
    else
        reply_json(c->r, c);
    buf_unref(c->reply);
    free(c);
}

static void call_done(void *arg) /* loop */
{
    call_answer(OBJ_CAST(struct call, CALL_MAGIC, arg));
}

void call_json(struct call *c, int status, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(json);
    CHECK(text);
    c->reply = buf_copy(span_str(text));
    c->status = status;
    free(text);
}

void call_empty(struct call *c, int status)
{
    c->status = status;
}

void call_lead(struct call *c, const char *path)
{
    snprintf(c->location, sizeof c->location, "%s", path);
    c->status = 303;
}

void call_bytes(struct call *c, const char *type, const char *life, struct buf *bytes)
{
    c->reply = bytes;
    c->type = type;
    c->life = life;
    c->status = 200;
}

void call_fail(struct call *c, enum err e, int status)
{
    problem_of(&c->problem, e);
    if (c->ep->flags & CALL_MUX) {
        mux_problem(c, e);
        return;
    }
    c->status = status ? status : status_of(e);
    if (c->status >= 500) log_error("api", "%s failed: %s", c->ep->pattern, err_text(e));
}

void call_cookie(struct call *c, const char *token)
{
    snprintf(c->cookie, sizeof c->cookie, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s",
             COOKIE, token ? token : "", token ? (long long)(SESSION_LIFE_US / US_PER_SEC) : 0LL,
             c->secure ? "; Secure" : "");
}

bool call_may(struct call *c, const struct throttle_rule *rule, const char *key)
{
    int64_t retry_s;
    if (throttle_take(c->api->throttle, rule, key, clock_mono_us(), &retry_s)) return true;
    metric_add(M_TOO_OFTEN, 1);
    problem_set(&c->problem, E_LIMIT, "too_many_requests", NULL,
                "Too many attempts; try again in %lld seconds.", (long long)retry_s);
    c->problem.retry_s = retry_s;
    call_fail(c, E_LIMIT, 429);
    return false;
}

/* --- before the work ------------------------------------------------------------------------- */

static const struct throttle_rule WRITES = {"write", 1000, US_PER_SEC / 20};

static bool changes_state(const struct call *c)
{
    return c->ep->method != HTTP_GET && c->ep->method != HTTP_HEAD;
}

/* A page of another site may make a browser send the cookie along; it cannot make it lie about
 * where the request comes from. Programs send neither header and have no cookie by accident. */
static bool origin_is_ours(const struct call *c)
{
    if (!c->origin_header.p)
        return !c->fetch_site.p || span_is(c->fetch_site, "same-origin") ||
               span_is(c->fetch_site, "none");
    if (c->origin[0] && span_is(c->origin_header, c->origin)) return true;
    const struct span o = c->origin_header;
    const size_t scheme = span_starts(o, "https://") ? 8 : span_starts(o, "http://") ? 7 : 0;
    return scheme && c->host.len && span_ieq(span_skip(o, scheme), c->host);
}

/* E_AUTH: nobody known. Other errors: who it is cannot be told now. */
static enum err find_user(struct call *c)
{
    bool renewed = false;
    char plain[CALL_AUTH_CAP];
    struct span id, secret;
    /* A program with a token; a browser never sends one by itself. */
    if (call_credentials(c->authorization, plain, &id, &secret)) {
        const enum err e = api_token_find(c->db, id, secret, &c->token_row, &c->user);
        c->has_user = e == E_OK;
        return e;
    }
    if (!c->token.p) return E_AUTH;
    const enum err e = session_find(c->db, c->token, &c->user, &renewed);
    c->has_user = e == E_OK;
    if (renewed) {
        char token[SESSION_TOKEN_CAP];
        if (span_cstr(c->token, token, sizeof token)) call_cookie(c, token);
    }
    return e;
}

static bool admitted(struct call *c)
{
    if (changes_state(c)) {
        if (!origin_is_ours(c)) {
            problem_set(&c->problem, E_AUTH, "bad_origin", NULL,
                        "This request comes from another site's page.");
            call_fail(c, E_AUTH, 403);
            return false;
        }
        if (!call_may(c, &WRITES, c->peer)) return false;
    }
    if (!(c->ep->flags & (CALL_USER | CALL_USER_MAYBE))) return true;
    const enum err e = find_user(c);
    if (e == E_OK || !(c->ep->flags & CALL_USER)) return true;
    if (e != E_AUTH && e != E_NOTFOUND) {
        call_fail(c, e, 0); /* nobody is logged out by a database in trouble */
        return false;
    }
    problem_set(&c->problem, E_AUTH, "unauthorized", NULL, "Log in first.");
    call_fail(c, E_AUTH, 401);
    return false;
}

bool call_admit(struct call *c)
{
    c->db = api_db(c->api);
    return c->ep->flags & CALL_MUX ? mux_admit(c) : admitted(c);
}

static void call_work(void *arg) /* pool */
{
    struct call *c = OBJ_CAST(struct call, CALL_MAGIC, arg);
    if (call_admit(c)) c->ep->work(c);
    json_decref(c->in);
    c->in = NULL;
}

/* Work that runs in lanes, a few at a time: how many wait for them is bounded. */
struct lanes {
    struct pool_queue *const *lane;
    unsigned n, most;
    _Atomic unsigned *next, *waiting;
    const char *busy;
};

static struct lanes lanes_of(const struct call *c)
{
    struct api *a = c->api;
    if (c->ep->flags & CALL_HASH)
        return (struct lanes){
            a->hash_lanes,        LIMIT_PASSWORD_LANES,
            LIMIT_PASSWORD_QUEUE, &a->hash_next,
            &a->hash_waiting,     "Very many people are logging in; try again in a few seconds."};
    return (struct lanes){
        a->away_lanes,    LIMIT_OIDC_LANES,
        LIMIT_OIDC_QUEUE, &a->away_next,
        &a->away_waiting, "Very many people are signing in; try again in a few seconds."};
}

static void call_work_in_lane(void *arg) /* pool */
{
    struct call *c = arg;
    call_work(c);
    atomic_fetch_sub(lanes_of(c).waiting, 1);
}

/* --- the request ----------------------------------------------------------------------------- */

static void note_query(struct call *c)
{
    for (unsigned i = 0; i < CALL_QUERY_MAX && c->ep->query[i]; i++) {
        const enum err e = http_query_get(c->r, c->ep->query[i], c->query[i], CALL_QUERY_CAP);
        c->has_query[i] = e == E_OK;
        c->bad_query[i] = e != E_OK && e != E_NOTFOUND;
    }
}

void call_origin(struct http_request *r, char out[CALL_ORIGIN_CAP])
{
    const char *o = http_origin(r);
    const size_t plain = strspn(o, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789.:/_-[]");
    snprintf(out, CALL_ORIGIN_CAP, "%s", o[plain] || plain >= CALL_ORIGIN_CAP ? "" : o);
}

static void note_request(struct call *c)
{
    struct http_request *r = c->r;
    c->body = http_body(r);
    c->content_type = http_header_in(r, "content-type");
    c->origin_header = http_header_in(r, "origin");
    c->fetch_site = http_header_in(r, "sec-fetch-site");
    c->host = http_header_in(r, "host");
    c->authorization = http_header_in(r, "authorization");
    c->mux_signature = http_header_in(r, "mux-signature");
    c->user_agent = http_header_in(r, "user-agent");
    c->raw_query = http_query(r);
    c->token = http_cookie(r, COOKIE);
    /* In a frame on another site's page there are no cookies: its script has it. */
    c->entry = http_header_in(r, "bspnode-entry");
    if (!c->entry.p) c->entry = http_cookie(r, "bsp_entry");
    c->sign_in = http_cookie(r, CALL_SIGN_IN_COOKIE);
    for (unsigned i = 0; i < 2; i++) c->param[i] = http_param(r, i);
    call_origin(r, c->origin);
    throttle_peer(http_peer(r), c->peer);
    c->secure = http_secure(r);
    note_query(c);
}

/* Nobody alone fills the lanes. */
static const struct throttle_rule HASHES = {"hash", 100, US_PER_SEC / 5};
static const struct throttle_rule AWAYS = {"away", 300, US_PER_SEC / 5};

static void start_in_lane(struct call *c, struct loop *loop)
{
    const struct lanes l = lanes_of(c);
    if (!call_may(c, c->ep->flags & CALL_HASH ? &HASHES : &AWAYS, c->peer)) {
        call_done(c);
        return;
    }
    if (atomic_fetch_add(l.waiting, 1) >= l.most) {
        atomic_fetch_sub(l.waiting, 1);
        problem_set(&c->problem, E_LIMIT, "busy", NULL, "%s", l.busy);
        c->problem.retry_s = 5;
        call_fail(c, E_LIMIT, 429);
        call_done(c);
        return;
    }
    const unsigned lane = atomic_fetch_add(l.next, 1) % l.n;
    if (api_lane_run(c->api, &l.lane[lane], call_work_in_lane, loop, call_done, c)) return;
    atomic_fetch_sub(l.waiting, 1);
    problem_set(&c->problem, E_CLOSED, "stopping", NULL, "The server is stopping.");
    call_fail(c, E_CLOSED, 503);
    call_done(c);
}

struct call *call_new(struct http_request *r, const struct bound *b)
{
    struct call *c = NEW(struct call);
    c->magic = CALL_MAGIC;
    c->api = b->api;
    c->ep = b->ep;
    c->r = r;
    note_request(c);
    return c;
}

void call_begin(struct http_request *r, void *ctx)
{
    struct call *c = call_new(r, ctx);
    if (c->ep->flags & (CALL_HASH | CALL_AWAY))
        start_in_lane(c, http_loop(r));
    else
        pool_run(c->api->cfg.pool, call_work, http_loop(r), call_done, c);
}
