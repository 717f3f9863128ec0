/* SPDX-License-Identifier: MIT */
/* Tokens taken apart; RS256 made and verified with a key of ours. */
#include "../test.h"
#include "base/hash.h"
#include "base/rsa.h"
#include "wire/jwt.h"

static struct jwt t;

static enum err parse(const char *head, const char *payload)
{
    static char text[8192];
    char h[4096], p[6000];
    hash_b64url(span_str(head), h);
    hash_b64url(span_str(payload), p);
    snprintf(text, sizeof text, "%s.%s.c2ln", h, p);
    return jwt_parse(span_str(text), &t);
}

static void claims(void **state)
{
    struct span s;
    int64_t at;
    assert_int_equal(
        parse(
            "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k\"}",
            " { \"sub\" : \"id\" , \"aud\":\"v\",\"exp\":1700000000.9,\"custom\":{\"a\":[1,{\"b\":"
            "[]}],\"sub\":\"x\"},\"time\":12.5,\"flip\":true,\"no\":null}"),
        E_OK);
    assert_int_equal(t.alg, JWT_RS256);
    assert_true(span_is(t.kid, "k"));
    assert_true(jwt_text(&t, "sub", &s) && span_is(s, "id"));
    assert_true(jwt_seconds(&t, "exp", &at) && at == 1700000000);
    assert_true(span_is(jwt_find(&t, "time")->value, "12.5"));
    assert_int_equal(jwt_find(&t, "flip")->kind, JWT_BOOL);
    assert_false(jwt_text(&t, "exp", &s));
    assert_false(jwt_seconds(&t, "sub", &at));
    assert_null(jwt_find(&t, "iss"));
    assert_int_equal(t.signature_len, 3);
}

static void algorithms(void **state)
{
    static const char *const OTHER[] = {"{\"alg\":\"none\"}", "{\"alg\":\"HS256\"}",
                                        "{\"alg\":\"rs256\"}", "{\"alg\":\"\\u0052S256\"}"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(parse(OTHER[i], "{}"), E_OK);
        assert_int_equal(t.alg, JWT_OTHER);
    }
    assert_int_equal(parse(OTHER[3], "{}"), E_PROTO);
    assert_int_equal(parse("{}", "{}"), E_PROTO);
    assert_int_equal(parse("{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", "{}"), E_UNSUPPORTED);
}

static void broken(void **state)
{
    static const char RS[] = "{\"alg\":\"RS256\"}";
    static const char *const BAD[] = {"",
                                      "[]",
                                      "{",
                                      "{\"a\":1,}",
                                      "{\"a\":01}",
                                      "{\"a\":+1}",
                                      "{\"a\":1}x",
                                      "{\"a\":\"\n\"}",
                                      "{\"a\":\"\\x\"}",
                                      "{\"a\":[1,2}",
                                      "{\"a\":{\"b\"}}",
                                      "{\"a\":tru}",
                                      "{\"sub\":\"a\",\"sub\":\"b\"}",
                                      "{\"s\\u0075b\":\"a\"}",
                                      "{\"a\":1 \"b\":2}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (parse(RS, BAD[i]) != E_PROTO) fail_msg("%s is taken", BAD[i]);
    static const char *const TEXTS[] = {"",         "a.b",      "a.b.c.d", "..", "e30.e30.a+b",
                                        "e31.e30.", "e30=.e30."};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        if (jwt_parse(span_str(TEXTS[i]), &t) == E_OK) fail_msg("%s is taken", TEXTS[i]);
    char deep[100] = "{\"a\":";
    memset(deep + 5, '[', 40);
    memset(deep + 45, ']', 40);
    deep[85] = '}';
    assert_int_equal(parse(RS, deep), E_LIMIT);
    static char many[3000] = "{";
    for (int i = 0; i <= LIMIT_JWT_CLAIMS; i++)
        snprintf(many + strlen(many), 20, "%s\"c%d\":1", i ? "," : "", i);
    strcat(many, "}");
    assert_int_equal(parse(RS, many), E_LIMIT);
}

static void rsa(void **state)
{
    struct str priv = {0}, pub = {0};
    static const uint8_t NOT[256] = {1};
    assert_int_equal(rsa_make(&priv, &pub), E_OK);
    assert_true(span_starts(str_span(&priv), "-----BEGIN PRIVATE KEY-----"));
    assert_int_equal(rsa_verify_sha256(str_c(&pub), SPAN_LIT("a.b"), span_of(NOT, sizeof NOT)),
                     E_AUTH);
    assert_int_equal(rsa_verify_sha256(str_c(&pub), SPAN_LIT("a.b"), span_of(NOT, 0)), E_AUTH);
    assert_int_equal(rsa_verify_sha256("no key", SPAN_LIT("a"), span_of(NOT, 256)), E_INVALID);
    str_fini(&priv);
    str_fini(&pub);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(claims), cmocka_unit_test(algorithms),
                                       cmocka_unit_test(broken), cmocka_unit_test(rsa)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
