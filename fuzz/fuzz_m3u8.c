/* SPDX-License-Identifier: MIT */
/* Playlists: parser and validator. What was accepted is also a valid successor of itself. */
#include "base/xalloc.h"
#include "wire/m3u8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct m3u8 p, full;
    struct str problems = {0};
    const char *why = NULL;
    unsigned line = 0;
    if (m3u8_parse(span_of(data, size), &p, &why, &line) != E_OK) {
        CHECK(why != NULL);
        return 0;
    }
    CHECK(p.open_first_part <= p.n_parts);
    (void)m3u8_check(&p, "v0.m3u8", &problems);
    str_fini(&problems);
    if (!p.skipped && !p.multivariant) {
        const unsigned n = m3u8_check_update(&p, &p, &problems);
        CHECK(n == 0);
    }
    if (m3u8_complete(&p, &p, &full) == E_OK) m3u8_fini(&full);
    str_fini(&problems);
    m3u8_fini(&p);
    return 0;
}
