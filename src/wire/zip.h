/* SPDX-License-Identifier: MIT */
/* wire/zip.h - a ZIP archive written from its beginning to its end, for sending while it is made
 * [PKWARE APPNOTE 6.3.10, 4.3]. Files are stored as they are; a file's size and checksum follow it
 * (4.3.9), and stand in the directory at the end, by which every program reads.
 *
 * Pure: each function appends to `out`, which the caller sends and empties when it likes. Up to
 * ZIP_FILES files and ZIP_BYTES in all: the 32 bits of the format. One thread. */
#pragma once
#include "base/err.h"
#include "base/str.h"

#define ZIP_FILES 64
#define ZIP_NAME  64 /* with the final zero; ASCII */
#define ZIP_BYTES UINT64_C(0xfff00000)

struct zip {
    struct zip_file {
        char name[ZIP_NAME];
        uint32_t crc, size, at;
    } files[ZIP_FILES];
    unsigned n;
    uint64_t off;        /* bytes so far */
    uint16_t date, time; /* of all files, MS-DOS */
};

/* `when_us`: since 1970, for the files' dates (UTC). */
void zip_init(struct zip *z, int64_t when_us);
/* E_LIMIT: too many files, or a name that is too long. */
enum err zip_begin(struct zip *z, struct str *out, const char *name) WARN_UNUSED;
/* E_LIMIT: too large. */
enum err zip_data(struct zip *z, struct str *out, struct span bytes) WARN_UNUSED;
void zip_end(struct zip *z, struct str *out);
void zip_finish(struct zip *z, struct str *out);
