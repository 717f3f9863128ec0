/* SPDX-License-Identifier: MIT */
/* product/channel.h - a streamer's page: who they are, what they say of themselves.
 * Pool threads. Limits: LIMIT_ABOUT_CHARS. */
#pragma once
#include "product/account.h"

struct channel {
    char id[ID_CAP], handle[HANDLE_CAP];
    char name[TEXT_CAP(LIMIT_NAME_CHARS)], image[USER_URL_CAP];
    char about[TEXT_CAP(LIMIT_ABOUT_CHARS)];
    int64_t followers, created_at;
};

/* By its handle as somebody typed it. E_NOTFOUND with a problem. */
enum err channel_get(struct db *db, const char *handle, struct channel *out,
                     struct problem *p) WARN_UNUSED;

/* What of it may be changed; a NULL span is left as it is. E_INVALID, E_CONFLICT "handle_taken";
 * then nothing has changed. */
struct channel_fields {
    struct span handle, about;
};
enum err channel_change(struct db *db, const char *user_id, const struct channel_fields *f,
                        struct problem *p) WARN_UNUSED;
