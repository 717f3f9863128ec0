/* SPDX-License-Identifier: MIT */
/* video/master_priv.h - between master.c (the rows, the job) and master_file.c. */
#pragma once
#include "base/err.h"
#include "base/settings.h"

struct master_file {
    char file[64]; /* in the asset's folder */
    char name[24]; /* in its address: "master.mp4" */
};

/* The one that was kept, `source`, when it is there; else an MP4 of the recording, with the
 * beginning of `key` in its name. Blocks. */
enum err master_file_make(const struct settings *s, const char *dir, const char *source,
                          const char *key, struct master_file *out) WARN_UNUSED;
/* What is left of making it. */
void master_file_forget(const char *dir, const char *key);
