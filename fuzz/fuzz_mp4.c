/* SPDX-License-Identifier: MIT */
/* Sample entries out of an initialisation segment, and a head made of any samples: what is written
 * can be read, and its chunks are behind it. */
#include "base/rd.h"
#include "base/xalloc.h"
#include "wire/fmp4_read.h"
#include "wire/mp4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SAMPLES 64

static struct span find(struct span in, const char *path)
{
    struct fmp4_box b;
    char type[5] = "";
    for (; *path; path += path[4] ? 5 : 4) {
        bool found = false;
        memcpy(type, path, 4);
        while (!found && fmp4_box_next(&in, &b) == E_OK) found = !strcmp(b.type, type);
        if (!found) return SPAN_NULL;
        in = b.body;
    }
    return in;
}

static void check_head(const struct str *out, size_t n_samples)
{
    struct fmp4_init init;
    struct span stsz = find(str_span(out), "moov.trak.mdia.minf.stbl.stsz");
    CHECK(stsz.len == 12 + 4 * n_samples);
    CHECK(fmp4_init_parse(str_span(out), &init) == E_OK && init.n_tracks == 1);
    CHECK(!memcmp(out->p + out->len - 12, "mdat", 4));
}

static void write_head(struct span in, struct span entry)
{
    struct mp4_sample s[SAMPLES];
    struct mp4_chunk c[SAMPLES];
    struct mp4_track t = {.video = in.p[0] & 1,
                          .timescale = 1 + in.p[1],
                          .entries = &entry,
                          .n_entries = 1,
                          .samples = s,
                          .chunks = c,
                          .delay_us = in.p[2] * 1000};
    struct str out = {0};
    uint64_t at = 0;
    for (in = span_skip(in, 3); in.len >= 4 && t.n_samples < SAMPLES; in = span_skip(in, 4)) {
        s[t.n_samples++] = (struct mp4_sample){in.p[0], in.p[1], (int8_t)in.p[2], in.p[3] & 1};
        if (t.n_chunks == 0 || (in.p[3] & 2)) c[t.n_chunks++] = (struct mp4_chunk){.at = at};
        c[t.n_chunks - 1].n_samples++;
        at += in.p[1];
    }
    mp4_head_write(&t, 1, at, &out);
    check_head(&out, t.n_samples);
    str_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span in = span_of(data, size), entries = mp4_entries_of(in);
    if (entries.p) CHECK(entries.p > data && entries.p + entries.len <= data + size);
    static const uint8_t ENTRY[] = "\0\0\0\x08mp4a";
    if (size >= 3) write_head(in, span_of(ENTRY, 8));
    return 0;
}
