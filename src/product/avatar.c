/* SPDX-License-Identifier: MIT */
#include "product/avatar.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_CAP  4200
#define NAME_LEN  ID_CHARS
#define MAX_BYTES (1 << 20) /* of a file of ours */
#define ADDRESS   "/avatars/"
#define LETTERS   "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const unsigned AVATAR_SIDE[AVATAR_SIZES] = {256, 64};

static void path_of(const char *data, const char *name, unsigned side, char out[PATH_CAP])
{
    snprintf(out, PATH_CAP, "%s/avatars/%s-%u.jpg", data, name, side);
}

/* The name in an address of ours; false: none. */
static bool name_in(const char *image, char name[NAME_LEN + 1])
{
    const size_t at = sizeof ADDRESS - 1;
    if (strncmp(image, ADDRESS, at) != 0 || strspn(image + at, LETTERS) != NAME_LEN) return false;
    return span_cstr(span_of(image + at, NAME_LEN), name, NAME_LEN + 1);
}

static void delete_files(const char *data, const char *name)
{
    char path[PATH_CAP];
    for (unsigned i = 0; i < AVATAR_SIZES; i++) {
        path_of(data, name, AVATAR_SIDE[i], path);
        if (unlink(path) != 0 && errno != ENOENT) log_warn("avatar", "cannot delete %s", path);
    }
}

void avatar_delete(const char *data, const char *image)
{
    char name[NAME_LEN + 1];
    if (name_in(image, name)) delete_files(data, name);
}

static enum err write_file(const char *path, struct span s)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    enum err e = fd < 0 ? E_IO : E_OK;
    while (e == E_OK && s.len) {
        const ssize_t n = write(fd, s.p, s.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) e = errno == ENOSPC || errno == EDQUOT ? E_FULL : E_IO;
        if (n > 0) s = span_skip(s, (size_t)n);
    }
    if (e == E_OK && fsync(fd) != 0) e = E_IO;
    if (fd >= 0) close(fd);
    return e;
}

static enum err write_files(const char *data, const char *name,
                            const struct span file[AVATAR_SIZES])
{
    char path[PATH_CAP];
    enum err e = E_OK;
    snprintf(path, sizeof path, "%s/avatars", data);
    (void)mkdir(path, 0750);
    for (unsigned i = 0; i < AVATAR_SIZES && e == E_OK; i++) {
        path_of(data, name, AVATAR_SIDE[i], path);
        e = write_file(path, file[i]);
    }
    if (e != E_OK) delete_files(data, name);
    return e;
}

/* Returns what was there before. */
static enum err swap(struct db *db, const char *user_id, const char *image, char old[USER_URL_CAP])
{
    bool found;
    old[0] = 0;
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    struct db_rows *q = db_query(db, "SELECT image FROM users WHERE id = ?1", "s", user_id);
    found = db_next(q);
    if (found) snprintf(old, USER_URL_CAP, "%s", db_text(q, 0));
    e = db_done(q);
    if (e == E_OK && !found) e = E_NOTFOUND;
    if (e == E_OK)
        e = db_exec(db, "UPDATE users SET image = ?1, updated_at = ?2 WHERE id = ?3", "sis", image,
                    clock_wall_us(), user_id);
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err avatar_set(struct db *db, const char *data, const char *user_id,
                    const struct span file[AVATAR_SIZES], char image[USER_URL_CAP])
{
    char name[NAME_LEN + 1], old[USER_URL_CAP];
    rand_id(name, NAME_LEN);
    snprintf(image, USER_URL_CAP, ADDRESS "%s/%u.jpg", name, AVATAR_SIDE[0]);
    enum err e = write_files(data, name, file);
    if (e != E_OK) return e;
    e = swap(db, user_id, image, old);
    if (e == E_OK)
        avatar_delete(data, old);
    else
        delete_files(data, name);
    return e;
}

enum err avatar_clear(struct db *db, const char *data, const char *user_id)
{
    char old[USER_URL_CAP];
    const enum err e = swap(db, user_id, NULL, old);
    if (e == E_OK) avatar_delete(data, old);
    return e;
}

enum err avatar_read(const char *data, const char *name, const char *size, struct buf **out)
{
    char path[PATH_CAP];
    struct stat st;
    unsigned side = 0;
    for (unsigned i = 0; i < AVATAR_SIZES; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", AVATAR_SIDE[i]);
        if (!strcmp(size, text)) side = AVATAR_SIDE[i];
    }
    if (!side || strlen(name) != NAME_LEN || strspn(name, LETTERS) != NAME_LEN) return E_NOTFOUND;
    path_of(data, name, side, path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return E_NOTFOUND;
    enum err e = fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= MAX_BYTES ? E_OK : E_IO;
    struct buf *b = e == E_OK ? buf_new((size_t)st.st_size) : NULL;
    if (b && read(fd, b->data, b->len) != (ssize_t)b->len) e = E_IO;
    close(fd);
    if (e == E_OK)
        *out = b;
    else
        buf_unref(b);
    return e;
}

static bool is_shown(struct db *db, const char *name)
{
    char image[USER_URL_CAP];
    snprintf(image, sizeof image, ADDRESS "%s/%u.jpg", name, AVATAR_SIDE[0]);
    struct db_rows *q = db_query(db, "SELECT 1 FROM users WHERE image = ?1", "s", image);
    const bool found = db_next(q);
    return db_done(q) != E_OK || found; /* when in doubt it stays */
}

void avatar_sweep(struct db *db, const char *data)
{
    char dir[PATH_CAP], name[NAME_LEN + 1];
    snprintf(dir, sizeof dir, "%s/avatars", data);
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (strspn(e->d_name, LETTERS) != NAME_LEN || e->d_name[NAME_LEN] != '-') continue;
        (void)span_cstr(span_of(e->d_name, NAME_LEN), name, sizeof name);
        if (!is_shown(db, name)) delete_files(data, name);
    }
    if (d) closedir(d);
}
