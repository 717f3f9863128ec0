/* SPDX-License-Identifier: MIT */
/* index.log of a recording: lines are round trips, and a whole index never tells of bytes that are
 * not there. The first byte says how much data there is. */
#include "base/xalloc.h"
#include "record/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t data_size(void *ctx, const char *name)
{
    CHECK(name[0] == 'v' || name[0] == 'a');
    return *(const uint64_t *)ctx;
}

static void round_trip(struct span line)
{
    struct index_entry e, back;
    struct str out = {0};
    if (index_parse(line, &e) != E_OK) return;
    index_write(&out, &e);
    CHECK(index_parse(span_head(str_span(&out), out.len - 1), &back) == E_OK);
    CHECK(back.kind == e.kind && back.off == e.off && back.len == e.len && back.s.msn == e.s.msn);
    str_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    uint64_t bytes = (uint64_t)data[0] << 6;
    struct span text = span_of(data + 1, size - 1), rest = text;
    struct index_state *st = NEW(struct index_state);
    while (rest.len) round_trip(span_cut(&rest, '\n'));
    if (index_load(text, data_size, &bytes, st) == E_OK) {
        struct index_entry e;
        CHECK(st->good_bytes <= text.len);
        for (unsigned i = 0; i < st->archive->n_renditions; i++) {
            (void)index_close_open(st, i, &e);
            const struct archive_rendition *r = &st->archive->r[i];
            CHECK(st->r[i].data_bytes <= bytes);
            for (uint64_t s = 0; s < r->n; s++) {
                const struct archive_segment *seg = archive_segment(r, s);
                CHECK(seg->s.msn == r->first_msn + s && seg->off + seg->len <= bytes);
            }
        }
        archive_unref(st->archive);
    }
    free(st);
    return 0;
}
