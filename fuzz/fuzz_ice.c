/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "engine/ice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Without the password nothing is learnt, whatever is sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ice_via via = {.peer = {.ip = {1}, .port = 9}};
    struct ice a;
    uint8_t room[ICE_REPLY_MAX];
    struct wr w = wr_to(room, sizeof room);
    ice_init(&a, "evtj", "abcdefghijklmnopqrstuvwx", SPAN_LIT("h6vY"), 1);
    CHECK(ice_feed(&a, span_of(data, size), &via, 2, &w) != E_OK && wr_used(&w) == 0);
    CHECK(!ice_path(&a) && !ice_knows(&a, &via));
    return 0;
}
