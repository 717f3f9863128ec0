/* SPDX-License-Identifier: MIT */
/* Frames of both tracks in order of decoding time. A frame waits until the other track has one too,
 * or will have none; a track that is silent for long, or a file that has its tracks one after the
 * other, is not waited for. What goes out is gathered to large writes. */
#include "base/limits.h"
#include "base/xalloc.h"
#include "import.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define FD         3
#define ROOM       (1u << 20)
#define WAIT_BYTES (24u << 20)
#define WAIT_US    INT64_C(10000000)

struct item {
    struct item *next;
    struct worker_msg m;
    AVBufferRef *ref;
};

static struct {
    uint8_t *p;
    size_t len;
    struct {
        struct item *first, **last;
        bool more;
        int64_t newest_us, sent_us;
    } q[2];
    size_t waiting; /* bytes */
    bool begun;
    int64_t base_us;
} o;

/* --- bytes --- */

static void put(const uint8_t *p, size_t n)
{
    while (n) {
        const ssize_t k = send(FD, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) _exit(0); /* the server is gone, or wants no more */
        p += k;
        n -= (size_t)k;
    }
}

static void flush_bytes(void)
{
    put(o.p, o.len);
    o.len = 0;
}

void out_message(const struct worker_msg *m)
{
    if (!o.p) o.p = xmalloc(ROOM);
    if (o.len + WORKER_HEAD_BYTES + m->data.len > ROOM) flush_bytes();
    struct wr w = wr_to(o.p + o.len, ROOM - o.len);
    worker_msg_head(m, &w);
    o.len += wr_used(&w);
    if (m->data.len > ROOM - o.len) {
        flush_bytes();
        put(m->data.p, m->data.len);
        return;
    }
    if (m->data.len) memcpy(o.p + o.len, m->data.p, m->data.len);
    o.len += m->data.len;
}

void out_track(const struct worker_msg *m)
{
    out_message(m);
}

/* --- order --- */

static void send_first(unsigned k)
{
    struct item *i = o.q[k].first;
    o.q[k].first = i->next;
    if (!i->next) o.q[k].last = &o.q[k].first;
    o.waiting -= i->m.data.len;
    i->m.dts_us -= o.base_us;
    i->m.pts_us -= o.base_us;
    if (i->m.dts_us < o.q[k].sent_us) i->m.dts_us = o.q[k].sent_us;
    if (i->m.pts_us < i->m.dts_us) i->m.pts_us = i->m.dts_us;
    o.q[k].sent_us = i->m.dts_us;
    out_message(&i->m);
    av_buffer_unref(&i->ref);
    free(i);
}

static bool waited_enough(unsigned k)
{
    return o.waiting > WAIT_BYTES || o.q[k].newest_us - o.q[k].first->m.dts_us > WAIT_US;
}

static void send_ready(void)
{
    for (;;) {
        const struct item *v = o.q[0].first, *a = o.q[1].first;
        if (!v && !a) return;
        unsigned k = v ? 0 : 1;
        if (v && a)
            k = a->m.dts_us < v->m.dts_us;
        else if (o.q[!k].more && !waited_enough(k))
            return;
        if (!o.begun) o.base_us = o.q[k].first->m.dts_us;
        o.begun = true;
        send_first(k);
    }
}

void out_expect(enum media_kind kind, bool more)
{
    o.q[kind].more = more;
    if (!o.q[kind].last) o.q[kind].last = &o.q[kind].first;
    send_ready();
}

void out_frame(const struct worker_msg *m, AVBufferRef *ref)
{
    struct item *i = NEW(struct item);
    i->m = *m;
    i->ref = ref ? av_buffer_ref(ref) : av_buffer_alloc(m->data.len);
    if (!i->ref) outbox_fail("out of memory");
    if (!ref) {
        memcpy(i->ref->data, m->data.p, m->data.len);
        i->m.data = span_of(i->ref->data, m->data.len);
    }
    if (!o.q[m->kind].last) o.q[m->kind].last = &o.q[m->kind].first;
    *o.q[m->kind].last = i;
    o.q[m->kind].last = &i->next;
    o.q[m->kind].newest_us = m->dts_us;
    o.waiting += m->data.len;
    send_ready();
}

void out_finish(void)
{
    o.q[0].more = o.q[1].more = false;
    send_ready();
    if (o.p) flush_bytes();
}
