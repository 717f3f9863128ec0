/* SPDX-License-Identifier: MIT */
/* VP8: X 0 N S 0 PID(3) = 0x90 or 0x80, I 0000000 = 0x80, picture id in two bytes, then bytes.
 * VP9: I P L F B E V Z: I, P when predicted, B at the beginning, E at the end; picture id; bytes.
 * AV1: Z Y W(2) N 000 with W = 0, then elements, each behind its length in leb128. */
#include "wire/rtp_cut.h"
#include "wire/av1.h"

#define TILE_LIST   8
#define PADDING     15
#define ELEMENT_MIN 4 /* a length and some bytes */

static size_t divide_up(size_t n, size_t by)
{
    return (n + by - 1) / by;
}

/* --- VP8, VP9 --- */

static enum err vpx_next(struct rtp_cut *c, struct wr *w, bool *last)
{
    const size_t head = c->format == RTP_VP8 ? 4 : 3;
    if (c->frame.len == 0) return E_NOTFOUND;
    if (!c->begun) c->piece = divide_up(c->frame.len, divide_up(c->frame.len, c->mtu - head));
    const bool end = c->frame.len <= c->piece;
    if (c->format == RTP_VP8) {
        wr_u8(w, c->begun ? 0x80 : 0x90);
        wr_u8(w, 0x80);
    } else {
        wr_u8(w, (uint8_t)(0x80 | (c->key ? 0 : 0x40) | (c->begun ? 0 : 8) | (end ? 4 : 0)));
    }
    wr_u16be(w, c->picture_id | 0x8000);
    wr_str(w, span_head(c->frame, c->piece));
    c->frame = span_skip(c->frame, end ? c->frame.len : c->piece);
    c->begun = true;
    *last = end;
    return w->overflow ? E_LIMIT : E_OK;
}

/* --- AV1 --- */

static bool wanted(const struct av1_obu *o)
{
    return o->type != AV1_TEMPORAL_DELIMITER && o->type != TILE_LIST && o->type != PADDING;
}

/* The next OBU to be sent, whole: its header without a size field, and its payload. E_NOTFOUND. */
static enum err next_obu(struct span *rest, struct av1_obu *o)
{
    enum err e;
    do e = av1_obu_next(rest, o);
    while (e == E_OK && !wanted(o));
    return e;
}

static size_t leb_len(size_t n)
{
    return n < 1u << 7 ? 1 : n < 1u << 14 ? 2 : n < 1u << 21 ? 3 : 4;
}

static void put_leb(struct wr *w, size_t n)
{
    for (; n > 0x7f; n >>= 7) wr_u8(w, (uint8_t)(0x80 | (n & 0x7f)));
    wr_u8(w, (uint8_t)n);
}

static size_t head_len(const struct av1_obu *o)
{
    return o->whole.p[0] & 4 ? 2 : 1;
}

/* The size of the packets: all elements and their lengths, shared out. */
static enum err av1_plan(struct rtp_cut *c)
{
    struct span rest = c->frame;
    struct av1_obu o;
    size_t total = 0;
    enum err e;
    while ((e = next_obu(&rest, &o)) == E_OK) {
        const size_t n = head_len(&o) + o.payload.len;
        total += leb_len(n) + n;
    }
    if (e != E_NOTFOUND) return e;
    if (total == 0) return E_NOTFOUND;
    const size_t overhead = 4; /* the aggregation header, and the length of what goes on */
    const size_t packets = divide_up(total, c->mtu - overhead);
    c->piece = divide_up(total, packets) + overhead;
    return E_OK;
}

/* The next element becomes the one that is being sent. */
static enum err begin_obu(struct rtp_cut *c)
{
    struct av1_obu o;
    const enum err e = next_obu(&c->frame, &o);
    c->open = e == E_OK;
    if (e != E_OK) return e;
    c->n_head = (uint8_t)head_len(&o);
    c->head[0] = o.whole.p[0] & 0xfd;
    if (c->n_head == 2) c->head[1] = o.whole.p[1];
    c->obu = o.payload;
    return E_OK;
}

/* As much of it as fits. */
static void put_element(struct rtp_cut *c, struct wr *w, size_t room)
{
    const size_t all = c->n_head + c->obu.len;
    size_t n = all;
    if (leb_len(n) + n > room) n = room - leb_len(room);
    const size_t bytes = n - c->n_head;
    put_leb(w, n);
    wr_bytes(w, c->head, c->n_head);
    wr_str(w, span_head(c->obu, bytes));
    c->obu = span_skip(c->obu, bytes);
    c->n_head = 0;
    c->split = n < all;
}

static enum err av1_next(struct rtp_cut *c, struct wr *w, bool *last)
{
    const bool first = !c->begun;
    enum err e = first ? av1_plan(c) : E_OK;
    if (e == E_OK && first) e = begin_obu(c);
    if (e != E_OK) return e;
    c->begun = true;
    if (!c->open) return E_NOTFOUND;
    uint8_t *const head = w->p;
    wr_u8(w, (uint8_t)((c->split ? 0x80 : 0) | (c->key && first ? 8 : 0)));
    do {
        const size_t used = (size_t)(w->p - head), room = c->piece - used;
        if (w->overflow) return E_LIMIT;
        if (room < ELEMENT_MIN && used > 1) break; /* the next packet begins with it */
        put_element(c, w, room);
        if (!c->split) e = begin_obu(c);
    } while (!c->split && e == E_OK);
    if (w->overflow) return E_LIMIT;
    if (c->split) *head |= 0x40;
    *last = !c->open;
    return e == E_PROTO ? e : E_OK;
}

enum err rtp_cut_next(struct rtp_cut *c, struct wr *w, bool *last)
{
    return c->format == RTP_AV1 ? av1_next(c, w, last) : vpx_next(c, w, last);
}
