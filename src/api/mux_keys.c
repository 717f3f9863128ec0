/* SPDX-License-Identifier: MIT */
/* Signing keys and playback restrictions, as Mux's API has them. */
#include "api/api_priv.h"
#include "api/mux_call.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "video/playback_keys.h"

/* --- signing keys ----------------------------------------------------------------------------- */

static json_t *key_json(const struct signing_key *k)
{
    return json_pack("{s:s, s:o}", "id", k->id, "created_at", mux_time(k->created_at));
}

static void too_many(struct call *c, const char *what, unsigned max)
{
    mux_error(c, 400, MUX_INVALID, "There are %u %s already; delete one first.", max, what);
}

static void key_create(struct call *c)
{
    struct signing_key k;
    struct str pem = {0};
    const enum err e = signing_key_create(c->db, c->user.id, &k, &pem);
    if (e == E_OK) {
        char *text = xcalloc(1, HASH_B64_LEN(pem.len));
        json_t *j = key_json(&k);
        hash_b64(str_span(&pem), text);
        json_object_set_new(j, "private_key", json_string(text));
        explicit_bzero(text, strlen(text));
        free(text);
        mux_data(c, 201, j);
    } else if (e == E_LIMIT) {
        too_many(c, "signing keys", LIMIT_SIGNING_KEYS);
    } else {
        mux_fail(c, e);
    }
    if (pem.p) explicit_bzero(pem.p, pem.len);
    str_fini(&pem);
}

static void key_list(struct call *c)
{
    struct signing_key keys[LIMIT_PAGE_ITEMS];
    unsigned n = LIMIT_PAGE_ITEMS;
    struct mux_page page;
    if (!mux_page(c, &page)) return;
    const enum err e = signing_key_list(c->db, c->user.id, page.limit, page.offset, keys, &n);
    if (e != E_OK) {
        mux_fail(c, e);
        return;
    }
    json_t *all = json_array();
    for (unsigned i = 0; i < n; i++) json_array_append_new(all, key_json(&keys[i]));
    mux_list(c, all, NULL);
}

static void key_get(struct call *c)
{
    struct signing_key k;
    const char *id = mux_id(c, 0, "signing key");
    if (!id) return;
    const enum err e = signing_key_get(c->db, c->user.id, id, &k);
    if (e == E_OK)
        mux_data(c, 200, key_json(&k));
    else if (e == E_NOTFOUND)
        mux_missing(c, "signing key");
    else
        mux_fail(c, e);
}

static void deleted(struct call *c, enum err e, const char *what)
{
    if (e == E_OK)
        mux_none(c);
    else if (e == E_NOTFOUND)
        mux_missing(c, what);
    else
        mux_fail(c, e);
}

static void key_delete(struct call *c)
{
    const char *id = mux_id(c, 0, "signing key");
    if (id) deleted(c, signing_key_delete(c->db, c->user.id, id), "signing key");
}

/* --- restrictions ----------------------------------------------------------------------------- */

static json_t *restriction_json(const struct restriction *r)
{
    json_t *domains = json_array();
    struct span rest = span_str(r->domains ? r->domains : "");
    while (rest.p && rest.len) {
        const struct span d = span_cut(&rest, ' ');
        json_array_append_new(domains, json_stringn((const char *)d.p, d.len));
    }
    return json_pack("{s:s, s:o, s:o, s:{s:o, s:b}, s:{s:b, s:b}}", "id", r->id, "created_at",
                     mux_time(r->created_at), "updated_at", mux_time(r->updated_at), "referrer",
                     "allowed_domains", domains, "allow_no_referrer", r->allow_no_referrer,
                     "user_agent", "allow_no_user_agent", r->allow_no_user_agent,
                     "allow_high_risk_user_agent", r->allow_high_risk_user_agent);
}

/* "*", "a.example", "*.a.example". */
static bool is_domain(struct span d)
{
    if (span_is(d, "*")) return true;
    if (span_starts(d, "*.")) d = span_skip(d, 2);
    for (size_t i = 0; i < d.len; i++) {
        const uint8_t c = d.p[i];
        const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c >= 0x80;
        if (!ok) return false;
    }
    return d.len > 0 && d.len <= 253;
}

static bool read_domains(struct call *c, json_t *list, struct restriction *r)
{
    struct str all = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        const struct span d = span_of(json_string_value(v), json_string_length(v));
        if (!d.p || !is_domain(d)) {
            str_fini(&all);
            return mux_invalid(c, "referrer.allowed_domains",
                               "These must be host names, with * or *. before if wished.");
        }
        if (all.len) str_addc(&all, ' ');
        str_add(&all, d);
    }
    free(r->domains);
    r->domains = str_take_c(&all);
    return true;
}

/* The part is replaced as a whole: what is absent is as at the beginning, nothing allowed. */
static bool read_referrer(struct call *c, json_t *in, struct restriction *r)
{
    json_t *list = NULL;
    r->allow_no_referrer = false;
    return mux_array(c, in, "allowed_domains", LIMIT_RESTRICTED_DOMAINS, &list) &&
           mux_bool(c, in, "allow_no_referrer", &r->allow_no_referrer) && read_domains(c, list, r);
}

static bool read_agent(struct call *c, json_t *in, struct restriction *r)
{
    r->allow_no_user_agent = r->allow_high_risk_user_agent = false;
    return mux_bool(c, in, "allow_no_user_agent", &r->allow_no_user_agent) &&
           mux_bool(c, in, "allow_high_risk_user_agent", &r->allow_high_risk_user_agent);
}

static bool read_restriction(struct call *c, struct restriction *r)
{
    json_t *in = mux_body(c), *referrer = NULL, *agent = NULL;
    if (!in || !mux_object(c, in, "referrer", &referrer) ||
        !mux_object(c, in, "user_agent", &agent))
        return false;
    /* Without a word about programs all of them may. */
    r->allow_no_user_agent = r->allow_high_risk_user_agent = true;
    return read_referrer(c, referrer, r) && (!agent || read_agent(c, agent, r));
}

static void restriction_post(struct call *c)
{
    struct restriction r = {0};
    if (read_restriction(c, &r)) {
        const enum err e = restriction_create(c->db, c->user.id, &r);
        if (e == E_OK)
            mux_data(c, 201, restriction_json(&r));
        else if (e == E_LIMIT)
            too_many(c, "playback restrictions", LIMIT_RESTRICTIONS);
        else
            mux_fail(c, e);
    }
    restriction_fini(&r);
}

static void restrictions(struct call *c)
{
    struct restriction list[LIMIT_PAGE_ITEMS];
    unsigned n = LIMIT_PAGE_ITEMS;
    struct mux_page page;
    if (!mux_page(c, &page)) return;
    const enum err e = restriction_list(c->db, c->user.id, page.limit, page.offset, list, &n);
    json_t *all = json_array();
    for (unsigned i = 0; i < n; i++) {
        json_array_append_new(all, restriction_json(&list[i]));
        restriction_fini(&list[i]);
    }
    if (e == E_OK) {
        mux_list(c, all, NULL);
        return;
    }
    json_decref(all);
    mux_fail(c, e);
}

/* Reads the row; false: the reply is made. */
static bool find(struct call *c, struct restriction *r)
{
    const char *id = mux_id(c, 0, "playback restriction");
    if (!id) return false;
    const enum err e = restriction_get(c->db, c->user.id, id, r);
    if (e == E_NOTFOUND)
        mux_missing(c, "playback restriction");
    else if (e != E_OK)
        mux_fail(c, e);
    return e == E_OK;
}

static void restriction_read(struct call *c)
{
    struct restriction r = {0};
    if (find(c, &r)) mux_data(c, 200, restriction_json(&r));
    restriction_fini(&r);
}

static void put_part(struct call *c,
                     bool (*read)(struct call *c, json_t *in, struct restriction *r))
{
    struct restriction r = {0};
    json_t *in = mux_body(c);
    if (in && find(c, &r) && read(c, in, &r)) {
        const enum err e = restriction_update(c->db, c->user.id, &r);
        if (e == E_OK)
            mux_data(c, 200, restriction_json(&r));
        else
            mux_fail(c, e);
    }
    restriction_fini(&r);
}

static void put_referrer(struct call *c)
{
    put_part(c, read_referrer);
}

static void put_agent(struct call *c)
{
    put_part(c, read_agent);
}

static void restriction_remove(struct call *c)
{
    const char *id = mux_id(c, 0, "playback restriction");
    if (id) deleted(c, restriction_delete(c->db, c->user.id, id), "playback restriction");
}

#define KEYS(prefix)                                                                               \
    {HTTP_POST, prefix "/signing-keys", key_create, CALL_MUX, {0}},                                \
        {HTTP_GET, prefix "/signing-keys", key_list, CALL_MUX, {"page", "limit"}},                 \
        {HTTP_GET, prefix "/signing-keys/{}", key_get, CALL_MUX, {0}},                             \
    {                                                                                              \
        HTTP_DELETE, prefix "/signing-keys/{}", key_delete, CALL_MUX,                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define RULES "/video/v1/playback-restrictions"

static const struct endpoint ENDPOINTS[] = {
    KEYS("/system/v1"),
    KEYS("/video/v1"),
    {HTTP_POST, RULES, restriction_post, CALL_MUX, {0}},
    {HTTP_GET, RULES, restrictions, CALL_MUX, {"page", "limit"}},
    {HTTP_GET, RULES "/{}", restriction_read, CALL_MUX, {0}},
    {HTTP_DELETE, RULES "/{}", restriction_remove, CALL_MUX, {0}},
    {HTTP_PUT, RULES "/{}/referrer", put_referrer, CALL_MUX, {0}},
    {HTTP_PUT, RULES "/{}/user_agent", put_agent, CALL_MUX, {0}},
};
const struct endpoint_table mux_keys = ENDPOINT_TABLE(ENDPOINTS);
