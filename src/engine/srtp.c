/* SPDX-License-Identifier: MIT */
/* RTP, AES-GCM:   header | ciphertext | tag(16)                   tag over all before it
 * RTP, AES-CM:    header | ciphertext | tag(10)                   tag over that and the ROC
 * RTCP, AES-GCM:  first 8 bytes | ciphertext | tag(16) | E index  tag over 8 bytes, E index, text
 * RTCP, AES-CM:   first 8 bytes | ciphertext | E index | tag(10)  tag over all before it
 * E is the top bit of the index: encrypted. */
#include "engine/srtp.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/wr.h"
#include "base/xalloc.h"
#include "engine/srtp_cipher.h"
#include "wire/rtp.h"

#define RTCP_CLEAR 8 /* bytes of RTCP that stay readable */
#define E_INDEX    4
#define ENCRYPTED  0x80000000u
#define WINDOW     64 /* replay: this many numbers behind the newest */

/* What was received of one source. `top` counts up without wrapping. */
struct window {
    uint32_t ssrc;
    bool used;
    uint64_t top;
    uint64_t seen; /* bit i: top - i */
};

struct srtpx {
    struct srtpx_cipher rtp, rtcp;
    uint32_t rtcp_index; /* of the next packet sealed */
    struct window rtp_in[LIMIT_SRTP_SSRCS], rtcp_in[LIMIT_SRTP_SSRCS];
};

struct srtpx *srtpx_new(enum srtpx_profile p, const uint8_t *key, const uint8_t *salt)
{
    struct srtpx *s = NEW(struct srtpx);
    srtpx_cipher_init(&s->rtp, p, key, salt, 0);
    srtpx_cipher_init(&s->rtcp, p, key, salt, 3);
    return s;
}

void srtpx_free(struct srtpx *s)
{
    if (!s) return;
    srtpx_cipher_fini(&s->rtp);
    srtpx_cipher_fini(&s->rtcp);
    free(s);
}

/* --- replay --- */

/* The source's window; a free one, not yet taken, when it is new; NULL: the table is full. */
static struct window *window_of(struct window *w, uint32_t ssrc)
{
    struct window *free_one = NULL;
    for (unsigned i = 0; i < LIMIT_SRTP_SSRCS; i++) {
        if (w[i].used && w[i].ssrc == ssrc) return &w[i];
        if (!w[i].used && !free_one) free_one = &w[i];
    }
    return free_one;
}

static bool is_fresh(const struct window *w, uint64_t index)
{
    if (!w->used || index > w->top) return true;
    return w->top - index < WINDOW && !(w->seen >> (w->top - index) & 1);
}

static void mark(struct window *w, uint32_t ssrc, uint64_t index)
{
    if (!w->used) *w = (struct window){.ssrc = ssrc, .used = true, .top = index};
    if (index > w->top) {
        const uint64_t step = index - w->top;
        w->seen = step < WINDOW ? w->seen << step : 0;
        w->top = index;
    }
    w->seen |= UINT64_C(1) << (w->top - index);
}

/* --- RTP --- */

static struct span roc_bytes(uint32_t roc, uint8_t room[4])
{
    struct wr w = wr_to(room, 4);
    wr_u32be(&w, roc);
    return wr_span(&w);
}

void srtpx_seal_rtp(struct srtpx *s, struct span header, struct span payload, uint32_t roc,
                    uint8_t *out, size_t *n)
{
    uint8_t iv[SRTP_IV_BYTES], room[4];
    const uint8_t *h = header.p;
    const uint32_t ssrc =
        (uint32_t)h[8] << 24 | (uint32_t)h[9] << 16 | (uint32_t)h[10] << 8 | h[11];
    const size_t len = header.len + payload.len;
    srtpx_cipher_iv(&s->rtp, ssrc, (uint64_t)roc << 16 | (unsigned)(h[2] << 8 | h[3]), iv);
    if (h != out) memcpy(out, h, header.len);
    srtpx_cipher_seal(&s->rtp, iv, header, payload, out + header.len, out + len);
    if (!s->rtp.gcm) srtpx_cipher_mac(&s->rtp, span_of(out, len), roc_bytes(roc, room), out + len);
    *n = len + srtpx_cipher_tag_len(&s->rtp);
}

/* A new source begins in the middle of the first round, so that one older packet has a number. */
static uint64_t index_of(const struct window *w, uint16_t seq)
{
    if (!w->used) return seq;
    const uint64_t i = seq_extend(w->top, seq);
    return i > UINT64_C(0xffffffffffff) ? seq : i; /* before the first round: there is none */
}

enum err srtpx_open_rtp(struct srtpx *s, uint8_t *packet, size_t *len)
{
    uint8_t iv[SRTP_IV_BYTES], room[4], mac[10];
    struct rtp p;
    const size_t tag = srtpx_cipher_tag_len(&s->rtp);
    if (*len < tag) return E_MORE;
    const struct span body = span_of(packet, *len - tag);
    const enum err e = rtp_parse(body, &p);
    if (e != E_OK) return e;
    struct window *w = window_of(s->rtp_in, p.ssrc);
    if (!w) return E_LIMIT;
    const uint64_t index = index_of(w, p.seq);
    if (!is_fresh(w, index)) return E_CONFLICT;
    srtpx_cipher_iv(&s->rtp, p.ssrc, index, iv);
    if (!s->rtp.gcm) {
        srtpx_cipher_mac(&s->rtp, body, roc_bytes((uint32_t)(index >> 16), room), mac);
        if (!hash_equal(span_of(mac, tag), span_of(packet + body.len, tag))) return E_AUTH;
    }
    if (!srtpx_cipher_open(&s->rtp, iv, span_head(body, p.header_len), packet + p.header_len,
                           p.payload.len, packet + body.len))
        return E_AUTH;
    mark(w, p.ssrc, index);
    *len = body.len;
    return E_OK;
}

/* --- RTCP --- */

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What GCM authenticates besides the text: the clear bytes, then E and the index. */
static struct span rtcp_aad(const uint8_t *packet, const uint8_t *e_index,
                            uint8_t room[RTCP_CLEAR + E_INDEX])
{
    memcpy(room, packet, RTCP_CLEAR);
    memcpy(room + RTCP_CLEAR, e_index, E_INDEX);
    return span_of(room, RTCP_CLEAR + E_INDEX);
}

void srtpx_seal_rtcp(struct srtpx *s, uint8_t *packet, size_t *len)
{
    uint8_t iv[SRTP_IV_BYTES], aad[RTCP_CLEAR + E_INDEX], room[4];
    const struct span text = span_of(packet + RTCP_CLEAR, *len - RTCP_CLEAR);
    CHECK(*len >= RTCP_CLEAR);
    const uint32_t index = ++s->rtcp_index & ~ENCRYPTED;
    (void)roc_bytes(index | ENCRYPTED, room);
    srtpx_cipher_iv(&s->rtcp, get_u32(packet + 4), index, iv);
    uint8_t *end = packet + *len;
    if (s->rtcp.gcm) {
        srtpx_cipher_seal(&s->rtcp, iv, rtcp_aad(packet, room, aad), text, packet + RTCP_CLEAR,
                          end);
        memcpy(end + srtpx_cipher_tag_len(&s->rtcp), room, E_INDEX);
    } else {
        srtpx_cipher_seal(&s->rtcp, iv, SPAN_NULL, text, packet + RTCP_CLEAR, NULL);
        memcpy(end, room, E_INDEX);
        srtpx_cipher_mac(&s->rtcp, span_of(packet, *len + E_INDEX), SPAN_NULL, end + E_INDEX);
    }
    *len += srtpx_cipher_tag_len(&s->rtcp) + E_INDEX;
}

static bool rtcp_authentic(struct srtpx *s, const uint8_t *iv, uint8_t *packet, size_t n,
                           const uint8_t *e_index, const uint8_t *tag)
{
    uint8_t mac[10], aad[RTCP_CLEAR + E_INDEX];
    if (s->rtcp.gcm)
        return srtpx_cipher_open(&s->rtcp, iv, rtcp_aad(packet, e_index, aad), packet + RTCP_CLEAR,
                                 n - RTCP_CLEAR, tag);
    srtpx_cipher_mac(&s->rtcp, span_of(packet, n + E_INDEX), SPAN_NULL, mac);
    return hash_equal(span_of(mac, sizeof mac), span_of(tag, sizeof mac)) &&
           srtpx_cipher_open(&s->rtcp, iv, SPAN_NULL, packet + RTCP_CLEAR, n - RTCP_CLEAR, NULL);
}

enum err srtpx_open_rtcp(struct srtpx *s, uint8_t *packet, size_t *len)
{
    uint8_t iv[SRTP_IV_BYTES];
    const size_t tag_len = srtpx_cipher_tag_len(&s->rtcp);
    if (*len < RTCP_CLEAR + E_INDEX + tag_len) return E_MORE;
    const size_t n = *len - E_INDEX - tag_len;
    const uint8_t *e_index = packet + n + (s->rtcp.gcm ? tag_len : 0);
    const uint8_t *tag = packet + n + (s->rtcp.gcm ? 0 : E_INDEX);
    const uint32_t ssrc = get_u32(packet + 4), v = get_u32(e_index);
    if (!(v & ENCRYPTED)) return E_AUTH; /* nobody in WebRTC leaves it clear */
    struct window *w = window_of(s->rtcp_in, ssrc);
    if (!w) return E_LIMIT;
    if (!is_fresh(w, v & ~ENCRYPTED)) return E_CONFLICT;
    srtpx_cipher_iv(&s->rtcp, ssrc, v & ~ENCRYPTED, iv);
    if (!rtcp_authentic(s, iv, packet, n, e_index, tag)) return E_AUTH;
    mark(w, ssrc, v & ~ENCRYPTED);
    *len = n;
    return E_OK;
}
