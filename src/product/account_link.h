/* SPDX-License-Identifier: MIT */
/* product/account_link.h - what a link in a mail is good for: to show that an address is theirs, to
 * change to another one, to set a password that was forgotten.
 *
 * The link holds 256 random bits, the database their SHA-256 only. A link is good once and for its
 * time; of one kind LIMIT_LINKS_PER_USER are good for an account, the oldest goes. Pool threads. */
#pragma once
#include "product/account.h"

#define LINK_TOKEN_CAP 44 /* 256 bits, base64url */
#define LINK_RESET_US  (INT64_C(3600) * 1000000)
#define LINK_EMAIL_US  (INT64_C(48) * 3600 * 1000000)

enum link_kind { LINK_CONFIRM, LINK_CHANGE, LINK_RESET };

struct account_link {
    char user_id[ID_CAP];
    char email[LIMIT_EMAIL_BYTES + 1]; /* that was written to */
    enum link_kind kind;
};

/* Within the caller's transaction, with the mail that carries the token. */
enum err link_add(struct db *db, enum link_kind kind, const char *user_id, const char *email,
                  char token[LINK_TOKEN_CAP]) WARN_UNUSED;
/* What it is good for, without taking it. E_NOTFOUND: nothing, or no more. */
enum err link_look(struct db *db, struct span token, struct account_link *out) WARN_UNUSED;
/* Within a transaction: whoever takes it is the only one. E_NOTFOUND. */
enum err link_take(struct db *db, struct span token, struct account_link *out) WARN_UNUSED;
/* Those of a kind that are out are good no more. */
enum err link_drop(struct db *db, const char *user_id, enum link_kind kind) WARN_UNUSED;
/* The address that the account is about to change to; "": none. */
enum err link_awaited(struct db *db, const char *user_id,
                      char email[LIMIT_EMAIL_BYTES + 1]) WARN_UNUSED;
/* Removes what has expired; for a timer. */
enum err link_sweep(struct db *db) WARN_UNUSED;
