/* SPDX-License-Identifier: MIT */
/* The first byte chooses the parser: 0 avcC, 1 SPS, others frames with length fields or Annex B. */
#include "base/str.h"
#include "base/xalloc.h"
#include "wire/h264.h"
#include "wire/nal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted is written and accepted again, the same but for the size of length fields. */
static void avcc(struct span in)
{
    struct h264_config c, d;
    struct h264_sps sps;
    if (h264_avcc_parse(in, &c) != E_OK) return;
    for (unsigned i = 0; i < c.n_sps; i++) (void)!h264_sps_parse(c.sps[i], &sps);
    struct str room = {0};
    str_reserve(&room, in.len);
    struct wr w = wr_to(room.p, in.len);
    h264_avcc_build(&c, &w);
    CHECK(!w.overflow && wr_used(&w) == in.len);
    CHECK(h264_avcc_parse(wr_span(&w), &d) == E_OK && d.nal_size == 4);
    CHECK(d.n_sps == c.n_sps && d.n_pps == c.n_pps && span_eq(d.ext, c.ext));
    str_fini(&room);
}

/* Widening keeps the units and is stable. */
static void frame(struct span in, unsigned nal_size)
{
    struct h264_frame_info before, after;
    const size_t cap = nal_max_bytes(in.len);
    uint8_t *room = xmalloc(cap);
    struct wr w = wr_to(room, cap);
    const enum err e = nal_size ? nal_widen(in, nal_size, &w) : nal_from_annexb(in, &w);
    CHECK(!w.overflow);
    if (e == E_OK) {
        CHECK(h264_frame_parse(wr_span(&w), 4, &after) == E_OK);
        if (nal_size) {
            CHECK(h264_frame_parse(in, nal_size, &before) == E_OK);
            CHECK(before.idr == after.idr && before.recovery == after.recovery);
        }
    }
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const struct span in = span_of(data + 1, size - 1);
    struct h264_sps sps;
    unsigned type;
    switch (data[0]) {
    case 0:
        avcc(in);
        break;
    case 1:
        (void)!h264_sps_parse(in, &sps);
        break;
    case 2:
        (void)!h264_slice_type(in, &type);
        break;
    default:
        frame(in, data[0] % 5 == 3 ? 0 : data[0] % 5);
        break;
    }
    return 0;
}
