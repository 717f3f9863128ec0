/* SPDX-License-Identifier: MIT */
/* The gate's questions about files made of a recording, and about its text tracks. */
#include "base/xalloc.h"
#include "io/file.h"
#include "video/admit.h"
#include "video/master.h"
#include "video/renditions.h"
#include "video/text_tracks.h"
#include <stdio.h>
#include <sys/stat.h>

struct file_call {
    struct live *live;
    bool is_master; /* `id` is its key */
    char id[LIVE_ID_CAP], name[RENDITION_NAME_CAP];
    char *token, *referrer, *agent;
    struct gate_viewer who;
    gate_file_fn *answer;
    void *ctx;
    enum err err;
    const char *reason;
    struct live_playback found;
    struct gate_pass pass;
    struct file *file;
    uint64_t size;
};

static enum err find_rendition(struct file_call *c, struct db *db, char *path, size_t cap)
{
    char dir[4096];
    enum err e = admit(db, c->id, &c->who, &c->found, &c->pass, &c->reason);
    if (e == E_OK && strcmp(c->found.kind, "asset") != 0) e = E_NOTFOUND;
    if (e == E_OK) e = renditions_state(db, c->found.object_id, c->name);
    if (e != E_OK) return e;
    if (!live_media_path(c->live, c->found.dir, dir, sizeof dir)) return E_LIMIT;
    snprintf(path, cap, "%s/%s", dir, c->name); /* the name is one of ours */
    return E_OK;
}

static enum err find_file(struct file_call *c, struct db *db)
{
    char path[4200];
    struct stat st;
    enum err e = c->is_master ? master_find(c->live, db, c->id, c->name, path, sizeof path)
                              : find_rendition(c, db, path, sizeof path);
    if (e == E_OK) e = file_open(path, &c->file);
    if (e == E_OK && fstat(c->file->fd, &st) != 0) e = E_IO;
    if (e == E_OK) c->size = (uint64_t)st.st_size;
    return e;
}

static void file_work(void *arg)
{
    struct file_call *c = arg;
    c->err = find_file(c, db_open_thread(c->live->cfg.store));
}

static void file_done(void *arg)
{
    struct file_call *c = arg;
    c->answer(c->ctx, c->err, c->reason, c->file, c->size);
    file_unref(c->file);
    free(c->token);
    free(c->referrer);
    free(c->agent);
    free(c);
}

static char *copy(const char *text)
{
    return xstrdup(text ? text : "");
}

static struct file_call *call_new(struct live *l, const char *id, const char *name,
                                  gate_file_fn *answer, void *ctx)
{
    struct file_call *c = NEW(struct file_call);
    c->live = l;
    c->reason = "";
    c->answer = answer;
    c->ctx = ctx;
    if (!span_cstr(span_str(id), c->id, sizeof c->id)) c->id[0] = 0;
    if (!span_cstr(span_str(name), c->name, sizeof c->name)) c->name[0] = 0;
    return c;
}

void live_gate_file(void *self, const char *id, const struct gate_viewer *who, const char *name,
                    gate_file_fn *answer, void *ctx)
{
    struct file_call *c = call_new(self, id, name, answer, ctx);
    c->token = copy(who->token);
    c->referrer = copy(who->referrer);
    c->agent = copy(who->agent);
    c->who = (struct gate_viewer){c->token, c->referrer, c->agent, who->use};
    pool_run(c->live->cfg.pool, file_work, loop_current(), file_done, c);
}

void live_gate_master(void *self, const char *key, const char *name, gate_file_fn *answer,
                      void *ctx)
{
    struct file_call *c = call_new(self, key, name, answer, ctx);
    c->is_master = true;
    pool_run(c->live->cfg.pool, file_work, loop_current(), file_done, c);
}

/* --- text tracks --- */

struct text_call {
    struct live *live;
    char id[LIVE_ID_CAP], track_id[LIVE_ID_CAP];
    gate_text_fn *answer;
    void *ctx;
    enum err err;
    struct buf *vtt;
};

static void text_work(void *arg)
{
    struct text_call *c = arg;
    c->err = text_track_body(db_open_thread(c->live->cfg.store), c->id, c->track_id, &c->vtt);
}

static void text_done(void *arg)
{
    struct text_call *c = arg;
    c->answer(c->ctx, c->err, c->vtt);
    if (c->err == E_OK) buf_unref(c->vtt);
    free(c);
}

void live_gate_text(void *self, const char *id, const char *track_id, gate_text_fn *answer,
                    void *ctx)
{
    struct text_call *c = NEW(struct text_call);
    c->live = self;
    c->answer = answer;
    c->ctx = ctx;
    if (!span_cstr(span_str(id), c->id, sizeof c->id)) c->id[0] = 0;
    if (!span_cstr(span_str(track_id), c->track_id, sizeof c->track_id)) c->track_id[0] = 0;
    pool_run(c->live->cfg.pool, text_work, loop_current(), text_done, c);
}
