/* SPDX-License-Identifier: MIT */
#include "api/mux_call.h"
#include "api/api_priv.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include <stdarg.h>
#include <stdio.h>

enum { MUX_LIMIT_DEFAULT = 25 };

/* --- the reply ------------------------------------------------------------------------------- */

void mux_data(struct call *c, int status, json_t *json)
{
    call_json(c, status, json_pack("{s:o}", "data", json));
}

void mux_list(struct call *c, json_t *array, const char *next)
{
    json_t *j = json_pack("{s:o}", "data", array);
    if (next) json_object_set_new(j, "next_cursor", *next ? json_string(next) : json_null());
    call_json(c, 200, j);
}

void mux_none(struct call *c)
{
    call_empty(c, 204);
}

void mux_error(struct call *c, int status, const char *type, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    json_t *said = json_string(text);
    if (!said) said = json_string("The request is not valid."); /* cut within a character */
    call_json(c, status, json_pack("{s:{s:s, s:[o]}}", "error", "type", type, "messages", said));
}

void mux_missing(struct call *c, const char *what)
{
    mux_error(c, 404, MUX_NOT_FOUND, "There is no such %s, or it belongs to somebody else.", what);
}

static const char *type_of(int status)
{
    if (status == 401) return "unauthorized";
    if (status == 403) return MUX_FORBIDDEN;
    if (status == 404) return MUX_NOT_FOUND;
    return status >= 500 ? "internal_error" : MUX_INVALID;
}

/* A conflict is no 409: clients would send it again. */
static int status_of(enum err e)
{
    switch (e) {
    case E_NOTFOUND:
        return 404;
    case E_AUTH:
        return 403;
    case E_LIMIT:
        return 429;
    case E_INVALID:
    case E_PROTO:
    case E_CONFLICT:
    case E_CLOSED:
    case E_UNSUPPORTED:
        return 400;
    case E_FULL:
        return 507;
    case E_TIMEOUT:
        return 503;
    default:
        return 500;
    }
}

void mux_problem(struct call *c, enum err e)
{
    const struct problem p = c->problem;
    const int status = status_of(e);
    c->problem.code = NULL;
    if (status >= 500) log_error("api", "%s failed: %s", c->ep->pattern, err_text(e));
    if (status == 429) {
        c->retry_s = p.retry_s ? p.retry_s : 1;
        call_json(c, 429, json_pack("{s:[s]}", "errors", p.text));
    } else if (p.field) {
        mux_error(c, status, type_of(status), "%s: %s", p.field, p.text);
    } else {
        mux_error(c, status, type_of(status), "%s", p.text);
    }
}

void mux_fail(struct call *c, enum err e)
{
    problem_of(&c->problem, e);
    mux_problem(c, e);
}

json_t *mux_time(int64_t us)
{
    return json_sprintf("%lld", (long long)(us / 1000000));
}

/* --- who asks -------------------------------------------------------------------------------- */

/* "Basic base64(id:secret)", or "Bearer id:secret". */
bool call_credentials(struct span header, char plain[CALL_AUTH_CAP], struct span *id,
                      struct span *secret)
{
    struct span rest = span_trim(header);
    const struct span scheme = span_cut(&rest, ' ');
    size_t len;
    rest = span_trim(rest);
    if (span_ieq(scheme, SPAN_LIT("Basic"))) {
        if (!hash_unb64(rest, (uint8_t *)plain, CALL_AUTH_CAP, &len)) return false;
    } else if (span_ieq(scheme, SPAN_LIT("Bearer")) && rest.len < CALL_AUTH_CAP) {
        memcpy(plain, rest.p, rest.len);
        len = rest.len;
    } else {
        return false;
    }
    *secret = span_of(plain, len);
    *id = span_cut(secret, ':');
    return secret->len > 0;
}

static const struct throttle_rule READS = {"mux-read", 1000, US_PER_SEC / 200};
static const struct throttle_rule WRITES = {"mux-write", 500, US_PER_SEC / 50};

static bool query_is_fine(struct call *c)
{
    for (unsigned i = 0; i < CALL_QUERY_MAX && c->ep->query[i]; i++)
        if (c->bad_query[i])
            return mux_invalid(c, c->ep->query[i], "This is too long, or badly encoded.");
    return true;
}

bool mux_admit(struct call *c)
{
    char plain[CALL_AUTH_CAP];
    struct span id, secret;
    enum err e = E_AUTH;
    if (call_credentials(c->authorization, plain, &id, &secret))
        e = api_token_find(c->db, id, secret, &c->token_row, &c->user);
    c->has_user = e == E_OK;
    if (e == E_AUTH) {
        mux_error(c, 401, "unauthorized",
                  "Send the id and the secret of an access token, by HTTP Basic authentication.");
        return false;
    }
    if (e != E_OK) {
        mux_fail(c, e);
        return false;
    }
    const bool reads = c->ep->method == HTTP_GET;
    return query_is_fine(c) && call_may(c, reads ? &READS : &WRITES, c->user.id);
}

/* --- the request ----------------------------------------------------------------------------- */

const char *mux_id(struct call *c, unsigned i, const char *what)
{
    if (text_is_id(c->param[i])) return c->param[i];
    mux_error(c, 400, MUX_INVALID, "This is not the id of a %s.", what);
    return NULL;
}

const char *mux_query(const struct call *c, const char *name)
{
    for (unsigned i = 0; i < CALL_QUERY_MAX && c->ep->query[i]; i++)
        if (strcmp(c->ep->query[i], name) == 0) return c->has_query[i] ? c->query[i] : NULL;
    return NULL;
}

static bool page_number(struct call *c, const char *name, uint64_t max, uint64_t *out)
{
    const char *text = mux_query(c, name);
    if (!text || !*text) return true;
    if (span_u64(span_str(text), UINT32_MAX, out) && *out >= 1) {
        if (*out > max) *out = max;
        return true;
    }
    mux_error(c, 400, MUX_INVALID, "%s: This must be a number from 1 on.", name);
    return false;
}

bool mux_page(struct call *c, struct mux_page *out)
{
    uint64_t page = 1, limit = MUX_LIMIT_DEFAULT;
    if (!page_number(c, "limit", LIMIT_PAGE_ITEMS, &limit)) return false;
    if (!page_number(c, "page", LIMIT_MUX_PAGE, &page)) return false;
    *out = (struct mux_page){(int64_t)limit, (int64_t)(limit * (page - 1))};
    return true;
}
