/* SPDX-License-Identifier: MIT */
/* record/gzip.h - compresses a text once for everybody [zlib]. Pure, any thread. */
#pragma once
#include "base/buf.h"

/* A new buf in gzip format (RFC 1952). */
struct buf *gzip_new(struct span text);
