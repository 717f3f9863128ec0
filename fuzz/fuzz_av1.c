/* SPDX-License-Identifier: MIT */
/* The first byte chooses: 0 av1C, others a row of OBUs. */
#include "base/xalloc.h"
#include "wire/av1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A configuration made from an accepted sequence header is accepted and says the same. */
static void rebuild(const struct av1_seq *seq, struct span obu)
{
    struct av1_config c;
    struct av1_seq again;
    const size_t cap = obu.len + 16;
    uint8_t *room = xmalloc(cap);
    struct wr w = wr_to(room, cap);
    av1_config_build(seq, obu, &w);
    CHECK(!w.overflow);
    CHECK(av1_config_parse(wr_span(&w), &c) == E_OK);
    CHECK(av1_seq_find(c.obus, &again, NULL) == E_OK);
    CHECK(c.bit_depth == seq->bit_depth && c.level == seq->level && c.profile == seq->profile);
    CHECK(again.width == seq->width && again.height == seq->height);
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct span in = span_of(data + 1, size - 1), obu;
    struct av1_config c;
    struct av1_seq seq;
    struct av1_obu o;
    char codecs[40];
    bool key;
    if (data[0] == 0) {
        if (av1_config_parse(in, &c) != E_OK) return 0;
        const enum err e = av1_seq_find(c.obus, &seq, &obu);
        av1_codecs_string(&c, e == E_OK ? &seq : NULL, codecs, sizeof codecs);
        if (e == E_OK) rebuild(&seq, obu);
        return 0;
    }
    (void)!av1_frame_is_key(in, true, &key);
    (void)!av1_frame_is_key(in, false, &key);
    while (av1_obu_next(&in, &o) == E_OK) CHECK(o.whole.len >= 1);
    return 0;
}
