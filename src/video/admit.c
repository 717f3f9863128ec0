/* SPDX-License-Identifier: MIT */
#include "video/admit.h"
#include "base/clock.h"
#include "base/rsa.h"
#include "base/xalloc.h"
#include "video/grant.h"
#include "wire/jwt.h"
#include <stdio.h>

static enum err no(const char **reason, const char *text)
{
    *reason = text;
    return E_AUTH;
}

/* --- pages and programs -----------------------------------------------------------------------
 */

/* The host of "https://host:port/path". */
static struct span host_of(struct span url)
{
    for (size_t i = 0; i + 2 < url.len; i++) {
        if (memcmp(url.p + i, "://", 3) != 0) continue;
        struct span rest = span_skip(url, i + 3);
        size_t n = 0;
        while (n < rest.len && !strchr("/?#", rest.p[n])) n++;
        rest = span_head(rest, n);
        const uint8_t *at = rest.len ? memrchr(rest.p, '@', rest.len) : NULL;
        if (at) rest = span_skip(rest, (size_t)(at - rest.p) + 1);
        const uint8_t *colon = rest.len ? memrchr(rest.p, ':', rest.len) : NULL;
        if (colon && !memchr(colon, ']', rest.len - (size_t)(colon - rest.p)))
            rest = span_head(rest, (size_t)(colon - rest.p));
        return rest;
    }
    return SPAN_NULL;
}

/* "*" is any, "*.x.y" one level below x.y. */
static bool domain_matches(struct span rule, struct span host)
{
    if (span_is(rule, "*")) return true;
    if (!span_starts(rule, "*.")) return span_ieq(rule, host);
    const struct span tail = span_skip(rule, 1);
    if (host.len <= tail.len) return false;
    const size_t label = host.len - tail.len;
    return span_ieq(span_skip(host, label), tail) && !memchr(host.p, '.', label);
}

bool admit_referrer(const char *domains, bool allow_none, const char *referrer)
{
    struct span rest = span_str(domains);
    if (!referrer[0]) return allow_none;
    const struct span host = host_of(span_str(referrer));
    while (rest.p && host.len) {
        const struct span rule = span_cut(&rest, ' ');
        if (rule.len && domain_matches(rule, host)) return true;
    }
    return false;
}

/* What is made for fetching files rather than for watching. */
static bool is_high_risk(const char *agent)
{
    static const char *const NAMES[] = {
        "curl",   "wget",   "python",         "yt-dlp",      "youtube-dl", "aria2",   "httpie",
        "okhttp", "scrapy", "go-http-client", "libwww-perl", "axios",      "postman", "lavf"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (strcasestr(agent, NAMES[i])) return true;
    return false;
}

bool admit_agent(bool allow_none, bool allow_high_risk, const char *agent)
{
    if (!agent[0]) return allow_none;
    return allow_high_risk || !is_high_risk(agent);
}

static enum err check_restriction(struct db *db, const char *rule, const char *user,
                                  const struct gate_viewer *who, const char **reason)
{
    struct db_rows *q = db_query(db,
                                 "SELECT allowed_domains, allow_no_referrer, allow_no_user_agent,"
                                 " allow_high_risk_user_agent FROM playback_restrictions"
                                 " WHERE id = ?1 AND user_id = ?2",
                                 "ss", rule, user);
    const bool found = db_next(q);
    const bool page = found && admit_referrer(db_text(q, 0), db_int(q, 1) != 0, who->referrer);
    const bool program = found && admit_agent(db_int(q, 2) != 0, db_int(q, 3) != 0, who->agent);
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    if (!found) return no(reason, "The token names a playback restriction that there is not.");
    if (!page) return no(reason, "This may not be played on this page.");
    if (!program) return no(reason, "This may not be played by this program.");
    return E_OK;
}

/* --- the token --------------------------------------------------------------------------------
 */

/* In the header, in the payload, or the same in both. */
static bool key_id(const struct jwt *t, char out[LIVE_ID_CAP])
{
    struct span in_payload = SPAN_NULL;
    const bool has = jwt_text(t, "kid", &in_payload);
    if (has && t->kid.p && !span_eq(t->kid, in_payload)) return false;
    return span_cstr(t->kid.p ? t->kid : in_payload, out, LIVE_ID_CAP) && out[0];
}

/* `user`: whose key it is. */
static enum err check_signature(struct db *db, const struct jwt *t, char user[LIVE_ID_CAP],
                                const char **reason)
{
    char kid[LIVE_ID_CAP];
    if (t->alg != JWT_RS256) return no(reason, "The token is not signed with RS256.");
    if (!key_id(t, kid)) return no(reason, "The token does not say which key has signed it.");
    struct db_rows *q =
        db_query(db, "SELECT public_pem, user_id FROM signing_keys WHERE id = ?1", "s", kid);
    enum err valid = E_NOTFOUND;
    if (db_next(q)) {
        valid = rsa_verify_sha256(db_text(q, 0), t->input, span_of(t->signature, t->signature_len));
        snprintf(user, LIVE_ID_CAP, "%s", db_text(q, 1));
    }
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    if (valid == E_NOTFOUND) return no(reason, "The token is signed with a key that there is not.");
    return valid == E_OK ? E_OK : no(reason, "The token's signature is wrong.");
}

#define CLOCK_SKEW_S 60

static enum err check_times(const struct jwt *t, const char **reason)
{
    const int64_t now = clock_wall_us() / US_PER_SEC;
    int64_t at;
    if (!jwt_seconds(t, "exp", &at)) return no(reason, "The token has no expiry.");
    if (at <= now) return no(reason, "The token has expired.");
    if (jwt_find(t, "nbf") && (!jwt_seconds(t, "nbf", &at) || at > now + CLOCK_SKEW_S))
        return no(reason, "The token is not valid yet.");
    return E_OK;
}

static enum err check_claims(const struct jwt *t, const char *id, const struct gate_viewer *who,
                             const char **reason)
{
    struct span text;
    if (!jwt_text(t, "sub", &text) || !span_is(text, id))
        return no(reason, "The token is for another playback id.");
    if (!jwt_text(t, "aud", &text) || !span_is(text, who->use))
        return no(reason, "The token is for another use.");
    return check_times(t, reason);
}

static bool is_ours(struct span name)
{
    static const char *const NAMES[] = {
        "sub", "aud", "exp", "nbf", "iat", "iss", "jti", "kid", "playback_restriction_id"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (span_is(name, NAMES[i])) return true;
    return false;
}

/* A claim that does not fit is nothing that anybody asks for. */
static void take_claims(const struct jwt *t, struct gate_pass *pass)
{
    pass->n = 0;
    for (unsigned i = 0; i < t->n_claims && pass->n < LIMIT_PASS_CLAIMS; i++) {
        const struct jwt_claim *c = &t->claims[i];
        if (c->kind == JWT_NULL || c->escaped || is_ours(c->name)) continue;
        if (span_cstr(c->name, pass->claims[pass->n].name, sizeof pass->claims[0].name) &&
            span_cstr(c->value, pass->claims[pass->n].value, sizeof pass->claims[0].value))
            pass->n++;
    }
}

static enum err check_token(struct db *db, const char *id, const struct live_playback *p,
                            const struct gate_viewer *who, struct jwt *t, const char **reason)
{
    struct span rule;
    char name[LIVE_ID_CAP], user[LIVE_ID_CAP];
    if (jwt_parse(span_str(who->token), t) != E_OK) return no(reason, "This is not a valid token.");
    enum err e = check_signature(db, t, user, reason);
    if (e == E_OK && strcmp(user, p->user_id) != 0)
        e = no(reason, "The token is signed with a key that there is not.");
    if (e == E_OK) e = check_claims(t, id, who, reason);
    if (e != E_OK || !jwt_find(t, "playback_restriction_id")) return e;
    if (!jwt_text(t, "playback_restriction_id", &rule) || !span_cstr(rule, name, sizeof name))
        return no(reason, "The token's playback restriction is not valid.");
    return check_restriction(db, name, p->user_id, who, reason);
}

/* A token of ours. Of a stream that has just become public it is still in the pages. */
static enum err check_grant(const struct live_playback *p, const char *token, const char **reason)
{
    if (!p->is_signed) return E_OK;
    if (!p->by_grant) return no(reason, "This is not a valid token.");
    const enum err e = grant_check(GRANT_WATCH, span_str(token), p->stream_id, p->access_epoch,
                                   clock_wall_us() / US_PER_SEC);
    if (e == E_OK) return E_OK;
    return no(reason, e == E_TIMEOUT ? "The token has expired."
                                     : "The token is for another stream, or is no longer valid.");
}

enum err admit_check(struct db *db, const char *id, const struct live_playback *p,
                     const struct gate_viewer *who, struct gate_pass *pass, const char **reason)
{
    const bool has = who->token && who->token[0];
    *pass = (struct gate_pass){.access_epoch = p->access_epoch};
    if (has && grant_is(GRANT_WATCH, span_str(who->token))) {
        pass->by_query = true;
        return check_grant(p, who->token, reason);
    }
    if (!p->is_signed) return has ? no(reason, "A public playback id takes no token.") : E_OK;
    if (!has) return no(reason, "This playback id needs a token.");
    struct jwt *t = NEW(struct jwt);
    const enum err e = check_token(db, id, p, who, t, reason);
    if (e == E_OK) take_claims(t, pass);
    free(t);
    return e;
}

enum err admit(struct db *db, const char *id, const struct gate_viewer *who,
               struct live_playback *p, struct gate_pass *pass, const char **reason)
{
    *p = (struct live_playback){0};
    const enum err e = live_db_find_playback(db, id, p);
    return e == E_OK ? admit_check(db, id, p, who, pass, reason) : e;
}

enum err admit_read(struct db *db, const char *token, struct admit_statement *out,
                    const char **reason)
{
    struct jwt *t = NEW(struct jwt);
    struct span subject = SPAN_NULL, use = SPAN_NULL;
    enum err e = jwt_parse(span_str(token), t);
    e = e == E_OK ? check_signature(db, t, out->user, reason)
                  : no(reason, "This is not a valid token.");
    if (e == E_OK) e = check_times(t, reason);
    if (e == E_OK && !(jwt_text(t, "sub", &subject) && jwt_text(t, "aud", &use) &&
                       span_cstr(subject, out->subject, sizeof out->subject) &&
                       span_cstr(use, out->use, sizeof out->use)))
        e = no(reason, "The token does not say what it is for.");
    free(t);
    return e;
}
