/* SPDX-License-Identifier: MIT */
#include "engine/tls.h"
#include "base/xalloc.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct tls_ctx {
    SSL_CTX *ssl;
    int64_t not_after;
};

struct tls {
    SSL *ssl;
    BIO *in, *out; /* the session's */
    bool given;    /* the output was handed out: emptied by the next call */
    const char *problem;
    char alpn[16];
};

static const char *openssl_reason(void)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    return why ? why : "unknown error";
}

static enum err fail(char *problem, size_t cap, enum err e, const char *what, const char *path,
                     const char *why)
{
    snprintf(problem, cap, "%s %s: %s", what, path, why);
    return e;
}

/* h2 first, whatever the client's order: every client that offers it can (RFC 7301, 3.2). */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    (void)ssl, (void)arg;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static void set_options(SSL_CTX *ssl, enum tls_use use)
{
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);         /* an idle connection has no buffers */
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF); /* tickets resume without it */
    CHECK(SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
    if (use == TLS_FOR_HTTP) SSL_CTX_set_alpn_select_cb(ssl, choose_alpn, NULL);
}

static int64_t not_after(SSL_CTX *ssl)
{
    struct tm tm;
    const X509 *cert = SSL_CTX_get0_certificate(ssl);
    if (!cert || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1) return 0;
    return timegm(&tm);
}

static enum err load(SSL_CTX *ssl, const char *cert, const char *key, char *problem, size_t cap)
{
    ERR_clear_error();
    if (access(cert, R_OK) != 0)
        return fail(problem, cap, E_NOTFOUND, "cannot read the certificate", cert, strerror(errno));
    if (access(key, R_OK) != 0)
        return fail(problem, cap, E_NOTFOUND, "cannot read the key", key, strerror(errno));
    if (SSL_CTX_use_certificate_chain_file(ssl, cert) != 1)
        return fail(problem, cap, E_INVALID, "no usable certificate in", cert, openssl_reason());
    if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1)
        return fail(problem, cap, E_INVALID, "no usable key in", key, openssl_reason());
    if (SSL_CTX_check_private_key(ssl) != 1)
        return fail(problem, cap, E_INVALID, "the certificate does not belong to the key", key,
                    openssl_reason());
    return E_OK;
}

enum err tls_ctx_new(const char *cert_path, const char *key_path, enum tls_use use,
                     struct tls_ctx **out, char *problem, size_t cap)
{
    SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
    CHECK(ssl);
    set_options(ssl, use);
    const enum err e = load(ssl, cert_path, key_path, problem, cap);
    if (e != E_OK) {
        SSL_CTX_free(ssl);
        return e;
    }
    *out = NEW(struct tls_ctx);
    **out = (struct tls_ctx){.ssl = ssl, .not_after = not_after(ssl)};
    return E_OK;
}

void tls_ctx_free(struct tls_ctx *c)
{
    if (!c) return;
    SSL_CTX_free(c->ssl);
    free(c);
}

int64_t tls_ctx_not_after(const struct tls_ctx *c)
{
    return c->not_after;
}

struct tls *tls_new(struct tls_ctx *c)
{
    struct tls *t = NEW(struct tls);
    t->ssl = SSL_new(c->ssl);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    t->problem = "";
    CHECK(t->ssl && t->in && t->out);
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_accept_state(t->ssl);
    return t;
}

void tls_free(struct tls *t)
{
    if (!t) return;
    SSL_free(t->ssl);
    free(t);
}

static void drop_given(struct tls *t)
{
    if (t->given) (void)BIO_reset(t->out);
    t->given = false;
}

#define KEPT_BYTES 4096

static bool has_slack(BIO *b)
{
    BUF_MEM *mem;
    BIO_get_mem_ptr(b, &mem);
    return BIO_pending(b) == 0 && mem->max > KEPT_BYTES;
}

/* A memory BIO keeps what it has grown to; a connection that waits shall not. The session frees
 * the BIO that is replaced. */
static void drop_slack(struct tls *t)
{
    if (has_slack(t->in)) SSL_set0_rbio(t->ssl, t->in = BIO_new(BIO_s_mem()));
    if (has_slack(t->out)) SSL_set0_wbio(t->ssl, t->out = BIO_new(BIO_s_mem()));
    CHECK(t->in && t->out);
}

void tls_feed(struct tls *t, struct span cipher)
{
    drop_given(t);
    CHECK(cipher.len <= INT32_MAX);
    if (cipher.len) CHECK(BIO_write(t->in, cipher.p, (int)cipher.len) == (int)cipher.len);
}

static enum err outcome(struct tls *t, int rc)
{
    switch (SSL_get_error(t->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return E_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return E_CLOSED;
    default:
        t->problem = openssl_reason();
        return E_PROTO;
    }
}

enum err tls_read(struct tls *t, uint8_t *out, size_t cap, size_t *n)
{
    drop_given(t);
    ERR_clear_error(); /* the queue is the thread's, not the session's */
    const int rc = SSL_read_ex(t->ssl, out, cap, n);
    if (rc == 1) return E_OK;
    const enum err e = outcome(t, rc);
    if (e == E_MORE) drop_slack(t);
    return e;
}

enum err tls_write(struct tls *t, struct span plain)
{
    size_t n;
    drop_given(t);
    if (plain.len == 0) return E_OK;
    ERR_clear_error();
    const int rc = SSL_write_ex(t->ssl, plain.p, plain.len, &n);
    return rc == 1 ? E_OK : outcome(t, rc);
}

bool tls_output(struct tls *t, struct span *out)
{
    char *p;
    drop_given(t);
    const long n = BIO_get_mem_data(t->out, &p);
    if (n <= 0) return false;
    *out = span_of(p, (size_t)n);
    t->given = true;
    return true;
}

void tls_shutdown(struct tls *t)
{
    drop_given(t);
    ERR_clear_error();
    if (SSL_is_init_finished(t->ssl)) (void)SSL_shutdown(t->ssl);
    ERR_clear_error();
}

bool tls_is_ready(const struct tls *t)
{
    return SSL_is_init_finished(t->ssl) == 1;
}

const char *tls_alpn(const struct tls *t)
{
    const unsigned char *p;
    unsigned n;
    struct tls *w = (struct tls *)(uintptr_t)t;
    SSL_get0_alpn_selected(t->ssl, &p, &n);
    if (!span_cstr(span_of(p, n), w->alpn, sizeof w->alpn)) w->alpn[0] = 0;
    return t->alpn;
}

const char *tls_problem(const struct tls *t)
{
    return t->problem;
}
