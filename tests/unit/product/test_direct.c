/* SPDX-License-Identifier: MIT */
/* Offer and answer of the direct preview. */
#include "base/clock.h"
#include "base/xalloc.h"
#include "fixture.h"
#include "product/direct.h"

#define SDP(n)                                                                                     \
    "v=0\r\no=- " n " 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"                                      \
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\n"

static void make(struct fixture *f, struct user *u, char id[ID_CAP])
{
    const struct stream_fields in = {.has = STREAM_HAS_TITLE, .title = SPAN_LIT("Tea")};
    struct stream s;
    *u = add_user(f, "Ada", "ada@example.org");
    assert_int_equal(stream_add(f->db, &f->secret, u->id, &in, &s, &f->p), E_OK);
    assert_false(direct_is(&s, clock_wall_us()));
    strcpy(id, s.id);
    stream_fini(&s);
}

static bool shown(struct fixture *f, const char *id, bool *answered)
{
    struct stream s;
    assert_int_equal(stream_get(f->db, id, &s, &f->p), E_OK);
    stream_fini(&s);
    *answered = s.direct_answered;
    return direct_is(&s, clock_wall_us());
}

static void the_first_answer_wins(void **state)
{
    struct fixture *f = *state;
    struct user u;
    struct direct d;
    char id[ID_CAP];
    int64_t name = 0, again = 0;
    bool changed = false, answered = true;
    make(f, &u, id);
    assert_int_equal(direct_get(f->db, id, &d, &f->p), E_NOTFOUND);
    assert_int_equal(direct_answer(f->db, id, 1, SPAN_LIT(SDP("2")), &f->p), E_NOTFOUND);
    assert_int_equal(direct_offer(f->db, id, u.id, SPAN_LIT(SDP("1")), &name, &changed, &f->p),
                     E_OK);
    assert_true(changed && name > 0);
    assert_true(shown(f, id, &answered) && !answered);
    assert_int_equal(direct_answer(f->db, id, name + 1, SPAN_LIT(SDP("2")), &f->p), E_NOTFOUND);
    assert_int_equal(direct_answer(f->db, id, name, SPAN_LIT(SDP("2")), &f->p), E_OK);
    assert_int_equal(direct_answer(f->db, id, name, SPAN_LIT(SDP("3")), &f->p), E_CONFLICT);
    assert_string_equal(f->p.code, "taken");
    /* Confirming keeps the answer. */
    assert_int_equal(direct_offer(f->db, id, u.id, SPAN_LIT(SDP("1")), &again, &changed, &f->p),
                     E_OK);
    assert_true(!changed && again == name);
    assert_int_equal(direct_get(f->db, id, &d, &f->p), E_OK);
    assert_string_equal(d.offer, SDP("1"));
    assert_string_equal(d.answer, SDP("2"));
    direct_fini(&d);
    /* Another offer forgets it. */
    assert_int_equal(direct_offer(f->db, id, u.id, SPAN_LIT(SDP("4")), &again, &changed, &f->p),
                     E_OK);
    assert_true(changed && again > name);
    assert_int_equal(direct_get(f->db, id, &d, &f->p), E_OK);
    assert_null(d.answer);
    direct_fini(&d);
    assert_int_equal(direct_end(f->db, id, u.id, &changed, &f->p), E_OK);
    assert_true(changed);
    assert_int_equal(direct_end(f->db, id, u.id, &changed, &f->p), E_OK);
    assert_false(changed);
    assert_false(shown(f, id, &answered));
}

static void it_grows_old_and_makes_room_for_the_real_thing(void **state)
{
    struct fixture *f = *state;
    struct user u;
    struct direct d;
    char id[ID_CAP];
    int64_t name = 0;
    bool changed = false, answered;
    make(f, &u, id);
    assert_int_equal(direct_offer(f->db, id, u.id, SPAN_LIT(SDP("1")), &name, &changed, &f->p),
                     E_OK);
    assert_int_equal(db_exec(f->db, "UPDATE streams SET webrtc_seen_at = webrtc_seen_at - ?1", "i",
                             DIRECT_FRESH_US),
                     E_OK);
    assert_false(shown(f, id, &answered));
    assert_int_equal(direct_answer(f->db, id, name, SPAN_LIT(SDP("2")), &f->p), E_NOTFOUND);
    assert_int_equal(
        db_exec(f->db, "UPDATE streams SET title = title WHERE webrtc_offer IS NULL", ""), E_OK);
    assert_int_equal(db_changes(f->db), 0);
    assert_int_equal(direct_sweep(f->db), E_OK); /* it is forgotten */
    assert_int_equal(
        db_exec(f->db, "UPDATE streams SET title = title WHERE webrtc_offer IS NULL", ""), E_OK);
    assert_int_equal(db_changes(f->db), 1);
    /* The same text, but nobody was there any more. */
    assert_int_equal(direct_offer(f->db, id, u.id, SPAN_LIT(SDP("1")), &name, &changed, &f->p),
                     E_OK);
    assert_int_equal(direct_sweep(f->db), E_OK);
    assert_true(changed && shown(f, id, &answered)); /* it is in use */
    assert_int_equal(db_exec(f->db, "UPDATE streams SET status = 'LIVE'", ""), E_OK);
    assert_false(shown(f, id, &answered));
    assert_int_equal(direct_get(f->db, id, &d, &f->p), E_NOTFOUND);
    assert_int_equal(direct_offer(f->db, id, u.id, SPAN_LIT(SDP("1")), &name, &changed, &f->p),
                     E_CONFLICT);
    assert_string_equal(f->p.code, "live");
}

static void what_is_no_description_and_who_is_no_owner(void **state)
{
    struct fixture *f = *state;
    struct user u;
    char id[ID_CAP];
    int64_t name = 0;
    bool changed = false;
    make(f, &u, id);
    const struct user eve = add_user(f, "Eve", "eve@example.org");
    assert_int_equal(direct_offer(f->db, id, eve.id, SPAN_LIT(SDP("1")), &name, &changed, &f->p),
                     E_AUTH);
    assert_int_equal(direct_end(f->db, id, eve.id, &changed, &f->p), E_AUTH);
    assert_int_equal(direct_offer(f->db, "none", u.id, SPAN_LIT(SDP("1")), &name, &changed, &f->p),
                     E_NOTFOUND);
    static const char *const BAD[] = {"", "hello", "v=0\r\n",
                                      "v=0\r\no=- 1 2 IN IP4 1.1.1.1\r\ns=-\r\n"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        assert_int_equal(direct_offer(f->db, id, u.id, span_str(BAD[i]), &name, &changed, &f->p),
                         E_INVALID);
        assert_string_equal(f->p.field, "sdp");
    }
    char *large = xmalloc(LIMIT_DIRECT_SDP_BYTES + 1);
    memset(large, 'a', LIMIT_DIRECT_SDP_BYTES + 1);
    assert_int_equal(direct_offer(f->db, id, u.id, span_of(large, LIMIT_DIRECT_SDP_BYTES + 1),
                                  &name, &changed, &f->p),
                     E_INVALID);
    assert_string_equal(f->p.code, "too_long");
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_first_answer_wins),
        T(it_grows_old_and_makes_room_for_the_real_thing),
        T(what_is_no_description_and_who_is_no_owner),
    };
    return RUN_TESTS(tests);
}
