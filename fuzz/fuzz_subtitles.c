/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "base/xalloc.h"
#include "wire/subtitles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct subtitles *s)
{
    CHECK(s->n > 0 && s->n <= LIMIT_SUBTITLE_CUES);
    for (size_t i = 0; i < s->n; i++) {
        const struct subtitle_cue *c = &s->cues[i];
        CHECK(c->start_ms >= 0 && c->end_ms > c->start_ms);
        CHECK(i == 0 || c->start_ms >= s->cues[i - 1].start_ms);
        CHECK(c->text_len > 0 && c->text_len <= LIMIT_SUBTITLE_CUE_BYTES);
        CHECK((size_t)c->text_at + c->text_len <= s->text.len);
    }
}

/* What was written is read again, and is the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct subtitle_problem problem = {0};
    struct subtitles s, again;
    struct str first = {0}, second = {0}, plain = {0};
    if (subtitles_parse(span_of(data, size), &s, &problem) != E_OK) {
        CHECK(problem.why);
        return 0;
    }
    check(&s);
    str_adds(&first, SUBTITLE_HEAD);
    subtitles_write(&s, &SUBTITLE_ALL, &first);
    CHECK(!memchr(first.p, 0, first.len));
    if (first.len <= LIMIT_SUBTITLE_BYTES) {
        CHECK(subtitles_parse(str_span(&first), &again, &problem) == E_OK);
        CHECK(again.n == s.n);
        str_adds(&second, SUBTITLE_HEAD);
        subtitles_write(&again, &SUBTITLE_ALL, &second);
        CHECK(span_eq(str_span(&first), str_span(&second)));
        subtitles_fini(&again);
    }
    subtitles_write_plain(
        &s, &(struct subtitle_cut){.from_ms = 1000, .to_ms = 9000, .trim = true, .shift_ms = -1000},
        &plain);
    str_fini(&first);
    str_fini(&second);
    str_fini(&plain);
    subtitles_fini(&s);
    return 0;
}
