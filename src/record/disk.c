/* SPDX-License-Identifier: MIT */
#include "record/disk.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/xalloc.h"
#include "record/index.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SYNC_US (5 * US_PER_SEC)

struct op {
    unsigned rendition;
    char name[HLS_NAME_CAP];
    struct buf *bytes;
    size_t line_len; /* of the batch's lines */
    uint64_t seq;
};

struct batch {
    struct op *ops;
    size_t n, cap, bytes;
    struct str lines;
};

struct disk {
    struct disk_cfg cfg;
    char *dir;
    /* Home loop's. */
    struct batch pending;
    uint64_t next_seq;
    bool running, failed, closing, closed;
    struct file *file[LIMIT_RECORD_RENDITIONS];
    struct str last_line;
    /* The running job's. */
    struct batch batch;
    enum err err;
    const char *reason;
    uint64_t written;
    bool last; /* sync and close afterwards */
    int index_fd;
    uint64_t index_len;
    int64_t synced_us;
    struct {
        int fd;
        uint64_t len;
        struct file *file;
    } r[LIMIT_RECORD_RENDITIONS];
};

/* --- on the pool -------------------------------------------------------------------------------
 */

static void job_fail(struct disk *d, enum err e, const char *reason)
{
    if (d->err != E_OK) return;
    d->err = e;
    d->reason = reason;
}

static void job_fail_errno(struct disk *d, const char *what)
{
    const int no = errno;
    if (no == ENOSPC || no == EDQUOT || no == EFBIG)
        job_fail(d, E_FULL, "The disk is full.");
    else
        job_fail(d, E_IO, "The disk cannot be written to.");
    log_error("record", "dir=%s %s: %s", d->dir, what, strerror(no));
}

static void make_folders(struct disk *d)
{
    for (char *p = d->dir + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        (void)mkdir(d->dir, 0750);
        *p = '/';
    }
    (void)mkdir(d->dir, 0750); /* what went wrong shows at the first file */
}

static int open_file(struct disk *d, const char *name, uint64_t *len, struct file **reader)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", d->dir, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0 || fstat(fd, &st) < 0) {
        job_fail_errno(d, name);
        if (fd >= 0) close(fd);
        return -1;
    }
    *len = (uint64_t)st.st_size;
    if (reader && file_open(path, reader) != E_OK) job_fail(d, E_IO, "The disk cannot be read.");
    return fd;
}

/* All of it, or false with the file as it was. */
static bool write_all(struct disk *d, int fd, struct span s, uint64_t *len, const char *what)
{
    uint64_t at = *len;
    while (s.len > 0) {
        const ssize_t n = pwrite(fd, s.p, s.len, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            if (n == 0) errno = ENOSPC;
            job_fail_errno(d, what);
            if (ftruncate(fd, (off_t)*len) < 0) log_warn("record", "dir=%s cannot cut", d->dir);
            return false;
        }
        s = span_skip(s, (size_t)n);
        at += (uint64_t)n;
    }
    *len = at;
    return true;
}

static bool enough_room(struct disk *d)
{
    struct statvfs v;
    if (d->cfg.min_free_bytes <= 0 || statvfs(d->dir, &v) < 0) return true;
    const uint64_t left = (uint64_t)v.f_bavail * v.f_frsize;
    if (left >= (uint64_t)d->cfg.min_free_bytes + d->batch.bytes) return true;
    job_fail(d, E_FULL, "The disk is almost full.");
    return false;
}

static bool write_op(struct disk *d, const struct op *op)
{
    if (!op->bytes) return true;
    const unsigned r = op->rendition;
    if (d->r[r].fd < 0) {
        char name[HLS_NAME_CAP + 8];
        snprintf(name, sizeof name, "%s.mp4", op->name);
        d->r[r].fd = open_file(d, name, &d->r[r].len, &d->r[r].file);
    }
    return d->r[r].fd >= 0 && d->err == E_OK &&
           write_all(d, d->r[r].fd, buf_span(op->bytes), &d->r[r].len, op->name);
}

static void sync_files(struct disk *d)
{
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++)
        if (d->r[i].fd >= 0 && fdatasync(d->r[i].fd) < 0) job_fail_errno(d, "sync");
    if (d->index_fd >= 0 && fdatasync(d->index_fd) < 0) job_fail_errno(d, "sync");
    d->synced_us = clock_mono_us();
}

/* The lines of the first n operations. */
static void write_lines(struct disk *d, size_t n)
{
    size_t len = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        len += d->batch.ops[i].line_len;
        if (d->batch.ops[i].bytes) bytes += d->batch.ops[i].bytes->len;
    }
    if (!n || !write_all(d, d->index_fd, span_head(str_span(&d->batch.lines), len), &d->index_len,
                         INDEX_FILE))
        return;
    d->written = d->batch.ops[n - 1].seq;
    metric_add(M_RECORD_BYTES, (int64_t)(bytes + len));
}

/* The end of a recording that has failed is noted too, if that is possible now. */
static void write_last_line(struct disk *d)
{
    if (d->index_fd < 0 || d->index_len == 0) return;
    (void)write_all(d, d->index_fd, str_span(&d->last_line), &d->index_len, INDEX_FILE);
}

static void job_work(void *arg)
{
    struct disk *d = arg;
    size_t n = 0;
    if (d->err == E_OK && d->index_fd < 0 && d->batch.n > 0) {
        make_folders(d);
        d->index_fd = open_file(d, INDEX_FILE, &d->index_len, NULL);
        d->synced_us = clock_mono_us();
    }
    if (d->err == E_OK && (d->batch.bytes == 0 || enough_room(d))) {
        while (n < d->batch.n && write_op(d, &d->batch.ops[n])) n++;
        write_lines(d, n);
    }
    if (d->last) write_last_line(d);
    if (d->index_fd >= 0 && (d->last || clock_mono_us() - d->synced_us > SYNC_US)) sync_files(d);
}

/* --- on the home loop --------------------------------------------------------------------------
 */

static void batch_clear(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) buf_unref(b->ops[i].bytes);
    free(b->ops);
    str_fini(&b->lines);
    *b = (struct batch){0};
}

static void disk_free(struct disk *d)
{
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++) {
        if (d->r[i].fd >= 0) close(d->r[i].fd);
        file_unref(d->r[i].file);
        file_unref(d->file[i]);
    }
    if (d->index_fd >= 0) close(d->index_fd);
    batch_clear(&d->batch);
    batch_clear(&d->pending);
    str_fini(&d->last_line);
    free(d->dir);
    free(d);
}

static void start(struct disk *d);

static void report_failure(struct disk *d, enum err e, const char *reason)
{
    if (d->failed) return;
    d->failed = true;
    batch_clear(&d->pending);
    metric_add(M_RECORD_FAILURES, 1);
    d->cfg.on_failed(d->cfg.ctx, e, reason);
}

static void job_done(void *arg)
{
    struct disk *d = arg;
    d->running = false;
    batch_clear(&d->batch);
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++)
        if (!d->file[i] && d->r[i].file) d->file[i] = file_ref(d->r[i].file);
    d->cfg.on_written(d->cfg.ctx, d->written);
    if (d->err != E_OK) report_failure(d, d->err, d->reason);
    if (d->last) {
        d->cfg.on_closed(d->cfg.ctx);
        disk_free(d);
        return;
    }
    start(d);
}

static void start(struct disk *d)
{
    if (d->running || (d->pending.n == 0 && !d->closing)) return;
    d->running = true;
    d->last = d->closing;
    d->batch = d->pending;
    d->pending = (struct batch){0};
    pool_run(d->cfg.pool, job_work, d->cfg.home, job_done, d);
}

struct disk *disk_open(const struct disk_cfg *cfg)
{
    struct disk *d = NEW(struct disk);
    d->cfg = *cfg;
    d->dir = xstrdup(cfg->dir);
    d->index_fd = -1;
    for (unsigned i = 0; i < LIMIT_RECORD_RENDITIONS; i++) d->r[i].fd = -1;
    return d;
}

uint64_t disk_append(struct disk *d, unsigned r, const char *name, struct buf *bytes,
                     struct span line)
{
    struct batch *b = &d->pending;
    if (d->failed) return ++d->next_seq;
    if (b->n == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 8;
        b->ops = xrealloc(b->ops, b->cap * sizeof *b->ops);
    }
    struct op *op = &b->ops[b->n++];
    *op = (struct op){
        .rendition = r, .bytes = buf_ref(bytes), .line_len = line.len, .seq = ++d->next_seq};
    snprintf(op->name, sizeof op->name, "%s", name);
    str_add(&b->lines, line);
    b->bytes += bytes ? bytes->len : 0;
    start(d);
    return d->next_seq;
}

size_t disk_pending(const struct disk *d)
{
    return d->pending.bytes + d->batch.bytes;
}

struct file *disk_file(const struct disk *d, unsigned r)
{
    return d->file[r];
}

void disk_give_up(struct disk *d, enum err e, const char *reason)
{
    report_failure(d, e, reason);
}

void disk_close(struct disk *d, struct span last_line)
{
    CHECK(!d->closing);
    str_add(&d->last_line, last_line);
    d->closing = true;
    start(d);
}
