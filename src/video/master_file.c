/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "record/mp4_file.h"
#include "record/recording.h"
#include "video/master_priv.h"
#include "wire/media_sniff.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- the file that was kept --- */

static const char *extension_of(struct span head)
{
    static const struct {
        const char *container, *extension;
    } KNOWN[] = {{"mp4", "mp4"}, {"mov", "mov"},     {"mpegts", "ts"}, {"mpegps", "mpg"},
                 {"flv", "flv"}, {"avi", "avi"},     {"ogg", "ogg"},   {"mp3", "mp3"},
                 {"wav", "wav"}, {"flac", "flac"},   {"adts", "aac"},  {"asf", "asf"},
                 {"mxf", "mxf"}, {"wavpack", "wv"},  {"aiff", "aiff"}, {"caf", "caf"},
                 {"amr", "amr"}, {"matroska", "mkv"}};
    const char *c = media_sniff(head).container;
    if (c && !strcmp(c, "matroska") && memmem(head.p, head.len, "webm", 4)) return "webm";
    if (c && !strcmp(c, "mp4") && head.len >= 12 && !memcmp(head.p + 8, "qt  ", 4)) return "mov";
    for (size_t i = 0; c && i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (!strcmp(c, KNOWN[i].container)) return KNOWN[i].extension;
    return "bin";
}

static bool has_source(const char *dir, const char *source, struct master_file *out)
{
    char path[4200];
    uint8_t head[MEDIA_SNIFF_BYTES];
    if (!source[0] || snprintf(path, sizeof path, "%s/%s", dir, source) >= (int)sizeof path)
        return false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    const ssize_t n = read(fd, head, sizeof head);
    close(fd);
    if (n <= 0) return false;
    snprintf(out->file, sizeof out->file, "%s", source);
    snprintf(out->name, sizeof out->name, "master.%s", extension_of(span_of(head, (size_t)n)));
    return true;
}

/* --- an MP4 of the recording --- */

static bool is_larger(const struct archive_rendition *a, const struct archive_rendition *b)
{
    const struct archive_init *x = a->inits, *y = b->inits;
    return x && y && (uint32_t)x->width * x->height > (uint32_t)y->width * y->height;
}

static enum err write_mp4(const struct archive *a, const char *path, int64_t min_free)
{
    struct mp4_source s[2] = {{NULL, MP4_AS_IT_IS}, {NULL, MP4_AS_IT_IS}};
    struct mp4_made made;
    for (unsigned i = 0; i < a->n_renditions; i++) {
        const struct archive_rendition *r = &a->r[i], *best = s[r->kind].r;
        if (r->n && (!best || (r->kind == MEDIA_VIDEO && is_larger(r, best)))) s[r->kind].r = r;
    }
    const struct mp4_source *v = &s[MEDIA_VIDEO], *sound = &s[MEDIA_AUDIO];
    return mp4_file_make(v->r ? v : NULL, sound->r ? sound : NULL, path, min_free, &made);
}

#define FILE_OF_KEY "master-%.16s.mp4"

void master_file_forget(const char *dir, const char *key)
{
    char path[4200];
    if (snprintf(path, sizeof path, "%s/" FILE_OF_KEY ".part", dir, key) < (int)sizeof path)
        unlink(path);
}

enum err master_file_make(const struct settings *s, const char *dir, const char *source,
                          const char *key, struct master_file *out)
{
    char path[4200];
    struct archive *a;
    if (has_source(dir, source, out)) return E_OK;
    snprintf(out->file, sizeof out->file, FILE_OF_KEY, key);
    snprintf(out->name, sizeof out->name, "master.mp4");
    snprintf(path, sizeof path, "%s/%s", dir, out->file);
    enum err e = recording_load(dir, &a);
    if (e != E_OK) return e;
    e = write_mp4(a, path, s->min_free_disk);
    archive_unref(a);
    return e;
}
