/* SPDX-License-Identifier: MIT */
/* product/notice_priv.h - what the files behind product/notifier.h share. The notifier's thread. */
#pragma once
#include "base/secret.h"
#include "base/str.h"
#include "product/notice.h"
#include "product/notifier.h"
#include "product/text.h"

struct notice {
    char id[ID_CAP], user_id[ID_CAP], stream_id[ID_CAP], after_id[ID_CAP];
    enum notice_kind kind;
    char title[TEXT_CAP(LIMIT_TITLE_CHARS)];
    char user_name[TEXT_CAP(LIMIT_NAME_CHARS)];
    int64_t at, was_at, expires_at;
    bool pointless; /* too late, or no longer so */
};

/* notice_text.c: the words, in English; what the follower's browser makes of a push message is its
 * own matter (web/src/service-worker.ts). */
void notice_subject(const struct notice *n, struct str *out);
void notice_body(const struct notice *n, const char *unsubscribe, struct str *out);
void notice_payload(const struct notice *n, struct str *out); /* JSON */

/* notice_tell.c: finds what there is to tell, and tells the next page of followers. *more: there is
 * more to do now. */
enum err notice_find(struct db *db);
enum err notice_tell(const struct notifier_config *cfg, struct db *db, bool *more);

/* push_send.c */
struct push_sender;
struct push_sender *push_sender_new(const struct notifier_config *cfg, struct db *db,
                                    void (*wake)(void *ctx), void *ctx);
/* Writes down what was answered, and starts what is due. */
void push_sender_run(struct push_sender *s);
/* After the HTTP client has ended: what ran has come back by then, and is sent again after the next
 * start unless it was answered. */
void push_sender_free(struct push_sender *s);
