/* SPDX-License-Identifier: MIT */
/* bspnode token create [--name NAME] [--email OWNER] [--json], token list, token delete ID: what
 * programs log in with. Works beside a running server. */
#include "api/api.h"
#include "api/cmd_args.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/api_token.h"
#include <jansson.h>
#include <stdio.h>

enum { EXIT_USAGE = 2 };

static const char USAGE[] =
    "usage: bspnode token create [--name NAME] [--email OWNER] [--json] [--data DIR]\n"
    "       bspnode token list [--email OWNER] [--json] [--data DIR]\n"
    "       bspnode token delete TOKEN_ID [--data DIR]\n"
    "       The secret is shown once. Without --email the owner is the only user, or the first\n"
    "       administrator, or the first user; where there is none, an account for it is made.\n";

struct args {
    const char *what, *name, *email, *id;
    bool json;
    char **rest; /* settings; owned array */
    int n_rest;
};

static bool parse(int argc, char **argv, struct args *a)
{
    *a = (struct args){.rest = xcalloc((size_t)argc + 1, sizeof *a->rest)};
    if (argc < 1) return false;
    a->what = argv[0];
    for (int i = 1; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--json") == 0) {
            a->json = true;
        } else if ((value = cmd_option("--name", argc, argv, &i))) {
            a->name = value;
        } else if ((value = cmd_option("--email", argc, argv, &i))) {
            a->email = value;
        } else if (argv[i][0] == '-') {
            a->rest[a->n_rest++] = argv[i];
            if (!strchr(argv[i], '=') && i + 1 < argc) a->rest[a->n_rest++] = argv[++i];
        } else if (!a->id) {
            a->id = argv[i];
        } else {
            return false;
        }
    }
    return strcmp(a->what, "delete") == 0 ? a->id != NULL : !a->id;
}

static int fail(const char *text)
{
    fprintf(stderr, "bspnode: %s\n", text);
    return 1;
}

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

static void print_json(json_t *j)
{
    json_dumpf(j, stdout, JSON_COMPACT);
    json_decref(j);
    putchar('\n');
}

static int create(struct db *db, const struct args *a)
{
    struct problem p = {0};
    struct user owner;
    struct api_token t;
    char secret[API_TOKEN_SECRET_CAP];
    enum err e = find_owner(db, a->email, &owner, &p);
    if (e == E_OK)
        e = api_token_add(db, owner.id, a->name ? span_str(a->name) : SPAN_NULL, &t, secret, &p);
    if (e != E_OK) return fail(p.text);
    if (a->json) {
        print_json(json_pack("{s:s, s:s, s:s, s:s}", "TOKEN_ID", t.id, "TOKEN_SECRET", secret,
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

static int list(struct db *db, const struct args *a)
{
    struct problem p = {0};
    struct user owner;
    struct api_token *all;
    size_t n;
    if (a->email && find_owner(db, a->email, &owner, &p) != E_OK) return fail(p.text);
    if (api_token_list(db, a->email ? owner.id : NULL, &all, &n) != E_OK)
        return fail("the tokens cannot be read");
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        struct user u = {0};
        const char *email = account_get(db, all[i].user_id, &u) == E_OK ? u.email : "";
        json_array_append_new(rows, token_json(&all[i], email));
        if (!a->json) printf("%s  %s  %s\n", all[i].id, email, all[i].name);
    }
    if (a->json)
        print_json(rows);
    else
        json_decref(rows);
    free(all);
    return 0;
}

static int drop(struct db *db, const struct args *a)
{
    const enum err e = api_token_remove(db, NULL, a->id);
    if (e == E_NOTFOUND) return fail("there is no such token");
    return e == E_OK ? 0 : fail("the token cannot be deleted");
}

/* --- the command ----------------------------------------------------------------------------- */

static int run(const struct settings *s, const struct args *a)
{
    struct store *store = cmd_store(s);
    if (!store) return 1;
    struct db *db = db_open_thread(store);
    const int code = strcmp(a->what, "create") == 0 ? create(db, a)
                     : strcmp(a->what, "list") == 0 ? list(db, a)
                                                    : drop(db, a);
    store_close(store);
    return code;
}

int api_cmd_token(int argc, char **argv, char **env)
{
    struct args a;
    struct settings s;
    struct str problem = {0};
    int code = EXIT_USAGE;
    log_set_level(LOG_WARN);
    const bool fine =
        parse(argc, argv, &a) &&
        (!strcmp(a.what, "create") || !strcmp(a.what, "list") || !strcmp(a.what, "delete"));
    if (!fine) {
        fputs(USAGE, stderr);
    } else if (settings_load(&s, a.n_rest, a.rest, env, &problem) != E_OK) {
        fprintf(stderr, "bspnode: %s\n%s", str_c(&problem), USAGE);
    } else {
        code = run(&s, &a);
        settings_fini(&s);
    }
    str_fini(&problem);
    free(a.rest);
    return code;
}
