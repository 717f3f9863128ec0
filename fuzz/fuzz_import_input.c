/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "video/import_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words that were let through can stand in JSON as they are. */
static void check(const char *text, size_t cap)
{
    CHECK(memchr(text, 0, cap) != NULL);
    for (; *text; text++) CHECK(*text > 32 && *text < 127 && *text != '"' && *text != '\\');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct import_input in;
    if (import_judge_input(span_of(data, size), &in) != E_OK) return 0;
    check(in.container, sizeof in.container);
    for (unsigned k = 0; k < 2; k++) check(in.stream[k].codec, sizeof in.stream[k].codec);
    check(in.stream[0].pixel_format, sizeof in.stream[0].pixel_format);
    CHECK(in.stream[0].gop_ms >= 0 && in.stream[0].peak_bps >= 0);
    CHECK(in.duration_us >= -1);
    return 0;
}
