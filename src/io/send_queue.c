/* SPDX-License-Identifier: MIT */
#include "io/send_queue.h"
#include "base/xalloc.h"
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define IOVS_PER_WRITE     64
#define SENDFILE_PER_WRITE (1u << 20)
#define CAP_KEPT           8 /* an emptied queue keeps at most this */

struct send_piece {
    struct buf *buf; /* one of the two */
    struct file *file;
    uint64_t off, len;
};

static struct send_piece *piece(const struct send_queue *q, uint32_t i)
{
    return &q->at[(q->first + i) & (q->cap - 1)];
}

static struct send_piece *push(struct send_queue *q)
{
    if (q->len == q->cap) {
        const uint32_t cap = q->cap ? 2 * q->cap : 4;
        struct send_piece *at = xmalloc(cap * sizeof *at);
        for (uint32_t i = 0; i < q->len; i++) at[i] = *piece(q, i);
        free(q->at);
        q->at = at;
        q->cap = cap;
        q->first = 0;
    }
    return piece(q, q->len++);
}

void send_queue_buf(struct send_queue *q, struct buf *b, size_t off, size_t len)
{
    *push(q) = (struct send_piece){.buf = buf_ref(b), .off = off, .len = len};
    q->bytes += len;
}

void send_queue_file(struct send_queue *q, struct file *f, uint64_t off, uint64_t len)
{
    *push(q) = (struct send_piece){.file = file_ref(f), .off = off, .len = len};
    q->bytes += len;
}

static void release(struct send_piece *p)
{
    buf_unref(p->buf);
    file_unref(p->file);
}

static void emptied(struct send_queue *q)
{
    q->begun = false;
    q->first = 0;
    if (q->cap <= CAP_KEPT) return;
    free(q->at);
    q->at = NULL;
    q->cap = 0;
}

static void advance(struct send_queue *q, size_t n)
{
    q->bytes -= n;
    while (n) {
        struct send_piece *p = piece(q, 0);
        if (n < p->len) {
            p->off += n;
            p->len -= n;
            q->begun = true;
            return;
        }
        n -= p->len;
        release(p);
        q->begun = false;
        q->first = (q->first + 1) & (q->cap - 1);
        q->len--;
    }
    if (!q->len) emptied(q);
}

ssize_t send_queue_write(struct send_queue *q, int fd)
{
    struct iovec iov[IOVS_PER_WRITE];
    const struct send_piece *head = piece(q, 0);
    ssize_t n;
    if (head->file) {
        off_t off = (off_t)head->off;
        n = sendfile(fd, head->file->fd, &off,
                     head->len < SENDFILE_PER_WRITE ? head->len : SENDFILE_PER_WRITE);
    } else {
        uint32_t k = 0;
        for (; k < q->len && k < IOVS_PER_WRITE && piece(q, k)->buf; k++)
            iov[k] = (struct iovec){piece(q, k)->buf->data + piece(q, k)->off, piece(q, k)->len};
        /* A reply's head goes out with the beginning of its file in one segment. */
        const struct msghdr m = {.msg_iov = iov, .msg_iovlen = k};
        n = sendmsg(fd, &m, MSG_NOSIGNAL | (k < q->len && k < IOVS_PER_WRITE ? MSG_MORE : 0));
    }
    if (n > 0) advance(q, (size_t)n);
    return n;
}

size_t send_queue_drop_unsent(struct send_queue *q)
{
    const size_t before = q->bytes;
    const uint32_t keep = q->begun ? 1 : 0;
    while (q->len > keep) {
        struct send_piece *p = piece(q, q->len - 1);
        q->bytes -= p->len;
        release(p);
        q->len--;
    }
    if (!q->len) emptied(q);
    return before - q->bytes;
}

void send_queue_fini(struct send_queue *q)
{
    for (uint32_t i = 0; i < q->len; i++) release(piece(q, i));
    free(q->at);
    *q = (struct send_queue){0};
}
