/* SPDX-License-Identifier: MIT */
/* product/handle.h - the name in an account's address: /@ada.
 *
 * Lower-case letters a-z, digits and '_', LIMIT_HANDLE_MIN to LIMIT_HANDLE_CHARS of them, beginning
 * with a letter or digit; unique, and none of the words that mean something in our addresses or
 * would let somebody pass for the operator. Pool threads and the command line. */
#pragma once
#include "base/limits.h"
#include "product/problem.h"
#include "store/store.h"

#define HANDLE_CAP (LIMIT_HANDLE_CHARS + 1)

/* Somebody's handle as it is looked up: without a leading '@', in lower case. False: nobody's. */
bool handle_parse(const char *typed, char out[HANDLE_CAP]);
/* May somebody call themselves this? E_INVALID with the field "handle". */
enum err handle_check(struct span typed, char out[HANDLE_CAP], struct problem *p) WARN_UNUSED;
/* What a name suggests, "Ada Lovelace" -> "ada_lovelace"; always a good one, perhaps taken. */
void handle_of_name(const char *name, char out[HANDLE_CAP]);

/* Gives the account without one its handle, made from the name and still free. In the write
 * transaction that adds the account. */
enum err handle_give(struct db *db, const char *user_id, const char *name,
                     char out[HANDLE_CAP]) WARN_UNUSED;
/* The same for all accounts that are older than handles; at the start. */
enum err handle_give_all(struct db *db) WARN_UNUSED;
/* E_INVALID as handle_check(), E_CONFLICT "handle_taken". */
enum err handle_change(struct db *db, const char *user_id, struct span typed,
                       struct problem *p) WARN_UNUSED;
