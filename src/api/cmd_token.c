/* SPDX-License-Identifier: MIT */
/* bspnode token ...: what programs log in with. Works beside a running server. */
#include "api/api.h"
#include "api/cmd_args.h"
#include "base/clock.h"
#include "product/api_token.h"
#include "product/audit.h"
#include <jansson.h>
#include <stdio.h>

static const char USAGE[] =
    "usage: bspnode token create [--name NAME] [--email OWNER]\n"
    "       bspnode token list [--email OWNER]\n"
    "       bspnode token revoke TOKEN_ID                       or: token delete\n"
    "       The secret is shown once. Without --email the owner is the only user, or the first\n"
    "       administrator, or the first user; where there is none, an account for it is made.\n"
    "       Each takes --json, and settings such as --data DIR.\n";

/* --- whose ----------------------------------------------------------------------------------- */

/* An account that only tokens use: nobody knows its password. */
static enum err add_owner(struct db *db, struct user *out, struct problem *p)
{
    char password[41];
    rand_id(password, sizeof password - 1);
    const struct account_new in = {SPAN_LIT("API"), SPAN_LIT("api@localhost"), span_str(password),
                                   false};
    return account_add(db, &in, out, p);
}

static enum err find_owner(struct db *db, const char *email, struct user *out, struct problem *p)
{
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1] = "", id[ID_CAP] = "";
    if (email && text_email(span_str(email), typed, key, p) != E_OK) return E_INVALID;
    struct db_rows *q = db_query(db,
                                 "SELECT id FROM users WHERE ?1 IS NULL OR email_key = ?1 "
                                 "ORDER BY role = 'admin' DESC, created_at, id LIMIT 1",
                                 "s", email ? key : NULL);
    if (db_next(q)) snprintf(id, sizeof id, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    if (e != E_OK) return problem_of(p, e);
    if (id[0]) return problem_of(p, account_get(db, id, out));
    if (!email) return add_owner(db, out, p);
    return problem_set(p, E_NOTFOUND, "no_user", NULL, "There is no user %s.", email);
}

/* --- what ------------------------------------------------------------------------------------ */

static int create(const struct cmd_line *l)
{
    const char *email = cmd_value(l, "--email"), *name = cmd_value(l, "--name");
    struct problem p = {0};
    struct user owner;
    struct api_token t;
    char secret[API_TOKEN_SECRET_CAP];
    enum err e = find_owner(l->db, email, &owner, &p);
    if (e == E_OK)
        e = api_token_add(l->db, owner.id, name ? span_str(name) : SPAN_NULL, &t, secret, &p);
    if (e == E_OK)
        e = problem_of(&p, audit_add(l->db, NULL, "token.create", "token", t.id, owner.email));
    if (e != E_OK) return cmd_fail(p.text);
    if (l->json) {
        cmd_print_json(json_pack("{s:s, s:s, s:s, s:s}", "TOKEN_ID", t.id, "TOKEN_SECRET", secret,
                                 "name", t.name, "owner", owner.email));
    } else {
        printf("TOKEN_ID=%s\nTOKEN_SECRET=%s\n", t.id, secret);
        fprintf(stderr, "For %s. The secret is not shown again.\n", owner.email);
    }
    return 0;
}

static json_t *token_json(const struct api_token *t, const char *email)
{
    char at[CLOCK_ISO_LEN], used[CLOCK_ISO_LEN] = "";
    clock_iso(t->created_at, at);
    if (t->last_used_at) clock_iso(t->last_used_at, used);
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "TOKEN_ID", t->id, "name", t->name, "owner",
                     email, "createdAt", at, "lastUsedAt", *used ? json_string(used) : json_null());
}

static int list(const struct cmd_line *l)
{
    const char *only = cmd_value(l, "--email");
    struct problem p = {0};
    struct user owner;
    struct api_token *all;
    size_t n;
    if (only && find_owner(l->db, only, &owner, &p) != E_OK) return cmd_fail(p.text);
    if (api_token_list(l->db, only ? owner.id : NULL, &all, &n) != E_OK)
        return cmd_fail("the tokens cannot be read");
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        struct user u = {0};
        const char *email = account_get(l->db, all[i].user_id, &u) == E_OK ? u.email : "";
        json_array_append_new(rows, token_json(&all[i], email));
        if (!l->json) printf("%s  %s  %s\n", all[i].id, email, all[i].name);
    }
    if (l->json)
        cmd_print_json(rows);
    else
        json_decref(rows);
    free(all);
    return 0;
}

static int drop(const struct cmd_line *l)
{
    enum err e = api_token_remove(l->db, NULL, l->words[0]);
    if (e == E_OK) e = audit_add(l->db, NULL, "token.delete", "token", l->words[0], NULL);
    if (e == E_NOTFOUND) return cmd_fail("there is no such token");
    if (e != E_OK) return cmd_fail("the token cannot be deleted");
    if (l->json) cmd_print_json(json_pack("{s:b}", "done", 1));
    return 0;
}

/* --- the command ----------------------------------------------------------------------------- */

static const struct cmd_verb VERBS[] = {
    {"create", 0, 0, {"--name", "--email"}, {0}, create},
    {"list", 0, 0, {"--email"}, {0}, list},
    {"revoke", 1, 1, {0}, {0}, drop},
    {"delete", 1, 1, {0}, {0}, drop},
};

int api_cmd_token(int argc, char **argv, char **env)
{
    return cmd_run(USAGE, VERBS, sizeof VERBS / sizeof *VERBS, argc, argv, env);
}
