/* SPDX-License-Identifier: MIT */
#include "wire/mp4.h"
#include "wire/box_wr.h"
#include "wire/fmp4_read.h"

#define MOVIE_SCALE 1000 /* milliseconds */

static uint64_t media_units(const struct mp4_track *t)
{
    uint64_t all = 0;
    for (size_t i = 0; i < t->n_samples; i++) all += t->samples[i].duration;
    return all;
}

static uint64_t movie_units(const struct mp4_track *t)
{
    return (uint64_t)((double)media_units(t) * MOVIE_SCALE / t->timescale);
}

static uint64_t delay_units(const struct mp4_track *t)
{
    return t->delay_us > 0 ? (uint64_t)t->delay_us * MOVIE_SCALE / 1000000 : 0;
}

/* --- sample tables --- */

static size_t counted(struct str *s, const char *type, uint8_t version, size_t *count_at)
{
    const size_t at = full_open(s, type, version, 0);
    *count_at = s->len;
    str_be(s, 0, 4);
    return at;
}

static void set_count(struct str *s, size_t at, uint32_t n)
{
    struct wr w = wr_to(s->p + at, 4);
    wr_u32be(&w, n);
}

static void write_stts(struct str *s, const struct mp4_track *t)
{
    size_t count_at;
    uint32_t n = 0;
    const size_t at = counted(s, "stts", 0, &count_at);
    for (size_t i = 0; i < t->n_samples; n++) {
        size_t k = i;
        while (k < t->n_samples && t->samples[k].duration == t->samples[i].duration) k++;
        str_be(s, k - i, 4);
        str_be(s, t->samples[i].duration, 4);
        i = k;
    }
    set_count(s, count_at, n);
    box_close(s, at);
}

static void write_ctts(struct str *s, const struct mp4_track *t)
{
    size_t count_at, any = 0;
    uint32_t n = 0;
    for (size_t i = 0; i < t->n_samples; i++) any |= t->samples[i].offset != 0;
    if (!any) return;
    const size_t at = counted(s, "ctts", 1, &count_at);
    for (size_t i = 0; i < t->n_samples; n++) {
        size_t k = i;
        while (k < t->n_samples && t->samples[k].offset == t->samples[i].offset) k++;
        str_be(s, k - i, 4);
        str_be(s, (uint32_t)t->samples[i].offset, 4);
        i = k;
    }
    set_count(s, count_at, n);
    box_close(s, at);
}

/* Absent: every sample is one. */
static void write_stss(struct str *s, const struct mp4_track *t)
{
    size_t count_at;
    uint32_t n = 0;
    for (size_t i = 0; i < t->n_samples; i++) n += t->samples[i].key;
    if (n == t->n_samples) return;
    const size_t at = counted(s, "stss", 0, &count_at);
    for (size_t i = 0; i < t->n_samples; i++)
        if (t->samples[i].key) str_be(s, i + 1, 4);
    set_count(s, count_at, n);
    box_close(s, at);
}

static void write_stsc(struct str *s, const struct mp4_track *t)
{
    size_t count_at;
    uint32_t n = 0;
    const size_t at = counted(s, "stsc", 0, &count_at);
    for (size_t i = 0; i < t->n_chunks; i++) {
        const struct mp4_chunk *c = &t->chunks[i], *b = i ? c - 1 : NULL;
        if (b && b->n_samples == c->n_samples && b->entry == c->entry) continue;
        str_be(s, i + 1, 4);
        str_be(s, c->n_samples, 4);
        str_be(s, c->entry + 1, 4);
        n++;
    }
    set_count(s, count_at, n);
    box_close(s, at);
}

static void write_stbl(struct str *s, const struct mp4_track *t, uint64_t base)
{
    const size_t stbl = box_open(s, "stbl");
    size_t at = full_open(s, "stsd", 0, 0);
    str_be(s, t->n_entries, 4);
    for (unsigned i = 0; i < t->n_entries; i++) str_add(s, t->entries[i]);
    box_close(s, at);
    write_stts(s, t);
    write_ctts(s, t);
    write_stss(s, t);
    write_stsc(s, t);
    at = full_open(s, "stsz", 0, 0);
    str_be(s, 0, 4);
    str_be(s, t->n_samples, 4);
    for (size_t i = 0; i < t->n_samples; i++) str_be(s, t->samples[i].size, 4);
    box_close(s, at);
    at = full_open(s, "co64", 0, 0);
    str_be(s, t->n_chunks, 4);
    for (size_t i = 0; i < t->n_chunks; i++) str_be(s, base + t->chunks[i].at, 8);
    box_close(s, at);
    box_close(s, stbl);
}

/* --- the track --- */

static void write_tkhd(struct str *s, const struct mp4_track *t, unsigned id)
{
    const size_t at = full_open(s, "tkhd", 0, 3); /* enabled, in movie */
    box_zeros(s, 8);
    str_be(s, id, 4);
    box_zeros(s, 4);
    str_be(s, delay_units(t) + movie_units(t), 4);
    box_zeros(s, 8 + 2 + 2);
    str_be(s, t->video ? 0 : 0x0100, 2); /* volume */
    box_zeros(s, 2);
    box_matrix(s);
    str_be(s, (uint32_t)t->width << 16, 4);
    str_be(s, (uint32_t)t->height << 16, 4);
    box_close(s, at);
}

/* Waits for its delay, then begins with the first picture that is shown. */
static void write_edits(struct str *s, const struct mp4_track *t)
{
    const uint64_t delay = delay_units(t);
    const int32_t first = t->n_samples && t->samples[0].offset > 0 ? t->samples[0].offset : 0;
    if (!delay && !first) return;
    const size_t edts = box_open(s, "edts"), elst = full_open(s, "elst", 0, 0);
    str_be(s, delay ? 2 : 1, 4);
    if (delay) {
        str_be(s, delay, 4);
        str_be(s, UINT32_MAX, 4); /* nothing */
        str_be(s, 0x00010000, 4);
    }
    str_be(s, movie_units(t), 4);
    str_be(s, (uint32_t)first, 4);
    str_be(s, 0x00010000, 4);
    box_close(s, elst);
    box_close(s, edts);
}

static void write_media_head(struct str *s, const struct mp4_track *t)
{
    size_t at = full_open(s, "mdhd", 1, 0);
    box_zeros(s, 16);
    str_be(s, t->timescale, 4);
    str_be(s, media_units(t), 8);
    str_be(s, 0x55c4, 2); /* "und" */
    box_zeros(s, 2);
    box_close(s, at);
    at = full_open(s, "hdlr", 0, 0);
    box_zeros(s, 4);
    str_adds(s, t->video ? "vide" : "soun");
    box_zeros(s, 12);
    str_add(s, t->video ? span_of("video", 6) : span_of("audio", 6));
    box_close(s, at);
}

static void write_trak(struct str *s, const struct mp4_track *t, unsigned id, uint64_t base)
{
    const size_t trak = box_open(s, "trak");
    write_tkhd(s, t, id);
    write_edits(s, t);
    const size_t mdia = box_open(s, "mdia");
    write_media_head(s, t);
    const size_t minf = box_open(s, "minf");
    const size_t head = full_open(s, t->video ? "vmhd" : "smhd", 0, t->video ? 1 : 0);
    box_zeros(s, t->video ? 8 : 4);
    box_close(s, head);
    const size_t dinf = box_open(s, "dinf"), dref = full_open(s, "dref", 0, 0);
    str_be(s, 1, 4);
    box_close(s, full_open(s, "url ", 0, 1)); /* in this file */
    box_close(s, dref);
    box_close(s, dinf);
    write_stbl(s, t, base);
    box_close(s, minf);
    box_close(s, mdia);
    box_close(s, trak);
}

static void write_moov(const struct mp4_track *tracks, unsigned n, uint64_t base, struct str *s)
{
    uint64_t longest = 0;
    for (unsigned i = 0; i < n; i++) {
        const uint64_t d = delay_units(&tracks[i]) + movie_units(&tracks[i]);
        if (d > longest) longest = d;
    }
    const size_t moov = box_open(s, "moov"), mvhd = full_open(s, "mvhd", 0, 0);
    box_zeros(s, 8);
    str_be(s, MOVIE_SCALE, 4);
    str_be(s, longest, 4);
    str_be(s, 0x00010000, 4);
    str_be(s, 0x0100, 2);
    box_zeros(s, 10);
    box_matrix(s);
    box_zeros(s, 24);
    str_be(s, n + 1, 4);
    box_close(s, mvhd);
    for (unsigned i = 0; i < n; i++) write_trak(s, &tracks[i], i + 1, base);
    box_close(s, moov);
}

void mp4_head_write(const struct mp4_track *tracks, unsigned n, uint64_t media, struct str *out)
{
    const size_t from = out->len, ftyp = box_open(out, "ftyp");
    str_adds(out, "isom");
    str_be(out, 0x200, 4);
    str_adds(out, "isomiso6mp41");
    box_close(out, ftyp);
    /* Its length does not depend on the places that stand in it: they are known the second time. */
    const size_t moov = out->len;
    write_moov(tracks, n, 0, out);
    const uint64_t base = out->len - from + 16;
    out->len = moov;
    write_moov(tracks, n, base, out);
    str_be(out, 1, 4); /* the length follows the type */
    str_adds(out, "mdat");
    str_be(out, media + 16, 8);
}

/* --- reading --- */

static struct span inside(struct span in, const char *type)
{
    struct fmp4_box b;
    while (fmp4_box_next(&in, &b) == E_OK)
        if (!strcmp(b.type, type)) return b.body;
    return SPAN_NULL;
}

struct span mp4_entries_of(struct span init)
{
    static const char *const PATH[] = {"moov", "trak", "mdia", "minf", "stbl", "stsd"};
    for (size_t i = 0; i < sizeof PATH / sizeof *PATH && init.p; i++) init = inside(init, PATH[i]);
    return init.len > 8 ? span_skip(init, 8) : SPAN_NULL; /* version, flags, count */
}
