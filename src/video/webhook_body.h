/* SPDX-License-Identifier: MIT */
/* video/webhook_body.h - what is sent to an endpoint: the event in its envelope, and the signature.
 *
 * Both are Mux's, so that what was written for Mux's webhooks takes ours. Any thread. */
#pragma once
#include "base/str.h"
#include "store/store.h"

#define WEBHOOK_ENVIRONMENT "Production" /* an account is an environment; this is its name */

/* Of a delivery: the event's id, type, object and time, the data as they were then, and the
 * attempts that were made before the `attempts`-th (their answers' bodies left out). Appends JSON.
 * E_NOTFOUND: there is no such delivery. */
enum err webhook_body_write(struct db *db, const char *delivery_id, int attempts,
                            struct str *out) WARN_UNUSED;

/* The value of Mux-Signature: "t=1700000000,v1=" and HMAC-SHA-256, in lower-case hex, of the digits
 * of t, a full stop and the body as it is sent, keyed by the secret's text. */
#define WEBHOOK_SIGNATURE_CAP 100
void webhook_sign(struct span secret, int64_t now_s, struct span body,
                  char out[WEBHOOK_SIGNATURE_CAP]);

/* Bytes of anybody as text for a database and a page: what is no UTF-8, and control characters
 * other than line feed and tab, become '?'. Appends. */
void webhook_clean(struct span in, struct str *out);
