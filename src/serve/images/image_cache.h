/* SPDX-License-Identifier: MIT */
/* serve/images/image_cache.h - finished images in a folder, bounded in size: the ones that were not
 * asked for longest go first. Blocks: for the pool; any thread of it.
 *
 * A name is 64 hex digits. A file appears whole (renamed), and is not synced: what a crash loses is
 * made again. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

struct image_cache;

/* Makes DATA/cache/images when it is needed. `max_bytes` 0: nothing is kept; `min_free`: nothing is
 * added when the disk has less. */
struct image_cache *image_cache_new(const char *data, int64_t max_bytes, int64_t min_free);
void image_cache_free(struct image_cache *c);
/* E_NOTFOUND. One reference. */
enum err image_cache_get(struct image_cache *c, const char *name, struct buf **out) WARN_UNUSED;
void image_cache_put(struct image_cache *c, const char *name, struct buf *b);
