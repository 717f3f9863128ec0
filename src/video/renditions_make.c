/* SPDX-License-Identifier: MIT */
/* The job that makes a file of a recording. */
#include "base/clock.h"
#include "base/log.h"
#include "record/mp4_file.h"
#include "video/asset.h"
#include "video/importer.h"
#include "video/live_files.h"
#include "video/renditions_priv.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_US (2 * US_PER_SEC) /* for the recording's end */

struct make {
    struct live *live;
    struct db *db;
    const struct job *job;
    struct rendition r;
    char dir[4096];  /* the asset's */
    char temp[4096]; /* of this work alone */
    char file[4200]; /* until it is told of */
    char *problem;
    size_t cap;
};

/* --- of what --- */

static unsigned lines_of_init(const struct archive_init *in)
{
    return in->width < in->height ? in->width : in->height;
}

/* Of an encoder that came back with another size the larger counts. */
static const struct archive_init *largest_init(const struct archive_rendition *r)
{
    const struct archive_init *best = r->inits;
    for (const struct archive_init *in = best; in; in = in->older)
        if (lines_of_init(in) > lines_of_init(best)) best = in;
    return best;
}

static unsigned lines_of(const struct archive_rendition *r)
{
    const struct archive_init *in = largest_init(r);
    return in ? lines_of_init(in) : 0;
}

/* The picture with the most lines, of those with at most `max`; NULL: none. */
static const struct archive_rendition *largest(const struct archive *a, unsigned max)
{
    const struct archive_rendition *best = NULL;
    for (unsigned i = 0; i < a->n_renditions; i++) {
        const struct archive_rendition *r = &a->r[i];
        if (r->kind != MEDIA_VIDEO || !r->n || lines_of(r) > max) continue;
        if (!best || lines_of(r) > lines_of(best)) best = r;
    }
    return best;
}

static const struct archive_rendition *smallest(const struct archive *a)
{
    const struct archive_rendition *best = NULL;
    for (unsigned i = 0; i < a->n_renditions; i++) {
        const struct archive_rendition *r = &a->r[i];
        if (r->kind != MEDIA_VIDEO || !r->n) continue;
        if (!best || lines_of(r) < lines_of(best)) best = r;
    }
    return best;
}

static const struct archive_rendition *sound(const struct archive *a)
{
    for (unsigned i = 0; i < a->n_renditions; i++)
        if (a->r[i].kind == MEDIA_AUDIO && a->r[i].n) return &a->r[i];
    return NULL;
}

/* What a file is made of. */
struct plan {
    const struct archive_rendition *video, *audio; /* NULL: without */
    unsigned lines;                                /* to be scaled to; 0: as it is */
};

/* A picture of just so many lines, or a larger one to be scaled. */
static bool choose_lines(const struct archive *a, unsigned lines, struct plan *out)
{
    out->video = largest(a, lines);
    if (out->video && lines_of(out->video) == lines) return true;
    out->video = largest(a, UINT32_MAX);
    out->lines = lines;
    return out->video && lines_of(out->video) > lines;
}

/* False: skipped. */
static bool choose(const struct archive *a, const char *resolution, struct plan *out)
{
    uint64_t lines;
    *out = (struct plan){.audio = sound(a)};
    if (!strcmp(resolution, "audio-only")) return out->audio != NULL;
    if (!strcmp(resolution, "highest") || !strcmp(resolution, "high"))
        out->video = largest(a, UINT32_MAX);
    else if (!strcmp(resolution, "low"))
        out->video = smallest(a);
    else if (!strcmp(resolution, "medium"))
        out->video = largest(a, 540) ? largest(a, 540) : smallest(a);
    else if (!strcmp(resolution, "capped-1080p"))
        return (out->video = largest(a, 1080)) || choose_lines(a, 1080, out);
    else {
        struct span digits = span_str(resolution);
        digits.len--;
        return span_u64(digits, UINT16_MAX, &lines) && choose_lines(a, (unsigned)lines, out);
    }
    return out->video != NULL;
}

/* --- the file --- */

static bool is_there(struct db *db, const char *id)
{
    struct rendition r;
    return rendition_get(db, id, &r) != E_NOTFOUND;
}

static bool on_progress(void *ctx, unsigned per_mille)
{
    const struct make *m = ctx;
    (void)per_mille;
    return !jobs_stopping(m->job->jobs) && is_there(m->db, m->r.id);
}

static enum err fail(struct make *m, enum err e, const char *words)
{
    snprintf(m->problem, m->cap, "%s", words);
    return e;
}

/* The picture encoded anew, as a recording in `temp`. Its codec may change in the middle: one file
 * with one index says so, where a decoder follows it. */
static enum err encode(struct make *m, const struct plan *p, int64_t *begins_us)
{
    const struct settings *s = m->live->cfg.settings;
    char input[4200];
    struct mp4_made made;
    struct import_result result;
    snprintf(input, sizeof input, "%s/input", m->temp);
    if (mkdir(m->temp, 0750) != 0 && errno != EEXIST) return errno == ENOSPC ? E_FULL : E_IO;
    enum err e = mp4_file_make(&(struct mp4_source){p->video, MP4_AS_IT_IS}, NULL, input,
                               s->min_free_disk, &made);
    if (e != E_OK) return e;
    *begins_us = made.video_begins_us;
    const int fd = open(input, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return E_IO;
    const struct importer_cfg cfg = {.files = &fd,
                                     .n_files = 1,
                                     .end_us = INT64_MAX,
                                     .lines = p->lines,
                                     .convert = true,
                                     .dir = m->temp,
                                     .segment_ms = s->hls_segment,
                                     .target_s = s->hls_target,
                                     .min_free_bytes = s->min_free_disk,
                                     .started_wall_us = clock_wall_us(),
                                     .on_progress = on_progress,
                                     .ctx = m};
    e = importer_run(&cfg, &result);
    close(fd);
    unlink(input);
    if (e == E_CLOSED && !jobs_stopping(m->job->jobs)) return E_NOTFOUND; /* deleted */
    if (e == E_OK || e == E_CLOSED) return e;
    return fail(m, e == E_NOTFOUND ? E_IO : e, result.problem);
}

static void note(struct make *m, const struct archive_rendition *r, const struct mp4_made *made)
{
    m->r.filesize = (int64_t)made->bytes;
    if (r->media_us > 0) m->r.bitrate = (int64_t)((double)made->bytes * 8e6 / (double)r->media_us);
    if (r->kind != MEDIA_VIDEO || !r->inits) return;
    m->r.width = largest_init(r)->width;
    m->r.height = largest_init(r)->height;
}

static enum err write_file(struct make *m, const struct plan *p, const struct archive_rendition *v,
                           int64_t begins_us)
{
    const struct mp4_source video = {v, begins_us}, audio = {p->audio, MP4_AS_IT_IS};
    struct mp4_made made;
    const enum err e = mp4_file_make(v ? &video : NULL, p->audio ? &audio : NULL, m->file,
                                     m->live->cfg.settings->min_free_disk, &made);
    if (e == E_OK) note(m, v ? v : p->audio, &made);
    return e;
}

static enum err write_scaled(struct make *m, const struct plan *p)
{
    struct archive *scaled = NULL;
    int64_t begins_us = 0;
    enum err e = encode(m, p, &begins_us);
    if (e == E_OK) e = recording_load(m->temp, &scaled);
    if (e == E_OK) e = write_file(m, p, largest(scaled, UINT32_MAX), begins_us);
    archive_unref(scaled);
    return e;
}

static enum err make(struct make *m, bool *skipped)
{
    struct archive *a;
    struct plan p;
    enum err e = recording_load(m->dir, &a);
    if (e != E_OK) return e;
    *skipped = !choose(a, m->r.resolution, &p);
    if (!*skipped) e = p.lines ? write_scaled(m, &p) : write_file(m, &p, p.video, MP4_AS_IT_IS);
    archive_unref(a);
    return e;
}

/* --- the row --- */

/* E_NOTFOUND: it was deleted meanwhile. */
static enum err write_row(struct make *m, const char *status)
{
    char path[4200];
    const struct rendition *r = &m->r;
    enum err e = db_exec(m->db,
                         "UPDATE static_renditions SET status = ?2, width = ?3, height = ?4,"
                         " filesize = ?5, bitrate = ?6, problem = ?7 WHERE id = ?1",
                         "ssiiiis", r->id, status, r->width, r->height, r->filesize, r->bitrate,
                         !strcmp(status, "errored") ? m->problem : "");
    if (e == E_OK && !db_changes(m->db)) e = E_NOTFOUND;
    if (e == E_OK) e = rendition_tell(m->db, status, r->id);
    if (e != E_OK || strcmp(status, "ready") != 0) return e;
    snprintf(path, sizeof path, "%s/%s", m->dir, r->name);
    return rename(m->file, path) == 0 ? E_OK : E_IO;
}

static enum err write_result(struct make *m, const char *status)
{
    enum err e = db_begin(m->db);
    if (e != E_OK) return e;
    e = write_row(m, status);
    if (e == E_OK) return db_commit(m->db);
    db_rollback(m->db);
    return e;
}

static enum err make_and_tell(struct make *m)
{
    bool skipped = false;
    const enum err e = make(m, &skipped);
    return e == E_OK ? write_result(m, skipped ? "skipped" : "ready") : e;
}

/* E_MORE: not yet. */
static enum err look(struct make *m)
{
    struct asset a;
    enum err e = rendition_get(m->db, m->job->input, &m->r);
    if (e == E_OK) e = asset_get(m->db, m->job->asset_id, NULL, &a);
    if (e != E_OK) return e;
    const bool placed = live_media_path(m->live, a.dir, m->dir, sizeof m->dir);
    if (!strcmp(a.status, "errored"))
        e = fail(m, E_UNSUPPORTED, "There is no media in the asset.");
    else if (strcmp(a.status, "ready") != 0 || a.is_live)
        e = E_MORE;
    else if (!placed)
        e = E_UNSUPPORTED;
    asset_fini(&a);
    snprintf(m->file, sizeof m->file, "%s/.%s", m->dir, m->r.id);
    return e;
}

enum err renditions_run(void *ctx, struct db *db, const struct job *j, int64_t *wait_us,
                        char *problem, size_t cap)
{
    struct make m = {.live = ctx, .db = db, .job = j, .problem = problem, .cap = cap};
    const bool has_temp = rendition_temp(m.live, j->input, m.temp, sizeof m.temp);
    enum err e = look(&m);
    *wait_us = WAIT_US;
    if (e == E_MORE) return e;
    if (e == E_OK) e = has_temp ? make_and_tell(&m) : E_UNSUPPORTED;
    if (has_temp) live_files_remove(m.temp);
    if (e == E_OK || e == E_CLOSED) return e;
    if (m.file[0]) unlink(m.file);
    if (!is_there(db, j->input)) return E_OK; /* deleted meanwhile */
    if (!problem[0]) snprintf(problem, cap, "The file cannot be made: %s.", err_text(e));
    return e;
}

void renditions_failed(void *ctx, struct db *db, const struct job *j, const char *problem)
{
    char words[256];
    struct make m = {.live = ctx, .db = db, .job = j, .problem = words, .cap = sizeof words};
    if (rendition_get(db, j->input, &m.r) != E_OK) return;
    snprintf(words, sizeof words, "%s", problem);
    const enum err e = write_result(&m, "errored");
    log_warn("rendition", "asset=%s name=%s problem=%s%s", j->asset_id, m.r.name, problem,
             e == E_OK ? "" : " (not written)");
}
