/* SPDX-License-Identifier: MIT */
#include "base/secret.h"
#include "base/rand.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LEN = 2 * SECRET_LEN + 1 }; /* hex and a line feed */

static enum err fail(enum err e, const char *path, const char *what, char *problem, size_t cap)
{
    snprintf(problem, cap, "%s: %s", path, what);
    return e;
}

static enum err load(const char *path, struct secret *out, char *problem, size_t cap)
{
    char text[FILE_LEN + 2];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        const enum err e = errno == ENOENT ? E_NOTFOUND : E_IO;
        return fail(e, path, strerror(errno), problem, cap);
    }
    const ssize_t n = read(fd, text, sizeof text);
    close(fd);
    if (n < 0) return fail(E_IO, path, strerror(errno), problem, cap);
    if (!hash_unhex(span_trim(span_of(text, n == FILE_LEN ? FILE_LEN - 1 : (size_t)n)), out->master,
                    SECRET_LEN))
        return fail(E_PROTO, path,
                    "this is not a secret of 64 hex digits; restore it from a backup", problem,
                    cap);
    return E_OK;
}

/* Written whole under another name first, then linked: a crash leaves no half a secret, and of two
 * programs that start at once one wins and the other reads. */
static enum err make(const char *path, char *problem, size_t cap)
{
    uint8_t fresh[SECRET_LEN];
    char text[FILE_LEN + 1], tmp[PATH_MAX];
    rand_bytes(fresh, sizeof fresh);
    hash_hex(span_of(fresh, sizeof fresh), text);
    text[FILE_LEN - 1] = '\n';
    snprintf(tmp, sizeof tmp, "%s.%d.tmp", path, (int)getpid());
    const int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return fail(E_IO, tmp, strerror(errno), problem, cap);
    const bool written = write(fd, text, FILE_LEN) == FILE_LEN && fsync(fd) == 0;
    const int write_errno = errno;
    close(fd);
    const bool linked = written && (link(tmp, path) == 0 || errno == EEXIST);
    const int link_errno = errno;
    unlink(tmp);
    if (linked) return E_OK;
    return fail(E_IO, path, strerror(written ? link_errno : write_errno), problem, cap);
}

enum err secret_open(const char *data_dir, struct secret *out, char *problem, size_t cap)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/secret.key", data_dir) >= (int)sizeof path - 32)
        return fail(E_LIMIT, data_dir, "the path is too long", problem, cap);
    enum err e = load(path, out, problem, cap);
    if (e != E_NOTFOUND) return e;
    e = make(path, problem, cap);
    if (e == E_OK) e = load(path, out, problem, cap);
    return e;
}

void secret_derive(const struct secret *s, const char *purpose, uint8_t out[SECRET_LEN])
{
    hash_hmac_sha256(span_of(s->master, sizeof s->master), span_str(purpose), out);
}

void stream_key_hash(const struct secret *s, const char *key, char out[STREAM_KEY_HASH_CAP])
{
    uint8_t sub[SECRET_LEN], mac[SHA256_LEN];
    secret_derive(s, "stream-key-hash", sub);
    hash_hmac_sha256(span_of(sub, sizeof sub), span_str(key), mac);
    hash_hex(span_of(mac, sizeof mac), out);
}
