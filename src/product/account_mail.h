/* SPDX-License-Identifier: MIT */
/* product/account_mail.h - what an account does by mail: an address is confirmed or changed, a
 * password that was forgotten is set anew. For who has mail_on() (product/mail.h). Pool threads. */
#pragma once
#include "product/account_link.h"

/* A link to the account's own address, with which it is confirmed. E_CONFLICT: it is already. */
enum err account_ask_confirm(struct db *db, const char *user_id, struct problem *p) WARN_UNUSED;
/* A link to the new address; with it the account changes to it. The answer is the same for an
 * address that has an account: its owner is told by mail. E_INVALID. */
enum err account_ask_email(struct db *db, const char *user_id, struct span email,
                           struct problem *p) WARN_UNUSED;
/* A link of either kind comes back: the address is theirs, and the one before is told when it was
 * changed. E_INVALID "bad_link"; E_CONFLICT "email_taken" meanwhile. */
enum err account_confirm(struct db *db, struct span token, struct account_link *out,
                         struct problem *p) WARN_UNUSED;
/* A link to set a password, if there is such an account (text_email()'s key). Whether there is, the
 * time that this takes may tell: it is for after the answer. */
enum err account_ask_reset(struct db *db, const char *email_key) WARN_UNUSED;
/* The link comes back with a password: all sessions end. E_INVALID "bad_link", "weak_password" of
 * the field "password". */
enum err account_reset(struct db *db, struct span token, struct span password,
                       struct problem *p) WARN_UNUSED;
/* Tells the account's owner, within a transaction: `what` as "The password of your account was
 * changed." */
enum err account_tell(struct db *db, const char *user_id, const char *subject,
                      const char *what) WARN_UNUSED;
