/* SPDX-License-Identifier: MIT */
/* The second factor, links in mails and the list of sessions, on a real database. */
#include "base/clock.h"
#include "fixture.h"
#include "product/account_factor.h"
#include "product/account_link.h"
#include "product/session.h"

static void code_of(const char *key, int ahead, char out[TOTP_DIGITS + 1])
{
    uint8_t bytes[TOTP_KEY_LEN];
    assert_true(base32_bytes(span_str(key), bytes, sizeof bytes));
    const uint64_t now = (uint64_t)(clock_wall_us() / US_PER_SEC) / TOTP_STEP_S;
    totp_code(span_of(bytes, sizeof bytes), now + (uint64_t)ahead, TOTP_DIGITS, out);
}

static enum err take(struct fixture *f, const char *id, const char *code)
{
    f->p = (struct problem){0};
    return factor_take(f->db, &f->secret, id, span_str(code), &f->p);
}

static void a_code_is_taken_once_and_recovery_codes_too(void **state)
{
    struct fixture *f = *state;
    const struct user u = add_user(f, "Ana", "ana@example.org");
    struct factor_codes codes, more;
    struct factor_state st;
    char key[FACTOR_KEY_CAP], code[TOTP_DIGITS + 1];
    assert_int_equal(take(f, u.id, "whatever"), E_OK); /* there is none */
    assert_int_equal(factor_begin(f->db, &f->secret, u.id, key, &f->p), E_OK);
    assert_int_equal(take(f, u.id, "whatever"), E_OK); /* nor before it is confirmed */
    assert_int_equal(factor_confirm(f->db, &f->secret, u.id, SPAN_LIT("x"), &codes, &f->p),
                     E_INVALID);
    code_of(key, 0, code);
    assert_int_equal(factor_confirm(f->db, &f->secret, u.id, span_str(code), &codes, &f->p), E_OK);
    assert_int_equal(factor_begin(f->db, &f->secret, u.id, key, &f->p), E_CONFLICT);
    assert_int_equal(take(f, u.id, ""), E_AUTH);
    code_of(key, 1, code); /* a step ahead: those before it are over with it */
    assert_int_equal(take(f, u.id, code), E_OK);
    assert_int_equal(take(f, u.id, code), E_AUTH);
    code_of(key, 0, code);
    assert_int_equal(take(f, u.id, code), E_AUTH);

    assert_int_equal(take(f, u.id, codes.text[3]), E_OK);
    assert_int_equal(take(f, u.id, codes.text[3]), E_AUTH);
    assert_int_equal(factor_state(f->db, u.id, &st), E_OK);
    assert_true(st.on);
    assert_int_equal(st.recovery_left, LIMIT_RECOVERY_CODES - 1);
    assert_int_equal(factor_renew_recovery(f->db, &f->secret, u.id, &more, &f->p), E_OK);
    assert_int_equal(take(f, u.id, codes.text[4]), E_AUTH);
    assert_int_equal(take(f, u.id, more.text[4]), E_OK);
    assert_int_equal(factor_end(f->db, u.id), E_OK);
    assert_int_equal(take(f, u.id, "whatever"), E_OK);
}

/* Another installation's secret, or the sealed key of another account, opens nothing. */
static void a_stolen_database_has_no_codes(void **state)
{
    struct fixture *f = *state;
    const struct user u = add_user(f, "Ana", "ana@example.org");
    const struct user v = add_user(f, "Bo", "bo@example.org");
    struct secret other = f->secret;
    struct factor_codes codes;
    char key[FACTOR_KEY_CAP], code[TOTP_DIGITS + 1];
    other.master[0] ^= 1;
    assert_int_equal(factor_begin(f->db, &f->secret, u.id, key, &f->p), E_OK);
    code_of(key, 0, code);
    assert_int_equal(factor_confirm(f->db, &f->secret, u.id, span_str(code), &codes, &f->p), E_OK);
    code_of(key, 0, code);
    f->p = (struct problem){0};
    assert_int_equal(factor_take(f->db, &other, u.id, span_str(code), &f->p), E_AUTH);
    assert_int_equal(factor_take(f->db, &other, u.id, span_str(codes.text[0]), &f->p), E_AUTH);
    assert_int_equal(db_exec(f->db,
                             "INSERT INTO second_factors (user_id, secret_sealed, confirmed_at, "
                             "created_at) SELECT ?1, secret_sealed, 1, 1 FROM second_factors",
                             "s", v.id),
                     E_OK);
    assert_int_equal(take(f, v.id, code), E_AUTH);
}

static void a_link_is_good_once_and_for_its_account(void **state)
{
    struct fixture *f = *state;
    const struct user u = add_user(f, "Ana", "ana@example.org");
    struct account_link l;
    char token[LINK_TOKEN_CAP], first[LINK_TOKEN_CAP] = "";
    assert_int_equal(link_add(f->db, LINK_RESET, u.id, u.email, first), E_OK);
    assert_int_equal(link_look(f->db, span_str(first), &l), E_OK);
    assert_string_equal(l.user_id, u.id);
    assert_int_equal(l.kind, LINK_RESET);
    assert_int_equal(link_take(f->db, span_str(first), &l), E_OK);
    assert_int_equal(link_take(f->db, span_str(first), &l), E_NOTFOUND);
    assert_int_equal(link_look(f->db, SPAN_LIT(""), &l), E_NOTFOUND);
    assert_int_equal(link_add(f->db, LINK_CONFIRM, u.id, u.email, first), E_OK);
    assert_int_equal(db_exec(f->db, "UPDATE account_links SET created_at = 1", ""), E_OK);
    for (int i = 0; i < LIMIT_LINKS_PER_USER; i++)
        assert_int_equal(link_add(f->db, LINK_CONFIRM, u.id, u.email, token), E_OK);
    assert_int_equal(link_look(f->db, span_str(first), &l), E_NOTFOUND); /* the oldest went */
    assert_int_equal(link_look(f->db, span_str(token), &l), E_OK);
    assert_int_equal(db_exec(f->db, "UPDATE account_links SET expires_at = 1", ""), E_OK);
    assert_int_equal(link_look(f->db, span_str(token), &l), E_NOTFOUND);
    assert_int_equal(link_sweep(f->db), E_OK);
}

static void an_address_is_kept_as_its_network(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"203.0.113.77", "203.0.113.0/24"},
        {"2001:db8:1:2:3::4", "2001:db8:1::/48"},
        {"::ffff:203.0.113.77", "203.0.113.0/24"},
        {"", ""},
        {"nonsense", ""},
    };
    char out[SESSION_ADDRESS_CAP];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        session_address(CASES[i][0], out);
        assert_string_equal(out, CASES[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_code_is_taken_once_and_recovery_codes_too),
        T(a_stolen_database_has_no_codes),
        T(a_link_is_good_once_and_for_its_account),
        T(an_address_is_kept_as_its_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
