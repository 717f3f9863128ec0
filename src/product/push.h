/* SPDX-License-Identifier: MIT */
/* product/push.h - browsers that want to be told while no page of ours is open: subscriptions of
 * the Push API, and the key that says who sends (VAPID, RFC 8292).
 *
 * Pool threads. Limits: LIMIT_PUSH_*. */
#pragma once
#include "base/secret.h"
#include "base/settings.h"
#include "base/web_push.h"
#include "product/account.h"

/* The key pair of this installation: derived from its secret, so it is the same after every start
 * and goes with secret.key. */
void push_key(const struct secret *s, uint8_t priv[P256_PRIVATE_LEN], uint8_t pub[P256_PUBLIC_LEN]);

struct push_subscription {
    struct span endpoint, p256dh, auth; /* as the browser gave them */
};

/* An endpoint is one browser's: given again, by whomever, it is theirs from now on. The oldest of a
 * user's makes room. E_INVALID with the field: not an https address of the public Internet, or no
 * keys. */
enum err push_add(struct db *db, const struct settings *set, const char *user_id,
                  const struct push_subscription *s, struct problem *p) WARN_UNUSED;
/* Whoever has none may remove it too. */
enum err push_remove(struct db *db, const char *user_id, struct span endpoint) WARN_UNUSED;
enum err push_count(struct db *db, const char *user_id, int64_t *out) WARN_UNUSED;

/* A message for every browser of a user: rows, in the caller's transaction. `topic`: a later one
 * with it replaces an earlier one that was not delivered yet (RFC 8030, 5.4), 32 characters. */
enum err push_send_all(struct db *db, const char *user_id, const char *payload, const char *topic,
                       int64_t now, int64_t expires_at) WARN_UNUSED;
bool push_fits(struct db *db); /* there is room for more */
