/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"
#include "wire/http_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An accepted path has no way up, no control character, and no more slashes than were sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[256];
    size_t n = 0, raw = 0, slashes = 0;
    const struct span in = span_of(data, size);
    if (http_uri_path(in, out, sizeof out, &n) == E_OK) {
        CHECK(n < sizeof out && out[n] == 0 && strlen(out) == n && out[0] == '/');
        CHECK(!strstr(out, "/../") && !strstr(out, "/./") && !strchr(out, '\\'));
        for (size_t i = 0; i < size; i++) raw += data[i] == '/';
        for (size_t i = 0; i < n; i++) slashes += out[i] == '/';
        CHECK(raw == slashes);
    }
    struct span q = in, name, value;
    while (http_uri_query_next(&q, &name, &value)) CHECK(name.len + value.len <= size);
    if (http_uri_query_get(in, "_HLS_msn", out, sizeof out) == E_OK) CHECK(strlen(out) <= size);
    return 0;
}
