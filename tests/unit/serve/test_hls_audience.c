/* SPDX-License-Identifier: MIT */
/* Who watches by HLS: counted once each, for a while, and not any more when they watch otherwise.
 */
#include "../test.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "serve/hls/audience.h"
#include "serve/hls/hls_service.h"
#include <stdio.h>

#define SECOND INT64_C(1000000)

struct fixture {
    struct hls_audience *b;
    struct hls_audience_seen seen;
};

static int setup(void **state)
{
    struct fixture *f = NEW(struct fixture);
    f->b = hls_audience_new(1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    hls_audience_free(f->b);
    free(f);
    return 0;
}

static void see(struct fixture *f, const char *address, int64_t now)
{
    hls_audience_see(f->b, &f->seen, "s", span_str(address), SPAN_LIT("a browser"), now);
}

static void each_counts_once_and_for_a_while(void **state)
{
    struct fixture *f = *state;
    const int64_t t = 100 * SECOND;
    assert_int_equal(hls_audience_count(f->b, "s", t), 0);
    see(f, "192.0.2.1", t);
    see(f, "192.0.2.1", t + SECOND);
    see(f, "192.0.2.2", t + SECOND);
    assert_int_equal(hls_audience_count(f->b, "s", t + SECOND), 2);
    assert_int_equal(hls_audience_count(f->b, "other", t + SECOND), 0);
    assert_int_equal(hls_audience_count(f->b, "s", t + SECOND + HLS_VIEWER_US), 0);
}

static void who_changes_over_is_forgotten_and_seen_again(void **state)
{
    struct fixture *f = *state;
    const int64_t t = 100 * SECOND;
    const struct span program = SPAN_LIT("a browser");
    hls_audience_forget(
        f->b, "s",
        hls_audience_who(f->b, "s", SPAN_LIT("192.0.2.1"), program)); /* nobody is there */
    see(f, "192.0.2.1", t);
    see(f, "192.0.2.2", t);
    hls_audience_forget(f->b, "s", hls_audience_who(f->b, "s", SPAN_LIT("192.0.2.3"), program));
    hls_audience_forget(f->b, "s",
                        hls_audience_who(f->b, "s", SPAN_LIT("192.0.2.1"), SPAN_LIT("another")));
    assert_int_equal(hls_audience_count(f->b, "s", t), 2);
    hls_audience_forget(f->b, "s", hls_audience_who(f->b, "s", SPAN_LIT("192.0.2.1"), program));
    assert_int_equal(hls_audience_count(f->b, "s", t), 1);
    /* Somebody else behind the same address goes on asking: counted again within seconds. */
    see(f, "192.0.2.1", t + AUDIENCE_QUIET_US);
    assert_int_equal(hls_audience_count(f->b, "s", t + AUDIENCE_QUIET_US), 2);
}

static void many_come_and_go_over(void **state)
{
    struct fixture *f = *state;
    char address[32];
    int64_t t = 100 * SECOND;
    for (int i = 0; i < 500; i++, t += 1000) {
        snprintf(address, sizeof address, "10.0.%d.%d", i / 200, i % 200);
        see(f, address, t);
        if (i % 2)
            hls_audience_forget(
                f->b, "s", hls_audience_who(f->b, "s", span_str(address), SPAN_LIT("a browser")));
    }
    assert_int_equal(hls_audience_count(f->b, "s", t), 250);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_counts_once_and_for_a_while),
        T(who_changes_over_is_forgotten_and_seen_again),
        T(many_come_and_go_over),
    };
    return RUN_TESTS(tests);
}
