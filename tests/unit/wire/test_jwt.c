/* SPDX-License-Identifier: MIT */
/* Tokens taken apart; RS256 made and verified with a key of ours. */
#include "../test.h"
#include "base/hash.h"
#include "base/rsa.h"
#include "wire/jwt.h"
#include <openssl/evp.h>
#include <openssl/pem.h>

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

static size_t sign(struct str *priv, struct span input, uint8_t out[512])
{
    size_t len = 512;
    BIO *b = BIO_new_mem_buf(str_c(priv), -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(c, out, &len, input.p, input.len), 1);
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(key);
    BIO_free(b);
    return len;
}

/* More keys than are kept in memory: each verifies what is its own, and nothing else. */
static void rsa_many_keys(void **state)
{
    struct str priv[2] = {0}, pub[2] = {0};
    uint8_t mine[512];
    for (int i = 0; i < 2; i++) assert_int_equal(rsa_make(&priv[i], &pub[i]), E_OK);
    const struct span input = SPAN_LIT("a.b"), s = span_of(mine, sign(&priv[0], input, mine));
    for (int round = 0; round < LIMIT_RSA_KEYS_KEPT + 8; round++) {
        assert_int_equal(rsa_verify_sha256(str_c(&pub[0]), input, s), E_OK);
        assert_int_equal(rsa_verify_sha256(str_c(&pub[0]), SPAN_LIT("a.c"), s), E_AUTH);
        assert_int_equal(rsa_verify_sha256(str_c(&pub[1]), input, s), E_AUTH);
        /* The same keys, as another text. */
        for (int i = 0; i < 2; i++) str_add(&pub[i], SPAN_LIT("\n"));
    }
    for (int i = 0; i < 2; i++) {
        str_fini(&priv[i]);
        str_fini(&pub[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(claims), cmocka_unit_test(algorithms),
                                       cmocka_unit_test(broken), cmocka_unit_test(rsa),
                                       cmocka_unit_test(rsa_many_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
