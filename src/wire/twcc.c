/* SPDX-License-Identifier: MIT */
/* Behind the media's SSRC (draft, 3.1):
 *
 * - base sequence number (2), number of packets (2), reference time (3, signed), feedback count (1)
 * - chunks of symbols (2 each): 0, symbol (2 bits), run length (13 bits);
 *   or 1, 0, fourteen symbols of one bit; or 1, 1, seven symbols of two bits
 * - differences: one byte for symbol 1, two bytes, signed, for symbol 2; zeros to a multiple of 4
 */
#include "wire/twcc.h"
#include "base/rd.h"

enum symbol { NOT_COME, SMALL, LARGE };

static bool add(struct twcc *t, uint8_t *symbols, unsigned total, unsigned symbol)
{
    if (t->n < total) symbols[t->n++] = (uint8_t)symbol;
    return symbol <= LARGE;
}

static bool read_chunk(struct twcc *t, uint8_t *symbols, unsigned total, unsigned chunk)
{
    bool ok = true;
    if (!(chunk & 0x8000)) {
        const unsigned run = chunk & 0x1fff;
        for (unsigned i = 0; i < run && t->n < total; i++)
            ok &= add(t, symbols, total, chunk >> 13 & 3);
        return ok && run > 0;
    }
    const bool two = chunk & 0x4000;
    for (unsigned i = 0; i < (two ? 7u : 14u); i++)
        ok &= add(t, symbols, total, two ? chunk >> (12 - 2 * i) & 3 : chunk >> (13 - i) & 1);
    return ok;
}

enum err twcc_parse(const struct rtcp *p, struct twcc *out)
{
    uint8_t symbols[TWCC_MAX];
    struct rd r = rd_from(p->body);
    if (p->type != RTCP_RTPFB || p->count != RTCP_TWCC) return E_NOTFOUND;
    struct twcc t = {.media = rd_u32be(&r), .base = rd_u16be(&r)};
    const unsigned total = rd_u16be(&r);
    int64_t at = (int64_t)((int32_t)(rd_u24be(&r) << 8) >> 8) * TWCC_REF_US;
    t.count = rd_u8(&r);
    if (r.underflow || total == 0) return E_PROTO;
    if (total > TWCC_MAX) return E_LIMIT;
    while (t.n < total)
        if (!read_chunk(&t, symbols, total, rd_u16be(&r)) || r.underflow) return E_PROTO;
    for (unsigned i = 0; i < total; i++) {
        t.at_us[i] = TWCC_NOT_COME;
        if (symbols[i] == NOT_COME) continue;
        at += TWCC_TICK_US * (symbols[i] == SMALL ? rd_u8(&r) : (int16_t)rd_u16be(&r));
        t.at_us[i] = at;
    }
    if (r.underflow) return E_PROTO;
    *out = t;
    return E_OK;
}

/* Symbols and differences of all packets, in ticks from the reference time on. */
static void encode(const struct twcc *t, int64_t ref, uint8_t *symbols, int16_t *deltas)
{
    int64_t tick = ref * (TWCC_REF_US / TWCC_TICK_US);
    for (unsigned i = 0; i < t->n; i++) {
        symbols[i] = NOT_COME;
        if (t->at_us[i] == TWCC_NOT_COME) continue;
        const int64_t d = t->at_us[i] / TWCC_TICK_US - tick;
        if (d < INT16_MIN || d > INT16_MAX) continue;
        symbols[i] = d >= 0 && d <= 255 ? SMALL : LARGE;
        deltas[i] = (int16_t)d;
        tick += d;
    }
}

static unsigned run_length(const uint8_t *s, unsigned n)
{
    unsigned run = 1;
    while (run < n && s[run] == s[0] && run < 0x1fff) run++;
    return run;
}

/* Runs where they pay, otherwise vectors of seven. */
static void put_chunks(struct wr *w, const uint8_t *symbols, unsigned n)
{
    for (unsigned i = 0; i < n;) {
        const unsigned run = run_length(symbols + i, n - i);
        if (run >= 7 || i + run == n) {
            wr_u16be(w, (uint16_t)(symbols[i] << 13 | run));
            i += run;
            continue;
        }
        unsigned chunk = 0xc000;
        for (unsigned k = 0; k < 7 && i < n; k++) chunk |= (unsigned)symbols[i++] << (12 - 2 * k);
        wr_u16be(w, (uint16_t)chunk);
    }
}

void twcc_put(struct wr *w, uint32_t ssrc, const struct twcc *t)
{
    uint8_t symbols[TWCC_MAX];
    int16_t deltas[TWCC_MAX];
    const size_t mark = wr_used(w);
    int64_t ref = 0;
    for (unsigned i = 0; i < t->n && ref == 0; i++)
        if (t->at_us[i] != TWCC_NOT_COME) ref = t->at_us[i] / TWCC_REF_US;
    encode(t, ref, symbols, deltas);
    wr_u8(w, 0x80 | RTCP_TWCC);
    wr_u8(w, RTCP_RTPFB);
    wr_u16be(w, 0);
    wr_u32be(w, ssrc);
    wr_u32be(w, t->media);
    wr_u16be(w, t->base);
    wr_u16be(w, (uint16_t)t->n);
    wr_u24be(w, (uint32_t)ref & 0xffffff);
    wr_u8(w, t->count);
    put_chunks(w, symbols, t->n);
    for (unsigned i = 0; i < t->n; i++) {
        if (symbols[i] == SMALL) wr_u8(w, (uint8_t)deltas[i]);
        if (symbols[i] == LARGE) wr_u16be(w, (uint16_t)deltas[i]);
    }
    while ((wr_used(w) - mark) % 4 != 0 && !w->overflow) wr_u8(w, 0);
    if (w->overflow) return;
    const size_t words = (wr_used(w) - mark) / 4 - 1;
    w->start[mark + 2] = (uint8_t)(words >> 8);
    w->start[mark + 3] = (uint8_t)words;
}
