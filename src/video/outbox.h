/* SPDX-License-Identifier: MIT */
/* video/outbox.h - what is told to the outside: a row in the transaction of the change it tells of.
 *
 * An event holds the object as it is at that moment, in the words of Mux's contract; who can write
 * those is above us and hands in the function. Rows become deliveries and are sent by
 * video/webhooks; nothing here waits for that.
 *
 * Threads: pool threads, within the caller's transaction. */
#pragma once
#include "base/str.h"
#include "store/store.h"

/* "asset", "upload", "live": also the words of the wire. What is part of an asset is told of with
 * its own data, and names the asset. */
enum outbox_object { OUTBOX_ASSET, OUTBOX_UPLOAD, OUTBOX_LIVE, OUTBOX_RENDITION, OUTBOX_TRACK };
extern const char *const OUTBOX_OBJECTS[];

/* A delivery is tried for so long. */
#define OUTBOX_LIFE_US (INT64_C(24) * 3600 * 1000000)

/* Appends the object as JSON. E_NOTFOUND: there is no such one. */
typedef enum err outbox_render(struct db *db, enum outbox_object kind, const char *id,
                               struct str *out);
/* Before serving; NULL (the default): events are not written. `wake` is called after rows were
 * written, on any thread, maybe before their commit; may be NULL. */
void outbox_set(outbox_render *render, void (*wake)(void *ctx), void *ctx);

/* The same of `wake` alone; outbox_set() with a NULL `wake` leaves it. */
void outbox_set_wake(void (*wake)(void *ctx), void *ctx);

/* `type` without its prefix "video.": "asset.ready". The owner is looked up. An object without an
 * owner, or that is not there, is told of to nobody: E_OK. */
enum err outbox_add(struct db *db, const char *type, enum outbox_object kind,
                    const char *id) WARN_UNUSED;
