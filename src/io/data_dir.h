/* SPDX-License-Identifier: MIT */
/* io/data_dir.h - the data folder, taken by one running server at a time. Blocks; for start-up. */
#pragma once
#include "base/err.h"
#include <stddef.h>

struct data_dir; /* the lock; it goes with the process */

/* Makes the folder (mode 0750, not its parents' parents) and locks it. E_CONFLICT: another server
 * uses it. `problem` gets words. */
enum err data_dir_open(const char *path, struct data_dir **out, char *problem,
                       size_t cap) WARN_UNUSED;
void data_dir_close(struct data_dir *d);
