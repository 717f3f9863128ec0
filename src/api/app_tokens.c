/* SPDX-License-Identifier: MIT */
/* /api/tokens and /api/signing-keys: what a person's programs log in with and sign with. For a
 * session only: a token that leaked must not make others that outlive it. */
#include "api/api_priv.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/audit.h"
#include "video/playback_keys.h"

static const struct throttle_rule TOKENS = {"create-token", 60, 10 * US_PER_SEC};
/* Making one takes a tenth of a second of a core. */
static const struct throttle_rule KEYS = {"create-signing-key", 20, 30 * US_PER_SEC};

static bool well(struct call *c, enum err e)
{
    if (e != E_OK) call_fail(c, e, 0);
    return e == E_OK;
}

static bool is_person(struct call *c)
{
    if (!c->token_row.id[0]) return true;
    return well(c, problem_set(&c->problem, E_AUTH, "session_needed", NULL,
                               "Log in with e-mail and password for this."));
}

static bool id_is_fine(struct call *c, const char *what)
{
    if (text_is_id(c->param[0])) return true;
    return well(
        c, problem_set(&c->problem, E_NOTFOUND, "not_found", NULL, "There is no such %s.", what));
}

static void dropped(struct call *c, enum err e, const char *what)
{
    if (e == E_NOTFOUND)
        e = problem_set(&c->problem, e, "not_found", NULL, "There is no such %s.", what);
    if (!well(c, e)) return;
    log_info("credential_deleted", "what=%s id=%s user=%s", what, c->param[0], c->user.id);
    call_empty(c, 204);
}

/* --- access tokens --------------------------------------------------------------------------- */

static json_t *token_json(const struct api_token *t)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "id", t->id, "name", t->name, "createdAt",
                     time_json(t->created_at), "lastUsedAt", time_json(t->last_used_at));
}

static void tokens(struct call *c)
{
    struct api_token *all = NULL;
    size_t n = 0;
    if (!is_person(c) || !well(c, api_token_list(c->db, c->user.id, &all, &n))) return;
    json_t *rows = json_array();
    for (size_t i = n; i-- > 0;) json_array_append_new(rows, token_json(&all[i]));
    free(all);
    call_json(c, 200, json_pack("{s:o}", "tokens", rows));
}

static void token_create(struct call *c)
{
    struct body_field f[] = {{"name", BODY_TEXT, false, NULL}};
    struct api_token t;
    char secret[API_TOKEN_SECRET_CAP];
    if (!is_person(c) || !body_read(c, f, 1) || !call_may(c, &TOKENS, c->user.id) ||
        !well(c, api_token_add(c->db, c->user.id, body_text(&f[0]), &t, secret, &c->problem)))
        return;
    log_info("token_created", "token=%s user=%s", t.id, c->user.id);
    if (audit_add(c->db, c->user.id, "token.create", "token", t.id, t.name) != E_OK)
        log_warn("audit", "the making of token=%s was not noted", t.id);
    json_t *j = token_json(&t);
    json_object_set_new(j, "secret", json_string(secret));
    explicit_bzero(secret, sizeof secret);
    call_json(c, 201, j);
}

static void token_delete(struct call *c)
{
    if (is_person(c) && id_is_fine(c, "token") && body_read(c, NULL, 0))
        dropped(c, api_token_remove(c->db, c->user.id, c->param[0]), "token");
}

/* --- signing keys ---------------------------------------------------------------------------- */

static json_t *key_json(const struct signing_key *k)
{
    return json_pack("{s:s, s:o}", "id", k->id, "createdAt", time_json(k->created_at));
}

static void keys(struct call *c)
{
    struct signing_key rows[LIMIT_SIGNING_KEYS];
    unsigned n = LIMIT_SIGNING_KEYS;
    if (!is_person(c) ||
        !well(c, signing_key_list(c->db, c->user.id, LIMIT_SIGNING_KEYS, 0, rows, &n)))
        return;
    json_t *all = json_array();
    for (unsigned i = 0; i < n; i++) json_array_append_new(all, key_json(&rows[i]));
    call_json(c, 200, json_pack("{s:o}", "signingKeys", all));
}

static void key_create(struct call *c)
{
    struct signing_key k;
    struct str pem = {0};
    if (!is_person(c) || !body_read(c, NULL, 0) || !call_may(c, &KEYS, c->user.id)) return;
    enum err e = signing_key_create(c->db, c->user.id, &k, &pem);
    if (e == E_LIMIT)
        e = problem_set(&c->problem, E_INVALID, "too_many_keys", NULL,
                        "There are %u signing keys, which is the most; delete some first.",
                        LIMIT_SIGNING_KEYS);
    if (well(c, e)) {
        char *text = xcalloc(1, HASH_B64_LEN(pem.len));
        json_t *j = key_json(&k);
        hash_b64(str_span(&pem), text);
        json_object_set_new(j, "privateKey", json_string(text));
        explicit_bzero(text, strlen(text));
        free(text);
        log_info("signing_key_created", "key=%s user=%s", k.id, c->user.id);
        call_json(c, 201, j);
    }
    if (pem.p) explicit_bzero(pem.p, pem.len);
    str_fini(&pem);
}

static void key_delete(struct call *c)
{
    if (is_person(c) && id_is_fine(c, "signing key") && body_read(c, NULL, 0))
        dropped(c, signing_key_delete(c->db, c->user.id, c->param[0]), "signing key");
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/tokens", tokens, CALL_USER, {0}},
    {HTTP_POST, "/api/tokens", token_create, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/tokens/{}", token_delete, CALL_USER, {0}},
    {HTTP_GET, "/api/signing-keys", keys, CALL_USER, {0}},
    {HTTP_POST, "/api/signing-keys", key_create, CALL_USER, {0}},
    {HTTP_DELETE, "/api/signing-keys/{}", key_delete, CALL_USER, {0}},
};
const struct endpoint_table app_tokens = ENDPOINT_TABLE(ENDPOINTS);
