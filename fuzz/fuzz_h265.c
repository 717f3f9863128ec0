/* SPDX-License-Identifier: MIT */
/* The first byte chooses the parser: 0 hvcC, 1 SPS, 2 VPS, others frames. */
#include "wire/h265.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const struct span in = span_of(data + 1, size - 1);
    struct h265_config c;
    struct h265_sps sps;
    struct h265_frame_info f;
    char codecs[40];
    switch (data[0]) {
    case 0:
        if (h265_hvcc_parse(in, &c) != E_OK) break;
        h265_codecs_string(&c.ptl, codecs, sizeof codecs);
        (void)!h265_sps_parse(c.sps, &sps);
        (void)h265_vps_fps_milli(c.vps);
        break;
    case 1:
        (void)!h265_sps_parse(in, &sps);
        break;
    case 2:
        (void)h265_vps_fps_milli(in);
        break;
    default:
        (void)!h265_frame_parse(in, 4, &f);
        break;
    }
    return 0;
}
