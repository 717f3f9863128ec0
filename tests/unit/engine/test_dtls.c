/* SPDX-License-Identifier: MIT */
/* Our DTLS server against OpenSSL's client, datagram by datagram, over a line that loses some. */
#include "../test.h"
#include "engine/dtls.h"
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

static struct dtls_ctx *ctx;

struct client {
    SSL_CTX *ctx;
    SSL *ssl;
    uint8_t digest[32];
};

static void client_open(struct client *c, const char *profiles, long mtu)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    unsigned n = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    X509_digest(x, EVP_sha256(), c->digest, &n);
    c->ctx = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_use_certificate(c->ctx, x);
    SSL_CTX_use_PrivateKey(c->ctx, key);
    if (profiles) assert_int_equal(SSL_CTX_set_tlsext_use_srtp(c->ctx, profiles), 0);
    SSL_CTX_set_options(c->ctx, SSL_OP_NO_QUERY_MTU);
    c->ssl = SSL_new(c->ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(c->ssl, in, out);
    SSL_set_mtu(c->ssl, mtu);
    SSL_set_connect_state(c->ssl);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void client_close(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
}

/* Each record a datagram of its own: the harshest way they can arrive. Every lose-th is lost. */
static enum err to_server(struct client *c, struct dtls *d, unsigned *count, unsigned lose)
{
    uint8_t all[16384];
    const int n = BIO_read(SSL_get_wbio(c->ssl), all, sizeof all);
    enum err e = E_OK;
    for (int at = 0; at + 13 <= n && e == E_OK;) {
        const int len = 13 + (all[at + 11] << 8 | all[at + 12]);
        assert_true(dtls_is(span_of(all + at, (size_t)len)));
        if (!lose || ++*count % lose) e = dtls_feed(d, span_of(all + at, (size_t)len));
        at += len;
    }
    return e;
}

static bool to_client(struct client *c, struct dtls *d, unsigned *count, unsigned lose)
{
    struct span out;
    bool any = false;
    while (dtls_output(d, &out)) {
        assert_in_range(out.len, 13, DTLS_MTU);
        any = true;
        if (!lose || ++*count % lose) BIO_write(SSL_get_rbio(c->ssl), out.p, (int)out.len);
    }
    return any;
}

/* Until keys are there or something ends it. With losses, waits for the peers' timers. */
static enum err shake(struct client *c, struct dtls *d, unsigned lose)
{
    struct dtls_keys keys;
    unsigned count = 0;
    for (int i = 0; i < 3000; i++) {
        const int done = SSL_do_handshake(c->ssl);
        const enum err e = to_server(c, d, &count, lose);
        const bool any = to_client(c, d, &count, lose);
        if (e != E_OK) return e;
        if (done == 1 && dtls_get_keys(d, &keys)) return E_OK;
        if (any || !lose) continue;
        usleep(20000);
        DTLSv1_handle_timeout(c->ssl);
        if (dtls_deadline_us(d, 0) <= 0) assert_int_equal(dtls_tick(d), E_OK);
    }
    return E_TIMEOUT;
}

static struct dtls *server(const struct client *c)
{
    return dtls_new(ctx, SPAN_LIT("SHA-256"), span_of(c->digest, sizeof c->digest));
}

static void same_keys(struct client *c, struct dtls *d, enum srtpx_profile want)
{
    uint8_t m[2 * (SRTPX_KEY_MAX + SRTPX_SALT_MAX)];
    struct dtls_keys k;
    assert_true(dtls_get_keys(d, &k));
    assert_int_equal(k.profile, want);
    const size_t key = srtpx_key_len(want), salt = srtpx_salt_len(want);
    assert_int_equal(SSL_export_keying_material(c->ssl, m, 2 * (key + salt), "EXTRACTOR-dtls_srtp",
                                                19, NULL, 0, 0),
                     1);
    assert_memory_equal(k.client, m, key);
    assert_memory_equal(k.server, m + key, key);
    assert_memory_equal(k.client + key, m + 2 * key, salt);
    assert_memory_equal(k.server + key, m + 2 * key + salt, salt);
}

static void agrees_on_the_best_profile(void **state)
{
    static const struct {
        const char *offered;
        enum srtpx_profile want;
    } T[] = {
        {"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM", SRTPX_AES_128_GCM},
        {"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM", SRTPX_AES_256_GCM},
        {"SRTP_AES128_CM_SHA1_80", SRTPX_AES_CM_SHA1_80}};
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        struct client c;
        client_open(&c, T[i].offered, 1200);
        struct dtls *d = server(&c);
        assert_int_equal(shake(&c, d, 0), E_OK);
        same_keys(&c, d, T[i].want);
        assert_int_equal(dtls_deadline_us(d, 0), INT64_MAX);
        SSL_shutdown(c.ssl);
        unsigned n = 0;
        assert_int_equal(to_server(&c, d, &n, 0), E_CLOSED);
        dtls_free(d);
        client_close(&c);
    }
}

static void goodbye_from_the_server(void **state)
{
    struct client c;
    unsigned n = 0;
    uint8_t byte;
    client_open(&c, "SRTP_AEAD_AES_128_GCM", 1200);
    struct dtls *d = server(&c);
    assert_int_equal(shake(&c, d, 0), E_OK);
    dtls_close(d);
    assert_true(to_client(&c, d, &n, 0));
    const int got = SSL_read(c.ssl, &byte, 1);
    assert_int_equal(SSL_get_error(c.ssl, got), SSL_ERROR_ZERO_RETURN);
    dtls_free(d);
    client_close(&c);
}

/* Without the library's object: both goodbyes, and what is no goodbye. */
static void goodbyes_after_settling(void **state)
{
    static const char *const CIPHERS[] = {"ECDHE-ECDSA-AES128-GCM-SHA256",
                                          "ECDHE-ECDSA-AES256-GCM-SHA384",
                                          "ECDHE-ECDSA-CHACHA20-POLY1305"};
    for (unsigned i = 0; i < 6; i++) {
        struct client c;
        unsigned n = 0;
        uint8_t byte;
        client_open(&c, "SRTP_AEAD_AES_128_GCM", 1200);
        assert_int_equal(SSL_set_cipher_list(c.ssl, CIPHERS[i / 2]), 1);
        struct dtls *d = server(&c);
        dtls_settle(d); /* too early: nothing happens */
        assert_int_equal(shake(&c, d, 0), E_OK);
        dtls_settle(d);
        dtls_settle(d);
        same_keys(&c, d, SRTPX_AES_128_GCM);
        if (i % 2) {
            dtls_close(d);
            assert_true(to_client(&c, d, &n, 0));
            const int got = SSL_read(c.ssl, &byte, 1);
            assert_int_equal(SSL_get_error(c.ssl, got), SSL_ERROR_ZERO_RETURN);
        } else {
            static const uint8_t forged[39] = {21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 26};
            assert_int_equal(dtls_feed(d, span_of(forged, sizeof forged)), E_OK);
            assert_int_equal(dtls_feed(d, span_of(forged, 20)), E_OK);
            SSL_shutdown(c.ssl);
            assert_int_equal(to_server(&c, d, &n, 0), E_CLOSED);
        }
        dtls_free(d);
        client_close(&c);
    }
}

/* The client did not hear the server's last flight and sends its own again: it gets it again. */
static void last_flight_lost(void **state)
{
    struct client c;
    struct dtls_keys keys;
    struct span out;
    unsigned n = 0;
    client_open(&c, "SRTP_AEAD_AES_128_GCM", 1200);
    struct dtls *d = server(&c);
    for (int i = 0; i < 20 && !dtls_get_keys(d, &keys); i++) {
        SSL_do_handshake(c.ssl);
        assert_int_equal(to_server(&c, d, &n, 0), E_OK);
        if (!dtls_get_keys(d, &keys)) to_client(&c, d, &n, 0);
    }
    while (dtls_output(d, &out)) continue; /* lost */
    for (int i = 0; i < 1000 && SSL_do_handshake(c.ssl) != 1; i++) {
        usleep(20000);
        DTLSv1_handle_timeout(c.ssl);
        assert_int_equal(to_server(&c, d, &n, 0), E_OK);
        to_client(&c, d, &n, 0);
    }
    assert_int_equal(SSL_do_handshake(c.ssl), 1);
    dtls_free(d);
    client_close(&c);
}

static void client_hello_in_several_datagrams(void **state)
{
    struct client c;
    client_open(&c, "SRTP_AEAD_AES_128_GCM", 256);
    struct dtls *d = server(&c);
    assert_int_equal(shake(&c, d, 0), E_OK);
    same_keys(&c, d, SRTPX_AES_128_GCM);
    dtls_free(d);
    client_close(&c);
}

static void survives_loss(void **state)
{
    struct client c;
    client_open(&c, "SRTP_AEAD_AES_128_GCM", 1200);
    struct dtls *d = server(&c);
    assert_int_equal(shake(&c, d, 4), E_OK);
    dtls_free(d);
    client_close(&c);
}

static void another_certificate_gets_no_keys(void **state)
{
    struct client c;
    struct dtls_keys k;
    client_open(&c, "SRTP_AEAD_AES_128_GCM", 1200);
    c.digest[31] ^= 1;
    struct dtls *d = server(&c);
    assert_int_equal(shake(&c, d, 0), E_AUTH);
    assert_false(dtls_get_keys(d, &k));
    dtls_free(d);
    client_close(&c);
}

static void without_srtp_there_is_no_session(void **state)
{
    struct client c;
    client_open(&c, NULL, 1200);
    struct dtls *d = server(&c);
    assert_int_equal(shake(&c, d, 0), E_UNSUPPORTED);
    dtls_free(d);
    client_close(&c);
}

static void strange_fingerprints(void **state)
{
    static const uint8_t digest[64] = {0};
    assert_null(dtls_new(ctx, SPAN_LIT("md5"), span_of(digest, 16)));
    assert_null(dtls_new(ctx, SPAN_LIT("sha-256"), span_of(digest, 31)));
    assert_null(dtls_new(ctx, SPAN_LIT("sha-512"), span_of(digest, 32)));
    dtls_free(dtls_new(ctx, SPAN_LIT("sha-512"), span_of(digest, 64)));
}

static void noise_breaks_nothing(void **state)
{
    struct client c;
    client_open(&c, "SRTP_AEAD_AES_128_GCM", 1200);
    struct dtls *d = server(&c);
    uint8_t noise[100];
    for (unsigned i = 0; i < 200; i++) {
        for (size_t k = 0; k < sizeof noise; k++) noise[k] = (uint8_t)(i * 7 + k * 13);
        noise[0] = (uint8_t)(20 + i % 44);
        assert_int_equal(dtls_feed(d, span_of(noise, sizeof noise)), E_OK);
    }
    assert_int_equal(shake(&c, d, 0), E_OK);
    dtls_free(d);
    client_close(&c);
}

static int setup(void **state)
{
    ctx = dtls_ctx_new();
    return 0;
}

static int teardown(void **state)
{
    dtls_ctx_free(ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_on_the_best_profile),
        cmocka_unit_test(goodbye_from_the_server),
        cmocka_unit_test(goodbyes_after_settling),
        cmocka_unit_test(last_flight_lost),
        cmocka_unit_test(client_hello_in_several_datagrams),
        cmocka_unit_test(survives_loss),
        cmocka_unit_test(another_certificate_gets_no_keys),
        cmocka_unit_test(without_srtp_there_is_no_session),
        cmocka_unit_test(strange_fingerprints),
        cmocka_unit_test(noise_breaks_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
