/* SPDX-License-Identifier: MIT */
/* A text track's file: fetched into memory, read, written again as WebVTT. */
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "video/import_priv.h"
#include "video/text_tracks.h"
#include "wire/subtitles.h"
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct work {
    struct imports *i;
    struct db *db;
    const struct job *job;
    char *problem;
    size_t cap;
};

static enum err find_url(struct db *db, const char *id, char **url)
{
    struct db_rows *q =
        db_query(db, "SELECT url FROM text_tracks WHERE id = ?1 AND status = 'preparing'", "s", id);
    if (db_next(q)) *url = xstrdup(db_text(q, 0));
    const enum err e = db_done(q);
    return e != E_OK ? e : *url ? E_OK : E_NOTFOUND;
}

/* The track is still wanted. */
static bool go_on(void *ctx, int percent)
{
    struct work *w = ctx;
    struct text_track t;
    (void)percent;
    return !jobs_stopping(w->job->jobs) &&
           text_track_get(w->db, NULL, w->job->input, &t) != E_NOTFOUND;
}

static enum err judge(struct work *w, struct span file)
{
    struct subtitle_problem p = {0};
    struct subtitles s;
    struct str out = {0};
    enum err e = subtitles_parse(file, &s, &p);
    if (e == E_OK) {
        str_adds(&out, SUBTITLE_HEAD);
        subtitles_write(&s, &SUBTITLE_ALL, &out);
        subtitles_fini(&s);
        if (out.len > LIMIT_SUBTITLE_BYTES) {
            p.why = "there is too much text in it.";
            e = E_LIMIT;
        }
    }
    if (e == E_OK)
        e = text_track_ready(w->db, w->job->input, str_c(&out));
    else {
        if (p.line)
            snprintf(w->problem, w->cap, "The file is not a subtitle file: line %u: %s", p.line,
                     p.why);
        else
            snprintf(w->problem, w->cap, "The file is not a subtitle file: %s", p.why);
        e = text_track_errored(w->db, w->job->input, "invalid_input", w->problem);
    }
    str_fini(&out);
    return e;
}

static enum err read_file(struct work *w, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return E_IO;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) return E_IO;
    const enum err e = judge(w, span_of(p, (size_t)st.st_size));
    munmap(p, (size_t)st.st_size);
    return e;
}

static enum err fetch(struct work *w, const char *url)
{
    static const struct import_fetch_limits LIMITS = {
        .max_bytes = LIMIT_SUBTITLE_BYTES,
        .total_ms = LIMIT_TEXT_MS,
        .idle_ms = LIMIT_TEXT_IDLE_MS,
    };
    const int fd = memfd_create("subtitles", MFD_CLOEXEC);
    if (fd < 0) return E_IO;
    enum err e = import_fetch(w->i, url, fd, &LIMITS, go_on, w, w->problem, w->cap);
    if (e == E_OK) e = read_file(w, fd);
    close(fd);
    if (e == E_CLOSED && !jobs_stopping(w->job->jobs)) return E_OK; /* deleted */
    return e == E_NOTFOUND ? E_UNSUPPORTED : e;
}

enum err text_job_run(void *ctx, struct db *db, const struct job *j, int64_t *wait_us,
                      char *problem, size_t cap)
{
    struct work w = {.i = ctx, .db = db, .job = j, .problem = problem, .cap = cap};
    char *url = NULL;
    (void)wait_us;
    enum err e = find_url(db, j->input, &url);
    if (e == E_OK) e = fetch(&w, url);
    free(url);
    return e == E_NOTFOUND ? E_OK : e; /* deleted */
}

void text_job_failed(void *ctx, struct db *db, const struct job *j, const char *problem)
{
    (void)ctx;
    const enum err e = text_track_errored(db, j->input, "download_failed", problem);
    if (e != E_OK) log_error("database", "what=text id=%s error=%s", j->input, err_label(e));
}
