/* SPDX-License-Identifier: MIT */
/* A fragmented file: the initialisation segment, then every sample of every fragment. */
#include "base/xalloc.h"
#include "wire/fmp4_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fmp4_init init;
    struct fmp4_fragment f;
    struct fmp4_walk walk;
    struct fmp4_sample_info s;
    unsigned fragments = 0;
    uint64_t at;
    if (fmp4_first_time(span_of(data, size), &at) == E_OK) CHECK(at <= INT64_MAX);
    if (fmp4_init_parse(span_of(data, size), &init) != E_OK) return 0;
    CHECK(init.n_tracks >= 1 && init.n_tracks <= FMP4_TRACKS_MAX);
    struct span rest = init.rest;
    while (fragments++ < 64 && fmp4_fragment_next(&rest, &f) == E_OK) {
        fmp4_walk_init(&walk, &init, &f);
        while (fmp4_sample_next(&walk, &s) == E_OK) {
            CHECK(s.data.p >= data && s.data.p + s.data.len <= data + size);
            CHECK(fmp4_init_track(&init, s.track_id) != NULL);
        }
    }
    return 0;
}
