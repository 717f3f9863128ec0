/* SPDX-License-Identifier: MIT */
/* product/follow.h - who follows whom, and how they want to be told.
 *
 * Pool threads. At most LIMIT_FOLLOWS_PER_USER for a follower; followers are not limited, so they
 * are read in pages. Times are microseconds since 1970. */
#pragma once
#include "product/account.h"

struct follow_choice {
    bool by_mail, by_push;
};

struct follow {
    char user_id[ID_CAP], follower_id[ID_CAP];
    struct follow_choice choice;
    int64_t at; /* since when */
};

/* Again with another choice changes that; `at` stays. E_INVALID "own_channel",
 * "too_many_follows"; E_NOTFOUND: there is no such account. */
enum err follow_add(struct db *db, const char *follower_id, const char *user_id,
                    struct follow_choice choice, struct problem *p) WARN_UNUSED;
/* Whoever does not follow may stop too. */
enum err follow_remove(struct db *db, const char *follower_id, const char *user_id) WARN_UNUSED;
/* E_NOTFOUND: does not follow. */
enum err follow_get(struct db *db, const char *follower_id, const char *user_id,
                    struct follow *out) WARN_UNUSED;
/* Since when; E_NOTFOUND: does not follow. */
enum err follow_since(struct db *db, const char *follower_id, const char *user_id,
                      int64_t *at) WARN_UNUSED;
enum err follow_count(struct db *db, const char *user_id, int64_t *out) WARN_UNUSED;

/* A page of those who follow somebody, in the order of their ids: at most *n after `after_id` (""
 * at first); *n of them are written, fewer on the last page. For who sends notices. */
enum err follow_followers(struct db *db, const char *user_id, const char *after_id,
                          struct follow *out, size_t *n) WARN_UNUSED;

/* Whom somebody follows, the latest first. */
struct followed {
    struct follow_choice choice;
    int64_t at;
    char id[ID_CAP], handle[HANDLE_CAP], name[TEXT_CAP(LIMIT_NAME_CHARS)], image[USER_URL_CAP];
};
/* At most *n with an `at` before `before` (INT64_MAX at first). */
enum err follow_list(struct db *db, const char *follower_id, int64_t before, struct followed *out,
                     size_t *n) WARN_UNUSED;
