/* SPDX-License-Identifier: MIT */
/* A name and a query, divided by '?': what is accepted keeps the limits. */
#include "base/clock.h"
#include "base/xalloc.h"
#include "serve/images/image_params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    const struct span name = span_cut(&rest, '?');
    struct image_params p;
    const char *problem = NULL;
    struct str key = {0};
    if (image_params_name(name, &p) != E_OK) return 0;
    if (image_params_query(&p, rest, &problem) != E_OK) {
        CHECK(problem && *problem);
        return 0;
    }
    const unsigned side = p.kind == IMAGE_ANIMATED ? LIMIT_IMAGE_ANIM_SIDE : LIMIT_IMAGE_SIDE;
    CHECK(p.width <= side && p.height <= side && p.rotate % 90 == 0 && p.rotate <= 270);
    CHECK(p.kind == IMAGE_ANIMATED ? p.fps >= 1 && p.fps <= LIMIT_IMAGE_FPS : p.fps == 0);
    CHECK((p.format == IMAGE_GIF) <= (p.kind == IMAGE_ANIMATED));
    CHECK(p.time_us == IMAGE_NO_TIME || p.time_us >= 0);
    if (p.end_us != IMAGE_NO_TIME && p.start_us != IMAGE_NO_TIME)
        CHECK(p.end_us - p.start_us <= 10 * US_PER_SEC && p.end_us > p.start_us);
    image_params_key(&p, &key);
    CHECK(key.len < 256);
    str_fini(&key);
    return 0;
}
