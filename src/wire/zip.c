/* SPDX-License-Identifier: MIT */
#include "wire/zip.h"
#include "base/hash.h"
#include <time.h>

enum {
    LOCAL = 0x04034b50,
    DESCRIPTOR = 0x08074b50,
    CENTRAL = 0x02014b50,
    END = 0x06054b50,
    VERSION = 20,
    SIZE_FOLLOWS = 1 << 3,
};

static void le(struct str *out, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) str_addc(out, (char)(v >> (8 * i) & 0xff));
}

void zip_init(struct zip *z, int64_t when_us)
{
    struct tm t;
    const time_t s = (time_t)(when_us / 1000000);
    *z = (struct zip){0};
    if (!gmtime_r(&s, &t) || t.tm_year < 80) return;
    z->date = (uint16_t)(((t.tm_year - 80) & 127) << 9 | (t.tm_mon + 1) << 5 | t.tm_mday);
    z->time = (uint16_t)(t.tm_hour << 11 | t.tm_min << 5 | t.tm_sec / 2);
}

/* What the two kinds of head have in common, from the version that is needed on. */
static void head(const struct zip *z, struct str *out, const struct zip_file *f, bool known)
{
    le(out, VERSION, 2);
    le(out, SIZE_FOLLOWS, 2);
    le(out, 0, 2); /* stored */
    le(out, z->time, 2);
    le(out, z->date, 2);
    le(out, known ? f->crc : 0, 4);
    le(out, known ? f->size : 0, 4);
    le(out, known ? f->size : 0, 4);
    le(out, strlen(f->name), 2);
    le(out, 0, 2); /* no extra field */
}

enum err zip_begin(struct zip *z, struct str *out, const char *name)
{
    const size_t before = out->len;
    if (z->n == ZIP_FILES || strlen(name) >= ZIP_NAME || z->off > ZIP_BYTES) return E_LIMIT;
    struct zip_file *f = &z->files[z->n++];
    *f = (struct zip_file){.at = (uint32_t)z->off};
    memcpy(f->name, name, strlen(name) + 1);
    le(out, LOCAL, 4);
    head(z, out, f, false);
    str_adds(out, f->name);
    z->off += out->len - before;
    return E_OK;
}

enum err zip_data(struct zip *z, struct str *out, struct span bytes)
{
    struct zip_file *f = &z->files[z->n - 1];
    if (bytes.len > ZIP_BYTES || z->off + bytes.len > ZIP_BYTES) return E_LIMIT;
    f->crc = hash_crc32(f->crc, bytes);
    f->size += (uint32_t)bytes.len;
    z->off += bytes.len;
    str_add(out, bytes);
    return E_OK;
}

void zip_end(struct zip *z, struct str *out)
{
    const struct zip_file *f = &z->files[z->n - 1];
    le(out, DESCRIPTOR, 4);
    le(out, f->crc, 4);
    le(out, f->size, 4);
    le(out, f->size, 4);
    z->off += 16;
}

void zip_finish(struct zip *z, struct str *out)
{
    const size_t before = out->len;
    for (unsigned i = 0; i < z->n; i++) {
        const struct zip_file *f = &z->files[i];
        le(out, CENTRAL, 4);
        le(out, 3 << 8 | VERSION, 2); /* made by UNIX: the mode below */
        head(z, out, f, true);
        le(out, 0, 2); /* no comment */
        le(out, 0, 4); /* disk, internal attributes */
        le(out, UINT32_C(0100600) << 16, 4);
        le(out, f->at, 4);
        str_adds(out, f->name);
    }
    const size_t len = out->len - before;
    le(out, END, 4);
    le(out, 0, 4);
    le(out, z->n, 2);
    le(out, z->n, 2);
    le(out, len, 4);
    le(out, z->off, 4);
    le(out, 0, 2);
}
