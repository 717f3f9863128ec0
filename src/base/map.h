/* SPDX-License-Identifier: MIT */
/* base/map.h - a hash map from a byte string to a pointer.
 *
 * Keys are copied; values are the caller's. Keyed hashing (SipHash is not needed: keys chosen by
 * peers only collide within their own limits, and the seed is random per process).
 * Not thread-safe. `struct map m = {0}` is an empty one. */
#pragma once
#include "base/span.h"

struct map_slot;
struct map {
    struct map_slot *slots;
    size_t cap, len, used; /* used counts tombstones too */
};

void map_fini(struct map *m); /* values are not freed */
void *map_get(const struct map *m, struct span key);
/* Returns the value that was there before, or NULL. `value` must not be NULL. */
void *map_put(struct map *m, struct span key, void *value);
/* Returns the removed value, or NULL. */
void *map_del(struct map *m, struct span key);
/* Visits every entry: start with *pos = 0; false at the end. Do not change the map meanwhile
 * (deleting the entry just returned is fine). */
bool map_next(const struct map *m, size_t *pos, struct span *key, void **value);
