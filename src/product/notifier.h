/* SPDX-License-Identifier: MIT */
/* product/notifier.h - the thread that tells followers: looks once a second whether there is
 * something to tell, writes the mails of it for product/mailer.h, and sends the push messages.
 * What it has done is in the rows: a kill loses nothing, and sends a push message twice at most. */
#pragma once
#include "base/secret.h"
#include "base/settings.h"
#include "client/http_client.h"
#include "store/store.h"

struct notifier_config {
    const struct settings *settings;
    const struct secret *secret;
    struct store *store;
    struct http_client *client;
};

struct notifier;
/* After mail_origin_set(). */
struct notifier *notifier_new(const struct notifier_config *cfg);
void notifier_stop(struct notifier *n); /* before http_client_free(); NULL is fine */
void notifier_free(struct notifier *n); /* after it */
