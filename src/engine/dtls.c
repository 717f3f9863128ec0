/* SPDX-License-Identifier: MIT */
/* OpenSSL over two memory BIOs. The one it writes to runs a flight's records together; DTLS records
 * carry their length, so dtls_output() cuts datagrams at record boundaries again. */
#include "engine/dtls.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "engine/dtls_alert.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define RECORD_HEADER 13
#define YEAR_S        (365L * 24 * 3600)
/* In the order we like them: GCM costs half of CM with SHA-1. */
#define PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"

struct dtls_ctx {
    SSL_CTX *ssl;
    uint8_t fingerprint[32];
};

struct dtls {
    SSL *ssl; /* NULL: settled */
    struct dtls_alert alert;
    bool stays; /* with its SSL: a cipher that alerts are not known of */
    const EVP_MD *md;
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct str out; /* records not yet given out */
    size_t given;   /* bytes of `out` that the caller has had */
    bool ready;
    struct dtls_keys keys;
};

/* Self-signed: the fingerprint in the answer is what vouches for it. */
static X509 *certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    CHECK(x && X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -24L * 3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 10 * YEAR_S);
    X509_NAME *name = X509_get_subject_name(x);
    CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bspnode", -1,
                                     -1, 0) == 1);
    CHECK(X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1);
    CHECK(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

/* Any certificate may be shown; which one it must be is checked when the handshake is done. */
static int accept_any(int ok, X509_STORE_CTX *store)
{
    return 1;
}

struct dtls_ctx *dtls_ctx_new(void)
{
    struct dtls_ctx *c = NEW(struct dtls_ctx);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = certificate(key);
    unsigned n = 0;
    c->ssl = SSL_CTX_new(DTLS_server_method());
    CHECK(c->ssl && X509_digest(x, EVP_sha256(), c->fingerprint, &n) == 1 && n == 32);
    CHECK(SSL_CTX_use_certificate(c->ssl, x) == 1 && SSL_CTX_use_PrivateKey(c->ssl, key) == 1);
    CHECK(SSL_CTX_set_min_proto_version(c->ssl, DTLS1_2_VERSION) == 1);
    CHECK(SSL_CTX_set_tlsext_use_srtp(c->ssl, PROFILES) == 0); /* 0 is success, in this one */
    CHECK(SSL_CTX_set_cipher_list(c->ssl, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES") == 1);
    SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    SSL_CTX_set_options(c->ssl, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS);
    X509_free(x);
    EVP_PKEY_free(key);
    return c;
}

void dtls_ctx_free(struct dtls_ctx *c)
{
    if (!c) return;
    SSL_CTX_free(c->ssl);
    free(c);
}

void dtls_ctx_fingerprint(const struct dtls_ctx *c, uint8_t sha256[32])
{
    memcpy(sha256, c->fingerprint, sizeof c->fingerprint);
}

static const EVP_MD *algorithm_of(struct span name)
{
    if (span_ieq(name, SPAN_LIT("sha-256"))) return EVP_sha256();
    if (span_ieq(name, SPAN_LIT("sha-384"))) return EVP_sha384();
    if (span_ieq(name, SPAN_LIT("sha-512"))) return EVP_sha512();
    return NULL;
}

struct dtls *dtls_new(struct dtls_ctx *c, struct span algorithm, struct span digest)
{
    const EVP_MD *md = algorithm_of(algorithm);
    if (!md || digest.len != (size_t)EVP_MD_get_size(md)) return NULL;
    struct dtls *d = NEW(struct dtls);
    d->md = md;
    memcpy(d->digest, digest.p, digest.len);
    d->ssl = SSL_new(c->ssl);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    CHECK(d->ssl && in && out);
    BIO_set_mem_eof_return(in, -1); /* empty is "later", not the end */
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(d->ssl, in, out);
    SSL_set_mtu(d->ssl, DTLS_MTU);
    SSL_set_accept_state(d->ssl);
    return d;
}

void dtls_free(struct dtls *d)
{
    if (!d) return;
    SSL_free(d->ssl);
    str_fini(&d->out);
    OPENSSL_cleanse(&d->keys, sizeof d->keys);
    OPENSSL_cleanse(&d->alert, sizeof d->alert);
    free(d);
}

bool dtls_is(struct span datagram)
{
    return datagram.len >= RECORD_HEADER && datagram.p[0] >= 20 && datagram.p[0] <= 63;
}

static enum err check_peer(struct dtls *d)
{
    uint8_t got[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509 *x = SSL_get1_peer_certificate(d->ssl);
    const bool same =
        x && X509_digest(x, d->md, got, &n) == 1 && CRYPTO_memcmp(got, d->digest, n) == 0;
    X509_free(x);
    return same ? E_OK : E_AUTH;
}

/* RFC 5764, 4.2: client key, server key, client salt, server salt. */
static enum err take_keys(struct dtls *d)
{
    static const char LABEL[] = "EXTRACTOR-dtls_srtp";
    uint8_t material[2 * (SRTPX_KEY_MAX + SRTPX_SALT_MAX)];
    const SRTP_PROTECTION_PROFILE *p = SSL_get_selected_srtp_profile(d->ssl);
    if (!p) return E_UNSUPPORTED;
    d->keys.profile = (enum srtpx_profile)p->id;
    const size_t key = srtpx_key_len(d->keys.profile), salt = srtpx_salt_len(d->keys.profile);
    if (SSL_export_keying_material(d->ssl, material, 2 * (key + salt), LABEL, sizeof LABEL - 1,
                                   NULL, 0, 0) != 1)
        return E_PROTO;
    memcpy(d->keys.client, material, key);
    memcpy(d->keys.server, material + key, key);
    memcpy(d->keys.client + key, material + 2 * key, salt);
    memcpy(d->keys.server + key, material + 2 * key + salt, salt);
    OPENSSL_cleanse(material, sizeof material);
    return E_OK;
}

static enum err on_failure(struct dtls *d, int ret)
{
    const int e = SSL_get_error(d->ssl, ret);
    ERR_clear_error();
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return E_OK;
    if (e == SSL_ERROR_ZERO_RETURN) return E_CLOSED;
    return E_PROTO;
}

/* After the handshake only alerts matter; data channels are not offered. */
static enum err read_on(struct dtls *d)
{
    uint8_t ignored[2048];
    int n;
    CHECK(SSL_alloc_buffers(d->ssl) == 1);
    while ((n = SSL_read(d->ssl, ignored, sizeof ignored)) > 0) continue;
    const enum err e = on_failure(d, n);
    (void)SSL_free_buffers(d->ssl);
    return e;
}

enum err dtls_feed(struct dtls *d, struct span datagram)
{
    if (datagram.len > LIMIT_UDP_BYTES) return E_LIMIT;
    if (!d->ssl) return dtls_alert_read(&d->alert, datagram);
    ERR_clear_error();
    CHECK(BIO_write(SSL_get_rbio(d->ssl), datagram.p, (int)datagram.len) == (int)datagram.len);
    if (d->ready) return read_on(d);
    const int ret = SSL_do_handshake(d->ssl);
    if (ret != 1) return on_failure(d, ret);
    enum err e = check_peer(d);
    if (e == E_OK) e = take_keys(d);
    d->ready = e == E_OK;
    (void)SSL_free_buffers(d->ssl); /* 34 KB that only a handshake needs */
    return e;
}

void dtls_settle(struct dtls *d)
{
    if (!d->ready || !d->ssl || d->stays) return;
    d->stays = dtls_alert_take(&d->alert, d->ssl) != E_OK;
    if (d->stays) return;
    SSL_free(d->ssl);
    d->ssl = NULL;
}

/* Our records of epoch 1 are counted, for the alert that may follow them without the library. */
static void count_records(struct dtls *d, struct span records)
{
    while (records.len >= RECORD_HEADER) {
        const uint8_t *h = records.p;
        uint64_t number = 0;
        for (unsigned i = 5; i < 11; i++) number = number << 8 | h[i];
        if (h[3] == 0 && h[4] == 1 && number >= d->alert.next) d->alert.next = number + 1;
        records = span_skip(records, RECORD_HEADER + ((size_t)h[11] << 8 | h[12]));
    }
}

/* Records that fit into one datagram together. */
static size_t datagram_len(struct span records)
{
    size_t n = 0;
    while (records.len - n >= RECORD_HEADER) {
        const uint8_t *h = records.p + n;
        const size_t len = RECORD_HEADER + ((size_t)h[11] << 8 | h[12]);
        if (len > records.len - n || (n > 0 && n + len > DTLS_MTU)) break;
        n += len;
    }
    return n ? n : records.len;
}

bool dtls_output(struct dtls *d, struct span *out)
{
    uint8_t room[2048];
    int n;
    str_drop(&d->out, d->given);
    while (d->ssl && (n = BIO_read(SSL_get_wbio(d->ssl), room, sizeof room)) > 0)
        str_add(&d->out, span_of(room, (size_t)n));
    if (d->ssl) count_records(d, str_span(&d->out));
    d->given = datagram_len(str_span(&d->out));
    *out = span_head(str_span(&d->out), d->given);
    if (d->given) return true;
    str_fini(&d->out); /* nothing is kept between flights */
    return false;
}

int64_t dtls_deadline_us(const struct dtls *d, int64_t now_us)
{
    struct timeval left;
    if (d->ready || !DTLSv1_get_timeout(d->ssl, &left)) return INT64_MAX;
    return now_us + left.tv_sec * US_PER_SEC + left.tv_usec;
}

enum err dtls_tick(struct dtls *d)
{
    ERR_clear_error();
    const enum err e = DTLSv1_handle_timeout(d->ssl) < 0 ? E_TIMEOUT : E_OK;
    ERR_clear_error();
    return e;
}

void dtls_close(struct dtls *d)
{
    if (!d->ssl) {
        uint8_t goodbye[DTLS_ALERT_BYTES];
        dtls_alert_close(&d->alert, goodbye);
        str_add(&d->out, span_of(goodbye, sizeof goodbye));
        return;
    }
    if (d->ready && SSL_alloc_buffers(d->ssl) == 1) (void)SSL_shutdown(d->ssl);
    ERR_clear_error();
}

bool dtls_get_keys(const struct dtls *d, struct dtls_keys *out)
{
    if (d->ready) *out = d->keys;
    return d->ready;
}
