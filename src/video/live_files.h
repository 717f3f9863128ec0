/* SPDX-License-Identifier: MIT */
/* video/live_files.h - folders of recordings. Blocks: pool threads. */
#pragma once

/* Removes a recording's folder and the plain files in it; never follows links, never descends. */
void live_files_remove(const char *dir);
