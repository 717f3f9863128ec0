/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "worker.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FD 3

/* Waits until the server has taken it. */
static void put(struct span s)
{
    while (s.len) {
        const ssize_t n = send(FD, s.p, s.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _exit(0);
        s = span_skip(s, (size_t)n);
    }
}

static void (*divert)(const struct worker_msg *m);

void outbox_divert(void (*to)(const struct worker_msg *m))
{
    divert = to;
}

static void send_now(const struct worker_msg *m)
{
    uint8_t head[WORKER_HEAD_BYTES];
    struct wr w = wr_to(head, sizeof head);
    worker_msg_head(m, &w);
    put(wr_span(&w));
    put(m->data);
}

void outbox_send(const struct worker_msg *m)
{
    divert ? divert(m) : send_now(m);
}

void outbox_end(void)
{
    send_now(&(struct worker_msg){.type = WORKER_END});
    _exit(0);
}

void outbox_fail(const char *fmt, ...)
{
    char text[LIMIT_WORKER_TEXT];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    send_now(&(struct worker_msg){.type = WORKER_FAILED, .data = span_str(text)});
    _exit(1);
}
