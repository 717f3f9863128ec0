/* SPDX-License-Identifier: MIT */
/* Messages between the server and the worker that makes images. */
#include "base/xalloc.h"
#include "wire/image_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct image_msg m;
    while (image_msg_next(&in, &m) == E_OK) {
        if (m.type == IMAGE_MSG_PIECE) {
            CHECK((m.n_times > 0) != (m.repeat > 0) && m.n_times <= LIMIT_IMAGE_FRAMES);
            CHECK(m.init.len <= LIMIT_IMAGE_INIT_BYTES && m.init.len + m.media.len <= size);
            for (unsigned i = 1; i < m.n_times; i++)
                CHECK(image_msg_time(&m, i) >= image_msg_time(&m, i - 1));
        }
        if (m.type == IMAGE_MSG_WANT) {
            struct str s = {0};
            struct image_msg again;
            image_msg_want(&m.want, &s);
            struct span back = str_span(&s);
            CHECK(image_msg_next(&back, &again) == E_OK && back.len == 0);
            CHECK(!memcmp(&again.want, &m.want, sizeof m.want));
            str_fini(&s);
        }
    }
    return 0;
}
