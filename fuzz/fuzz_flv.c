/* SPDX-License-Identifier: MIT */
/* Bodies lie inside the input; what is read as a plain frame writes back and reads the same. */
#include "base/xalloc.h"
#include "wire/flv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct flv_tag *t, const uint8_t *data, size_t size)
{
    if (t->body.len == 0) return;
    CHECK(t->body.p >= data && t->body.p + t->body.len <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flv_tag t, again;
    uint8_t b[FLV_HDR_MAX + 1];
    const struct span in = span_of(data, size);
    if (flv_audio_parse(in, &t) == E_OK) {
        inside(&t, data, size);
        CHECK(flv_audio_name(&t) != NULL);
    }
    if (flv_video_parse(in, &t) != E_OK) return 0;
    inside(&t, data, size);
    CHECK(flv_video_name(&t) != NULL);
    CHECK(t.cts_ms >= -0x800000 && t.cts_ms <= 0x7fffff && t.nano < 1000000);
    if (t.packet != FLV_FRAMES || t.fourcc == FLV_NONE) return 0;
    struct wr w = wr_to(b, sizeof b);
    flv_video_write(&w, t.fourcc, t.packet, t.key, t.cts_ms);
    CHECK(!w.overflow && flv_video_parse(wr_span(&w), &again) == E_OK);
    CHECK(again.packet == t.packet && again.fourcc == t.fourcc && again.key == t.key);
    CHECK(again.cts_ms == t.cts_ms && again.body.len == 0);
    return 0;
}
