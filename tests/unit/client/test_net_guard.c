/* SPDX-License-Identifier: MIT */
/* Which addresses are public, and which texts can be asked. */
#include "../test.h"
#include "base/limits.h"
#include "base/xalloc.h"
#include "client/http_client.h"
#include "client/net_guard.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static const struct {
    const char *text;
    bool is_public;
} ADDRESSES[] = {
    {"8.8.8.8", true},
    {"1.1.1.1", true},
    {"9.255.255.255", true},
    {"11.0.0.0", true},
    {"100.63.255.255", true},
    {"100.128.0.0", true},
    {"172.15.255.255", true},
    {"172.32.0.0", true},
    {"192.0.1.1", true},
    {"198.17.255.255", true},
    {"198.20.0.0", true},
    {"223.255.255.255", true},
    {"0.0.0.0", false},
    {"0.1.2.3", false},
    {"10.0.0.1", false},
    {"10.255.255.255", false},
    {"100.64.0.1", false},
    {"100.127.255.255", false},
    {"127.0.0.1", false},
    {"127.255.255.255", false},
    {"169.254.169.254", false},
    {"172.16.0.1", false},
    {"172.31.255.255", false},
    {"192.0.0.8", false},
    {"192.0.2.1", false},
    {"192.168.1.1", false},
    {"198.18.0.1", false},
    {"198.19.255.255", false},
    {"198.51.100.7", false},
    {"203.0.113.7", false},
    {"224.0.0.1", false},
    {"239.255.255.255", false},
    {"240.0.0.1", false},
    {"255.255.255.255", false},
    {"2606:4700:4700::1111", true},
    {"2a00:1450:4001:81b::200e", true},
    {"2001:4860:4860::8888", true},
    {"64:ff9b::8.8.8.8", true},
    {"::ffff:8.8.8.8", true},
    {"::", false},
    {"::1", false},
    {"::7f00:1", false},
    {"::ffff:127.0.0.1", false},
    {"::ffff:10.0.0.1", false},
    {"::ffff:169.254.169.254", false},
    {"::ffff:0:127.0.0.1", false},
    {"64:ff9b::127.0.0.1", false},
    {"64:ff9b::10.1.2.3", false},
    {"64:ff9b:1::8.8.8.8", false},
    {"100::1", false},
    {"2001::1", false},
    {"2001:2::1", false},
    {"2001:20::1", false},
    {"2001:db8::1", false},
    {"2002:7f00:1::1", false},
    {"2002:808:808::1", false},
    {"3fff:1::1", false},
    {"5f00::1", false},
    {"fc00::1", false},
    {"fd12:3456::1", false},
    {"fe80::1", false},
    {"fec0::1", false},
    {"ff02::1", false},
};

static void the_table_of_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ADDRESSES / sizeof *ADDRESSES; i++) {
        struct net_addr a;
        if (!net_addr_parse(span_str(ADDRESSES[i].text), 0, &a)) fail_msg("%s", ADDRESSES[i].text);
        if (net_guard_is_public(&a) != ADDRESSES[i].is_public)
            fail_msg("%s is%s public", ADDRESSES[i].text, ADDRESSES[i].is_public ? "" : " not");
    }
}

static void as_a_resolver_gives_them(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const struct sockaddr other = {.sa_family = AF_UNIX};
    (void)state;
    assert_int_equal(inet_pton(AF_INET, "8.8.4.4", &v4.sin_addr), 1);
    assert_true(net_guard_sockaddr_is_public((struct sockaddr *)&v4, sizeof v4));
    assert_false(net_guard_sockaddr_is_public((struct sockaddr *)&v4, 4));
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &v4.sin_addr), 1);
    assert_false(net_guard_sockaddr_is_public((struct sockaddr *)&v4, sizeof v4));
    assert_int_equal(inet_pton(AF_INET6, "2606:4700::1", &v6.sin6_addr), 1);
    assert_true(net_guard_sockaddr_is_public((struct sockaddr *)&v6, sizeof v6));
    assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.0.1", &v6.sin6_addr), 1);
    assert_false(net_guard_sockaddr_is_public((struct sockaddr *)&v6, sizeof v6));
    assert_false(net_guard_sockaddr_is_public(&other, sizeof other));
}

static const struct {
    const char *url;
    bool fine, fine_if_private;
} URLS[] = {
    {"https://example.org/hook", true, true},
    {"http://example.org:8080/a?b=c#d", true, true},
    {"https://8.8.8.8/", true, true},
    {"https://[2606:4700::1]:444/", true, true},
    {"HTTPS://EXAMPLE.ORG", true, true},
    {"http://localhost:3000/", false, true},
    {"http://LOCALHOST./", false, true},
    {"http://a.localhost/", false, true},
    {"http://127.0.0.1/", false, true},
    {"http://2130706433/", false, true}, /* 127.0.0.1 in one number */
    {"http://0x7f.1/", false, true},
    {"http://0177.0.0.1/", false, true},
    {"http://[::1]/", false, true},
    {"http://[::ffff:127.0.0.1]/", false, true},
    {"http://169.254.169.254/latest/meta-data/", false, true},
    {"https://user:word@example.org/", false, false},
    {"https://user@example.org/", false, false},
    {"ftp://example.org/", false, false},
    {"file:///etc/passwd", false, false},
    {"gopher://example.org/", false, false},
    {"mux://assets/abc", false, false},
    {"example.org", false, false},
    {"", false, false},
    {"http://", false, false},
    {"http:///path", false, false},
    {"http://exa mple.org/", false, false},
    {"http://example.org/\r\nX: y", false, false},
    {"http://example.org:99999/", false, false},
    {"javascript:alert(1)", false, false},
};

static void which_texts_can_be_asked(void **state)
{
    const char *why = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof URLS / sizeof *URLS; i++) {
        if ((http_url_check(URLS[i].url, false, &why) == E_OK) != URLS[i].fine)
            fail_msg("%s: wrong", URLS[i].url);
        if ((http_url_check(URLS[i].url, true, &why) == E_OK) != URLS[i].fine_if_private)
            fail_msg("%s: wrong when private ones are allowed", URLS[i].url);
    }
    char *large = xmalloc(LIMIT_URL_BYTES + 2);
    memset(large, 'a', LIMIT_URL_BYTES + 1);
    memcpy(large, "https://example.org/", 20);
    large[LIMIT_URL_BYTES + 1] = 0;
    assert_int_equal(http_url_check(large, false, &why), E_INVALID);
    large[LIMIT_URL_BYTES] = 0;
    assert_int_equal(http_url_check(large, false, &why), E_OK);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_addresses),
        cmocka_unit_test(as_a_resolver_gives_them),
        cmocka_unit_test(which_texts_can_be_asked),
    };
    return RUN_TESTS(tests);
}
