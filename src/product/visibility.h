/* SPDX-License-Identifier: MIT */
/* product/visibility.h - who may see a stream.
 *
 * PUBLIC: everybody, and lists show it. UNLISTED: whoever has its address. PRIVATE: its owner,
 * administrators, accounts that were invited by their address, and whoever knows its password, if
 * it has one. Media is guarded by the same rule (video/admit.h): whoever may watch is given
 * playback URLs with a token of ours. ADR 38.
 *
 * Threads: pool threads. Limits: LIMIT_STREAM_INVITATIONS, LIMIT_PASSWORD_BYTES. */
#pragma once
#include "product/stream.h"
#include "video/grant.h"

/* For lists: lobby, search, feeds, a streamer's page. In SQL the stream is `s`. */
#define VISIBILITY_LISTED_SQL "s.visibility = 'PUBLIC' "
bool visibility_listed(const struct stream *s);

/* Where mail goes out, an invitation is for an address that its account has confirmed; where none
 * does, nobody can, and the account's word is taken. Before any other. */
void visibility_init(bool mail);

/* Everything of it: its picture, its words, its room. `u` NULL: nobody known. `grant`: what the
 * viewer brings of an earlier password, or SPAN_NULL. When the database fails, not. */
bool visibility_may_watch(struct db *db, const struct stream *s, const struct user *u,
                          struct span grant);
/* Lets in by the password: E_OK, and `grant` is good for GRANT_ENTRY_S, or until the password is
 * another. E_AUTH: wrong, or there is none, after the same time. Hashes. */
#define GRANT_ENTRY_S (7 * 24 * 3600)
enum err visibility_enter(const struct stream *s, struct db *db, struct span password,
                          char grant[GRANT_CAP]) WARN_UNUSED;

/* Of fields that are given. A password that is too short, or PRIVATE where Mux plays: E_INVALID. */
enum err visibility_check(const struct stream_fields *f, struct problem *p) WARN_UNUSED;
/* Hash of a new password, "" for none. E_INVALID. Slow on purpose. */
#define WATCH_HASH_CAP 128
enum err visibility_hash(struct span password, char out[WATCH_HASH_CAP],
                         struct problem *p) WARN_UNUSED;
/* Within the transaction of the change. */
enum err visibility_write(struct db *db, const char *stream_id,
                          const struct stream_fields *f) WARN_UNUSED;

struct invitation {
    char id[ID_CAP], email[LIMIT_EMAIL_BYTES + 1];
    int64_t created_at;
};
/* The owner's. The caller has looked whose the stream is. Inviting twice is once. E_INVALID: not an
 * address, or too many. `listed` has room for LIMIT_STREAM_INVITATIONS. */
enum err visibility_invite(struct db *db, const char *stream_id, struct span email,
                           struct invitation *out, struct problem *p) WARN_UNUSED;
enum err visibility_invited(struct db *db, const char *stream_id, struct invitation *listed,
                            size_t *n) WARN_UNUSED;
/* Who was let in by it is in no more. E_NOTFOUND. */
enum err visibility_uninvite(struct db *db, const char *stream_id, const char *id,
                             struct problem *p) WARN_UNUSED;
