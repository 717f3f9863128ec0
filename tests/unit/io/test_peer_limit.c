/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/clock.h"
#include "io/peer_limit.h"

static void so_often_and_then_slowly(void **state)
{
    struct peer_limit *l = peer_limit_new(3, 2, 1);
    unsigned retry = 0;
    const int64_t t = 1000 * US_PER_SEC;
    for (int i = 0; i < 3; i++) assert_true(peer_limit_ask(l, "192.0.2.1", t, &retry));
    assert_false(peer_limit_ask(l, "192.0.2.1", t, &retry));
    assert_int_equal(retry, 1);
    assert_false(peer_limit_ask(l, "::ffff:192.0.2.1", t, &retry));
    assert_true(peer_limit_ask(l, "192.0.2.2", t, &retry));
    assert_true(peer_limit_ask(l, "192.0.2.1", t + US_PER_SEC / 2, &retry));
    assert_false(peer_limit_ask(l, "192.0.2.1", t + US_PER_SEC / 2, &retry));
    for (int i = 0; i < 3; i++)
        assert_true(peer_limit_ask(l, "192.0.2.1", t + 60 * US_PER_SEC, &retry));
    assert_false(peer_limit_ask(l, "192.0.2.1", t + 60 * US_PER_SEC, &retry));
    peer_limit_free(l);
}

static void so_many_at_once(void **state)
{
    struct peer_limit *l = peer_limit_new(1, 1, 2);
    uint32_t a, b, c;
    assert_true(peer_limit_enter(l, "2001:db8::1", &a));
    assert_true(peer_limit_enter(l, "2001:db8::2:1", &b)); /* the same network */
    assert_false(peer_limit_enter(l, "2001:db8::3", &c));
    assert_int_equal(c, PEER_LIMIT_NONE);
    peer_limit_leave(l, c);
    peer_limit_leave(l, a);
    assert_true(peer_limit_enter(l, "2001:db8::3", &c));
    peer_limit_free(l);
}

static void loopback_and_nonsense(void **state)
{
    struct peer_limit *l = peer_limit_new(1, 1, 1);
    unsigned retry;
    uint32_t place;
    for (int i = 0; i < 5; i++) {
        assert_true(peer_limit_ask(l, "127.0.0.1", 1, &retry));
        assert_true(peer_limit_ask(l, "::1", 1, &retry));
        assert_true(peer_limit_enter(l, "127.9.9.9", &place));
    }
    assert_true(peer_limit_ask(l, "", US_PER_SEC, &retry));
    assert_false(peer_limit_ask(l, "", US_PER_SEC, &retry)); /* an address of a kind, too */
    peer_limit_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_often_and_then_slowly),
        cmocka_unit_test(so_many_at_once),
        cmocka_unit_test(loopback_and_nonsense),
    };
    return RUN_TESTS(tests);
}
