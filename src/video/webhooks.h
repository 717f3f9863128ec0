/* SPDX-License-Identifier: MIT */
/* video/webhooks.h - sends what the outbox holds (video/outbox.h) to the endpoints.
 *
 * One thread reads what is due, hands it to the HTTP client, and writes what came of it; the
 * database is the queue, and memory holds what is under way only. So a kill at any instant loses
 * nothing: what was under way is sent again, with the same event id.
 *
 * 2xx within LIMIT_WEBHOOK_MS is a success. Anything else is tried again after growing gaps
 * (seconds first, four hours last) until the delivery is 24 hours old. An endpoint that keeps
 * failing is asked less often, by one delivery at a time, whatever waits for it; when it answers
 * again, what waited goes at once, oldest first. To one endpoint at most
 * LIMIT_WEBHOOK_RUNNING_EACH run at a time, of one object one: its events arrive in order unless
 * one of them has failed three times. */
#pragma once
#include "base/secret.h"
#include "client/http_client.h"
#include "store/store.h"

struct webhooks;

struct webhooks_config {
    const struct secret *secret;
    struct store *store;
    struct http_client *client; /* outlives webhooks_stop() */
    bool allow_private;
    /* Opens an endpoint's sealed signing secret; who seals is above us. */
    enum err (*open_secret)(const struct secret *s, const char *row_id, struct span sealed,
                            char *out, size_t cap);
};

struct webhooks *webhooks_new(const struct webhooks_config *cfg);
/* There is something new, or an endpoint was changed. For outbox_set(); any thread. */
void webhooks_wake(void *webhooks);
/* Somebody asks for this endpoint now: it is tried whatever it did before. Any thread. */
void webhooks_nudge(struct webhooks *w, const char *webhook_id);
/* Starts nothing more, waits a little for what runs. */
void webhooks_stop(struct webhooks *w);
/* After the client is gone. NULL is fine. */
void webhooks_free(struct webhooks *w);

/* From the `attempts`-th failure (1: the first) to the next try; without the jitter. Pure. */
int64_t webhooks_gap_us(int attempts);
/* How long an endpoint rests after so many failures in a row. Pure. */
int64_t webhooks_rest_us(int failures);
