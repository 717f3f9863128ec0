/* SPDX-License-Identifier: MIT */
/* product/account_change.h - what people change about their own account.
 *
 * Whoever changes an address or a password gives the password: account_prove(), slow on purpose,
 * outside of transactions. How often that may be tried is the caller's to bound. Pool threads. */
#pragma once
#include "product/account_link.h"

/* E_INVALID with the field. */
enum err account_rename(struct db *db, const char *user_id, struct span name,
                        struct problem *p) WARN_UNUSED;
/* Accounts of another provider (OpenID Connect) may have no password. */
enum err account_has_password(struct db *db, const char *user_id, bool *has) WARN_UNUSED;
/* Somebody has shown that the address is theirs. */
enum err account_is_confirmed(struct db *db, const char *user_id, bool *is) WARN_UNUSED;
/* E_INVALID "wrong_password", of the field "password". */
enum err account_prove(struct db *db, const char *user_id, struct span password,
                       struct problem *p) WARN_UNUSED;
/* Ends all sessions but the one of `keep` (SPAN_NULL: all), and links that would set another.
 * E_INVALID "weak_password", of the field `field`. */
enum err account_set_password(struct db *db, const char *user_id, struct span password,
                              struct span keep, const char *field, struct problem *p) WARN_UNUSED;
/* At once: for who has no mail to confirm it by. E_INVALID; E_CONFLICT "email_taken". */
enum err account_set_email(struct db *db, const char *user_id, struct span email,
                           struct problem *p) WARN_UNUSED;

/* Within a transaction, of what is checked: the same without the questions. E_CONFLICT: the address
 * is taken. */
enum err account_store_password(struct db *db, const char *user_id, const char *hash,
                                struct span keep) WARN_UNUSED;
enum err account_store_email(struct db *db, const char *user_id, const char *email, const char *key,
                             bool confirmed) WARN_UNUSED;
