/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/limits.h"
#include "io/peer_count.h"
#include <arpa/inet.h>

static struct sockaddr_storage addr(const char *text)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        a.ss_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
        a.ss_family = AF_INET6;
    }
    return a;
}

static void an_address_has_so_many_places(void **state)
{
    (void)state;
    const struct sockaddr_storage one = addr("192.0.2.1"), mapped = addr("::ffff:192.0.2.1");
    uint32_t slots[LIMIT_CONNECTIONS_PER_IP], slot;
    for (int i = 0; i < LIMIT_CONNECTIONS_PER_IP; i++)
        assert_true(peer_count_enter(i & 1 ? &one : &mapped, &slots[i]));
    assert_false(peer_count_enter(&one, &slot));
    assert_int_equal(slot, PEER_UNCOUNTED);
    peer_count_leave(slot); /* nothing */
    assert_false(peer_count_enter(&mapped, &slot));
    peer_count_leave(slots[0]);
    assert_true(peer_count_enter(&one, &slots[0]));
    for (int i = 0; i < LIMIT_CONNECTIONS_PER_IP; i++) peer_count_leave(slots[i]);
}

static void an_ipv6_network_is_one_peer_and_loopback_none(void **state)
{
    (void)state;
    const struct sockaddr_storage a = addr("2001:db8::1"), b = addr("2001:db8::ffff:2");
    const struct sockaddr_storage lo4 = addr("127.0.0.9"), lo6 = addr("::1");
    uint32_t sa, sb, slot;
    assert_true(peer_count_enter(&a, &sa));
    assert_true(peer_count_enter(&b, &sb));
    assert_int_equal(sa, sb);
    peer_count_leave(sa);
    peer_count_leave(sb);
    for (int i = 0; i < 2 * LIMIT_CONNECTIONS_PER_IP; i++) {
        assert_true(peer_count_enter(i & 1 ? &lo4 : &lo6, &slot));
        assert_int_equal(slot, PEER_UNCOUNTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_so_many_places),
        cmocka_unit_test(an_ipv6_network_is_one_peer_and_loopback_none),
    };
    return RUN_TESTS(tests);
}
