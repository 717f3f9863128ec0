/* SPDX-License-Identifier: MIT */
/* The first byte chooses: 0 OpusHead, others a packet. */
#include "base/xalloc.h"
#include "wire/opus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const struct span in = span_of(data + 1, size - 1);
    struct opus_head h, again;
    unsigned samples;
    uint8_t room[512];
    struct wr w = wr_to(room, sizeof room);
    if (data[0] == 0) {
        if (opus_head_parse(in, &h) != E_OK) return 0;
        opus_head_build(&h, &w);
        CHECK(!w.overflow);
        CHECK(opus_head_parse(wr_span(&w), &again) == E_OK);
        CHECK(again.channels == h.channels && again.gain == h.gain &&
              span_eq(again.mapping, h.mapping));
    } else if (opus_packet_samples(in, &samples) == E_OK) {
        CHECK(samples >= 120 && samples <= OPUS_SAMPLES_MAX);
    }
    return 0;
}
