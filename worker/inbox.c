/* SPDX-License-Identifier: MIT */
/* The socket is emptied as far as there is room before each message is handed out, so that the
 * newest picture's time is known while older ones wait: who has fallen behind can tell. */
#include "base/limits.h"
#include "base/xalloc.h"
#include "worker.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define FD   3
#define ROOM (2 * (size_t)LIMIT_WORKER_MSG_BYTES)

static struct {
    uint8_t *p;
    size_t begin, scanned, end; /* handed out up to; looked at up to; filled up to */
    int64_t newest_video_us;
} in;

/* Looks at messages that have come whole. */
static void scan(void)
{
    struct span s = span_of(in.p + in.scanned, in.end - in.scanned);
    struct worker_msg m;
    while (worker_msg_next(&s, &m) == E_OK) {
        if (m.type == WORKER_FRAME && m.kind == MEDIA_VIDEO && m.pts_us > in.newest_video_us)
            in.newest_video_us = m.pts_us;
        in.scanned = in.end - s.len;
    }
}

/* False: nothing came (only without `wait`). */
static bool fill(bool wait)
{
    if (in.begin == in.end) in.begin = in.scanned = in.end = 0;
    if (in.end == ROOM && in.begin) {
        memmove(in.p, in.p + in.begin, in.end - in.begin);
        in.end -= in.begin;
        in.scanned -= in.begin;
        in.begin = 0;
    }
    if (in.end == ROOM) return false;
    const ssize_t n = recv(FD, in.p + in.end, ROOM - in.end, wait ? 0 : MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) return true;
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) _exit(0); /* the server, or the stream, is gone */
    in.end += (size_t)n;
    scan();
    return true;
}

void inbox_next(struct worker_msg *out)
{
    if (!in.p) in.p = xmalloc(ROOM);
    while (fill(false)) {
    }
    for (;;) {
        struct span s = span_of(in.p + in.begin, in.end - in.begin);
        const enum err e = worker_msg_next(&s, out);
        if (e == E_OK) {
            in.begin = in.end - s.len;
            if (in.scanned < in.begin) in.scanned = in.begin;
            return;
        }
        if (e != E_MORE) outbox_fail("the server's message is broken (%s)", err_label(e));
        fill(true);
    }
}

int64_t inbox_newest_video_us(void)
{
    return in.newest_video_us;
}
