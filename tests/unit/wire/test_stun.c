/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/hash.h"
#include "wire/stun.h"

/* RFC 5769, 2.1 and 2.2: the sample messages every implementation is held to. */
static const char REQUEST[] = "000100582112a442b7e7a701bc34d686fa87dfae"
                              "802200105354554e207465737420636c69656e74"
                              "002400046e0001ff80290008932ff9b151263b36"
                              "000600096576746a3a68367659202020"
                              "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
                              "80280004e57a3bcf";
static const char RESPONSE[] = "0101003c2112a442b7e7a701bc34d686fa87dfae"
                               "8022000b7465737420766563746f7220"
                               "002000080001a147e112a643"
                               "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
                               "80280004c07d4c96";
static const struct span KEY = {(const uint8_t *)"VOkJxbRl1RmTxUk/WvJxBt", 22};

static struct span unhex(const char *text, uint8_t *out)
{
    const size_t n = strlen(text) / 2;
    assert_true(hash_unhex(span_str(text), out, n));
    return span_of(out, n);
}

static void sample_request(void **state)
{
    uint8_t room[256];
    struct stun_msg m;
    const struct span in = unhex(REQUEST, room);
    assert_int_equal(stun_parse(in, &m), E_OK);
    assert_int_equal(m.kind, STUN_REQUEST);
    assert_int_equal(m.method, STUN_BINDING);
    assert_int_equal(m.priority, 0x6e0001ff);
    assert_true(m.controlled && m.tiebreaker == 0x932ff9b151263b36);
    assert_true(span_is(m.username, "evtj:h6vY"));
    assert_true(m.has_fingerprint && stun_integrity_ok(in, &m, KEY));
    assert_false(stun_integrity_ok(in, &m, SPAN_LIT("VOkJxbRl1RmTxUk/WvJxBu")));
    for (size_t n = 0; n < in.len; n++) assert_int_equal(stun_parse(span_head(in, n), &m), E_MORE);
}

static void sample_response(void **state)
{
    uint8_t room[256];
    char text[NET_ADDR_LEN];
    struct stun_msg m;
    const struct span in = unhex(RESPONSE, room);
    assert_int_equal(stun_parse(in, &m), E_OK);
    assert_true(m.kind == STUN_SUCCESS && m.has_mapped && stun_integrity_ok(in, &m, KEY));
    net_addr_text(&m.mapped, text);
    assert_string_equal(text, "192.0.2.1");
    assert_int_equal(m.mapped.port, 32853);
}

static void any_bit_changed_is_noticed(void **state)
{
    uint8_t room[256];
    struct stun_msg m;
    const struct span in = unhex(REQUEST, room);
    for (size_t bit = 0; bit < in.len * 8; bit++) {
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const bool ok = stun_parse(in, &m) == E_OK && m.has_fingerprint;
        assert_false(ok && stun_integrity_ok(in, &m, KEY));
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void writes_what_it_reads(void **state)
{
    static const uint8_t tid[STUN_TID_BYTES] = "abcdefghijkl";
    uint8_t room[512];
    struct stun_msg m;
    struct net_addr a;
    assert_true(net_addr_parse(SPAN_LIT("2001:db8::7"), 4433, &a));
    struct wr w = wr_to(room, sizeof room);
    stun_begin(&w, STUN_ERROR, STUN_BINDING, tid);
    stun_put_error(&w, 487, "Role Conflict");
    stun_put_mapped(&w, &a);
    stun_put(&w, STUN_USE_CANDIDATE, SPAN_NULL);
    stun_put(&w, (enum stun_attr)0x7777, SPAN_LIT("abc"));
    stun_end(&w, KEY);
    assert_false(w.overflow);
    assert_int_equal(stun_parse(wr_span(&w), &m), E_OK);
    assert_int_equal(m.error, 487);
    assert_true(net_addr_eq(&m.mapped, &a) && m.use_candidate);
    assert_int_equal(m.n_unknown, 1);
    assert_int_equal(m.unknown[0], 0x7777);
    for (size_t cap = 0; cap < wr_used(&w); cap++) {
        uint8_t small[512];
        struct wr s = wr_to(small, cap);
        stun_begin(&s, STUN_ERROR, STUN_BINDING, tid);
        stun_put_mapped(&s, &a);
        stun_end(&s, KEY);
        assert_true(s.overflow || cap >= 20 + 24 + 24 + 8);
    }
}

static void behind_integrity_nothing_is_believed(void **state)
{
    static const uint8_t tid[STUN_TID_BYTES] = "abcdefghijkl";
    uint8_t room[512];
    struct stun_msg m;
    struct wr w = wr_to(room, sizeof room);
    stun_begin(&w, STUN_REQUEST, STUN_BINDING, tid);
    stun_put(&w, STUN_USERNAME, SPAN_LIT("a:b"));
    stun_end(&w, KEY);
    w.p -= 8; /* FINGERPRINT out, something else in */
    stun_put(&w, STUN_USE_CANDIDATE, SPAN_NULL);
    stun_put_u32(&w, STUN_PRIORITY, 7);
    room[3] = (uint8_t)(wr_used(&w) - STUN_HEADER);
    assert_int_equal(stun_parse(wr_span(&w), &m), E_OK);
    assert_false(m.use_candidate || m.priority);
}

static void addresses(void **state)
{
    static const char *const bad[] = {"", "1.2.3", "::g", "1.2.3.4.5", "fe80::1%eth0", "foo.local"};
    struct net_addr a;
    char text[NET_ADDR_LEN];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(net_addr_parse(span_str(bad[i]), 1, &a));
    assert_true(net_addr_parse(SPAN_LIT("::ffff:192.0.2.9"), 1, &a) && net_addr_is_v4(&a));
    net_addr_text(&a, text);
    assert_string_equal(text, "192.0.2.9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_request),
        cmocka_unit_test(sample_response),
        cmocka_unit_test(any_bit_changed_is_noticed),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(behind_integrity_nothing_is_believed),
        cmocka_unit_test(addresses),
    };
    return RUN_TESTS(tests);
}
