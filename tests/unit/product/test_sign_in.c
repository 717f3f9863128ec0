/* SPDX-License-Identifier: MIT */
/* Signing in by a provider: what a token must say, whose account it is, where it may lead. */
#include "base/hash.h"
#include "base/jwk.h"
#include "fixture.h"
#include "product/sign_in.h"
#include "wire/oidc_doc.h"
#include "wire/picture_sniff.h"

static void next(void **state)
{
    static const char *const GOOD[] = {"/", "/a", "/a/b?c=d&e=%2f#f", "/@ada", "/a//b"};
    static const char *const BAD[] = {"",      "a",    "//a",   "/\\a", "/a\\b",        "https://a",
                                      "/\t/a", "/a\n", "/\x7f", " /a",  "/\xe2\x80\xae"};
    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        assert_true(sign_in_next_is_ours(span_str(GOOD[i])));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_false(sign_in_next_is_ours(span_str(BAD[i])));
}

static struct jwt token;

static const char *check(const char *claims)
{
    char text[4096], body[3000];
    const char *why = NULL;
    const struct oidc_expect x = {"https://id.example", "me", "n", 1000000};
    hash_b64url(span_str(claims), body);
    snprintf(text, sizeof text, "eyJhbGciOiJFUzI1NiJ9.%s.AA", body);
    assert_int_equal(jwt_parse(span_str(text), &token), E_OK);
    assert_int_equal(token.alg, JWT_ES256);
    const enum err e = oidc_token_check(&token, &x, &why);
    assert_int_equal(e, why ? E_AUTH : E_OK);
    return why ? why : "good";
}

#define REST ",\"exp\":1000100,\"iat\":999990,\"nonce\":\"n\"}"
static void tokens(void **state)
{
    (void)state;
    assert_string_equal(check("{\"iss\":\"https:\\/\\/id.example\",\"aud\":\"me\"" REST), "good");
    assert_string_equal(check("{\"iss\":\"https://id.example\",\"aud\":[\"me\"]" REST), "good");
    assert_string_equal(
        check("{\"iss\":\"https://id.example\",\"aud\":[\"x\",\"me\"],\"azp\":\"me\"" REST),
        "good");
    assert_non_null(
        strstr(check("{\"iss\":\"https://id.example\",\"aud\":[\"x\",\"me\"]" REST), "client"));
    assert_non_null(strstr(
        check("{\"iss\":\"https://id.example\",\"aud\":\"me\",\"azp\":\"x\"" REST), "client"));
    assert_non_null(
        strstr(check("{\"iss\":\"https://id.example/\",\"aud\":\"me\"" REST), "issuer"));
    assert_non_null(strstr(check("{\"iss\":\"https://id.example\",\"aud\":\"me\",\"exp\":999940,"
                                 "\"iat\":1,\"nonce\":\"n\"}"),
                           "expired"));
    assert_non_null(strstr(check("{\"iss\":\"https://id.example\",\"aud\":\"me\",\"exp\":1000100,"
                                 "\"iat\":1,\"nonce\":\"m\"}"),
                           "nonce"));
    assert_non_null(strstr(check("{\"iss\":\"https://id.example\",\"aud\":\"me\",\"exp\":1000100,"
                                 "\"iat\":1000061,\"nonce\":\"n\"}"),
                           "future"));
}

static void people(void **state)
{
    struct oidc_person p;
    (void)state;
    assert_int_equal(oidc_person_read(SPAN_LIT("{\"sub\":\"1\",\"email\":\"a@b.c\","
                                               "\"email_verified\":\"true\",\"nickname\":\"A\"}"),
                                      &p),
                     E_OK);
    assert_true(p.email_verified);
    assert_string_equal(p.name, "A");
    assert_int_equal(oidc_person_read(SPAN_LIT("{\"sub\":\"1\",\"email_verified\":true}"), &p),
                     E_OK);
    assert_false(p.email_verified);
    assert_int_equal(oidc_person_read(SPAN_LIT("{\"email\":\"a@b.c\"}"), &p), E_AUTH);
    assert_int_equal(oidc_person_read(SPAN_LIT("{\"sub\":1}"), &p), E_AUTH);
}

static void once(void **state)
{
    struct fixture *f = *state;
    struct sign_in in = {.next = "/a", .redirect_uri = "http://x/y"}, out;
    char first[SIGN_IN_TOKEN_CAP], second[SIGN_IN_TOKEN_CAP], browser[SIGN_IN_TOKEN_CAP] = "no";
    assert_int_equal(sign_in_begin(f->db, &in, first, browser), E_OK);
    char same[SIGN_IN_TOKEN_CAP];
    strcpy(same, browser);
    assert_int_equal(sign_in_begin(f->db, &in, second, same), E_OK);
    assert_string_equal(same, browser); /* two tabs of one browser */
    assert_int_equal(sign_in_take(f->db, span_str(first), span_str(second), &out), E_AUTH);
    assert_int_equal(sign_in_take(f->db, span_str(first), span_str(browser), &out), E_OK);
    assert_string_equal(out.next, "/a");
    assert_int_equal(sign_in_take(f->db, span_str(first), span_str(browser), &out), E_AUTH);
    assert_int_equal(sign_in_take(f->db, span_str(second), span_str(browser), &out), E_OK);
}

static void accounts(void **state)
{
    struct fixture *f = *state;
    struct user ada, bob = add_user(f, "Bob", "bob@example.org"), again;
    struct oidc_person who = {.subject = "1", .email = "ada@example.org", .name = "Ada"};
    struct identity ids[LIMIT_IDENTITIES];
    size_t n;
    assert_int_equal(sign_in_person(f->db, "i", &who, false, &ada, &f->p), E_AUTH);
    assert_int_equal(sign_in_person(f->db, "i", &who, true, &ada, &f->p), E_OK);
    assert_int_equal(sign_in_person(f->db, "i", &who, false, &again, &f->p), E_OK);
    assert_string_equal(ada.id, again.id);
    /* The same subject of another issuer is somebody else, with this address. */
    assert_int_equal(sign_in_person(f->db, "j", &who, true, &again, &f->p), E_CONFLICT);
    assert_string_equal(f->p.code, "sign_in_account_exists");
    assert_int_equal(account_check(f->db, SPAN_LIT("ada@example.org"), SPAN_LIT(""), &again, &f->p),
                     E_AUTH);
    assert_int_equal(sign_in_connect(f->db, "i", &who, bob.id, &f->p), E_CONFLICT);
    assert_int_equal(sign_in_connect(f->db, "j", &who, bob.id, &f->p), E_OK);
    assert_int_equal(sign_in_connect(f->db, "j", &who, bob.id, &f->p), E_OK);
    assert_int_equal(sign_in_list(f->db, bob.id, ids, &n), E_OK);
    assert_int_equal(n, 1);
    assert_int_equal(sign_in_disconnect(f->db, ada.id, ids[0].id, &f->p), E_NOTFOUND);
    assert_int_equal(sign_in_disconnect(f->db, bob.id, ids[0].id, &f->p), E_OK);
    assert_int_equal(sign_in_list(f->db, ada.id, ids, &n), E_OK);
    assert_int_equal(sign_in_disconnect(f->db, ada.id, ids[0].id, &f->p), E_CONFLICT);
    assert_int_equal(sign_in_list(f->db, ada.id, ids, &n), E_OK);
    assert_int_equal(n, 1);
}

static void bombs(void **state)
{
    struct picture_head h;
    (void)state;
    const uint8_t png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30";
    assert_int_equal(picture_sniff(span_of(png, sizeof png - 1), &h), E_OK);
    assert_int_equal(h.width, 30000);
    assert_int_equal(picture_sniff(span_of(png, sizeof png - 2), &h), E_PROTO);
    const uint8_t jpeg[] = "\xff\xd8\xff\xe1\0\4AB\xff\xc2\0\x0b\x08\0\x02\0\x03";
    assert_int_equal(picture_sniff(span_of(jpeg, sizeof jpeg - 1), &h), E_OK);
    assert_true(h.height == 2 && h.width == 3 && h.kind == PICTURE_JPEG);
    assert_int_equal(picture_sniff(SPAN_LIT("<svg/>"), &h), E_UNSUPPORTED);
    assert_int_equal(picture_sniff(SPAN_NULL, &h), E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next),
        cmocka_unit_test(tokens),
        cmocka_unit_test(people),
        cmocka_unit_test_setup_teardown(once, setup, teardown),
        cmocka_unit_test_setup_teardown(accounts, setup, teardown),
        cmocka_unit_test(bombs),
    };
    return RUN_TESTS(tests);
}
