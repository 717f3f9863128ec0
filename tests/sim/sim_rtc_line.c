/* SPDX-License-Identifier: MIT */
/* A viewer's line in virtual time: frames of simulcast layers through a bottleneck with a queue,
 * loss and jitter; transport-wide feedback back; the estimate and the choice of layer as the server
 * makes them. The same every time. */
#include "../unit/test.h"
#include "base/clock.h"
#include "engine/rtc_arrivals.h"
#include "engine/rtc_bwe.h"
#include "engine/rtc_layers.h"

#define MTU        1150
#define FLIGHT_MAX 8192
#define FEEDBACK   (100 * US_PER_MS)
#define TICK       (250 * US_PER_MS)
#define KEY_WAIT   (120 * US_PER_MS) /* from the wish to the key frame */

struct flying {
    uint16_t seq;
    int64_t at_us;
};

/* The line. */
static struct {
    double bps;
    size_t queue; /* bytes it holds */
    int64_t delay_us, jitter_us;
    double loss;
} line;

static struct {
    int64_t now, free_us, next_tick, next_feedback, next_frame, next_sound, key_at;
    unsigned frames;
    uint32_t random;
    struct flying flight[FLIGHT_MAX];
    unsigned n_flight;
    struct rtc_arrivals arrivals;
    struct rtc_bwe bwe;
    struct rtc_bwe_packet sent[RTC_BWE_SENT];
    struct rtc_layers layers;
    struct rtc_layers_there there;
    uint8_t sending;
    int64_t probe_us, probe_wait;
    unsigned switches, lost, came, probes;
    int64_t worst_us; /* longest wait in the queue */
} s;

static double chance(void)
{
    s.random = s.random * 1664525u + 1013904223u;
    return (s.random >> 8) / 16777216.0;
}

static void start(double bps, const uint64_t *rates, unsigned n)
{
    memset(&s, 0, sizeof s);
    s.random = 7;
    s.now = 1000 * US_PER_SEC;
    s.next_tick = s.next_feedback = s.next_frame = s.next_sound = s.now;
    s.key_at = INT64_MAX;
    line.bps = bps;
    line.queue = 150000;
    line.delay_us = 20 * US_PER_MS;
    line.jitter_us = 0;
    line.loss = 0;
    rtc_bwe_init(&s.bwe, s.sent, s.now);
    rtc_layers_init(&s.layers);
    s.probe_wait = US_PER_SEC;
    s.sending = RTC_LAYER_NONE;
    s.there.n = n;
    for (unsigned i = 0; i < n; i++) {
        s.there.order[i] = (uint8_t)(n - 1 - i); /* the first is the best */
        s.there.rate[i] = rates[i];
    }
}

static void send_packet(size_t size, bool probe)
{
    const uint16_t seq =
        probe ? rtc_bwe_probe_sent(&s.bwe, size, s.now) : rtc_bwe_sent(&s.bwe, size, s.now);
    const int64_t wait = s.free_us > s.now ? s.free_us - s.now : 0;
    if (chance() < line.loss || (double)wait * line.bps / 8e6 > (double)line.queue) {
        s.lost++;
        return;
    }
    if (wait > s.worst_us) s.worst_us = wait;
    s.free_us = s.now + wait + (int64_t)((double)size * 8e6 / line.bps);
    assert_true(s.n_flight < FLIGHT_MAX);
    s.flight[s.n_flight++] = (struct flying){seq, s.free_us + line.delay_us +
                                                      (int64_t)(chance() * (double)line.jitter_us)};
}

static void send_frame(bool key)
{
    size_t left = s.there.rate[s.sending] / 8 / 30 * (key ? 5 : 1);
    for (; left > MTU; left -= MTU) send_packet(MTU, false);
    send_packet(left + 40, false);
}

static void deliver(void)
{
    for (unsigned i = 0; i < s.n_flight;) {
        if (s.flight[i].at_us > s.now) {
            i++;
            continue;
        }
        rtc_arrivals_add(&s.arrivals, s.flight[i].seq, s.flight[i].at_us);
        s.came++;
        memmove(s.flight + i, s.flight + i + 1, (--s.n_flight - i) * sizeof *s.flight);
    }
}

static void choose(void)
{
    const struct rtc_layers_line l = {.bps = s.bwe.bps > 120000 ? s.bwe.bps - 60000 : s.bwe.bps / 2,
                                      .limited =
                                          s.bwe.limited && s.now - s.bwe.down_us < 3 * US_PER_SEC};
    const uint8_t before = s.layers.target, to = rtc_layers_choose(&s.layers, &s.there, &l, s.now);
    if (to != before) s.switches++;
    if (to == RTC_LAYER_NONE) s.sending = to;
    if (to != before && to != RTC_LAYER_NONE) s.key_at = s.now + KEY_WAIT;
    const uint64_t want = rtc_layers_lack(&s.layers, &s.there, &l, s.now);
    if (!want) s.probe_wait = US_PER_SEC;
    if (!want || s.now < s.probe_us || rtc_bwe_probing(&s.bwe) || s.bwe.use == RTC_BWE_OVER) return;
    size_t n = want * 20 / 8000 / 255;
    n = n < 10 ? 10 : n > 64 ? 64 : n;
    rtc_bwe_probe_begin(&s.bwe, s.now);
    for (size_t i = 0; i < n; i++) send_packet(290, true);
    s.probes++;
    s.probe_us = s.now + s.probe_wait;
    if (s.probe_wait < 8 * US_PER_SEC) s.probe_wait *= 2;
}

static void step(void)
{
    static struct twcc t;
    s.now += US_PER_MS;
    deliver();
    if (s.now >= s.next_feedback) {
        s.next_feedback += FEEDBACK;
        if (rtc_arrivals_take(&s.arrivals, 1, &t)) rtc_bwe_feedback(&s.bwe, &t, s.now);
        if (s.bwe.down_us == s.now) choose();
    }
    if (s.now >= s.next_tick) {
        s.next_tick += TICK;
        rtc_bwe_tick(&s.bwe, s.now);
        choose();
    }
    if (s.now >= s.next_sound) {
        s.next_sound += 20 * US_PER_MS;
        send_packet(120, false);
    }
    if (s.now >= s.next_frame) {
        s.next_frame += US_PER_SEC / 30;
        const bool key = s.now >= s.key_at || (s.frames++ % 60 == 0 && s.key_at == INT64_MAX);
        if (s.now >= s.key_at) {
            s.sending = s.layers.target;
            s.key_at = INT64_MAX;
        }
        if (s.sending != RTC_LAYER_NONE) send_frame(key);
    }
}

static void run(double seconds)
{
    const int64_t until = s.now + (int64_t)(seconds * 1e6);
    while (s.now < until) step();
}

/* Seconds until the target is that layer; 999: not within the time. */
static double until(uint8_t layer, double seconds)
{
    const int64_t from = s.now;
    while (s.now - from < (int64_t)(seconds * 1e6)) {
        if (s.layers.target == layer) return (double)(s.now - from) / 1e6;
        step();
    }
    return 999;
}

static const uint64_t THREE[] = {1200000, 400000, 120000};

static void a_wide_line_has_the_best(void **state)
{
    start(20e6, THREE, 3);
    run(60);
    assert_int_equal(s.layers.target, 0);
    assert_int_equal(s.switches, 1);
    assert_int_equal(s.lost, 0);
}

static void down_within_a_second_and_up_again(void **state)
{
    start(10e6, THREE, 3);
    run(10);
    assert_int_equal(s.layers.target, 0);
    line.bps = 700e3;
    const double down = until(1, 5);
    if (down > 1) fail_msg("down after %.2f s", down);
    s.worst_us = 0;
    run(20);
    assert_int_equal(s.layers.target, 1);
    line.bps = 10e6;
    const double up = until(0, 30);
    if (up > 12) fail_msg("up after %.2f s", up);
    run(30);
    assert_int_equal(s.layers.target, 0);
    if (s.switches > 5) fail_msg("%u switches", s.switches);
}

static void a_narrow_line_does_not_flap(void **state)
{
    start(600e3, THREE, 3);
    run(5);
    s.switches = s.lost = 0;
    s.worst_us = 0;
    run(120);
    assert_int_equal(s.layers.target, 1);
    if (s.switches > 4) fail_msg("%u switches", s.switches);
    if (s.worst_us > 700 * US_PER_MS) fail_msg("waited %lld ms", (long long)s.worst_us / 1000);
}

static void starving_keeps_the_sound(void **state)
{
    start(5e6, THREE, 3);
    run(5);
    line.bps = 70e3;
    const double none = until(RTC_LAYER_NONE, 20);
    if (none > 12) fail_msg("still video after %.2f s", none);
    run(4);
    s.lost = 0;
    run(3);
    if (s.layers.target == RTC_LAYER_NONE) assert_true(s.lost < 20);
    line.bps = 5e6;
    const double back = until(0, 90);
    if (back > 80) fail_msg("not back after %.2f s", back);
}

static void loss_that_is_no_congestion_changes_little(void **state)
{
    start(10e6, THREE, 3);
    line.loss = 0.08;
    run(60);
    assert_int_equal(s.layers.target, 0);
    assert_int_equal(s.switches, 1);
}

static void jitter_is_no_queue(void **state)
{
    start(10e6, THREE, 3);
    line.jitter_us = 25 * US_PER_MS;
    run(120);
    assert_int_equal(s.layers.target, 0);
    if (s.switches > 3) fail_msg("%u switches", s.switches);
}

static void one_layer_near_the_limit_goes_on(void **state)
{
    static const uint64_t one[] = {2000000};
    start(2.6e6, one, 1);
    run(120);
    assert_int_equal(s.layers.target, 0);
    assert_int_equal(s.switches, 1);
    start(1.5e6, one, 1); /* three quarters of it: worse, but better than nothing */
    run(60);
    assert_int_equal(s.layers.target, 0);
}

static void what_was_asked_for(void **state)
{
    start(10e6, THREE, 3);
    run(5);
    s.layers.wish = 2;
    run(1);
    assert_int_equal(s.layers.target, 2);
    run(20);
    assert_int_equal(s.layers.target, 2);
    s.layers.wish = RTC_LAYER_NONE;
    assert_true(until(0, 15) < 12);
    s.there.n = 2; /* the best one's sender stopped */
    s.there.order[0] = 2;
    s.there.order[1] = 1;
    run(1);
    assert_int_equal(s.layers.target, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_line_has_the_best),
        cmocka_unit_test(down_within_a_second_and_up_again),
        cmocka_unit_test(a_narrow_line_does_not_flap),
        cmocka_unit_test(starving_keeps_the_sound),
        cmocka_unit_test(loss_that_is_no_congestion_changes_little),
        cmocka_unit_test(jitter_is_no_queue),
        cmocka_unit_test(one_layer_near_the_limit_goes_on),
        cmocka_unit_test(what_was_asked_for),
    };
    return RUN_TESTS(tests);
}
