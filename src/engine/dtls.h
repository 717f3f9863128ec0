/* SPDX-License-Identifier: MIT */
/* engine/dtls.h - the server's half of DTLS-SRTP: a handshake that ends in keys [libssl].
 *
 * Sources: RFC 6347 (DTLS 1.2), RFC 5764 (use_srtp, key exporter), RFC 8122 (fingerprints).
 * Datagrams in by dtls_feed(), datagrams out by dtls_output(): no sockets. The ClientHello may come
 * in several datagrams (Chromium's does). The peer's certificate is compared with the fingerprint
 * that its offer announced before any key is given out.
 *
 * A context (our certificate, made anew at every start) is shared by all threads; a session belongs
 * to one. Time: OpenSSL keeps its own clock for retransmission; dtls_deadline_us() translates. */
#pragma once
#include "base/err.h"
#include "engine/srtp.h"

struct dtls_ctx;
struct dtls;

struct dtls_ctx *dtls_ctx_new(void);
void dtls_ctx_free(struct dtls_ctx *c); /* NULL is fine; sessions may outlive it */
void dtls_ctx_fingerprint(const struct dtls_ctx *c, uint8_t sha256[32]);

/* `algorithm` and `digest` are the offer's. NULL: an algorithm that we do not know (sha-256,
 * sha-384 and sha-512 are known), or a digest of another length. */
struct dtls *dtls_new(struct dtls_ctx *c, struct span algorithm, struct span digest);
void dtls_free(struct dtls *d); /* NULL is fine */

bool dtls_is(struct span datagram); /* RFC 7983: first byte of 20 to 63 */

/* One datagram. E_OK, also while the handshake goes on. E_AUTH: another certificate than announced.
 * E_UNSUPPORTED: no SRTP profile in common. E_PROTO: it broke the handshake. E_CLOSED: the peer
 * said goodbye. After an error the session is done; output may hold an alert to send. */
enum err dtls_feed(struct dtls *d, struct span datagram) WARN_UNUSED;
/* Datagrams to send, one a call, of at most DTLS_MTU bytes; valid until the next call. False: none.
 * Look after dtls_feed(), dtls_tick() and dtls_close(). */
bool dtls_output(struct dtls *d, struct span *out);
#define DTLS_MTU 1200

/* When dtls_tick() is wanted, to send a flight again; INT64_MAX: not. */
int64_t dtls_deadline_us(const struct dtls *d, int64_t now_us);
enum err dtls_tick(struct dtls *d) WARN_UNUSED; /* E_TIMEOUT: sent too often */
void dtls_close(struct dtls *d);                /* puts close_notify in the output */
/* The peer has shown that it has the keys, so that no flight is wanted again: what only a handshake
 * needs is given back. Goodbyes are still said and heard. Calling it again costs nothing. */
void dtls_settle(struct dtls *d);

struct dtls_keys {
    enum srtpx_profile profile;
    uint8_t client[SRTPX_KEY_MAX + SRTPX_SALT_MAX]; /* key, then salt: what the peer seals with */
    uint8_t server[SRTPX_KEY_MAX + SRTPX_SALT_MAX]; /* what we seal with */
};
/* False: not yet. */
bool dtls_get_keys(const struct dtls *d, struct dtls_keys *out);
