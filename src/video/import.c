/* SPDX-License-Identifier: MIT */
#include "video/import.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "video/clip_clock.h"
#include "video/import_priv.h"
#include "video/live_files.h"
#include "video/master.h"
#include "video/quota.h"
#include "video/renditions.h"
#include "video/text_tracks.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FETCHES       8                /* at a time */
#define ADOPT_WAIT_US (2 * US_PER_SEC) /* between two looks whether the broadcast is over */

/* One run of a job. */
struct work {
    struct imports *i;
    struct db *db;
    const struct job *job;
    struct import_asset asset;
    int64_t told_us;
    bool bounded;              /* by its owner's quota: what was uploaded has been let in already */
    char full[QUOTA_TEXT_CAP]; /* why it was stopped by that */
    char dir[4096];
    char *problem;
    size_t cap;
    struct clip_clock clock; /* of a clip's source; n 0: none */
    int64_t clip_from_us;
};

static enum err fail(struct work *w, enum err e, const char *words)
{
    snprintf(w->problem, w->cap, "%s", words);
    return e;
}

/* The asset's row; E_NOTFOUND: there is nothing to be done any more. */
static enum err begin(struct work *w)
{
    const enum err e = import_db_find(w->db, w->job->asset_id, &w->asset);
    if (e != E_OK) return e;
    if (live_media_path(w->i->cfg.live, w->asset.dir, w->dir, sizeof w->dir)) return E_OK;
    return fail(w, E_LIMIT, "The data folder's name is too long.");
}

/* Nothing is begun that has no room; what goes on is asked again once a second. */
static enum err check_room(struct work *w)
{
    w->bounded = true;
    const enum err e = quota_room(w->db, w->i->cfg.settings, w->asset.user_id, 0, w->full);
    return e == E_FULL ? fail(w, E_UNSUPPORTED, w->full) : e;
}

/* --- progress --- */

static bool tell(struct work *w, const char *state, int percent)
{
    const int64_t now = clock_mono_us();
    if (jobs_stopping(w->job->jobs)) return false;
    if (w->told_us && now - w->told_us < US_PER_SEC) return true;
    w->told_us = now;
    if (w->bounded && quota_room(w->db, w->i->cfg.settings, w->asset.user_id, 0, w->full) == E_FULL)
        return false;
    return import_db_progress(w->db, w->asset.id, state, percent) != E_NOTFOUND;
}

static bool on_progress(void *ctx, unsigned per_mille)
{
    return tell(ctx, "transcoding", (int)(per_mille / 10));
}

/* --- the work itself --- */

/* "1440p"; 0: as it is. */
static unsigned lines_of(const char *tier)
{
    uint64_t n;
    struct span s = span_str(tier);
    if (!s.len) return 0;
    s.len--;
    return span_u64(s, UINT16_MAX, &n) ? (unsigned)n : 0;
}

static int64_t wall_at(void *ctx, int64_t media_us)
{
    const struct work *w = ctx;
    return clip_clock_wall(&w->clock, w->clip_from_us + media_us);
}

static enum err convert(struct work *w, const int *files, unsigned n, int64_t start_us,
                        int64_t end_us)
{
    const struct settings *s = w->i->cfg.settings;
    struct import_result r;
    if (w->asset.test && (end_us == INT64_MAX || end_us - start_us > TEST_ASSET_US))
        end_us = start_us + TEST_ASSET_US;
    const struct importer_cfg cfg = {.files = files,
                                     .n_files = n,
                                     .start_us = start_us,
                                     .end_us = end_us,
                                     .lines = lines_of(w->asset.tier),
                                     .dir = w->dir,
                                     .segment_ms = s->hls_segment,
                                     .target_s = s->hls_target,
                                     .min_free_bytes = s->min_free_disk,
                                     .started_wall_us =
                                         w->clock.n ? wall_at(w, 0) : clock_wall_us(),
                                     .wall_at = w->clock.n ? wall_at : NULL,
                                     .on_progress = on_progress,
                                     .ctx = w};
    enum err e = importer_run(&cfg, &r);
    if (e != E_OK) {
        if (e == E_CLOSED && w->full[0]) return fail(w, E_UNSUPPORTED, w->full);
        if (e == E_CLOSED && !jobs_stopping(w->job->jobs)) return E_NOTFOUND; /* deleted */
        return fail(w, e == E_NOTFOUND ? E_IO : e, r.problem);
    }
    return import_db_ready(w->db, w->job, &w->asset, &r);
}

static void remove_source(const struct work *w)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/" IMPORT_SOURCE_FILE, w->dir);
    unlink(path);
}

/* What is gone is not missed: its files go too. */
static enum err end(struct work *w, enum err e)
{
    if (e == E_NOTFOUND) {
        if (w->asset.dir[0]) live_files_remove(w->dir);
        return E_OK;
    }
    if (e != E_OK) return e;
    if (!w->asset.keeps_source) remove_source(w);
    jobs_wake(); /* for the adoption */
    if (w->asset.stream_id[0]) live_changed(w->i->cfg.live, w->asset.stream_id);
    return E_OK;
}

static enum err import_source(struct work *w)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/" IMPORT_SOURCE_FILE, w->dir);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? fail(w, E_UNSUPPORTED, "The file is gone.")
                               : fail(w, E_IO, "The file cannot be read.");
    const enum err e = convert(w, &fd, 1, 0, INT64_MAX);
    close(fd);
    return e;
}

static enum err run_import(void *ctx, struct db *db, const struct job *j, int64_t *wait_us,
                           char *problem, size_t cap)
{
    struct work w = {.i = ctx, .db = db, .job = j, .problem = problem, .cap = cap};
    (void)wait_us;
    enum err e = begin(&w);
    if (e == E_OK) e = import_source(&w);
    return end(&w, e);
}

/* --- an address --- */

static bool on_fetched(void *ctx, int percent)
{
    return tell(ctx, "ingesting", percent);
}

static enum err fetch(struct work *w)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/" IMPORT_SOURCE_FILE, w->dir);
    (void)mkdir(w->dir, 0750);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return fail(w, E_IO, "The disk of the server cannot be written to.");
    enum err e = import_fetch(w->i, w->job->input, fd, NULL, on_fetched, w, w->problem, w->cap);
    if (e == E_OK && fdatasync(fd) < 0) e = fail(w, E_IO, "The disk cannot be written to.");
    if (e != E_OK && ftruncate(fd, 0) < 0) log_warn("fetch", "asset=%s: kept a part", w->asset.id);
    close(fd);
    if (e == E_CLOSED && w->full[0]) return fail(w, E_UNSUPPORTED, w->full);
    if (e == E_CLOSED && !jobs_stopping(w->job->jobs)) return E_NOTFOUND; /* deleted */
    if (e == E_NOTFOUND) return E_UNSUPPORTED;
    if (e != E_OK) return e;
    w->told_us = 0;
    e = db_exec(w->db, "UPDATE jobs SET kind = 'import' WHERE id = ?1", "s", w->job->id);
    return e == E_OK ? E_MORE : e; /* for the threads that compute */
}

static enum err run_fetch(void *ctx, struct db *db, const struct job *j, int64_t *wait_us,
                          char *problem, size_t cap)
{
    struct work w = {.i = ctx, .db = db, .job = j, .problem = problem, .cap = cap};
    (void)wait_us;
    enum err e = begin(&w);
    if (e == E_OK) e = check_room(&w);
    if (e == E_OK) e = fetch(&w);
    return end(&w, e);
}

/* --- a clip --- */

static int open_rendition(const char *dir, const char *name)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s.mp4", dir, name);
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static bool parse_clip(const char *input, char *asset, size_t cap, int64_t *start, int64_t *end_us)
{
    struct span rest = span_str(input);
    uint64_t a, b = INT64_MAX;
    if (!span_cstr(span_cut(&rest, ' '), asset, cap)) return false;
    if (!span_u64(span_cut(&rest, ' '), INT64_MAX, &a)) return false;
    if (!span_eq(rest, span_str("-")) && !span_u64(rest, INT64_MAX, &b)) return false;
    *start = (int64_t)a;
    *end_us = (int64_t)b;
    return true;
}

static enum err cut_clip(struct work *w)
{
    char source[LIVE_ID_CAP], name[LIVE_ID_CAP], dir[4096];
    int64_t start, end_us;
    int files[2];
    unsigned n = 0;
    if (!parse_clip(w->job->input, source, sizeof source, &start, &end_us))
        return fail(w, E_UNSUPPORTED, "The clip's times cannot be read.");
    enum err e = import_db_find_source(w->db, source, w->asset.user_id, name, sizeof name);
    if (e == E_NOTFOUND || !live_media_path(w->i->cfg.live, name, dir, sizeof dir))
        return fail(w, E_UNSUPPORTED, "The asset to be cut from is not there or not ready.");
    if (e != E_OK) return fail(w, e, "The database cannot be read.");
    w->clip_from_us = start;
    /* One without is cut all the same: what was said beside it is not. */
    if (clip_clock_read(dir, &w->clock) != E_OK) log_warn("clip", "no times of %s", source);
    const char *const names[] = {"v0", "a0"};
    for (unsigned k = 0; k < 2; k++) {
        const int fd = open_rendition(dir, names[k]);
        if (fd >= 0) files[n++] = fd;
    }
    e = n ? convert(w, files, n, start, end_us)
          : fail(w, E_UNSUPPORTED, "The asset to be cut from has no media any more.");
    while (n) close(files[--n]);
    clip_clock_fini(&w->clock);
    return e;
}

static enum err run_clip(void *ctx, struct db *db, const struct job *j, int64_t *wait_us,
                         char *problem, size_t cap)
{
    struct work w = {.i = ctx, .db = db, .job = j, .problem = problem, .cap = cap};
    (void)wait_us;
    enum err e = begin(&w);
    if (e == E_OK) e = check_room(&w);
    if (e == E_OK) e = cut_clip(&w);
    return end(&w, e);
}

/* --- adoption --- */

static enum err run_adopt(void *ctx, struct db *db, const struct job *j, int64_t *wait_us,
                          char *problem, size_t cap)
{
    struct imports *i = ctx;
    (void)problem, (void)cap;
    const enum err e = import_db_adopt(db, j->asset_id, j->input);
    *wait_us = ADOPT_WAIT_US;
    if (e == E_OK) live_changed(i->cfg.live, j->input);
    return e == E_NOTFOUND ? E_OK : e;
}

static void adopt_failed(void *ctx, struct db *db, const struct job *j, const char *problem)
{
    (void)ctx, (void)db;
    log_error("adopt", "asset=%s stream=%s problem=%s", j->asset_id, j->input, problem);
}

/* --- given up --- */

static void failed(void *ctx, struct db *db, const struct job *j, const char *problem)
{
    struct imports *i = ctx;
    struct work w = {.i = i, .db = db, .job = j};
    if (import_db_find(db, j->asset_id, &w.asset) != E_OK) return;
    const bool fetching = !strcmp(j->kind, "fetch");
    const enum err e =
        import_db_errored(db, &w.asset, fetching ? E_NOTFOUND : E_UNSUPPORTED, problem);
    if (w.asset.stream_id[0]) live_changed(i->cfg.live, w.asset.stream_id);
    if (e != E_OK)
        log_error("database", "what=errored asset=%s error=%s", j->asset_id, err_label(e));
    if (live_media_path(i->cfg.live, w.asset.dir, w.dir, sizeof w.dir)) live_files_remove(w.dir);
}

/* --- life --- */

struct imports *imports_new(const struct imports_config *cfg)
{
    struct imports *i = NEW(struct imports);
    i->cfg = *cfg;
    const struct job_kind kinds[] = {
        {"fetch", true, run_fetch, failed, i},
        {"import", false, run_import, failed, i},
        {"clip", false, run_clip, failed, i},
        {"rendition", false, renditions_run, renditions_failed, cfg->live},
        {"master", false, master_run, master_failed, cfg->live},
        {"adopt", true, run_adopt, adopt_failed, i},
        {"text", true, text_job_run, text_job_failed, i},
    };
    _Static_assert(sizeof kinds <= sizeof i->kinds - sizeof *i->kinds, "one to end them");
    memcpy(i->kinds, kinds, sizeof kinds);
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    i->jobs = jobs_new(
        &(struct jobs_config){.store = cfg->store,
                              .n_threads = (unsigned)(cfg->settings->jobs ? cfg->settings->jobs
                                                      : cores > 0         ? cores
                                                                          : 1),
                              .n_waiting = FETCHES,
                              .kinds = i->kinds});
    return i;
}

void imports_start(struct imports *i)
{
    jobs_start(i->jobs);
}

void imports_stop(struct imports *i)
{
    if (i) jobs_stop(i->jobs);
}

void imports_free(struct imports *i)
{
    if (!i) return;
    jobs_free(i->jobs);
    free(i);
}
