/* SPDX-License-Identifier: MIT */
/* io/send_queue.h - what waits to be written to a socket: pieces of shared bufs and of files.
 *
 * Empty it costs no memory but itself. One loop's; not shared. */
#pragma once
#include "base/buf.h"
#include "io/file.h"
#include <sys/types.h>

struct send_piece;
struct send_queue {
    struct send_piece *at; /* a ring */
    uint32_t first, len, cap;
    bool begun; /* part of the first piece has been written */
    size_t bytes;
};

void send_queue_buf(struct send_queue *q, struct buf *b, size_t off, size_t len);
void send_queue_file(struct send_queue *q, struct file *f, uint64_t off, uint64_t len);
static inline size_t send_queue_bytes(const struct send_queue *q)
{
    return q->bytes;
}
/* One writev or sendfile; the bytes written, or -1 with errno; 0: the file was too short. */
ssize_t send_queue_write(struct send_queue *q, int fd);
/* Drops the pieces that were not begun; returns their bytes. */
size_t send_queue_drop_unsent(struct send_queue *q);
void send_queue_fini(struct send_queue *q);
