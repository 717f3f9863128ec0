/* SPDX-License-Identifier: MIT */
/* wire/media_sniff.h - what a file is by its first bytes: media that is worth a try, or what else.
 * Pure. Sniffing is a first sieve with a good reason for people; the worker has the last word. */
#pragma once
#include "base/span.h"

#define MEDIA_SNIFF_BYTES 1024 /* as many of the file's first bytes as are of use */

struct media_sniff {
    const char *container;  /* "matroska", "mp4", "mpegts", …; NULL: no media that is known */
    const char *looks_like; /* without a container: "a ZIP archive", or NULL when it is unknown */
};

struct media_sniff media_sniff(struct span head);
