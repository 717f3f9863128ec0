/* SPDX-License-Identifier: MIT */
/* A ring of slots by sequence number. `next` is the first packet of the frame to come. A frame ends
 * with its marker, or before a packet with another timestamp. */
#include "engine/rtc_order.h"
#include "base/xalloc.h"

struct slot {
    uint64_t seq; /* 0: empty */
    uint32_t ts;
    bool marker;
    int64_t at_us; /* when it came */
    struct buf *payload;
};

struct rtc_order {
    enum rtp_format format;
    bool begun, lost, wait_key, wants_key;
    uint64_t next, top;
    int64_t gap_us; /* since when the end of `next`'s frame is waited for; 0: it is not */
    struct slot at[RTC_ORDER_PACKETS];
    struct span payloads[RTC_ORDER_PACKETS];
};

struct rtc_order *rtc_order_new(enum rtp_format f)
{
    struct rtc_order *o = NEW(struct rtc_order);
    o->format = f;
    o->wait_key = f != RTP_OPUS;
    return o;
}

static struct slot *slot_of(struct rtc_order *o, uint64_t seq)
{
    return &o->at[seq % RTC_ORDER_PACKETS];
}

static void clear(struct slot *s)
{
    buf_unref(s->payload);
    *s = (struct slot){0};
}

void rtc_order_free(struct rtc_order *o)
{
    if (!o) return;
    for (unsigned i = 0; i < RTC_ORDER_PACKETS; i++) clear(&o->at[i]);
    free(o);
}

static void on_loss(struct rtc_order *o)
{
    o->lost = true;
    if (o->format == RTP_OPUS) return;
    o->wait_key = o->wants_key = true;
}

/* Everything before `seq` is given up. */
static void skip_to(struct rtc_order *o, uint64_t seq)
{
    if (seq - o->next >= RTC_ORDER_PACKETS)
        for (unsigned i = 0; i < RTC_ORDER_PACKETS; i++) clear(&o->at[i]);
    else
        for (uint64_t s = o->next; s < seq; s++) clear(slot_of(o, s));
    o->next = seq;
    o->gap_us = 0;
    on_loss(o);
}

void rtc_order_add(struct rtc_order *o, uint64_t seq, uint32_t ts, bool marker, struct span payload,
                   int64_t now_us)
{
    if (!o->begun) o->begun = true, o->next = o->top = seq;
    if (seq < o->next) return;
    if (seq >= o->next + RTC_ORDER_PACKETS) skip_to(o, seq - RTC_ORDER_PACKETS / 2);
    struct slot *s = slot_of(o, seq);
    if (s->seq == seq) return;
    *s = (struct slot){seq, ts, marker, now_us, payload.len ? buf_copy(payload) : NULL};
    if (seq > o->top) o->top = seq;
}

/* The packets [next, *end) are one whole frame; false: not yet. */
static bool whole(struct rtc_order *o, uint64_t *end)
{
    const uint32_t ts = slot_of(o, o->next)->ts;
    for (uint64_t s = o->next; s <= o->top; s++) {
        const struct slot *p = slot_of(o, s);
        if (p->seq != s) return false;
        if (p->payload && p->ts != ts) { /* of the next frame; padding belongs to none */
            *end = s;
            return s > o->next;
        }
        if (p->marker) {
            *end = s + 1;
            return true;
        }
    }
    return false;
}

static enum err join(struct rtc_order *o, uint64_t end, struct rtc_frame *f)
{
    unsigned n = 0;
    size_t bytes = 0;
    f->ts = slot_of(o, o->next)->ts;
    for (uint64_t s = o->next; s < end; s++) {
        const struct span p = buf_span(slot_of(o, s)->payload);
        if (p.len == 0) continue;
        f->key |= rtp_peek(o->format, p).key;
        bytes += p.len;
        o->payloads[n++] = p;
    }
    if (n == 0) return E_MORE;
    const size_t cap = rtp_join_max(bytes, n);
    struct buf *b = buf_new(cap);
    struct wr w = wr_to(b->data, cap);
    const enum err e = rtp_join(o->format, o->payloads, n, &w);
    b->len = wr_used(&w);
    if (e == E_OK)
        f->data = b;
    else
        buf_unref(b);
    return e == E_OK ? E_OK : E_PROTO;
}

/* The frame up to `end` is out or dropped. */
static void advance(struct rtc_order *o, uint64_t end)
{
    for (; o->next < end; o->next++) clear(slot_of(o, o->next));
    o->gap_us = 0;
}

/* A frame begins after a marker and where the timestamp changes. Behind a gap only the payload
 * tells; in H.264 every slice looks like a beginning, so there it must be a key frame's. */
static bool begins_frame(struct rtc_order *o, uint64_t seq)
{
    const struct slot *before = slot_of(o, seq - 1), *s = slot_of(o, seq);
    if (s->seq != seq) return false;
    if (before->seq == seq - 1) return before->marker || before->ts != s->ts;
    const struct rtp_peek peek = rtp_peek(o->format, buf_span(s->payload));
    return peek.start && (o->format != RTP_H264 || peek.key);
}

static void skip_gap(struct rtc_order *o)
{
    uint64_t s = o->next + 1;
    while (s <= o->top && !begins_frame(o, s)) s++;
    skip_to(o, s);
}

/* Since when what is missing has been seen to be missing: since a packet behind it came. Counted
 * from when it is its turn instead, gaps would be waited for one after another, and a source that
 * loses more than the waiting allows would come later and later. */
static int64_t missing_since(struct rtc_order *o, int64_t now_us)
{
    uint64_t s = o->next;
    while (s <= o->top && slot_of(o, s)->seq == s) s++;
    while (s <= o->top && slot_of(o, s)->seq != s) s++;
    if (s <= o->top) return slot_of(o, s)->at_us;
    if (!o->gap_us) o->gap_us = now_us;
    return o->gap_us;
}

enum err rtc_order_next(struct rtc_order *o, int64_t now_us, struct rtc_frame *out)
{
    uint64_t end = 0;
    while (o->begun && o->next <= o->top) {
        struct rtc_frame f = {0};
        if (!whole(o, &end)) {
            if (now_us - missing_since(o, now_us) < RTC_ORDER_WAIT_US) return E_MORE;
            skip_gap(o);
            continue;
        }
        const enum err e = join(o, end, &f);
        advance(o, end);
        if (e == E_MORE) continue; /* padding */
        if (e == E_PROTO) {
            on_loss(o);
            return e;
        }
        if (o->wait_key && !f.key) {
            o->wants_key |= !o->lost;
            o->lost = true;
            buf_unref(f.data);
            continue;
        }
        f.lost = o->lost;
        o->wait_key = o->lost = false;
        *out = f;
        return E_OK;
    }
    return E_MORE;
}

bool rtc_order_wants_key(struct rtc_order *o)
{
    const bool wants = o->wants_key;
    o->wants_key = false;
    return wants;
}
