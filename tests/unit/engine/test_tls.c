/* SPDX-License-Identifier: MIT */
/* The engine against OpenSSL's own client, in memory, with a certificate made here. */
#include "../test.h"
#include "base/str.h"
#include "engine/tls.h"
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/bsp-tls-XXXXXX", cert[64], key[64], other[64];

static void write_pair(const char *cert_path, const char *key_path)
{
    EVP_PKEY *k = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, k);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    assert_true(X509_sign(x, k, EVP_sha256()) > 0);
    FILE *f = fopen(cert_path, "w");
    PEM_write_X509(f, x);
    fclose(f);
    f = fopen(key_path, "w");
    PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(k);
}

static int setup(void **state)
{
    (void)state;
    char spare[64];
    if (!mkdtemp(dir)) return -1;
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(key, sizeof key, "%s/key.pem", dir);
    snprintf(other, sizeof other, "%s/other.pem", dir);
    snprintf(spare, sizeof spare, "%s/spare.pem", dir);
    write_pair(spare, other);
    write_pair(cert, key);
    unlink(spare);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(cert);
    unlink(key);
    unlink(other);
    return rmdir(dir);
}

struct pair {
    struct tls_ctx *ctx;
    struct tls *server;
    SSL_CTX *client_ctx;
    SSL *client;
    size_t step; /* bytes that travel at once */
    struct str at_server;
    enum err server_says;
};

static void pair_init(struct pair *p, enum tls_use use, int version, const char *alpn, size_t step)
{
    char problem[256];
    *p = (struct pair){.step = step, .server_says = E_MORE};
    assert_int_equal(tls_ctx_new(cert, key, use, &p->ctx, problem, sizeof problem), E_OK);
    p->server = tls_new(p->ctx);
    p->client_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(p->client_ctx, version);
    p->client = SSL_new(p->client_ctx);
    SSL_set_bio(p->client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(p->client);
    if (alpn) SSL_set_alpn_protos(p->client, (const unsigned char *)alpn, (unsigned)strlen(alpn));
}

static void pair_fini(struct pair *p)
{
    tls_free(p->server);
    tls_ctx_free(p->ctx);
    SSL_free(p->client);
    SSL_CTX_free(p->client_ctx);
    str_fini(&p->at_server);
}

static void server_reads(struct pair *p)
{
    uint8_t b[1000];
    size_t n;
    while ((p->server_says = tls_read(p->server, b, sizeof b, &n)) == E_OK)
        str_add(&p->at_server, span_of(b, n));
}

/* Carries what both have to say; true when something was carried. */
static bool carry(struct pair *p)
{
    uint8_t b[20000];
    struct span out;
    bool any = false;
    const int n = BIO_read(SSL_get_wbio(p->client), b, (int)p->step);
    if (n > 0) {
        tls_feed(p->server, span_of(b, (size_t)n));
        any = true;
    }
    server_reads(p);
    while (tls_output(p->server, &out)) {
        BIO_write(SSL_get_rbio(p->client), out.p, (int)out.len);
        any = true;
    }
    return any;
}

static void shake(struct pair *p)
{
    do (void)SSL_do_handshake(p->client);
    while (carry(p));
}

static void round_trip(int version, const char *alpn, const char *agreed, size_t step)
{
    struct pair p;
    uint8_t b[40000] = {0};
    pair_init(&p, TLS_FOR_HTTP, version, alpn, step);
    shake(&p);
    assert_true(tls_is_ready(p.server));
    assert_string_equal(tls_alpn(p.server), agreed);
    assert_int_equal(SSL_version(p.client), version);
    assert_int_equal(SSL_write(p.client, "question", 8), 8);
    while (carry(&p)) {
    }
    assert_true(span_is(str_span(&p.at_server), "question"));
    memset(b, 'x', sizeof b);
    assert_int_equal(tls_write(p.server, span_of(b, sizeof b)), E_OK);
    while (carry(&p)) {
    }
    size_t got = 0;
    for (int n; (n = SSL_read(p.client, b, sizeof b)) > 0;) got += (size_t)n;
    assert_int_equal(got, sizeof b);
    SSL_shutdown(p.client);
    while (carry(&p)) {
    }
    assert_int_equal(p.server_says, E_CLOSED);
    tls_shutdown(p.server);
    while (carry(&p)) {
    }
    assert_int_equal(SSL_shutdown(p.client), 1); /* it has seen ours too */
    pair_fini(&p);
}

static void both_versions(void **state)
{
    (void)state;
    round_trip(TLS1_3_VERSION, "\x02h2\x08http/1.1", "h2", 20000);
    round_trip(TLS1_3_VERSION, "\x08http/1.1\x02h2", "h2", 20000);
    round_trip(TLS1_2_VERSION, "\x08http/1.1", "http/1.1", 20000);
    round_trip(TLS1_3_VERSION, NULL, "", 7);
    round_trip(TLS1_2_VERSION, NULL, "", 1);
}

static void no_common_protocol(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, TLS_FOR_HTTP, TLS1_3_VERSION, "\x04spdy", 20000);
    shake(&p);
    assert_false(tls_is_ready(p.server));
    assert_int_equal(p.server_says, E_PROTO);
    pair_fini(&p);
    pair_init(&p, TLS_PLAIN, TLS1_3_VERSION, "\x04spdy", 20000);
    shake(&p);
    assert_true(tls_is_ready(p.server));
    pair_fini(&p);
}

static void not_tls(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, TLS_FOR_HTTP, TLS1_3_VERSION, NULL, 20000);
    tls_feed(p.server, SPAN_LIT("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    server_reads(&p);
    assert_int_equal(p.server_says, E_PROTO);
    assert_string_equal(tls_problem(p.server), "http request");
    pair_fini(&p);
    pair_init(&p, TLS_FOR_HTTP, TLS1_1_VERSION, NULL, 20000); /* too old */
    shake(&p);
    assert_false(tls_is_ready(p.server));
    pair_fini(&p);
}

static void bad_files_are_named(void **state)
{
    (void)state;
    struct tls_ctx *c = NULL;
    char why[256];
    assert_int_equal(tls_ctx_new("/no/cert", key, TLS_PLAIN, &c, why, sizeof why), E_NOTFOUND);
    assert_string_equal(why, "cannot read the certificate /no/cert: No such file or directory");
    assert_int_equal(tls_ctx_new(key, key, TLS_PLAIN, &c, why, sizeof why), E_INVALID);
    assert_non_null(strstr(why, "no usable certificate in"));
    assert_int_equal(tls_ctx_new(cert, cert, TLS_PLAIN, &c, why, sizeof why), E_INVALID);
    assert_non_null(strstr(why, "no usable key in"));
    assert_int_equal(tls_ctx_new(cert, other, TLS_PLAIN, &c, why, sizeof why), E_INVALID);
    assert_null(c);
    assert_int_equal(tls_ctx_new(cert, key, TLS_PLAIN, &c, why, sizeof why), E_OK);
    assert_in_range(tls_ctx_not_after(c) - time(NULL), 3500, 3601);
    tls_ctx_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions),
        cmocka_unit_test(no_common_protocol),
        cmocka_unit_test(not_tls),
        cmocka_unit_test(bad_files_are_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
