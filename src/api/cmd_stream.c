/* SPDX-License-Identifier: MIT */
/* bspnode stream ...: streams, from a terminal, beside a running server: it carries out what is
 * ordered by a row (product/admin.h). */
#include "api/api.h"
#include "api/cmd_args.h"
#include "product/page.h"
#include <stdio.h>

static const char USAGE[] =
    "usage: bspnode stream list [--status live|ended|created] [--owner WHO]\n"
    "       bspnode stream end STREAM_ID [--reason TEXT]\n"
    "       bspnode stream delete STREAM_ID --yes               with its recordings\n"
    "       WHO is an e-mail address or an id. Each takes --json, and settings such as --data "
    "DIR.\n";

struct filter {
    char status[12], owner[ID_CAP];
};

static bool read_filter(const struct cmd_line *l, struct filter *f)
{
    const char *status = cmd_value(l, "--status"), *owner = cmd_value(l, "--owner");
    struct problem p = {0};
    struct admin_user u;
    *f = (struct filter){{0}, {0}};
    for (int i = 0; status && STREAM_STATUS[i]; i++)
        if (span_ieq(span_str(status), span_str(STREAM_STATUS[i])))
            snprintf(f->status, sizeof f->status, "%s", STREAM_STATUS[i]);
    if (status && !f->status[0]) {
        cmd_fail("the status is live, ended or created");
        return false;
    }
    if (owner && admin_user_find(l->db, owner, &u, &p) != E_OK) {
        cmd_fail(p.text);
        return false;
    }
    if (owner) snprintf(f->owner, sizeof f->owner, "%s", u.user.id);
    return true;
}

static void print_row(struct db_rows *q)
{
    printf("%s  %s  %s  %s\n", db_text(q, 0), db_text(q, 2), db_text(q, 3), db_text(q, 1));
}

static json_t *row_json(struct db_rows *q)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", db_text(q, 0), "title",
                     db_text(q, 1), "status", db_text(q, 2), "owner", db_text(q, 3), "streamType",
                     db_text(q, 4), "startedAt", cmd_time(db_int(q, 5)), "createdAt",
                     cmd_time(db_int(q, 6)));
}

static int list(const struct cmd_line *l)
{
    struct filter f;
    json_t *all = json_array();
    if (!read_filter(l, &f)) {
        json_decref(all);
        return 1;
    }
    struct db_rows *q =
        db_query(l->db,
                 "SELECT s.id, s.title, s.status, u.email, s.stream_type, s.started_at,"
                 " s.created_at FROM streams s JOIN users u ON u.id = s.user_id"
                 " WHERE (?1 = '' OR s.status = ?1) AND (?2 = '' OR s.user_id = ?2)"
                 " ORDER BY s.created_at DESC, s.id",
                 "ss", f.status, f.owner);
    while (db_next(q)) {
        if (l->json)
            json_array_append_new(all, row_json(q));
        else
            print_row(q);
    }
    const enum err e = db_done(q);
    if (e == E_OK && l->json)
        cmd_print_json(all);
    else
        json_decref(all);
    return e == E_OK ? 0 : cmd_fail("the streams cannot be read");
}

static int end(const struct cmd_line *l)
{
    struct problem p = {0};
    char order[ID_CAP];
    if (admin_end_stream(l->db, NULL, l->words[0], cmd_value(l, "--reason"), order, &p) != E_OK)
        return cmd_fail(p.text);
    return cmd_await_order(l, order, "The stream has ended.");
}

static int drop(const struct cmd_line *l)
{
    struct problem p = {0};
    char order[ID_CAP];
    if (!cmd_flag(l, "--yes"))
        return cmd_fail("its recordings go with it and do not come back: say --yes");
    if (admin_delete_stream(l->db, NULL, l->words[0], order, &p) != E_OK) return cmd_fail(p.text);
    return cmd_await_order(l, order, "The stream is deleted.");
}

static const struct cmd_verb VERBS[] = {
    {"list", 0, 0, {"--status", "--owner"}, {0}, list},
    {"end", 1, 1, {"--reason"}, {0}, end},
    {"delete", 1, 1, {0}, {"--yes"}, drop},
};

int api_cmd_stream(int argc, char **argv, char **env)
{
    return cmd_run(USAGE, VERBS, sizeof VERBS / sizeof *VERBS, argc, argv, env);
}
