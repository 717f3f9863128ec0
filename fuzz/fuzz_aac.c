/* SPDX-License-Identifier: MIT */
/* The first byte chooses: 0 AudioSpecificConfig, others ADTS. */
#include "base/xalloc.h"
#include "wire/aac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const struct span in = span_of(data + 1, size - 1);
    struct aac_config c;
    struct adts_header h;
    if (data[0] == 0) {
        if (aac_config_parse(in, &c) == E_OK) {
            CHECK(c.channels > 0 && c.sample_rate > 0 && c.samples > 0);
        }
    } else if (adts_parse(in, &h) == E_OK) {
        CHECK(h.frame_len >= h.header_len && h.sample_rate > 0);
    }
    return 0;
}
