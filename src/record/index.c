/* SPDX-License-Identifier: MIT */
#include "record/index.h"
#include "base/hash.h"
#include <stdio.h>

#define CRC_CHARS 9 /* eight digits and a space */

/* --- writing -----------------------------------------------------------------------------------
 */

static void add_flags(struct str *out, const struct hls_segment *s, bool independent)
{
    if (independent) str_addc(out, 'i');
    if (s->discontinuity) str_addc(out, 'd');
    if (s->gap) str_addc(out, 'g');
    if (!independent && !s->discontinuity && !s->gap) str_addc(out, '-');
}

static void add_init(struct str *out, const struct index_entry *e)
{
    const struct archive_init *i = &e->init;
    str_addf(out, "I %u %u %llu %u %s %s %u %u %u %u %u", e->rendition, i->id,
             (unsigned long long)e->off, e->len, codec_name(i->codec),
             i->codecs[0] ? i->codecs : "-", i->width, i->height, i->fps_milli, i->sample_rate,
             i->channels);
}

static void add_text(struct str *out, const struct index_entry *e)
{
    const struct hls_segment *s = &e->s;
    switch (e->kind) {
    case INDEX_HEAD:
        str_addf(out, "H %d %s %lld %lld", INDEX_VERSION, e->name, (long long)e->wall_us,
                 (long long)e->target_s);
        break;
    case INDEX_RENDITION:
        str_addf(out, "R %u %s %llu", e->rendition, e->name, (unsigned long long)s->dsn);
        break;
    case INDEX_INIT:
        add_init(out, e);
        break;
    case INDEX_PART:
        str_addf(out, "P %u %llu %u %u", e->rendition, (unsigned long long)s->msn, e->part,
                 s->init_id);
        break;
    case INDEX_SEGMENT:
        str_addf(out, "S %u %llu %u", e->rendition, (unsigned long long)s->msn, s->init_id);
        break;
    case INDEX_END:
        str_addf(out, "E %lld", (long long)e->wall_us);
        break;
    }
    if (e->kind != INDEX_PART && e->kind != INDEX_SEGMENT) return;
    str_addf(out, " %llu %u %lld %lld ", (unsigned long long)e->off, e->len, (long long)s->dur_us,
             (long long)s->wall_us);
    add_flags(out, s, s->independent);
}

void index_write(struct str *out, const struct index_entry *e)
{
    static const char blank[CRC_CHARS + 1] = "00000000 ";
    char crc[CRC_CHARS + 1];
    const size_t start = out->len;
    str_adds(out, blank);
    add_text(out, e);
    const struct span text = span_skip(str_span(out), start + CRC_CHARS);
    snprintf(crc, sizeof crc, "%08x ", (unsigned)hash_crc32(0, text));
    memcpy(out->p + start, crc, CRC_CHARS);
    str_addc(out, '\n');
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* Fields in their order; the first one that is wrong makes all following ones wrong. */
struct fields {
    struct span rest;
    bool bad;
};

static struct span field(struct fields *f)
{
    const struct span v = span_cut(&f->rest, ' ');
    if (v.len == 0) f->bad = true;
    return v;
}

static uint64_t number(struct fields *f, uint64_t max)
{
    uint64_t v = 0;
    if (!span_u64(field(f), max, &v)) f->bad = true;
    return v;
}

static void word(struct fields *f, char *out, size_t cap)
{
    const struct span v = field(f);
    for (size_t i = 0; i < v.len; i++) {
        const uint8_t c = v.p[i];
        const bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
        if (!ok) f->bad = true;
    }
    if (!span_cstr(v, out, cap)) f->bad = true;
}

static void read_flags(struct fields *f, struct hls_segment *s)
{
    const struct span v = field(f);
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] == 'i')
            s->independent = true;
        else if (v.p[i] == 'd')
            s->discontinuity = true;
        else if (v.p[i] == 'g')
            s->gap = true;
        else if (v.p[i] != '-')
            f->bad = true;
    }
}

static void read_media(struct fields *f, struct index_entry *e)
{
    e->off = number(f, INT64_MAX);
    e->len = (uint32_t)number(f, UINT32_MAX);
    e->s.dur_us = (int64_t)number(f, INT64_C(1) << 40);
    e->s.wall_us = (int64_t)number(f, INT64_MAX / 2);
    read_flags(f, &e->s);
}

static void read_init(struct fields *f, struct index_entry *e)
{
    struct archive_init *i = &e->init;
    char codec[16];
    i->id = (uint32_t)number(f, UINT32_MAX);
    e->off = i->off = number(f, INT64_MAX);
    e->len = i->len = (uint32_t)number(f, 1 << 20);
    word(f, codec, sizeof codec);
    for (unsigned c = CODEC_NONE; c < CODEC_COUNT; c++)
        if (!strcmp(codec, codec_name((enum codec)c))) i->codec = (enum codec)c;
    word(f, i->codecs, sizeof i->codecs);
    i->width = (uint16_t)number(f, UINT16_MAX);
    i->height = (uint16_t)number(f, UINT16_MAX);
    i->fps_milli = (uint32_t)number(f, UINT32_MAX);
    i->sample_rate = (uint32_t)number(f, UINT32_MAX);
    i->channels = (uint8_t)number(f, UINT8_MAX);
}

static enum err read_entry(struct fields *f, char kind, struct index_entry *e)
{
    if (kind == 'H') {
        e->kind = INDEX_HEAD;
        const uint64_t version = number(f, UINT32_MAX);
        if (!f->bad && version != INDEX_VERSION) return E_UNSUPPORTED;
        word(f, e->name, sizeof e->name);
        e->wall_us = (int64_t)number(f, INT64_MAX / 2);
        e->target_s = (int64_t)number(f, 1000000);
        return E_OK;
    }
    if (kind == 'E') {
        e->kind = INDEX_END;
        e->wall_us = (int64_t)number(f, INT64_MAX / 2);
        return E_OK;
    }
    e->rendition = (unsigned)number(f, LIMIT_RECORD_RENDITIONS - 1);
    if (kind == 'R') {
        e->kind = INDEX_RENDITION;
        word(f, e->name, HLS_NAME_CAP);
        e->s.dsn = number(f, INT64_MAX);
    } else if (kind == 'I') {
        e->kind = INDEX_INIT;
        read_init(f, e);
    } else if (kind == 'P' || kind == 'S') {
        e->kind = kind == 'P' ? INDEX_PART : INDEX_SEGMENT;
        e->s.msn = number(f, INT64_MAX);
        if (kind == 'P') e->part = (uint32_t)number(f, LIMIT_RECORD_SEGMENT_PARTS - 1);
        e->s.init_id = (uint32_t)number(f, UINT32_MAX);
        read_media(f, e);
    } else {
        return E_PROTO;
    }
    return E_OK;
}

enum err index_parse(struct span line, struct index_entry *out)
{
    struct index_entry e = {0};
    uint8_t crc[4];
    if (line.len > LIMIT_RECORD_LINE_BYTES || line.len < CRC_CHARS + 1) return E_PROTO;
    const struct span text = span_skip(line, CRC_CHARS);
    if (line.p[CRC_CHARS - 1] != ' ' || !hash_unhex(span_head(line, 8), crc, 4)) return E_PROTO;
    const uint32_t want =
        (uint32_t)crc[0] << 24 | (uint32_t)crc[1] << 16 | (uint32_t)crc[2] << 8 | crc[3];
    if (hash_crc32(0, text) != want) return E_PROTO;

    struct fields f = {.rest = text};
    const struct span kind = field(&f);
    if (kind.len != 1) return E_PROTO;
    const enum err err = read_entry(&f, (char)kind.p[0], &e);
    if (err != E_OK) return err;
    if (f.bad || f.rest.p) return E_PROTO;
    *out = e;
    return E_OK;
}
