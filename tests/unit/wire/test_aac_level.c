/* SPDX-License-Identifier: MIT */
/* How loud AAC is, against files of which it is known (tests/golden/aac). */
#include "../test.h"
#include "wire/aac.h"
#include "wire/aac_level.h"
#include <math.h>
#include <stdio.h>

static uint8_t file[1 << 16];

static size_t load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, GOLDEN_DIR "/aac/%s.adts", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(file, 1, sizeof file, f);
    fclose(f);
    return n;
}

/* Calls for each frame but the first two and the last two, where the sound begins and ends. */
typedef void frame_fn(struct span frame, uint32_t rate, void *ctx);
static unsigned each_frame(const char *name, frame_fn *fn, void *ctx)
{
    struct span frames[256], in = span_of(file, load(name));
    struct adts_header h;
    unsigned n = 0;
    while (adts_parse(in, &h) == E_OK && h.frame_len <= in.len && n < 256) {
        frames[n++] = span_head(span_skip(in, h.header_len), h.frame_len - h.header_len);
        in = span_skip(in, h.frame_len);
    }
    assert_true(n > 8);
    for (unsigned i = 2; i + 2 < n; i++) fn(frames[i], h.sample_rate, ctx);
    return n - 4;
}

static void add_power(struct span frame, uint32_t rate, void *ctx)
{
    double power = -1;
    assert_int_equal(aac_power(frame, rate, &power), E_OK);
    assert_true(power >= 0);
    *(double *)ctx += power;
}

/* The decibels of a file are those that ffmpeg's astats finds after decoding it. */
static void levels_are_those_of_the_decoded_sound(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double db, within;
    } FILES[] = {
        {"tone-6", -9.03, 0.5},   {"tone-20", -23.03, 0.5},  {"tone-40", -43.0, 0.5},
        {"right-20", -26.0, 0.5}, {"mono-20", -23.0, 0.5},   {"vo-20", -23.0, 0.5},
        {"noise", -30.1, 0.5},    {"clicks-10", -23.3, 1.0},
    };
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        double sum = 0;
        const unsigned n = each_frame(FILES[i].name, add_power, &sum);
        const double db = 10 * log10(sum / n);
        if (fabs(db - FILES[i].db) > FILES[i].within)
            fail_msg("%s: %.2f dB instead of %.2f", FILES[i].name, db, FILES[i].db);
    }
}

static void silence_is_zero(void **state)
{
    (void)state;
    double sum = 0;
    each_frame("silence", add_power, &sum);
    assert_true(sum == 0);
}

static void cut(struct span frame, uint32_t rate, void *ctx)
{
    double power = 0;
    for (size_t n = 0; n < frame.len; n++) {
        uint8_t *exact = malloc(n + !n); /* so that a byte too far is noticed */
        if (n) memcpy(exact, frame.p, n);
        const enum err e = aac_power(span_of(exact, n), rate, &power);
        assert_true(e == E_OK || e == E_PROTO || e == E_UNSUPPORTED);
        *(unsigned *)ctx += e == E_PROTO;
        free(exact);
    }
}

static void cut_anywhere_is_an_error(void **state)
{
    (void)state;
    unsigned errors = 0;
    each_frame("noise", cut, &errors);
    assert_true(errors > 1000);
}

static void other_rates_are_refused(void **state)
{
    (void)state;
    double power = 7;
    assert_int_equal(aac_power(SPAN_LIT("\x21\x00\x03"), 47999, &power), E_UNSUPPORTED);
    assert_int_equal(aac_power(SPAN_NULL, 48000, &power), E_PROTO);
    assert_int_equal(aac_power(SPAN_LIT("\xe0"), 48000, &power), E_UNSUPPORTED); /* END */
    assert_true(power == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_those_of_the_decoded_sound),
        cmocka_unit_test(silence_is_zero),
        cmocka_unit_test(cut_anywhere_is_an_error),
        cmocka_unit_test(other_rates_are_refused),
    };
    return RUN_TESTS(tests);
}
