/* SPDX-License-Identifier: MIT */
#include "video/live_files.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Emptied first: somebody may still have it open (a viewer, the cache of recordings that are being
 * watched), and the disk's space is wanted now. */
static void remove_file(int dir_fd, const char *name)
{
    const int fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        if (ftruncate(fd, 0) != 0) log_warn("remove-recording", "error=\"%s\"", strerror(errno));
        close(fd);
    }
    unlinkat(dir_fd, name, 0);
}

void live_files_remove(const char *dir)
{
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return;
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) remove_file(fd, e->d_name);
    closedir(d);
    if (rmdir(dir) != 0) log_warn("remove-recording", "error=\"%s\"", strerror(errno));
}
