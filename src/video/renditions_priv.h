/* SPDX-License-Identifier: MIT */
/* video/renditions_priv.h - between renditions.c (the rows) and renditions_make.c (the job). */
#pragma once
#include "video/live_priv.h"
#include "video/renditions.h"

/* "created", "ready", ...: within the caller's transaction. */
enum err rendition_tell(struct db *db, const char *what, const char *id) WARN_UNUSED;
/* The folder where a file is being encoded. */
bool rendition_temp(const struct live *l, const char *id, char *out, size_t cap);
