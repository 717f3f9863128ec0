/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/clock.h"
#include "engine/ice.h"

#define PWD  "abcdefghijklmnopqrstuvwx"
#define PWD2 "zyxwvutsrqponmlkjihgfedc"

static const struct net_addr A = {.ip = {1}, .port = 1}, B = {.ip = {2}, .port = 2},
                             L = {.ip = {3}, .port = 3};
static const uint8_t TID[STUN_TID_BYTES] = "abcdefghijkl";

struct check {
    const char *user, *pwd;
    uint32_t priority;
    bool use, controlled, strange;
};

static enum err feed_via(struct ice *a, struct check c, const struct ice_via *via, int64_t now,
                         struct stun_msg *answer)
{
    static uint8_t in[512], out[ICE_REPLY_MAX];
    struct wr w = wr_to(in, sizeof in), r = wr_to(out, sizeof out);
    stun_begin(&w, STUN_REQUEST, STUN_BINDING, TID);
    if (c.user) stun_put(&w, STUN_USERNAME, span_str(c.user));
    stun_put_u64(&w, c.controlled ? STUN_ICE_CONTROLLED : STUN_ICE_CONTROLLING, 7);
    if (c.strange) stun_put_u32(&w, (enum stun_attr)0x7fff, 1);
    stun_put_u32(&w, STUN_PRIORITY, c.priority);
    if (c.use) stun_put(&w, STUN_USE_CANDIDATE, SPAN_NULL);
    stun_end(&w, span_str(c.pwd));
    const enum err e = ice_feed(a, wr_span(&w), via, now, &r);
    if (e != E_OK) return e;
    assert_int_equal(stun_parse(wr_span(&r), answer), E_OK);
    assert_true(stun_integrity_ok(wr_span(&r), answer, span_str(c.pwd)));
    assert_memory_equal(answer->tid, TID, sizeof TID);
    return E_OK;
}

static enum err feed(struct ice *a, struct check c, const struct net_addr *from, int64_t now,
                     struct stun_msg *answer)
{
    return feed_via(a, c, &(struct ice_via){.peer = *from, .local = L}, now, answer);
}

static bool knows(const struct ice *a, const struct net_addr *peer)
{
    return ice_knows(a, &(struct ice_via){.peer = *peer});
}

static struct ice agent(void)
{
    struct ice a;
    ice_init(&a, "ours", PWD, SPAN_LIT("peer"), 1000);
    return a;
}

static void answers_where_the_check_came_from(void **state)
{
    struct ice a = agent();
    struct stun_msg m;
    assert_int_equal(feed(&a, (struct check){"ours:peer", PWD, 5}, &A, 2000, &m), E_OK);
    assert_true(m.kind == STUN_SUCCESS && net_addr_eq(&m.mapped, &A));
    assert_true(knows(&a, &A) && !knows(&a, &B) && !ice_path(&a));
    assert_int_equal(feed(&a, (struct check){"ours:peer", PWD, 5, true}, &A, 2000, &m), E_OK);
    assert_true(net_addr_eq(&ice_path(&a)->peer, &A));
}

static void strangers_get_silence(void **state)
{
    static const struct check BAD[] = {
        {"ours:peer", "wrongwrongwrongwrongwron", 5, true},
        {"ours:poor", PWD, 5, true},
        {"hers:peer", PWD, 5, true},
        {"ours", PWD, 5, true},
        {NULL, PWD, 5, true},
        {"ours:peer", "", 5, true},
        {"", PWD, 5, true},
        {":", PWD, 5, true},
    };
    struct ice a = agent();
    struct stun_msg m;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_not_equal(feed(&a, BAD[i], &A, 2000, &m), E_OK);
        assert_true(!knows(&a, &A) && !ice_path(&a));
    }
}

static void roles_and_unknown_attributes(void **state)
{
    struct ice a = agent();
    struct stun_msg m;
    assert_int_equal(feed(&a, (struct check){"ours:peer", PWD, 5, true, true}, &A, 1, &m), E_OK);
    assert_true(m.kind == STUN_ERROR && m.error == 487);
    assert_int_equal(feed(&a, (struct check){"ours:peer", PWD, 5, true, false, true}, &A, 1, &m),
                     E_OK);
    assert_true(m.kind == STUN_ERROR && m.error == 420);
    assert_false(knows(&a, &A));
}

static void the_better_pair_wins_while_it_lives(void **state)
{
    struct ice a = agent();
    struct stun_msg m;
    const struct check good = {"ours:peer", PWD, 100, true}, poor = {"ours:peer", PWD, 50, true};
    assert_int_equal(feed(&a, poor, &A, 1 * US_PER_SEC, &m), E_OK);
    assert_int_equal(feed(&a, good, &B, 1 * US_PER_SEC, &m), E_OK);
    assert_int_equal(feed(&a, poor, &A, 2 * US_PER_SEC, &m), E_OK);
    assert_true(net_addr_eq(&ice_path(&a)->peer, &B));
    assert_int_equal(feed(&a, poor, &A, 7 * US_PER_SEC, &m), E_OK); /* B fell silent */
    assert_true(net_addr_eq(&ice_path(&a)->peer, &A));
}

static void many_addresses_do_not_displace_the_chosen_one(void **state)
{
    struct ice a = agent();
    struct stun_msg m;
    struct net_addr from = B;
    assert_int_equal(feed(&a, (struct check){"ours:peer", PWD, 9, true}, &A, 1, &m), E_OK);
    for (uint16_t i = 0; i < 100; i++) {
        from.port = i;
        assert_int_equal(feed(&a, (struct check){"ours:peer", PWD, 9}, &from, 10 + i, &m), E_OK);
    }
    assert_true(net_addr_eq(&ice_path(&a)->peer, &A) && knows(&a, &A) && knows(&a, &from));
}

static void restart_keeps_the_old_until_the_new_works(void **state)
{
    struct ice a = agent();
    struct stun_msg m;
    const struct check old = {"ours:peer", PWD, 9, true};
    assert_int_equal(feed(&a, old, &A, 1, &m), E_OK);
    assert_int_equal(ice_restart(&a, "more", PWD2, SPAN_LIT("peer")), E_CONFLICT);
    assert_int_equal(ice_restart(&a, "more", PWD2, SPAN_LIT("next")), E_OK);
    assert_int_equal(feed(&a, old, &A, 2, &m), E_OK);
    assert_true(net_addr_eq(&ice_path(&a)->peer, &A));
    const struct check tried = {"more:next", PWD2, 9}, poor = {"more:next", PWD2, 1, true};
    assert_int_equal(feed(&a, tried, &B, 3, &m), E_OK);
    assert_true(net_addr_eq(&ice_path(&a)->peer, &A)); /* until the peer nominates anew */
    assert_int_equal(feed(&a, poor, &B, 3, &m), E_OK);
    assert_true(net_addr_eq(&ice_path(&a)->peer, &B));
    assert_int_not_equal(feed(&a, old, &A, 4, &m), E_OK);
}

static void media_follows_the_pair_that_lives(void **state)
{
    struct ice a = agent();
    struct stun_msg m;
    const struct check named = {"ours:peer", PWD, 9, true}, plain = {"ours:peer", PWD, 9};
    assert_int_equal(feed(&a, plain, &A, 1 * US_PER_SEC, &m), E_OK);
    assert_null(ice_path(&a)); /* nothing was ever nominated */
    assert_int_equal(feed(&a, named, &A, 1 * US_PER_SEC, &m), E_OK);
    assert_int_equal(feed(&a, plain, &B, 8 * US_PER_SEC, &m), E_OK);
    assert_true(net_addr_eq(&ice_path(&a)->peer, &A)); /* it may only be slow */
    assert_int_equal(feed(&a, plain, &B, 13 * US_PER_SEC, &m), E_OK);
    assert_true(net_addr_eq(&ice_path(&a)->peer, &B));
}

static void connections_are_pairs_of_their_own(void **state)
{
    struct ice a = agent();
    struct stun_msg m;
    const struct ice_via tcp = {A, L, 7}, other = {A, L, 8};
    const struct check named = {"ours:peer", PWD, 9, true}, plain = {"ours:peer", PWD, 9};
    assert_int_equal(feed_via(&a, named, &tcp, 1, &m), E_OK);
    assert_true(ice_knows(&a, &tcp) && !ice_knows(&a, &other) && !knows(&a, &A));
    assert_int_equal(ice_path(&a)->link, 7);
    ice_drop_link(&a, 7);
    assert_true(!ice_knows(&a, &tcp) && !ice_path(&a));
    assert_int_equal(ice_deadline_us(&a), 1 + LIMIT_ICE_CONSENT_MS * US_PER_MS);
    assert_int_equal(feed_via(&a, plain, &other, 2, &m), E_OK); /* it connected again */
    assert_int_equal(ice_path(&a)->link, 8);
}

static void silence_ends_it(void **state)
{
    struct ice a = agent();
    struct stun_msg m;
    assert_int_equal(ice_deadline_us(&a), 1000 + LIMIT_ICE_FIRST_MS * US_PER_MS);
    assert_int_equal(feed(&a, (struct check){"ours:peer", PWD, 9}, &A, 5000, &m), E_OK);
    assert_int_equal(ice_deadline_us(&a), 5000 + LIMIT_ICE_CONSENT_MS * US_PER_MS);
    ice_heard(&a, &(struct ice_via){A, L, 0}, 7000); /* media keep it up */
    assert_int_equal(ice_deadline_us(&a), 7000 + LIMIT_ICE_CONSENT_MS * US_PER_MS);
    ice_heard(&a, &(struct ice_via){B, L, 0}, 9000); /* from where no check came, they do not */
    assert_int_equal(ice_deadline_us(&a), 7000 + LIMIT_ICE_CONSENT_MS * US_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_where_the_check_came_from),
        cmocka_unit_test(strangers_get_silence),
        cmocka_unit_test(roles_and_unknown_attributes),
        cmocka_unit_test(the_better_pair_wins_while_it_lives),
        cmocka_unit_test(many_addresses_do_not_displace_the_chosen_one),
        cmocka_unit_test(restart_keeps_the_old_until_the_new_works),
        cmocka_unit_test(media_follows_the_pair_that_lives),
        cmocka_unit_test(connections_are_pairs_of_their_own),
        cmocka_unit_test(silence_ends_it),
    };
    return RUN_TESTS(tests);
}
