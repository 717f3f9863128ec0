/* SPDX-License-Identifier: MIT */
#include "io/file.h"
#include "base/xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BEHIND_BYTES (8u << 20)

enum err file_open(const char *path, struct file **out)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? E_NOTFOUND : E_IO;
    struct file *f = NEW(struct file);
    atomic_init(&f->refs, 1);
    f->fd = fd;
    *out = f;
    return E_OK;
}

struct file *file_ref(struct file *f)
{
    if (f) atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void file_unref(struct file *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1) return;
    close(f->fd);
    free(f);
}

void file_write_behind(int fd, uint64_t *flushed, uint64_t at)
{
    if (at < *flushed + BEHIND_BYTES) return;
    /* A wish: a file system that cannot says so, and loses nothing. */
    (void)sync_file_range(fd, (off_t)*flushed, (off_t)(at - *flushed), SYNC_FILE_RANGE_WRITE);
    *flushed = at;
}
