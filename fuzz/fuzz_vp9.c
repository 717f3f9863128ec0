/* SPDX-License-Identifier: MIT */
/* The first byte chooses: 0 vpcC, 1 a VP8 frame, others a VP9 frame. */
#include "base/xalloc.h"
#include "wire/vp9.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const struct span in = span_of(data + 1, size - 1);
    struct vp9_config c, d;
    struct vp9_frame f;
    struct vp8_frame f8;
    char codecs[40];
    uint8_t room[VP9_CONFIG_BYTES];
    struct wr w = wr_to(room, sizeof room);
    switch (data[0]) {
    case 0:
        if (vp9_config_parse(in, &c) != E_OK) break;
        vp9_codecs_string(&c, codecs, sizeof codecs);
        vp9_config_build(&c, &w);
        CHECK(vp9_config_parse(wr_span(&w), &d) == E_OK);
        CHECK(c.profile == d.profile && c.bit_depth == d.bit_depth && c.chroma == d.chroma);
        break;
    case 1:
        (void)!vp8_frame_parse(in, &f8);
        break;
    default:
        if (vp9_frame_parse(in, &f) == E_OK && f.key) {
            CHECK(vp9_level(f.width, f.height, 30000) >= 10);
        }
    }
    return 0;
}
