/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/lang_tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken can stand in a playlist and in an address. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span tag = span_of(data, size);
    const char *name = lang_tag_name(tag);
    CHECK(!name || name[0]);
    if (!lang_tag_valid(tag)) return 0;
    CHECK(size > 0 && size <= LANG_TAG_MAX && lang_tag_primary(tag).len > 0);
    for (size_t i = 0; i < size; i++)
        CHECK((data[i] >= '0' && data[i] <= '9') || (data[i] | 0x20) >= 'a' || data[i] == '-');
    return 0;
}
