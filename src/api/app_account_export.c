/* SPDX-License-Identifier: MIT */
/* GET /api/me/export: what an account has, as a ZIP archive of JSON files. */
#include "api/api_priv.h"
#include "api/app_account.h"
#include "api/call_stream.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/account_export.h"
#include "wire/zip.h"
#include <stdio.h>

static const struct throttle_rule EXPORTS = {"export", 10, 60 * US_PER_SEC};

struct export
{
    struct zip zip;
    unsigned file; /* of ACCOUNT_EXPORT */
    uint64_t rows; /* of it, so far */
    char key[80];  /* of the last row */
    char user_id[ID_CAP], origin[CALL_ORIGIN_CAP];
};

static json_t *value(struct db_rows *q, int col, enum export_type type)
{
    if (db_null(q, col)) return json_null();
    switch (type) {
    case EXPORT_TEXT:
        return json_string(db_text(q, col));
    case EXPORT_NUMBER:
        return json_integer(db_int(q, col));
    case EXPORT_TIME:
        return time_json(db_int(q, col));
    case EXPORT_YES:
        return json_boolean(db_int(q, col));
    }
    return json_null();
}

static enum err put_row(struct export *x, const struct export_file *f, struct db_rows *q,
                        struct str *out)
{
    json_t *row = json_object();
    for (int i = 0; i < EXPORT_COLUMNS && f->columns[i].name; i++)
        json_object_set_new(row, f->columns[i].name, value(q, i + 1, f->columns[i].type));
    char *text = json_dumps(row, JSON_COMPACT);
    json_decref(row);
    CHECK(text);
    enum err e = zip_data(&x->zip, out, span_str(x->rows++ ? ",\n" : "[\n"));
    if (e == E_OK) e = zip_data(&x->zip, out, span_str(text));
    free(text);
    return e;
}

/* *n: how many rows there were. */
static enum err put_page(struct export *x, struct db *db, const struct export_file *f,
                         struct str *out, unsigned *n)
{
    enum err e = E_OK;
    struct db_rows *q = export_page(db, f, x->user_id, x->key, x->origin);
    while (e == E_OK && db_next(q)) {
        snprintf(x->key, sizeof x->key, "%s", db_text(q, 0));
        e = put_row(x, f, q, out);
        ++*n;
    }
    const enum err d = db_done(q);
    return e == E_OK ? d : e;
}

static bool more(void *self, struct db *db, struct str *out)
{
    struct export *x = self;
    unsigned n = 0;
    const struct export_file *f = &ACCOUNT_EXPORT[x->file];
    enum err e = x->key[0] || x->rows ? E_OK : zip_begin(&x->zip, out, f->name);
    if (e == E_OK) e = put_page(x, db, f, out, &n);
    if (e == E_OK && n == LIMIT_EXPORT_ROWS) return true;
    if (e == E_OK) e = zip_data(&x->zip, out, span_str(x->rows ? "\n]\n" : "[]\n"));
    if (e != E_OK) {
        log_warn("export", "user=%s file=%s: %s", x->user_id, f->name, err_text(e));
        return false;
    }
    zip_end(&x->zip, out);
    x->rows = 0;
    x->key[0] = 0;
    if (++x->file < ACCOUNT_EXPORT_FILES) return true;
    zip_finish(&x->zip, out);
    return false;
}

static const struct call_source SOURCE = {
    "application/zip", "attachment; filename=\"bspnode-account.zip\"", more, free};

static void export_me(struct call *c)
{
    if (!account_is_person(c) || !call_may(c, &EXPORTS, c->user.id)) return;
    struct export *x = NEW(struct export);
    zip_init(&x->zip, clock_wall_us());
    snprintf(x->user_id, sizeof x->user_id, "%s", c->user.id);
    snprintf(x->origin, sizeof x->origin, "%s", c->origin);
    log_info("export", "user=%s", c->user.id);
    call_stream(c, &SOURCE, x);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/me/export", export_me, CALL_USER, {0}},
};
const struct endpoint_table app_account_export = ENDPOINT_TABLE(ENDPOINTS);
