/* SPDX-License-Identifier: MIT */
/* video/live_files.h - folders of recordings. Blocks: pool threads. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Removes a recording's folder and the plain files in it; never follows links, never descends. */
void live_files_remove(const char *dir);
/* So many bytes all its files are; of one that is being imported the larger of the source and what
 * is made of it, since one replaces the other. */
int64_t live_files_all(const char *dir, bool importing);
/* So many bytes its media are: the renditions' own files, without what was made of them. */
int64_t live_files_bytes(const char *dir);
