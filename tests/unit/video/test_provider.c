/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/hash.h"
#include "video/provider.h"
#include <stdio.h>

static const struct span SECRET = {(const uint8_t *)"secret", 6};

static void sign(const char *body, int64_t at, char out[SHA256_LEN * 2 + 1])
{
    char text[200];
    uint8_t mac[SHA256_LEN];
    const int n = snprintf(text, sizeof text, "%lld.%s", (long long)at, body);
    hash_hmac_sha256(SECRET, span_of(text, (size_t)n), mac);
    for (size_t i = 0; i < SHA256_LEN; i++) snprintf(out + 2 * i, 3, "%02x", mac[i]);
}

static bool fits(const char *header, const char *body, int64_t now)
{
    return provider_signed(span_str(header), SECRET, span_str(body), now);
}

static void test_signatures(void **state)
{
    char hex[SHA256_LEN * 2 + 1], h[400];
    (void)state;
    sign("{}", 1000, hex);
    snprintf(h, sizeof h, "t=1000,v1=%s", hex);
    assert_true(fits(h, "{}", 1000));
    assert_true(fits(h, "{}", 1000 + PROVIDER_TOLERANCE_S));
    assert_true(fits(h, "{}", 1000 - PROVIDER_TOLERANCE_S));
    assert_false(fits(h, "{}", 1001 + PROVIDER_TOLERANCE_S));
    assert_false(fits(h, "{}", 999 - PROVIDER_TOLERANCE_S));
    assert_false(fits(h, "{ }", 1000));
    snprintf(h, sizeof h, "v1=00,v1=%s,t=1000", hex);
    assert_true(fits(h, "{}", 1000));
    snprintf(h, sizeof h, "t=1001,v1=%s", hex);
    assert_false(fits(h, "{}", 1000));
    snprintf(h, sizeof h, "t=1000,v1=%.63s", hex);
    assert_false(fits(h, "{}", 1000));
    const char *const BAD[] = {"", "t=", "t=1000", "v1=", "t=x,v1=y", "t=-1000,v1=", ",,,", "="};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) assert_false(fits(BAD[i], "{}", 1000));
}

static bool allowed(const char *origins, const char *url)
{
    return provider_origin_fits(span_str(origins), span_str(url));
}

static void test_upload_origins(void **state)
{
    (void)state;
    const char *mux = "https://*.production.mux.com http://127.0.0.1:8080";
    assert_true(allowed(mux, "https://direct-uploads.eu.production.mux.com/upload/a?token=b"));
    assert_true(allowed(mux, "https://A.Production.Mux.com/"));
    assert_true(allowed(mux, "http://127.0.0.1:8080/upload/a"));
    assert_true(allowed(mux, "http://127.0.0.1:8080"));
    assert_false(allowed(mux, "http://127.0.0.1:80801/"));
    assert_false(allowed(mux, "http://127.0.0.1:8080@elsewhere.org/"));
    assert_false(allowed(mux, "http://a.production.mux.com/"));
    assert_false(allowed(mux, "https://production.mux.com/"));
    assert_false(allowed(mux, "https://.production.mux.com/"));
    assert_false(allowed(mux, "https://evilproduction.mux.com/"));
    assert_false(allowed(mux, "https://a.production.mux.com.evil.org/"));
    assert_false(allowed(mux, "https://evil.org/?.production.mux.com"));
    assert_false(allowed(mux, "https://evil.org#.production.mux.com"));
    assert_false(allowed(mux, "https://evil.org\\.production.mux.com"));
    assert_false(allowed(mux, "javascript:x"));
    assert_false(allowed(mux, ""));
    assert_false(allowed("", "https://a.production.mux.com/"));
}

static void test_where_uploads_go(void **state)
{
    struct settings s = {.mux_upload_origins = "", .mux_base_url = "https://api.mux.com"};
    char out[REMOTE_ORIGINS_CAP];
    (void)state;
    provider_upload_origins(&s, out);
    assert_string_equal(out, "https://*.production.mux.com");
    s.mux_base_url = "http://localhost:9/api";
    provider_upload_origins(&s, out);
    assert_string_equal(out, "http://localhost:9");
    s.mux_upload_origins = "https://*.a.org, https://b.org/x ,ftp://c,'none',https://d;script-src";
    provider_upload_origins(&s, out);
    assert_string_equal(out, "https://*.a.org https://b.org");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_upload_origins),
        cmocka_unit_test(test_where_uploads_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
