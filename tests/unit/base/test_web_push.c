/* SPDX-License-Identifier: MIT */
/* Push messages: the example of RFC 8291, section 5; VAPID verified with OpenSSL's own reading. */
#include "../test.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/web_push.h"

static const char AUTH[] = "BTBZMqHH6r4Tts7J_aSIgg";
static const char UA_PUBLIC[] = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPj"
                                "s7Vd8pZGH6SRpkNtoIAiw4";
static const char AS_PRIVATE[] = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
static const char SALT[] = "DGv6ra1nlYgDCS1FRnbzlw";
static const char BODY[] = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZII"
                           "gDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztL"
                           "VBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

static void the_example_of_the_rfc(void **state)
{
    struct web_push_keys keys;
    struct str out = {0};
    uint8_t priv[32], salt[16];
    char text[512];
    size_t n;
    (void)state;
    assert_int_equal(web_push_keys_parse(span_str(UA_PUBLIC), span_str(AUTH), &keys), E_OK);
    assert_true(hash_unb64(span_str(AS_PRIVATE), priv, sizeof priv, &n) && n == 32);
    assert_true(hash_unb64(span_str(SALT), salt, sizeof salt, &n) && n == 16);
    assert_int_equal(web_push_seal(&keys, SPAN_LIT("When I grow up, I want to be a watermelon"),
                                   priv, salt, &out),
                     E_OK);
    hash_b64url(str_span(&out), text);
    assert_string_equal(text, BODY);
    str_fini(&out);
}

static void bad_keys(void **state)
{
    struct web_push_keys keys;
    char off[sizeof UA_PUBLIC];
    struct str out = {0};
    static const uint8_t ZERO[32];
    uint8_t big[WEB_PUSH_TEXT_MAX + 1] = {0}, pub[65];
    (void)state;
    memcpy(off, UA_PUBLIC, sizeof off);
    off[60] = off[60] == 'A' ? 'B' : 'A'; /* no point of the curve any more */
    assert_int_equal(web_push_keys_parse(span_str(off), span_str(AUTH), &keys), E_INVALID);
    assert_int_equal(web_push_keys_parse(span_head(span_str(UA_PUBLIC), 80), span_str(AUTH), &keys),
                     E_INVALID);
    assert_int_equal(web_push_keys_parse(span_str(UA_PUBLIC), SPAN_LIT("BTBZ"), &keys), E_INVALID);
    assert_int_equal(web_push_keys_parse(SPAN_NULL, SPAN_NULL, &keys), E_INVALID);
    assert_int_equal(web_push_keys_parse(span_str(UA_PUBLIC), span_str(AUTH), &keys), E_OK);
    assert_int_equal(web_push_seal(&keys, span_of(big, sizeof big), NULL, NULL, &out), E_LIMIT);
    assert_int_equal(web_push_seal(&keys, SPAN_NULL, ZERO, NULL, &out), E_INVALID);
    assert_int_equal(out.len, 0);
    assert_int_equal(web_push_seal(&keys, span_of(big, WEB_PUSH_TEXT_MAX), NULL, NULL, &out), E_OK);
    assert_int_equal(out.len, 4096);
    assert_int_equal(p256_public(ZERO, pub), E_INVALID);
    memset(big, 0xff, 32);
    assert_int_equal(p256_public(big, pub), E_INVALID);
    str_fini(&out);
}

static void who_sends_it(void **state)
{
    uint8_t priv[32], pub[65];
    struct str out = {0};
    (void)state;
    p256_make(priv, pub);
    assert_int_equal(web_push_vapid(priv, SPAN_LIT("https://push.example.org:8443/p/abc?x"),
                                    SPAN_LIT("mailto:live@example.org"), 1767323045, &out),
                     E_OK);
    struct span rest = span_skip(str_span(&out), 8);
    const struct span head = span_cut(&rest, '.'), claims = span_cut(&rest, '.');
    uint8_t json[512];
    size_t n;
    assert_true(span_starts(str_span(&out), "vapid t="));
    assert_true(hash_unb64(head, json, sizeof json, &n));
    assert_true(span_is(span_of(json, n), "{\"typ\":\"JWT\",\"alg\":\"ES256\"}"));
    assert_true(hash_unb64(claims, json, sizeof json, &n));
    assert_true(span_is(span_of(json, n),
                        "{\"aud\":\"https://push.example.org:8443\","
                        "\"exp\":1767323045,\"sub\":\"mailto:live@example.org\"}"));
    str_fini(&out);
    static const char *const BAD[] = {"",
                                      "push.example.org",
                                      "ftp://a/b",
                                      "https://",
                                      "https://a\"b/",
                                      "https://a\\b/",
                                      "https://a b/"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(web_push_vapid(priv, span_str(BAD[i]), SPAN_LIT("mailto:a@b"), 1, &out),
                         E_INVALID);
    assert_int_equal(web_push_vapid(priv, SPAN_LIT("https://a/"), SPAN_LIT("a\"b"), 1, &out),
                     E_INVALID);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc),
        cmocka_unit_test(bad_keys),
        cmocka_unit_test(who_sends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
