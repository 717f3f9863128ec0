/* SPDX-License-Identifier: MIT */
/* hub/feed.h - one writer, readers on every loop, immutable messages: the fan-out of everything
 * live (frames, playlists, events).
 *
 * A feed has a home loop. feed_send() there hands one message to every loop that has a reader:
 * one mailbox post a loop, however many readers it has, and none for a loop without readers. A
 * newcomer first gets what the feed's `keep` rule has cached (the frames since the last key
 * frame; the latest playlist), from its own loop's copy, then everything sent afterwards, in
 * order, without gap or double.
 *
 * Messages are reference-counted by a common head. No lock is taken on this path. */
#pragma once
#include "base/err.h"
#include "base/list.h"
#include "io/loop.h"
#include <stdatomic.h>

/* Head of every message; embed it first. The last unref calls free_fn, on any thread. */
struct feed_msg {
    _Atomic uint32_t refs;
    uint32_t kind; /* the feed's owner's business */
    size_t weight; /* bytes, for the cache's bound */
    void (*free_fn)(struct feed_msg *m);
};

void feed_msg_init(struct feed_msg *m, uint32_t kind, size_t weight,
                   void (*free_fn)(struct feed_msg *));
struct feed_msg *feed_msg_ref(struct feed_msg *m);
void feed_msg_unref(struct feed_msg *m);

/* What a loop's cache does with a message that arrives. */
enum feed_keep {
    FEED_KEEP_NOT,    /* pass it on, do not cache it */
    FEED_KEEP,        /* append it to the cache */
    FEED_KEEP_FRESH,  /* drop the non-pinned cache first, then append */
    FEED_KEEP_PINNED, /* drop as FRESH does; keep it until the next of its kind: configurations */
    FEED_KEEP_LATEST, /* keep it until the next of its kind, beside the rest */
};

struct feed;
struct feed_reader;

typedef enum feed_keep feed_keep_fn(const struct feed_msg *m);
typedef void feed_read_fn(struct feed_reader *r, struct feed_msg *m); /* borrowed: ref to keep */

/* Embedded in the reader's owner. */
struct feed_reader {
    struct list node;
    struct feed *feed;
    feed_read_fn *fn;
    void *ctx;
    uint64_t seen; /* private: the last message it was given */
    bool *gone;    /* private: set when it detaches while being welcomed */
};

/* `cache_weight` bounds a loop's cache: above it the cache is emptied, and newcomers wait for the
 * next FRESH message. One reference. Any thread. */
struct feed *feed_new(struct loop *home, struct loop *const *loops, unsigned n_loops,
                      feed_keep_fn *keep, size_t cache_weight, size_t cache_len);
struct feed *feed_ref(struct feed *f); /* any thread */
void feed_unref(struct feed *f);       /* any thread; the last one must come after all detach */
struct loop *feed_home(const struct feed *f);
struct loop *const *feed_loops(const struct feed *f, unsigned *n);

/* Home loop only. Takes over one reference of m. */
void feed_send(struct feed *f, struct feed_msg *m);

/* On the reader's loop. `fn` is called with what is cached before this returns when the loop has
 * the feed already, otherwise shortly. The reader holds a reference to the feed until detached;
 * detaching inside `fn` is fine. */
void feed_attach(struct feed *f, struct feed_reader *r, feed_read_fn *fn, void *ctx);
void feed_detach(struct feed_reader *r);
/* Readers now attached, on all loops. Any thread; a count for people. */
unsigned feed_readers(const struct feed *f);
