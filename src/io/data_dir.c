/* SPDX-License-Identifier: MIT */
#include "io/data_dir.h"
#include "base/xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct data_dir {
    int fd;
};

enum err data_dir_open(const char *path, struct data_dir **out, char *problem, size_t cap)
{
    char lock[4096];
    if (mkdir(path, 0750) != 0 && errno != EEXIST) {
        snprintf(problem, cap, "cannot make the data folder %s: %s", path, strerror(errno));
        return E_IO;
    }
    if (snprintf(lock, sizeof lock, "%s/lock", path) >= (int)sizeof lock) {
        snprintf(problem, cap, "the path of the data folder is too long");
        return E_LIMIT;
    }
    const int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        snprintf(problem, cap, "cannot write in the data folder %s: %s", path, strerror(errno));
        return E_IO;
    }
    /* The kernel lets go of it when the process ends, however it ends. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        snprintf(problem, cap, "the data folder %s is in use by another bspnode", path);
        close(fd);
        return E_CONFLICT;
    }
    *out = NEW(struct data_dir);
    (*out)->fd = fd;
    return E_OK;
}

void data_dir_close(struct data_dir *d)
{
    if (!d) return;
    close(d->fd);
    free(d);
}
