/* SPDX-License-Identifier: MIT */
/* base/web_push.h - a message that only a browser can read, on its way over somebody's push
 * service: RFC 8291 (keys) with RFC 8188 (aes128gcm, one record). And who sends it: VAPID, RFC
 * 8292. Any thread. [libcrypto] */
#pragma once
#include "base/p256.h"
#include "base/str.h"

#define WEB_PUSH_AUTH_LEN 16
#define WEB_PUSH_SALT_LEN 16
/* Of the plain text: a push service must take 4096 bytes (RFC 8291, 4), 103 of them are ours. */
#define WEB_PUSH_TEXT_MAX 3993

struct web_push_keys {
    uint8_t p256dh[P256_PUBLIC_LEN]; /* of the subscription */
    uint8_t auth[WEB_PUSH_AUTH_LEN];
};

/* The keys as a browser writes them, base64url. E_INVALID: too short or long, or no point of the
 * curve. */
enum err web_push_keys_parse(struct span p256dh, struct span auth,
                             struct web_push_keys *out) WARN_UNUSED;

/* Appends the request's body. The sender's key and the salt are of this message alone; NULL: made
 * here, given for tests. E_LIMIT: the text is too long. E_INVALID: bad keys. */
enum err web_push_seal(const struct web_push_keys *to, struct span text, const uint8_t *sender_priv,
                       const uint8_t *salt, struct str *out) WARN_UNUSED;

/* Appends the value of the Authorization header: "vapid t=..., k=...". `endpoint` is an http
 * address whose origin is the audience; `subject` an address of the sender ("mailto:...",
 * "https://..."); `expires_at_s` at most a day ahead. E_INVALID: one of them holds what cannot
 * stand in it. */
enum err web_push_vapid(const uint8_t priv[P256_PRIVATE_LEN], struct span endpoint,
                        struct span subject, int64_t expires_at_s, struct str *out) WARN_UNUSED;
