/* SPDX-License-Identifier: MIT */
#include "engine/rtmp.h"
#include "wire/amf0.h"

static bool printable(struct span s, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len && n + 1 < cap; i++)
        out[n++] = s.p[i] >= 0x20 && s.p[i] < 0x7f ? (char)s.p[i] : '?';
    out[n] = 0;
    return n > 0;
}

bool rtmp_encoder_name(const struct rtmp *x, struct span data, char *out, size_t cap)
{
    struct amf0_value name, meta;
    if (data.len && amf0_read(&data, &name) == E_OK && name.type == AMF0_STRING &&
        span_is(name.string, "onMetaData") && amf0_read(&data, &meta) == E_OK &&
        printable(amf0_get_string(&meta, "encoder"), out, cap))
        return true;
    return printable(str_span(&x->flash_ver), out, cap);
}
