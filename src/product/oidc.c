/* SPDX-License-Identifier: MIT */
#include "product/oidc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "client/http_client.h"
#include "wire/json_flat.h"
#include "wire/oidc_doc.h"
#include <pthread.h>
#include <stdio.h>

#define KEEP_US  (INT64_C(3600) * US_PER_SEC)
#define TEXT_LEN HASH_B64_LEN(SHA256_LEN)

struct oidc {
    struct oidc_settings set;
    _Atomic bool stopping;
    pthread_mutex_t lock;         /* of what follows; never held while something is asked */
    int64_t provider_us, keys_us; /* when it was asked for; 0: not yet */
    struct oidc_provider provider;
    struct oidc_keys keys;
};

struct oidc *oidc_new(const struct oidc_settings *s)
{
    struct oidc *o = NEW(struct oidc);
    o->set = *s;
    pthread_mutex_init(&o->lock, NULL);
    return o;
}

void oidc_free(struct oidc *o)
{
    if (!o) return;
    pthread_mutex_destroy(&o->lock);
    free(o);
}

void oidc_stop(struct oidc *o)
{
    atomic_store(&o->stopping, true);
}

bool oidc_is_on(const struct oidc *o)
{
    return o->set.issuer[0] && o->set.client_id[0];
}

const char *oidc_label(const struct oidc *o)
{
    return o->set.label;
}

const char *oidc_issuer(const struct oidc *o)
{
    return o->set.issuer;
}

static enum err unreachable(struct problem *p, const char *what, const char *why)
{
    return problem_set(p, E_TIMEOUT, "sign_in_unreachable", NULL, "%s: %s", what, why);
}

static enum err failed(struct problem *p, const char *why)
{
    return problem_set(p, E_AUTH, "sign_in_failed", NULL, "%s", why);
}

/* --- asking ---------------------------------------------------------------------------------- */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool over;
    enum err err;
    int status;
    struct str *body;
    char why[HTTP_CLIENT_WHY_CAP];
};

static void on_answer(void *arg, const struct http_answer *a)
{
    struct waiting *w = arg;
    pthread_mutex_lock(&w->lock);
    w->err = a->err;
    w->status = a->status;
    str_add(w->body, a->body);
    snprintf(w->why, sizeof w->why, "%s", a->why);
    w->over = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

/* A 200 and its body. No redirect is followed: a provider is where it says that it is. */
static enum err ask(struct oidc *o, const char *what, struct http_want *want, struct str *body,
                    struct problem *p)
{
    const char *why;
    struct waiting w = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    w.body = body;
    want->allow_private = o->set.allow_private;
    want->total_ms = LIMIT_OIDC_MS;
    want->max_bytes = LIMIT_OIDC_DOC_BYTES;
    want->cancel = &o->stopping;
    if (http_url_check(want->url, o->set.allow_private, &why) != E_OK)
        return unreachable(p, what, why);
    if (!o->set.allow_private && !span_starts(span_str(want->url), "https://"))
        return unreachable(p, what, "the address is not https");
    http_client_start(o->set.client, want, on_answer, &w);
    pthread_mutex_lock(&w.lock);
    while (!w.over) pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.cond);
    pthread_mutex_destroy(&w.lock);
    if (w.err != E_OK) return unreachable(p, what, w.why);
    if (w.status == 200) return E_OK;
    snprintf(w.why, sizeof w.why, "it answered with status %d", w.status);
    /* The token endpoint does not take the code, or not from us. */
    if (want->post && w.status >= 400 && w.status < 500)
        return problem_set(p, E_AUTH, "sign_in_failed", NULL, "%s: %s", what, w.why);
    return unreachable(p, what, w.why);
}

static enum err fetch_provider(struct oidc *o, struct oidc_provider *out, struct problem *p)
{
    static const char WHAT[] = "discovery";
    const char *why;
    struct str url = {0}, body = {0};
    struct span issuer = span_str(o->set.issuer);
    if (span_ends(issuer, "/")) issuer.len--;
    str_add(&url, issuer);
    str_adds(&url, "/.well-known/openid-configuration");
    enum err e = ask(o, WHAT, &(struct http_want){.url = str_c(&url)}, &body, p);
    if (e == E_OK && oidc_provider_read(str_span(&body), out, &why) != E_OK)
        e = unreachable(p, WHAT, why);
    if (e == E_OK && strcmp(out->issuer, o->set.issuer) != 0)
        e = unreachable(p, WHAT, "the document is another issuer's");
    str_fini(&body);
    str_fini(&url);
    return e;
}

/* A copy of what is known; what is not, or not any more, is asked for. */
static enum err get_provider(struct oidc *o, struct oidc_provider *out, struct problem *p)
{
    const int64_t now = clock_mono_us();
    pthread_mutex_lock(&o->lock);
    const bool known = o->provider_us && now - o->provider_us < KEEP_US;
    if (known) *out = o->provider;
    pthread_mutex_unlock(&o->lock);
    if (known) return E_OK;
    const enum err e = fetch_provider(o, out, p);
    if (e != E_OK) return e;
    pthread_mutex_lock(&o->lock);
    o->provider = *out;
    o->provider_us = now;
    pthread_mutex_unlock(&o->lock);
    return E_OK;
}

/* --- there ------------------------------------------------------------------------------------ */

/* What only this browser's sign-in can know, for one purpose. */
static void derive(const struct oidc *o, const struct oidc_flow *f, const char *purpose,
                   char out[TEXT_LEN])
{
    uint8_t key[SECRET_LEN], sum[SHA256_LEN];
    struct str s = {0};
    secret_derive(o->set.secret, purpose, key);
    str_addf(&s, "%s %s", f->state, f->browser);
    hash_hmac_sha256(span_of(key, sizeof key), str_span(&s), sum);
    hash_b64url(span_of(sum, sizeof sum), out);
    str_fini(&s);
}

static void add_encoded(struct str *s, const char *name, const char *value)
{
    static const char PLAIN[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    str_addf(s, "%s=", name);
    for (const char *c = value; *c; c++)
        strchr(PLAIN, *c) ? str_addc(s, *c) : str_addf(s, "%%%02X", (unsigned char)*c);
}

static void add_param(struct str *s, const char *name, const char *value)
{
    str_addc(s, '&');
    add_encoded(s, name, value);
}

enum err oidc_address(struct oidc *o, const struct oidc_flow *f, struct str *out, struct problem *p)
{
    char nonce[TEXT_LEN], verifier[TEXT_LEN], challenge[TEXT_LEN];
    uint8_t sum[SHA256_LEN];
    const char *why;
    struct oidc_provider *pr = NEW(struct oidc_provider);
    enum err e = get_provider(o, pr, p);
    if (e == E_OK && http_url_check(pr->authorize, true, &why) != E_OK)
        e = unreachable(p, "the authorization endpoint", why);
    if (e == E_OK) {
        derive(o, f, "oidc-nonce", nonce);
        derive(o, f, "oidc-verifier", verifier);
        hash_sha256(span_str(verifier), sum);
        hash_b64url(span_of(sum, sizeof sum), challenge);
        str_addf(out, "%s%c", pr->authorize, strchr(pr->authorize, '?') ? '&' : '?');
        add_encoded(out, "response_type", "code");
        add_param(out, "scope", "openid email profile");
        add_param(out, "client_id", o->set.client_id);
        add_param(out, "redirect_uri", f->redirect_uri);
        add_param(out, "state", f->state);
        add_param(out, "nonce", nonce);
        add_param(out, "code_challenge", challenge);
        add_param(out, "code_challenge_method", "S256");
    }
    free(pr);
    return e;
}

/* --- and back --------------------------------------------------------------------------------- */

/* RFC 6749, 2.3.1: both parts are encoded before they are joined. */
static void add_basic(const struct oidc *o, struct str *header)
{
    struct str pair = {0}, part = {0};
    char text[4096];
    add_encoded(&part, "", o->set.client_id);
    str_add(&pair, span_skip(str_span(&part), 1));
    part.len = 0;
    add_encoded(&part, "", o->set.client_secret);
    str_addc(&pair, ':');
    str_add(&pair, span_skip(str_span(&part), 1));
    if (HASH_B64_LEN(pair.len) + 4 <= sizeof text) {
        hash_b64(str_span(&pair), text);
        str_addf(header, "Authorization: Basic %s", text);
    }
    str_fini(&part);
    str_fini(&pair);
}

static enum err trade(struct oidc *o, const struct oidc_provider *pr, const struct oidc_flow *f,
                      const char *code, struct str *answer, struct problem *p)
{
    char verifier[TEXT_LEN];
    struct str body = {0}, basic = {0};
    const bool in_header = o->set.client_secret[0] && !pr->secret_in_body;
    derive(o, f, "oidc-verifier", verifier);
    add_encoded(&body, "grant_type", "authorization_code");
    add_param(&body, "code", code);
    add_param(&body, "redirect_uri", f->redirect_uri);
    add_param(&body, "code_verifier", verifier);
    if (!in_header) add_param(&body, "client_id", o->set.client_id);
    if (!in_header && o->set.client_secret[0])
        add_param(&body, "client_secret", o->set.client_secret);
    if (in_header) add_basic(o, &basic);
    struct http_want w = {.url = pr->token, .post = true, .once = true, .body = str_span(&body)};
    w.headers[0] = "Content-Type: application/x-www-form-urlencoded";
    w.headers[1] = "Accept: application/json";
    w.headers[2] = in_header ? str_c(&basic) : NULL;
    const enum err e = ask(o, "the token endpoint", &w, answer, p);
    str_fini(&basic);
    str_fini(&body);
    return e;
}

static enum err fetch_keys(struct oidc *o, const struct oidc_provider *pr, struct oidc_keys *out,
                           struct problem *p)
{
    struct str body = {0};
    enum err e = ask(o, "its keys", &(struct http_want){.url = pr->keys}, &body, p);
    if (e == E_OK && oidc_keys_read(str_span(&body), out) != E_OK)
        e = unreachable(p, "its keys", "the document is no list of keys");
    str_fini(&body);
    if (e != E_OK) return e;
    pthread_mutex_lock(&o->lock);
    o->keys = *out;
    o->keys_us = clock_mono_us();
    pthread_mutex_unlock(&o->lock);
    return E_OK;
}

/* With a name the key of that name; a token without one is tried with each. E_NOTFOUND: no key
 * fits. */
static enum err verify_with(const struct oidc_keys *keys, const struct jwt *t)
{
    const enum oidc_key_kind kind = t->alg == JWT_RS256 ? OIDC_RSA : OIDC_P256;
    const struct span signature = span_of(t->signature, t->signature_len);
    enum err e = E_NOTFOUND;
    for (unsigned i = 0; i < keys->n && e != E_OK; i++) {
        const struct oidc_key *k = &keys->v[i];
        const struct span a = span_of(k->a, k->a_len), b = span_of(k->b, k->b_len);
        if (k->kind != kind || (t->kid.p && !span_is(t->kid, k->kid))) continue;
        e = kind == OIDC_RSA ? jwk_verify_rs256(a, b, t->input, signature)
                             : jwk_verify_es256(a, b, t->input, signature);
    }
    return e;
}

/* A key that is not known may be new. */
static enum err verify(struct oidc *o, const struct oidc_provider *pr, const struct jwt *t,
                       struct problem *p)
{
    if (t->alg != JWT_RS256 && t->alg != JWT_ES256)
        return failed(p, "the token is signed with neither RS256 nor ES256");
    struct oidc_keys *keys = NEW(struct oidc_keys);
    pthread_mutex_lock(&o->lock);
    const bool known = o->keys_us && clock_mono_us() - o->keys_us < KEEP_US;
    if (known) *keys = o->keys;
    pthread_mutex_unlock(&o->lock);
    enum err e = known ? verify_with(keys, t) : E_NOTFOUND, asked = E_OK;
    if (e == E_NOTFOUND) {
        asked = fetch_keys(o, pr, keys, p);
        if (asked == E_OK) e = verify_with(keys, t);
    }
    free(keys);
    if (asked != E_OK) return asked;
    if (e == E_NOTFOUND) return failed(p, "the token is signed with a key that is not published");
    return e == E_OK ? E_OK : failed(p, "the token's signature is wrong");
}

static enum err check_token(struct oidc *o, const struct oidc_provider *pr,
                            const struct oidc_flow *f, struct span token, struct oidc_person *out,
                            struct problem *p)
{
    char nonce[TEXT_LEN];
    const char *why;
    struct jwt *t = NEW(struct jwt);
    derive(o, f, "oidc-nonce", nonce);
    const struct oidc_expect x = {pr->issuer, o->set.client_id, nonce,
                                  clock_wall_us() / US_PER_SEC};
    enum err e = jwt_parse(token, t) == E_OK ? E_OK : failed(p, "the ID token is none");
    if (e == E_OK) e = verify(o, pr, t, p);
    if (e == E_OK && oidc_token_check(t, &x, &why) != E_OK) e = failed(p, why);
    if (e == E_OK && oidc_person_read(t->body, out) != E_OK)
        e = failed(p, "the token names nobody");
    free(t);
    return e;
}

/* Many providers tell the address only here. That it is the same person's is said by `sub`. */
static void ask_who(struct oidc *o, const struct oidc_provider *pr, struct span access,
                    struct oidc_person *out)
{
    struct str header = {0}, body = {0};
    struct problem p = {0};
    struct oidc_person more;
    str_adds(&header, "Authorization: Bearer ");
    str_add(&header, access);
    struct http_want w = {.url = pr->userinfo};
    w.headers[0] = str_c(&header);
    w.headers[1] = "Accept: application/json";
    if (ask(o, "userinfo", &w, &body, &p) != E_OK)
        log_warn("sign-in", "%s", p.text);
    else if (oidc_person_read(str_span(&body), &more) == E_OK &&
             !strcmp(more.subject, out->subject))
        *out = more;
    str_fini(&body);
    str_fini(&header);
}

static bool is_plain(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 127) return false;
    return s.len > 0;
}

static enum err redeem(struct oidc *o, const struct oidc_provider *pr, const struct oidc_flow *f,
                       const char *code, struct oidc_person *out, struct problem *p)
{
    struct str answer = {0}, token = {0}, access = {0};
    enum err e = trade(o, pr, f, code, &answer, p);
    if (e == E_OK && json_flat_text(str_span(&answer), "id_token", &token) != E_OK)
        e = failed(p, "the token endpoint gave no ID token");
    if (e == E_OK) e = check_token(o, pr, f, str_span(&token), out, p);
    if (e == E_OK && !out->email[0] && pr->userinfo[0] &&
        json_flat_text(str_span(&answer), "access_token", &access) == E_OK &&
        is_plain(str_span(&access)))
        ask_who(o, pr, str_span(&access), out);
    str_fini(&access);
    str_fini(&token);
    str_fini(&answer);
    return e;
}

enum err oidc_redeem(struct oidc *o, const struct oidc_flow *f, const char *code,
                     struct span issuer, struct oidc_person *out, struct problem *p)
{
    struct oidc_provider *pr = NEW(struct oidc_provider);
    enum err e = get_provider(o, pr, p);
    /* Another provider's answer, sent here by one that is not honest (RFC 9207). */
    if (e == E_OK && (issuer.p ? !span_is(issuer, pr->issuer) : pr->says_issuer))
        e = failed(p, "the answer is another issuer's");
    if (e == E_OK) e = redeem(o, pr, f, code, out, p);
    free(pr);
    return e;
}
