/* SPDX-License-Identifier: MIT */
/* product/direct.h - the direct preview: from the owner's browser to one viewer's, without the
 * server. Here are only the offer and the answer, which the two fetch from each other.
 *
 * An offer is named by the moment when it came. It is good for DIRECT_FRESH_US after the owner's
 * page last confirmed it (by offering the same again), so that nobody answers a page that is gone,
 * and only while the stream has not been live. The first answer wins. Pool threads. */
#pragma once
#include "product/stream.h"

#define DIRECT_FRESH_US INT64_C(60000000)

/* Whether there is an offer to be answered, or being watched. */
bool direct_is(const struct stream *s, int64_t now_us);

struct direct {
    int64_t id;
    char *offer, *answer; /* owned; answer NULL: none yet */
};
void direct_fini(struct direct *d);

/* The owner's. The same text again confirms it, and keeps the answer; another one begins anew.
 * *changed: there is something to tell. E_INVALID: no SDP, or longer than LIMIT_DIRECT_SDP_BYTES;
 * E_CONFLICT: the stream is or was live. */
enum err direct_offer(struct db *db, const char *stream_id, const char *user_id, struct span sdp,
                      int64_t *id, bool *changed, struct problem *p) WARN_UNUSED;
/* Anybody's. E_NOTFOUND: no such offer (any more); E_CONFLICT: somebody was quicker. */
enum err direct_answer(struct db *db, const char *stream_id, int64_t id, struct span sdp,
                       struct problem *p) WARN_UNUSED;
/* E_NOTFOUND: none. The caller frees with direct_fini() after E_OK. */
enum err direct_get(struct db *db, const char *stream_id, struct direct *out,
                    struct problem *p) WARN_UNUSED;
/* Forgets offers and answers that nobody can use any more: there are addresses in them. */
enum err direct_sweep(struct db *db) WARN_UNUSED;
/* The owner's; without one, nothing. */
enum err direct_end(struct db *db, const char *stream_id, const char *user_id, bool *changed,
                    struct problem *p) WARN_UNUSED;
