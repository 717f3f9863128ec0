/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "base/settings.h"

static enum err load(struct settings *s, char **argv, char **env, struct str *why)
{
    int n = 0;
    while (argv[n]) n++;
    return settings_load(s, n, argv, env, why);
}

static void defaults_are_loopback_and_the_plans_limits(void **state)
{
    (void)state;
    struct settings s;
    struct str why = {0};
    assert_int_equal(load(&s, (char *[]){NULL}, NULL, &why), E_OK);
    assert_string_equal(s.http, "127.0.0.1:8080");
    assert_int_equal(s.max_stream_duration, 7200);
    assert_int_equal(s.max_recording_duration, 1800);
    settings_fini(&s);
    str_fini(&why);
}

static void flag_beats_environment(void **state)
{
    (void)state;
    struct settings s;
    struct str why = {0};
    char *env[] = {"BSPNODE_MAX_UPLOAD_SIZE=1g", "BSPNODE_LOOPS=3", "PATH=/bin", NULL};
    char *argv[] = {"--loops", "2", NULL};
    assert_int_equal(load(&s, argv, env, &why), E_OK);
    assert_int_equal(s.loops, 2);
    assert_int_equal(s.max_upload_size, INT64_C(1) << 30);
    settings_fini(&s);
    str_fini(&why);
}

static void bad_values_are_named(void **state)
{
    (void)state;
    static const struct {
        char *argv[4];
        const char *says;
    } CASES[] = {
        {{"--no-such", "1", NULL}, "--no-such"},
        {{"--loops", "many", NULL}, "loops must be a number"},
        {{"--loops", "65", NULL}, "from 0 to 64"},
        {{"--http", "nowhere", NULL}, "http must be ADDR:PORT"},
        {{"--http", NULL}, "needs a value"},
        {{"--log-level", "loud", NULL}, "one of debug, info, warn, error"},
        {{"--log-level", "inf", NULL}, "one of debug"},
        {{"--recording", "maybe", NULL}, "true or false"},
        {{"stray", NULL}, "unexpected"},
        {{"--tls-cert", "x", NULL}, "go together"},
        {{"--config", "/nonexistent/file", NULL}, "/nonexistent/file"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct settings s;
        struct str why = {0};
        assert_int_not_equal(load(&s, (char **)(uintptr_t)CASES[i].argv, NULL, &why), E_OK);
        if (!strstr(str_c(&why), CASES[i].says)) fail_msg("case %zu: %s", i, str_c(&why));
        str_fini(&why);
    }
}

static void addresses(void **state)
{
    (void)state;
    char host[64];
    uint16_t port;
    assert_int_equal(settings_addr("[::1]:99", host, sizeof host, &port), E_OK);
    assert_string_equal(host, "::1");
    assert_int_equal(port, 99);
    assert_int_equal(settings_addr(":80", host, sizeof host, &port), E_OK);
    assert_string_equal(host, "");
    assert_int_not_equal(settings_addr("::1:80", host, sizeof host, &port), E_OK);
    assert_int_not_equal(settings_addr("h:65536", host, sizeof host, &port), E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_loopback_and_the_plans_limits),
        cmocka_unit_test(flag_beats_environment),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(addresses),
    };
    return RUN_TESTS(tests);
}
