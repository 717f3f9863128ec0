/* SPDX-License-Identifier: MIT */
/* tests/unit/rtc_client.h - a WebRTC client by hand: POST, check, DTLS, SRTP, on blocking sockets.
 * It says what it is told, also what no real client would. */
#pragma once
#include "base/rand.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "engine/srtp.h"
#include "test.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"
#include "wire/stun.h"
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define RTC_CLIENT_WAIT_MS 10000

struct rtc_client {
    int fd; /* UDP, connected to the server */
    SSL_CTX *ctx;
    SSL *ssl;
    char fingerprint[3 * 32];
    char session[64], ufrag[64], pwd[64];
    struct srtpx *out, *in;
};

static inline void rtc_client_certificate(struct rtc_client *c)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    uint8_t digest[32];
    unsigned n = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    X509_digest(x, EVP_sha256(), digest, &n);
    for (unsigned i = 0; i < n; i++)
        snprintf(c->fingerprint + 3 * i, 4, "%02X%s", digest[i], i + 1 < n ? ":" : "");
    c->ctx = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_use_certificate(c->ctx, x);
    SSL_CTX_use_PrivateKey(c->ctx, key);
    assert_int_equal(SSL_CTX_set_tlsext_use_srtp(c->ctx, "SRTP_AEAD_AES_128_GCM"), 0);
    SSL_CTX_set_options(c->ctx, SSL_OP_NO_QUERY_MTU);
    c->ssl = SSL_new(c->ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(c->ssl, in, out);
    SSL_set_mtu(c->ssl, 1200);
    SSL_set_connect_state(c->ssl);
    X509_free(x);
    EVP_PKEY_free(key);
}

static inline int rtc_client_connect(int type, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int fd = socket(AF_INET, type, 0), bytes = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); /* nobody reads while we speak */
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* The status; the whole reply in `reply`. */
static inline int rtc_client_http(uint16_t port, const char *method, const char *path,
                                  const char *body, struct str *reply)
{
    struct str req = {0};
    char b[4096];
    ssize_t n;
    const int fd = rtc_client_connect(SOCK_STREAM, port);
    str_addf(&req,
             "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/sdp\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             method, path, strlen(body), body);
    assert_int_equal(write(fd, req.p, req.len), req.len);
    str_fini(&req);
    reply->len = 0;
    while ((n = read(fd, b, sizeof b)) > 0) str_add(reply, span_of(b, (size_t)n));
    close(fd);
    return reply->len > 12 ? atoi(str_c(reply) + 9) : 0;
}

static inline void rtc_client_field(struct str *reply, const char *name, char out[64])
{
    const char *at = strstr(str_c(reply), name);
    assert_non_null(at);
    at += strlen(name);
    snprintf(out, 64, "%.*s", (int)strcspn(at, "\r\n"), at);
}

/* POSTs an offer whose media sections are `media`; the status. */
static inline int rtc_client_post(struct rtc_client *c, uint16_t http_port, const char *path,
                                  const char *media)
{
    struct str offer = {0}, reply = {0};
    str_addf(&offer,
             "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
             "a=ice-ufrag:peer\r\na=ice-pwd:passwordpasswordpassword\r\na=setup:actpass\r\n"
             "a=fingerprint:sha-256 %s\r\n%s",
             c->fingerprint, media);
    const int status = rtc_client_http(http_port, "POST", path, str_c(&offer), &reply);
    if (status == 201) {
        rtc_client_field(&reply, "ocation: ", c->session);
        rtc_client_field(&reply, "a=ice-ufrag:", c->ufrag);
        rtc_client_field(&reply, "a=ice-pwd:", c->pwd);
    }
    str_fini(&offer);
    str_fini(&reply);
    return status;
}

/* The next datagram; 0: nothing came in that time. */
static inline size_t rtc_client_read(struct rtc_client *c, uint8_t *room, size_t cap, int ms)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    if (poll(&p, 1, ms) <= 0) return 0;
    const ssize_t n = recv(c->fd, room, cap, 0);
    return n > 0 ? (size_t)n : 0;
}

static inline void rtc_client_send(struct rtc_client *c, const void *p, size_t n)
{
    assert_int_equal(send(c->fd, p, n, 0), n);
}

/* A check that nominates, again until it is answered: what was sent before has been read then.
 * Media that comes meanwhile is lost. */
static inline void rtc_client_check(struct rtc_client *c)
{
    uint8_t tid[STUN_TID_BYTES], in[2048], room[512];
    char user[80];
    for (int i = 0; i < RTC_CLIENT_WAIT_MS / 500; i++) {
        struct wr w = wr_to(room, sizeof room);
        struct stun_msg m;
        rand_bytes(tid, sizeof tid);
        snprintf(user, sizeof user, "%s:peer", c->ufrag);
        stun_begin(&w, STUN_REQUEST, STUN_BINDING, tid);
        stun_put(&w, STUN_USERNAME, span_str(user));
        stun_put_u64(&w, STUN_ICE_CONTROLLING, 7);
        stun_put_u32(&w, STUN_PRIORITY, 5);
        stun_put(&w, STUN_USE_CANDIDATE, SPAN_NULL);
        stun_end(&w, span_str(c->pwd));
        rtc_client_send(c, room, wr_used(&w));
        for (size_t n; (n = rtc_client_read(c, in, sizeof in, 500)) > 0;)
            if (stun_parse(span_of(in, n), &m) == E_OK && !memcmp(m.tid, tid, sizeof tid)) return;
    }
    fail_msg("the server does not answer");
}

static inline void rtc_client_flight(struct rtc_client *c)
{
    uint8_t all[16384];
    const int n = BIO_read(SSL_get_wbio(c->ssl), all, sizeof all);
    for (int at = 0; at + 13 <= n;) { /* each record a datagram */
        const int len = 13 + (all[at + 11] << 8 | all[at + 12]);
        rtc_client_send(c, all + at, (size_t)len);
        at += len;
    }
}

/* Check and handshake; afterwards media may flow. */
static inline void rtc_client_open(struct rtc_client *c, uint16_t rtc_port)
{
    uint8_t room[2048], m[2 * (16 + 12)];
    c->fd = rtc_client_connect(SOCK_DGRAM, rtc_port);
    rtc_client_check(c);
    while (SSL_do_handshake(c->ssl) != 1) {
        rtc_client_flight(c);
        const size_t n = rtc_client_read(c, room, sizeof room, RTC_CLIENT_WAIT_MS);
        assert_true(n > 0);
        if (room[0] >= 20 && room[0] <= 63) BIO_write(SSL_get_rbio(c->ssl), room, (int)n);
    }
    rtc_client_flight(c);
    assert_int_equal(
        SSL_export_keying_material(c->ssl, m, sizeof m, "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0), 1);
    c->out = srtpx_new(SRTPX_AES_128_GCM, m, m + 32);
    c->in = srtpx_new(SRTPX_AES_128_GCM, m + 16, m + 44);
}

static inline void rtc_client_close(struct rtc_client *c)
{
    srtpx_free(c->in);
    srtpx_free(c->out);
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    close(c->fd);
}
