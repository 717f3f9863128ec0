/* SPDX-License-Identifier: MIT */
/* api/app_account.h - what the files of the account share. Pool threads. */
#pragma once
#include "api/call.h"

/* True for a session; a token of a program is refused: the reply is made. */
bool account_is_person(struct call *c);
/* True when whoever asks has shown anew that it is them: the password, and a code where there is a
 * second factor. Otherwise the reply is made, and names the field. */
bool account_is_proven(struct call *c, struct span password, struct span code);
/* A code of the second factor of `user_id`, taken; E_OK too when there is none. Counted by account.
 * False: the reply is made, with `status`. */
bool account_code_is_fine(struct call *c, const char *user_id, struct span code, int status);
/* E_OK goes on; otherwise the reply is made. */
bool account_well(struct call *c, enum err e);

/* --- app_account_close.c --- */

/* Removes what is left of accounts that were deleted: at the start, after a deletion, and now and
 * then. One at a time, in steps; ends early when the server does. Pool thread. */
void api_account_sweep(void *api);
