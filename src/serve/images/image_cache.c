/* SPDX-License-Identifier: MIT */
#include "serve/images/image_cache.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/xalloc.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_CAP 4096
#define NAME_LEN 64

struct image_cache {
    pthread_mutex_t lock;
    char dir[PATH_CAP];
    int64_t max_bytes, min_free;
    int64_t bytes; /* -1: not counted yet */
    unsigned turn; /* of temporary names */
};

struct image_cache *image_cache_new(const char *data, int64_t max_bytes, int64_t min_free)
{
    struct image_cache *c = NEW(struct image_cache);
    pthread_mutex_init(&c->lock, NULL);
    snprintf(c->dir, sizeof c->dir, "%s/cache/images", data);
    c->max_bytes = max_bytes;
    c->min_free = min_free;
    c->bytes = -1;
    return c;
}

void image_cache_free(struct image_cache *c)
{
    if (!c) return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void path_of(const struct image_cache *c, const char *name, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%s", c->dir, name);
}

/* --- reading --- */

static struct buf *read_all(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > (off_t)LIMIT_IMAGE_BYTES)
        return NULL;
    struct buf *b = buf_new((size_t)st.st_size);
    for (size_t at = 0; at < b->len;) {
        const ssize_t n = read(fd, b->data + at, b->len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            buf_unref(b);
            return NULL;
        }
        at += (size_t)n;
    }
    return b;
}

enum err image_cache_get(struct image_cache *c, const char *name, struct buf **out)
{
    char path[PATH_CAP + NAME_LEN + 2];
    path_of(c, name, path, sizeof path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return E_NOTFOUND;
    struct buf *b = read_all(fd);
    if (b) (void)futimens(fd, NULL); /* used just now */
    close(fd);
    if (!b) return E_NOTFOUND;
    *out = b;
    return E_OK;
}

/* --- making room --- */

struct entry {
    char name[NAME_LEN + 16];
    struct timespec used;
    int64_t bytes;
};

static int by_age(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec) return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return x->used.tv_nsec < y->used.tv_nsec ? -1 : x->used.tv_nsec > y->used.tv_nsec;
}

/* Everything in the folder; freed by the caller. */
static struct entry *list_all(const struct image_cache *c, size_t *n)
{
    struct entry *all = NULL;
    size_t cap = 0;
    struct stat st;
    *n = 0;
    DIR *d = opendir(c->dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof all->name) continue;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (*n == cap) all = xrealloc(all, (cap = cap ? 2 * cap : 64) * sizeof *all);
        struct entry *x = &all[(*n)++];
        snprintf(x->name, sizeof x->name, "%s", e->d_name);
        x->used = st.st_mtim;
        x->bytes = st.st_size;
    }
    if (d) closedir(d);
    return all;
}

/* With the lock held: counts, and removes the oldest until there is a tenth of the room again. */
static void make_room(struct image_cache *c)
{
    char path[PATH_CAP + NAME_LEN + 32];
    size_t n;
    struct entry *all = list_all(c, &n);
    c->bytes = 0;
    for (size_t i = 0; i < n; i++) c->bytes += all[i].bytes;
    if (c->bytes > c->max_bytes) {
        qsort(all, n, sizeof *all, by_age);
        for (size_t i = 0; i < n && c->bytes > c->max_bytes - c->max_bytes / 10; i++) {
            path_of(c, all[i].name, path, sizeof path);
            if (unlink(path) == 0) c->bytes -= all[i].bytes;
        }
    }
    free(all);
}

/* --- writing --- */

static bool write_all(int fd, struct span s)
{
    while (s.len) {
        const ssize_t n = write(fd, s.p, s.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        s = span_skip(s, (size_t)n);
    }
    return true;
}

static bool make_dir(const struct image_cache *c)
{
    char up[PATH_CAP];
    struct statvfs v;
    snprintf(up, sizeof up, "%s", c->dir);
    *strrchr(up, '/') = 0;
    (void)mkdir(up, 0750);
    (void)mkdir(c->dir, 0750);
    return statvfs(c->dir, &v) == 0 && (int64_t)(v.f_bavail * v.f_frsize) >= c->min_free;
}

void image_cache_put(struct image_cache *c, const char *name, struct buf *b)
{
    char path[PATH_CAP + NAME_LEN + 2], temp[PATH_CAP + NAME_LEN + 32];
    if ((int64_t)b->len > c->max_bytes / 10 || !make_dir(c)) return;
    pthread_mutex_lock(&c->lock);
    path_of(c, name, path, sizeof path);
    snprintf(temp, sizeof temp, "%s.%u", path, ++c->turn);
    const int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    bool good = fd >= 0 && write_all(fd, buf_span(b));
    if (fd >= 0) close(fd);
    good = good && rename(temp, path) == 0;
    if (!good) unlink(temp);
    if (good && c->bytes >= 0) c->bytes += (int64_t)b->len;
    if (good && (c->bytes < 0 || c->bytes > c->max_bytes)) make_room(c);
    pthread_mutex_unlock(&c->lock);
    if (!good) log_warn("image-cache", "cannot write errno=%d", errno);
}
