/* SPDX-License-Identifier: MIT */
/* product/avatar.h - the pictures that people show of themselves: files in DATA/avatars, one for
 * each size, under a random name that changes with the picture.
 *
 * users.image is the address of the larger one, "/avatars/NAME/256.jpg"; the smaller one's has 64
 * in its place. A picture that is replaced or removed is deleted. Pool threads. */
#pragma once
#include "base/buf.h"
#include "product/account.h"

#define AVATAR_SIZES 2
extern const unsigned AVATAR_SIDE[AVATAR_SIZES]; /* the larger one first */

/* The files, as they came from the worker, become this user's; `image` is their new address.
 * E_FULL, E_IO, E_NOTFOUND: no such user. */
enum err avatar_set(struct db *db, const char *data, const char *user_id,
                    const struct span file[AVATAR_SIZES], char image[USER_URL_CAP]) WARN_UNUSED;
/* None is fine. */
enum err avatar_clear(struct db *db, const char *data, const char *user_id) WARN_UNUSED;
/* Deletes the files of an address, of an account that is gone; another's address is left alone. */
void avatar_delete(const char *data, const char *image);
/* E_NOTFOUND. `size`: "256". One reference. */
enum err avatar_read(const char *data, const char *name, const char *size,
                     struct buf **out) WARN_UNUSED;
/* Deletes what no account shows: a crash has left it. At the start, before there are requests. */
void avatar_sweep(struct db *db, const char *data);
