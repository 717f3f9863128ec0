/* SPDX-License-Identifier: MIT */
/* A path element, and after a line feed "name=value" lines of wishes. */
#include "base/xalloc.h"
#include "engine/hls_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void paths(struct span text)
{
    static const uint8_t KEY[SHA256_LEN] = {1};
    struct hls_path p, again;
    char out[HLS_VIEW_PATH_CAP];
    if (hls_path_parse(text, &p) != E_OK) return;
    CHECK(!p.is_signed || hls_path_valid(text, KEY, "id", 0) == E_AUTH);
    hls_path_write(&p, p.is_signed ? KEY : NULL, "id", out);
    CHECK(hls_path_parse(span_str(out), &again) == E_OK && again.view.from_ms == p.view.from_ms &&
          again.view.to_ms == p.view.to_ms && again.is_signed == p.is_signed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    struct hls_wish w = {0};
    const char *why;
    struct str out = {0};
    char name[40];
    paths(span_cut(&rest, '\n'));
    hls_view_filter(rest, &(struct hls_view){.no_parts = true, .no_dates = true}, &out);
    str_fini(&out);
    while (rest.p) {
        struct span value = span_cut(&rest, '\n');
        if (!span_cstr(span_cut(&value, '='), name, sizeof name)) continue;
        if (hls_wish_set(&w, name, value) != E_OK) return 0;
    }
    if (hls_wish_check(&w, &why) == E_OK && w.view.clip) CHECK(w.view.from_ms < w.view.to_ms);
    return 0;
}
