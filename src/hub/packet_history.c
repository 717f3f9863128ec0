/* SPDX-License-Identifier: MIT */
#include "hub/packet_history.h"
#include "base/xalloc.h"

#define CAP_FIRST  64
#define ON_ITS_WAY 64 /* of the newest packets, some may be under way once more */

void packet_history_init(struct packet_history *h, unsigned least)
{
    *h = (struct packet_history){.least = least, .tail = 1};
}

static struct packet_slot *slot_of(const struct packet_history *h, uint64_t seq)
{
    return &h->slots[seq & (h->cap - 1)];
}

static void empty(struct packet_history *h, uint64_t seq)
{
    struct packet_slot *s = slot_of(h, seq);
    if (!s->burst) return;
    h->bytes -= s->burst->packets[s->index].len;
    feed_msg_unref(&s->burst->msg);
    s->burst = NULL;
}

static void drop_below(struct packet_history *h, uint64_t seq)
{
    while (h->tail < seq && h->tail <= h->top) empty(h, h->tail++);
    if (h->tail < seq) h->tail = seq;
    if (h->key < h->tail) h->key = 0;
}

void packet_history_clear(struct packet_history *h)
{
    if (h->slots) drop_below(h, h->top + 1);
    free(h->slots);
    packet_history_init(h, h->least);
}

static void grow(struct packet_history *h)
{
    struct packet_slot *old = h->slots;
    const unsigned cap = h->cap;
    h->cap = cap ? 2 * cap : CAP_FIRST;
    h->slots = xcalloc(h->cap, sizeof *h->slots);
    for (uint64_t s = h->tail; cap && s <= h->top; s++) *slot_of(h, s) = old[s & (cap - 1)];
    free(old);
}

static void note_key(struct packet_history *h, const struct lane_packet *p, int64_t at_us)
{
    if (!p->key) return;
    if (h->key && p->ts == h->key_ts) { /* it has several such packets: the first counts */
        if (p->seq < h->key) h->key = p->seq;
        return;
    }
    if (p->seq < h->key) return;
    h->key = p->seq;
    h->key_ts = p->ts;
    h->key_us = at_us;
}

/* What nobody will ask for any more goes, then what is too much. */
static void trim(struct packet_history *h)
{
    const uint64_t least = h->top >= h->least ? h->top - h->least + 1 : 0;
    drop_below(h, h->key && h->key < least ? h->key : least);
    if (h->bytes <= LIMIT_RTC_HISTORY_BYTES) return;
    drop_below(h, least);
    while (h->bytes > LIMIT_RTC_HISTORY_BYTES) drop_below(h, h->tail + 1);
}

void packet_history_add(struct packet_history *h, struct lane_burst *b, unsigned index)
{
    const struct lane_packet *p = &b->packets[index];
    if (h->slots && p->seq < h->tail) return;
    if (!h->slots || p->seq - h->tail >= 2 * (uint64_t)LIMIT_RTC_HISTORY_PACKETS) {
        packet_history_clear(h); /* the first, or after a jump */
        h->tail = p->seq;
        h->top = p->seq - 1;
    }
    if (p->seq - h->tail >= LIMIT_RTC_HISTORY_PACKETS)
        drop_below(h, p->seq - LIMIT_RTC_HISTORY_PACKETS + 1);
    while (p->seq - h->tail >= h->cap) grow(h);
    empty(h, p->seq);
    *slot_of(h, p->seq) =
        (struct packet_slot){(struct lane_burst *)feed_msg_ref(&b->msg), (uint8_t)index};
    h->bytes += p->len;
    if (p->seq > h->top) h->top = p->seq;
    note_key(h, p, b->at_us);
    trim(h);
}

const struct lane_packet *packet_history_find(const struct packet_history *h, uint64_t seq,
                                              const struct lane_burst **burst)
{
    if (!h->slots || seq < h->tail || seq > h->top) return NULL;
    const struct packet_slot *s = slot_of(h, seq);
    if (!s->burst) return NULL;
    *burst = s->burst;
    return &s->burst->packets[s->index];
}

bool packet_history_whole(const struct packet_history *h)
{
    if (!h->key) return false;
    for (uint64_t s = h->key; s + ON_ITS_WAY <= h->top; s++)
        if (!slot_of(h, s)->burst) return false;
    return true;
}
