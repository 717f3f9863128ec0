/* SPDX-License-Identifier: MIT */
/* The first byte chooses the rate, the rest is a frame. */
#include "base/xalloc.h"
#include "wire/aac_level.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t RATES[] = {48000, 44100, 96000, 64000, 32000, 24000, 16000, 8000};
    double power = -1;
    if (size == 0) return 0;
    if (aac_power(span_of(data + 1, size - 1), RATES[data[0] % 8], &power) == E_OK)
        CHECK(power >= 0);
    return 0;
}
