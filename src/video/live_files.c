/* SPDX-License-Identifier: MIT */
#include "video/live_files.h"
#include "base/log.h"
#include "video/import.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
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

/* "v0.mp4", "a0.mp4", "v12.mp4" */
static bool is_media(const char *name)
{
    if (*name != 'v' && *name != 'a') return false;
    const size_t digits = strspn(name + 1, "0123456789");
    return digits && strcmp(name + 1 + digits, ".mp4") == 0;
}

int64_t live_files_bytes(const char *dir)
{
    int64_t sum = 0;
    DIR *d = opendir(dir);
    if (!d) return 0;
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        if (is_media(e->d_name) && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            sum += st.st_size;
    }
    closedir(d);
    return sum;
}

int64_t live_files_all(const char *dir, bool importing)
{
    int64_t source = 0, made = 0;
    DIR *d = opendir(dir);
    if (!d) return 0;
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        *(strcmp(e->d_name, IMPORT_SOURCE_FILE) == 0 ? &source : &made) += st.st_size;
    }
    closedir(d);
    if (!importing) return source + made;
    return source > made ? source : made;
}
