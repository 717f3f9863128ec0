/* SPDX-License-Identifier: MIT */
/* io/file.h - a file opened for reading, shared by reference; the last unref closes it.
 * Any thread. Reads are positional, so readers do not disturb each other. */
#pragma once
#include "base/err.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct file {
    _Atomic uint32_t refs;
    int fd;
};

/* E_NOTFOUND, E_IO. Blocks: not for loops, except for small, hot files. */
enum err file_open(const char *path, struct file **out) WARN_UNUSED;
struct file *file_ref(struct file *f); /* returns f; NULL is fine */
void file_unref(struct file *f);       /* NULL is fine */

/* For whoever writes a file from its beginning on and syncs it at the end: when a good deal has
 * been written since *flushed, up to `at`, the disk begins with it at once, and the sync finds
 * little left. */
void file_write_behind(int fd, uint64_t *flushed, uint64_t at);
