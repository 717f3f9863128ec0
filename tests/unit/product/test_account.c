/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "fixture.h"
#include "product/password.h"
#include "product/session.h"

static enum err add(struct fixture *f, const char *name, const char *email, const char *password)
{
    const struct account_new in = {span_str(name), span_str(email), span_str(password), false};
    struct user u;
    f->p = (struct problem){0};
    return account_add(f->db, &in, &u, &f->p);
}

static enum err check(struct fixture *f, const char *email, const char *password, struct user *u)
{
    f->p = (struct problem){0};
    return account_check(f->db, span_str(email), span_str(password), u, &f->p);
}

static void an_account_is_found_by_its_address_in_any_case(void **state)
{
    struct fixture *f = *state;
    struct user u;
    assert_int_equal(add(f, "  Ana  ", "Ana@Example.org", "correct horse"), E_OK);
    assert_int_equal(check(f, "ana@example.ORG", "correct horse", &u), E_OK);
    assert_string_equal(u.name, "Ana");
    assert_string_equal(u.email, "Ana@Example.org");
    assert_false(u.admin);
    assert_int_equal(add(f, "Other", "ANA@example.org", "correct horse"), E_CONFLICT);
    assert_string_equal(f->p.code, "email_taken");
}

static void unknown_and_wrong_are_the_same_answer(void **state)
{
    struct fixture *f = *state;
    struct user u;
    char unknown[240];
    add_user(f, "Ana", "ana@example.org");
    assert_int_equal(check(f, "nobody@example.org", "correct horse", &u), E_AUTH);
    strcpy(unknown, f->p.text);
    assert_int_equal(check(f, "ana@example.org", "wrong horse", &u), E_AUTH);
    assert_string_equal(unknown, f->p.text);
    assert_string_equal(f->p.code, "invalid_credentials");
    assert_int_equal(check(f, "' OR 1=1 --", "x", &u), E_AUTH);
    assert_int_equal(check(f, "", "", &u), E_AUTH);
    char longest[LIMIT_PASSWORD_BYTES + 100];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(check(f, "ana@example.org", longest, &u), E_AUTH);
}

static void bad_fields_are_named(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *email, *password, *field;
    } CASES[] = {
        {"", "a@b.org", "correct horse", "name"},
        {" \t", "a@b.org", "correct horse", "name"},
        {"An\na", "a@b.org", "correct horse", "name"},
        {"An\xe2\x80\xae"
         "a",
         "a@b.org", "correct horse", "name"}, /* right-to-left override */
        {"An\xff", "a@b.org", "correct horse", "name"},
        {"Ana", "", "correct horse", "email"},
        {"Ana", "ana", "correct horse", "email"},
        {"Ana", "@b.org", "correct horse", "email"},
        {"Ana", "a@", "correct horse", "email"},
        {"Ana", "a@b@c.org", "correct horse", "email"},
        {"Ana", "a b@c.org", "correct horse", "email"},
        {"Ana", "a@-b.org", "correct horse", "email"},
        {"Ana", "a@b..org", "correct horse", "email"},
        {"Ana", "a\r\nBcc: x@y.org@b.org", "correct horse", "email"},
        {"Ana", "a@b.org", "", "password"},
        {"Ana", "a@b.org", "1234567", "password"},
        {"Ana", "a@b.org", "aaaaaaaaaaaa", "password"},
        {"Ana", "a@b.org", "Password", "password"},
        {"Ana", "anna@b.org", "Anna@b.org", "password"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        if (add(f, CASES[i].name, CASES[i].email, CASES[i].password) != E_INVALID)
            fail_msg("case %zu was taken", i);
        assert_string_equal(f->p.field, CASES[i].field);
    }
}

static void lengths_are_of_characters(void **state)
{
    struct fixture *f = *state;
    char name[4 * LIMIT_NAME_CHARS + 8] = "";
    for (int i = 0; i < LIMIT_NAME_CHARS; i++) strcat(name, "\xf0\x9f\x8e\xa5");
    assert_int_equal(add(f, name, "a@b.org", "correct horse"), E_OK);
    strcat(name, "x");
    assert_int_equal(add(f, name, "b@b.org", "correct horse"), E_INVALID);
    assert_string_equal(f->p.code, "too_long");
}

static void passwords_are_argon2id(void **state)
{
    (void)state;
    char a[PASSWORD_HASH_CAP], b[PASSWORD_HASH_CAP];
    assert_int_equal(password_hash(SPAN_LIT("correct horse"), a), E_OK);
    assert_int_equal(password_hash(SPAN_LIT("correct horse"), b), E_OK);
    assert_int_equal(strncmp(a, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
    assert_string_not_equal(a, b);
    assert_true(password_matches(SPAN_LIT("correct horse"), a));
    assert_false(password_matches(SPAN_LIT("correct horsf"), a));
    assert_false(password_matches(SPAN_LIT("correct horse"), NULL));
    assert_false(password_is_outdated(a));
    assert_true(password_is_outdated("$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2E$"
                                     "bm90YXJlYWxoYXNoYnV0bG9uZ2Vub3VnaGZvcml0"));
}

static void a_session_is_its_token_only(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char token[SESSION_TOKEN_CAP], hash_seen[128] = "";
    struct user u;
    bool renewed = true;
    assert_int_equal(session_start(f->db, ana.id, token), E_OK);
    assert_int_equal(strlen(token), SESSION_TOKEN_CAP - 1);
    assert_int_equal(session_find(f->db, span_str(token), &u, &renewed), E_OK);
    assert_string_equal(u.id, ana.id);
    assert_false(renewed);
    struct db_rows *q = db_query(f->db, "SELECT token_hash FROM sessions", "");
    assert_true(db_next(q));
    snprintf(hash_seen, sizeof hash_seen, "%s", db_text(q, 0));
    assert_int_equal(db_done(q), E_OK);
    assert_null(strstr(hash_seen, token));
    assert_int_equal(session_find(f->db, span_str(hash_seen), &u, &renewed), E_AUTH);
    token[0] ^= 1;
    assert_int_equal(session_find(f->db, span_str(token), &u, &renewed), E_AUTH);
    token[0] ^= 1;
    assert_int_equal(session_end(f->db, span_str(token)), E_OK);
    assert_int_equal(session_find(f->db, span_str(token), &u, &renewed), E_AUTH);
}

static void a_session_slides_and_expires(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char token[SESSION_TOKEN_CAP];
    struct user u;
    bool renewed;
    assert_int_equal(session_start(f->db, ana.id, token), E_OK);
    assert_int_equal(db_exec(f->db, "UPDATE sessions SET expires_at = ?1", "i",
                             clock_wall_us() + SESSION_LIFE_US / 2),
                     E_OK);
    assert_int_equal(session_find(f->db, span_str(token), &u, &renewed), E_OK);
    assert_true(renewed);
    assert_int_equal(session_find(f->db, span_str(token), &u, &renewed), E_OK);
    assert_false(renewed);
    assert_int_equal(db_exec(f->db, "UPDATE sessions SET expires_at = 1", ""), E_OK);
    assert_int_equal(session_find(f->db, span_str(token), &u, &renewed), E_AUTH);
    assert_int_equal(session_sweep(f->db), E_OK);
    assert_int_equal(db_changes(f->db), 1);
}

static void sessions_of_one_user_are_bounded(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char token[SESSION_TOKEN_CAP];
    for (int i = 0; i < LIMIT_SESSIONS_PER_USER + 5; i++)
        assert_int_equal(session_start(f->db, ana.id, token), E_OK);
    struct db_rows *q = db_query(f->db, "SELECT count(*) FROM sessions", "");
    assert_true(db_next(q));
    assert_int_equal(db_int(q, 0), LIMIT_SESSIONS_PER_USER);
    assert_int_equal(db_done(q), E_OK);
    struct user u;
    bool renewed;
    assert_int_equal(session_find(f->db, span_str(token), &u, &renewed), E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_account_is_found_by_its_address_in_any_case),
        T(unknown_and_wrong_are_the_same_answer),
        T(bad_fields_are_named),
        T(lengths_are_of_characters),
        T(passwords_are_argon2id),
        T(a_session_is_its_token_only),
        T(a_session_slides_and_expires),
        T(sessions_of_one_user_are_bounded),
    };
    return RUN_TESTS(tests);
}
