/* SPDX-License-Identifier: MIT */
/* bspnode user ...: accounts, from a terminal. Works beside a running server: the database takes
 * writers in turn, and what only the server can do is ordered by a row. */
#include "api/api.h"
#include "api/cmd_args.h"
#include "product/account_close.h"
#include "product/audit.h"
#include "product/tuning.h"
#include <stdio.h>

static const char USAGE[] =
    "usage: bspnode user list [--search TEXT] [--filter all|suspended|admins|live]\n"
    "       bspnode user add EMAIL [--name NAME] [--admin]      password on standard input\n"
    "       bspnode user password WHO [--random]                the same; --random makes one\n"
    "       bspnode user suspend WHO [--reason TEXT]\n"
    "       bspnode user unsuspend WHO\n"
    "       bspnode user role WHO admin|user\n"
    "       bspnode user quota WHO BYTES|default                0: no limit\n"
    "       bspnode user delete WHO --yes\n"
    "       WHO is an e-mail address or an id. Each takes --json, and settings such as --data "
    "DIR.\n";

/* The user of the first word; false: it was said. */
static bool find(const struct cmd_line *l, struct admin_user *u)
{
    struct problem p = {0};
    if (admin_user_find(l->db, l->words[0], u, &p) == E_OK) return true;
    cmd_fail(p.text);
    return false;
}

static json_t *user_json(const struct admin_user *a)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:o}", "id", a->user.id, "name",
        a->user.name, "email", a->user.email, "role", a->user.admin ? "admin" : "user", "createdAt",
        cmd_time(a->user.created_at), "lastSeenAt", cmd_time(a->last_seen_at), "suspendedAt",
        cmd_time(a->suspended_at), "suspendedReason", a->suspended_reason, "streams",
        (json_int_t)a->streams, "live", (json_int_t)a->live, "bytes", (json_int_t)a->bytes,
        "ownQuota", a->quota < 0 ? json_null() : json_integer(a->quota));
}

static void print_user(const struct admin_user *a)
{
    printf("%s  %s  %s%s%s  %lld streams%s  %.1f MB\n", a->user.id, a->user.email, a->user.name,
           a->user.admin ? "  admin" : "", a->suspended_at ? "  suspended" : "",
           (long long)a->streams, a->live ? "  live" : "", (double)a->bytes / 1e6);
}

static int list(const struct cmd_line *l)
{
    static const char *const FILTERS[] = {"all", "suspended", "admins", "live"};
    struct admin_user *rows = calloc(LIMIT_PAGE_ITEMS, sizeof *rows);
    char next[ADMIN_CURSOR_CAP] = "", cursor[ADMIN_CURSOR_CAP];
    const char *filter = cmd_value(l, "--filter");
    struct admin_ask ask = {.search = cmd_value(l, "--search"), .limit = LIMIT_PAGE_ITEMS};
    json_t *all = json_array();
    bool known = !filter;
    size_t n = 0;
    enum err e = E_OK;
    for (unsigned i = 0; filter && i < 4; i++)
        if (strcmp(filter, FILTERS[i]) == 0) ask.filter = (enum admin_filter)i, known = true;
    do {
        memcpy(cursor, next, sizeof cursor);
        ask.cursor = cursor;
        e = known && rows ? admin_users(l->db, &ask, rows, &n, next) : E_INVALID;
        for (size_t i = 0; e == E_OK && i < n; i++) {
            if (l->json)
                json_array_append_new(all, user_json(&rows[i]));
            else
                print_user(&rows[i]);
        }
    } while (e == E_OK && next[0]);
    free(rows);
    if (e == E_OK && l->json)
        cmd_print_json(all);
    else
        json_decref(all);
    return e == E_OK ? 0 : cmd_fail(known ? "the users cannot be read" : "no such --filter");
}

static int add(const struct cmd_line *l)
{
    char password[LIMIT_PASSWORD_BYTES + 3];
    struct problem p = {0};
    struct user u;
    const size_t len = cmd_read_password(password, sizeof password);
    const char *given = cmd_value(l, "--name");
    struct span rest = span_str(l->words[0]);
    const struct span name = given ? span_str(given) : span_cut(&rest, '@');
    const struct account_new in = {name, span_str(l->words[0]), span_of(password, len),
                                   cmd_flag(l, "--admin")};
    enum err e = account_add(l->db, &in, &u, &p);
    explicit_bzero(password, sizeof password);
    if (e == E_OK)
        e = problem_of(&p,
                       audit_add(l->db, NULL, "user.add", "user", u.id, u.admin ? "admin" : ""));
    if (e != E_OK) return cmd_fail(p.text);
    if (l->json)
        cmd_print_json(json_pack("{s:s, s:s, s:s}", "id", u.id, "email", u.email, "role",
                                 u.admin ? "admin" : "user"));
    else
        printf("Added %s %s (%s).\n", u.admin ? "the administrator" : "the user", u.email, u.id);
    return 0;
}

/* The answer to a change. */
static int said(const struct cmd_line *l, enum err e, const struct problem *p, const char *id,
                const char *words)
{
    struct admin_user a;
    if (e != E_OK) return cmd_fail(p->text);
    if (!l->json)
        puts(words);
    else if (admin_user_get(l->db, id, &a) == E_OK)
        cmd_print_json(user_json(&a));
    return 0;
}

static int password(const struct cmd_line *l)
{
    char typed[LIMIT_PASSWORD_BYTES + 3], fresh[ADMIN_PASSWORD_CAP];
    struct admin_user u;
    struct problem p = {0};
    struct span word;
    if (!find(l, &u)) return 1;
    const bool random = cmd_flag(l, "--random");
    if (random) {
        admin_new_password(fresh);
        word = span_str(fresh);
    } else {
        word = span_of(typed, cmd_read_password(typed, sizeof typed));
    }
    const enum err e = admin_set_password(l->db, NULL, u.user.id, word, &p);
    if (e == E_OK && random && l->json)
        cmd_print_json(json_pack("{s:s, s:s}", "id", u.user.id, "password", fresh));
    else if (e == E_OK && random)
        puts(fresh);
    explicit_bzero(typed, sizeof typed);
    explicit_bzero(fresh, sizeof fresh);
    return e == E_OK && random ? 0 : said(l, e, &p, u.user.id, "The password is changed.");
}

static int suspend(const struct cmd_line *l)
{
    const char *why = cmd_value(l, "--reason");
    struct admin_user u;
    struct problem p = {0};
    if (!find(l, &u)) return 1;
    const enum err e = admin_suspend(l->db, NULL, u.user.id, span_str(why ? why : ""), &p);
    return said(l, e, &p, u.user.id, "Suspended; live streams end.");
}

static int unsuspend(const struct cmd_line *l)
{
    struct admin_user u;
    struct problem p = {0};
    if (!find(l, &u)) return 1;
    return said(l, admin_unsuspend(l->db, NULL, u.user.id, &p), &p, u.user.id,
                "No longer suspended.");
}

static int role(const struct cmd_line *l)
{
    struct admin_user u;
    struct problem p = {0};
    const bool admin = strcmp(l->words[1], "admin") == 0;
    if (!admin && strcmp(l->words[1], "user") != 0) return cmd_fail("the role is admin or user");
    if (!find(l, &u)) return 1;
    return said(l, admin_set_role(l->db, NULL, u.user.id, admin, &p), &p, u.user.id,
                admin ? "An administrator now." : "No administrator any more.");
}

static int quota(const struct cmd_line *l)
{
    struct admin_user u;
    struct problem p = {0};
    uint64_t bytes = 0;
    const bool own = strcmp(l->words[1], "default") != 0;
    if (own && !span_u64(span_str(l->words[1]), INT64_MAX, &bytes))
        return cmd_fail("the quota is a number of bytes, or default");
    if (!find(l, &u)) return 1;
    return said(l, admin_set_quota(l->db, NULL, u.user.id, own ? (int64_t)bytes : -1, &p), &p,
                u.user.id, "The quota is changed.");
}

static int drop(const struct cmd_line *l)
{
    struct admin_user u;
    struct problem p = {0};
    if (!cmd_flag(l, "--yes"))
        return cmd_fail("all that the user has goes with it and does not come back: say --yes");
    if (!find(l, &u)) return 1;
    const enum err e = account_close(l->db, u.user.id, NULL);
    if (e == E_LIMIT) problem_set(&p, e, "last_admin", NULL, "%s", ACCOUNT_LAST_ADMIN);
    if (e == E_CONFLICT) problem_set(&p, e, "deleted", NULL, "It is being deleted already.");
    return said(l, problem_of(&p, e), &p, u.user.id,
                "Deleted. A running server removes what it had, or the next one that starts.");
}

static const struct cmd_verb VERBS[] = {
    {"list", 0, 0, {"--search", "--filter"}, {0}, list},
    {"add", 1, 1, {"--name"}, {"--admin"}, add},
    {"password", 1, 1, {0}, {"--random"}, password},
    {"suspend", 1, 1, {"--reason"}, {0}, suspend},
    {"unsuspend", 1, 1, {0}, {0}, unsuspend},
    {"role", 2, 2, {0}, {0}, role},
    {"quota", 2, 2, {0}, {0}, quota},
    {"delete", 1, 1, {0}, {"--yes"}, drop},
};

int api_cmd_user(int argc, char **argv, char **env)
{
    return cmd_run(USAGE, VERBS, sizeof VERBS / sizeof *VERBS, argc, argv, env);
}
