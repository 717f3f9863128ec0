/* SPDX-License-Identifier: MIT */
/* Who is counted, which origins get events of their own, what is written of a peak; and the bound
 * that a body's nesting is measured with. */
#include "../test.h"
#include "api/audience.h"
#include "api/body.h"
#include "api/event.h"

static unsigned hls, rtmp, rtc;

static unsigned count_hls(void *ctx, const char *id)
{
    (void)ctx, (void)id;
    return hls;
}

static unsigned count_rtc(void *ctx, const char *id)
{
    (void)ctx, (void)id;
    return rtc;
}

static unsigned count_rtmp(void *ctx, const char *id)
{
    (void)ctx, (void)id;
    return rtmp;
}

struct fixture {
    struct loop *loop;
    struct hub *hub;
    struct audience *a;
    unsigned told, count, peak;
    unsigned came[2];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->loop = loop_new(0);
    f->hub = hub_new(&f->loop, 1);
    f->a = audience_new(&(struct api_config){.hub = f->hub,
                                             .hls_viewers = count_hls,
                                             .rtc_viewers = count_rtc,
                                             .rtmp_viewers = count_rtmp});
    hls = rtmp = rtc = 0;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    audience_free(f->a);
    loops_free(&f->loop, 1);
    hub_free(f->hub);
    free(f);
    return 0;
}

static void note(void *ctx, const struct audience_news *n)
{
    struct fixture *f = ctx;
    assert_string_equal(n->id, "s");
    f->told += n->changed;
    f->count = n->count;
    if (n->peak) f->peak = n->peak;
    for (size_t i = 0; i < n->n_came; i++) f->came[n->came[i].page]++;
    free(n->came);
}

static void pages_and_players_are_counted_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(audience_count(f->a, "s"), 0);
    for (int i = 0; i < 3; i++) audience_join(f->a, "s", "http://a");
    audience_pages(f->a, "s", "", 1);
    audience_pages(f->a, "s", "", 1); /* the third is the owner's dashboard */
    assert_int_equal(audience_count(f->a, "s"), 2);
    hls = 1; /* one of the pages plays */
    assert_int_equal(audience_count(f->a, "s"), 2);
    hls = 5;
    rtmp = 1;
    assert_int_equal(audience_count(f->a, "s"), 6);
    hls = 1; /* one of the pages plays by HLS, the other by WebRTC */
    rtc = 1;
    assert_int_equal(audience_count(f->a, "s"), 3);
    rtc = 4; /* players elsewhere */
    assert_int_equal(audience_count(f->a, "s"), 6);
    audience_tick(f->a, note, f);
    audience_tick(f->a, note, f);
    assert_int_equal(f->told, 1);
    assert_int_equal(f->count, 6);
    audience_pages(f->a, "s", "", -1);
    audience_pages(f->a, "s", "", -1);
    for (int i = 0; i < 3; i++) audience_leave(f->a, "s");
    hls = rtmp = rtc = 0;
    assert_int_equal(audience_count(f->a, "s"), 0);
}

static void one_browser_is_one_viewer(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) audience_join(f->a, "s", "http://a");
    audience_pages(f->a, "s", "ada", 1);
    audience_pages(f->a, "s", "ada", 1);
    audience_pages(f->a, "s", "bob", 1);
    audience_pages(f->a, "s", "", 1);
    assert_int_equal(audience_count(f->a, "s"), 3);
    audience_tick(f->a, note, f);
    assert_int_equal(f->came[1], 0); /* not live yet */
    audience_set_live(f->a, "s", true);
    audience_player(f->a, "s", 7);
    audience_tick(f->a, note, f);
    assert_int_equal(f->came[1], 2); /* those who are known */
    assert_int_equal(f->came[0], 1);
    audience_pages(f->a, "s", "ada", -1);
    assert_int_equal(audience_count(f->a, "s"), 3);
    audience_pages(f->a, "s", "ada", -1);
    audience_pages(f->a, "s", "", -1);
    assert_int_equal(audience_count(f->a, "s"), 1);
    audience_pages(f->a, "s", "ada", 1);
    audience_tick(f->a, note, f);
    assert_int_equal(f->came[1], 3); /* the database knows her */
    audience_pages(f->a, "s", "ada", -1);
    audience_pages(f->a, "s", "bob", -1);
    for (int i = 0; i < 4; i++) audience_leave(f->a, "s");
    audience_set_live(f->a, "s", false);
}

static void a_peak_is_of_the_live_time_and_never_lost(void **state)
{
    struct fixture *f = *state;
    hls = 9;
    audience_tick(f->a, note, f);
    assert_int_equal(f->peak, 0); /* nobody said that it is live */
    assert_int_equal(audience_set_live(f->a, "s", true), 0);
    audience_tick(f->a, note, f);
    assert_int_equal(f->peak, 9);
    hls = 12;
    audience_tick(f->a, note, f); /* not due yet */
    assert_int_equal(f->peak, 9);
    hls = 0;
    audience_tick(f->a, note, f);
    assert_int_equal(audience_set_live(f->a, "s", false), 12);
    assert_int_equal(audience_set_live(f->a, "s", false), 0);
    assert_int_equal(audience_set_live(f->a, "s", true), 0);
    audience_tick(f->a, note, f);
    assert_int_equal(audience_set_live(f->a, "s", false), 0); /* each broadcast on its own */
}

static void origins_are_bounded_and_forgotten(void **state)
{
    struct fixture *f = *state;
    struct audience_origins o;
    char origin[32];
    assert_false(audience_origins(f->a, "s", &o));
    assert_int_equal(audience_join(f->a, "s", "http://0"), 0);
    assert_int_equal(audience_join(f->a, "s", "http://1"), 1);
    assert_int_equal(audience_join(f->a, "s", "http://0"), 0);
    for (int i = 2; i < 20; i++) {
        snprintf(origin, sizeof origin, "http://%d", i);
        const unsigned slot = audience_join(f->a, "s", origin);
        assert_int_equal(slot, i < LIMIT_SSE_ORIGINS ? i : LIMIT_SSE_ORIGINS);
    }
    assert_true(audience_origins(f->a, "s", &o));
    assert_int_equal(o.n, LIMIT_SSE_ORIGINS);
    assert_string_equal(o.text[1], "http://1");
    for (int i = 0; i < 21; i++) audience_leave(f->a, "s");
    assert_false(audience_origins(f->a, "s", &o));
    assert_int_equal(audience_join(f->a, "s", "http://new"), 0);
    audience_leave(f->a, "s");
}

static void events_are_one_line_of_data_and_ids_grow(void **state)
{
    (void)state;
    struct event *a = event_new(EVENT_STREAM, "s"), *b = event_new(EVENT_STREAM, "s");
    assert_true(b->id > a->id);
    a->text[LIMIT_SSE_ORIGINS] = event_text(7, EVENT_STREAM, "{\"title\":\"a\\nb\"}");
    const struct buf *text = event_for(a, 2); /* no text for that origin: the common one */
    static const char WANT[] = "id: 7\nevent: stream\ndata: {\"title\":\"a\\nb\"}\n\n";
    assert_int_equal(text->len, sizeof WANT - 1);
    assert_memory_equal(text->data, WANT, sizeof WANT - 1);
    event_unref(a);
    event_unref(b);
}

static void depth_is_of_the_structure_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned depth;
    } CASES[] = {
        {"", 0},
        {"5", 0},
        {"{}", 1},
        {"[[[]]]", 3},
        {"[[],[],[]]", 2},
        {"\"[[[[\"", 0},
        {"\"\\\"[[[\"", 0},
        {"\"\\\\\"[[", 2},
        {"{\"a\":[{\"b\":{}}]}", 4},
        {"]]]]{{", 2},
        {"\"unfinished [[", 0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(body_depth(span_str(CASES[i].text)), CASES[i].depth);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(pages_and_players_are_counted_once),
        T(one_browser_is_one_viewer),
        T(a_peak_is_of_the_live_time_and_never_lost),
        T(origins_are_bounded_and_forgotten),
        cmocka_unit_test(events_are_one_line_of_data_and_ids_grow),
        cmocka_unit_test(depth_is_of_the_structure_only),
    };
    return RUN_TESTS(tests);
}
