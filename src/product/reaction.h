/* SPDX-License-Identifier: MIT */
/* product/reaction.h - hearts and the like: what people feel at a moment of the programme.
 *
 * They are gathered in memory and written together, one row for each stream, second of the
 * programme and kind; a crash loses what came since the last writing (half a second). Any thread
 * adds; one writes. Limits: LIMIT_REACTIONS_WAITING, LIMIT_REACTIONS_PAGE. */
#pragma once
#include "product/account.h"

enum reaction_kind {
    REACTION_HEART,
    REACTION_LAUGH,
    REACTION_WOW,
    REACTION_CLAP,
    REACTION_FIRE,
    REACTION_KINDS,
};
extern const char *const REACTION_NAMES[REACTION_KINDS];
/* REACTION_KINDS: there is none of this name. */
enum reaction_kind reaction_kind_of(struct span name);

struct reaction {
    char stream_id[ID_CAP];
    enum reaction_kind kind;
    int64_t at_s; /* programme time, whole seconds since 1970 */
    unsigned n;
};

struct reactions;
struct reactions *reactions_new(void);
void reactions_free(struct reactions *r); /* NULL is fine; what waits is dropped */

/* False: too many different ones wait; nothing was taken. */
bool reactions_add(struct reactions *r, const struct reaction *one) WARN_UNUSED;

bool reactions_any(struct reactions *r);

/* Writes what waits in one transaction, then tells of it, a call for each row. On an error it all
 * waits on. Pool thread. */
typedef void reaction_told_fn(void *ctx, const struct reaction *one);
enum err reactions_write(struct reactions *r, struct db *db, reaction_told_fn *told,
                         void *ctx) WARN_UNUSED;

enum err reaction_totals(struct db *db, const char *stream_id,
                         uint64_t out[REACTION_KINDS]) WARN_UNUSED;
/* Of the seconds after `after_s`, oldest first; *n is the room before and the number after. Whole
 * seconds only, unless that would leave nothing. */
enum err reaction_list(struct db *db, const char *stream_id, int64_t after_s, struct reaction *out,
                       size_t *n) WARN_UNUSED;
