/* SPDX-License-Identifier: MIT */
/* A message (RFC 8489, 5):
 *
 *   offset  size
 *   0       2     00, then the method's 12 bits with the class's two among them
 *   2       2     length of what follows the header, a multiple of 4
 *   4       4     magic cookie 2112a442
 *   8       12    transaction id
 *   20      .     attributes: type (2), length (2), value, zeros up to a multiple of 4
 *
 * A check as Chromium sends it: 0001 0050 2112a442 <tid> 0006 0009 "abcd:efgh" 00.. c057 0004 ..
 * 802a 0008 .. 0025 0000 0024 0004 .. 0008 0014 <HMAC> 8028 0004 <CRC> */
#include "wire/stun.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/rd.h"

#define MAGIC           0x2112a442u
#define FINGERPRINT_XOR 0x5354554eu
#define ATTR_HEADER     4

bool stun_is(struct span in)
{
    return in.len >= STUN_HEADER && in.p[0] < 4;
}

static enum stun_class kind_of(unsigned type)
{
    return (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1));
}

static uint16_t method_of(unsigned type)
{
    return (uint16_t)((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
}

static unsigned type_of(enum stun_class kind, unsigned method)
{
    return (method & 0xf) | (method & 0x70) << 1 | (method & 0xf80) << 2 |
           ((unsigned)kind & 1) << 4 | ((unsigned)kind & 2) << 7;
}

/* The address is hidden by the cookie and the transaction id, against meddling middleboxes. */
static bool get_mapped(struct span v, const uint8_t tid[STUN_TID_BYTES], struct net_addr *out)
{
    struct rd r = rd_from(v);
    rd_skip(&r, 1);
    const uint8_t family = rd_u8(&r);
    const uint16_t port = rd_u16be(&r) ^ (uint16_t)(MAGIC >> 16);
    const struct span ip = rd_rest(&r);
    if ((family != 1 || ip.len != 4) && (family != 2 || ip.len != 16)) return false;
    uint8_t mask[16], plain[16];
    struct wr w = wr_to(mask, sizeof mask);
    wr_u32be(&w, MAGIC);
    wr_bytes(&w, tid, STUN_TID_BYTES);
    for (size_t i = 0; i < ip.len; i++) plain[i] = ip.p[i] ^ mask[i];
    if (family == 1) {
        net_addr_set_v4(out, plain, port);
    } else {
        memcpy(out->ip, plain, sizeof out->ip);
        out->port = port;
    }
    return true;
}

static bool get_uint(struct span v, unsigned n, uint64_t *out)
{
    struct rd r = rd_from(v);
    *out = rd_be(&r, n);
    return v.len == n;
}

/* One attribute before MESSAGE-INTEGRITY. False: broken. */
static bool attribute(struct stun_msg *m, unsigned type, struct span v)
{
    uint64_t n = 0;
    switch (type) {
    case STUN_USERNAME:
        m->username = v;
        return true;
    case STUN_ERROR_CODE:
        if (v.len < 4) return false;
        m->error = (uint16_t)((v.p[2] & 7) * 100 + v.p[3]);
        return v.p[3] < 100;
    case STUN_XOR_MAPPED_ADDRESS:
        m->has_mapped = true;
        return get_mapped(v, m->tid, &m->mapped);
    case STUN_PRIORITY:
        if (!get_uint(v, 4, &n)) return false;
        m->priority = (uint32_t)n;
        return true;
    case STUN_USE_CANDIDATE:
        m->use_candidate = true;
        return true;
    case STUN_ICE_CONTROLLED:
        m->controlled = true;
        return get_uint(v, 8, &m->tiebreaker);
    case STUN_ICE_CONTROLLING:
        m->controlling = true;
        return get_uint(v, 8, &m->tiebreaker);
    case STUN_UNKNOWN_ATTRIBUTES:
        return true;
    default:
        if (type < 0x8000 && m->n_unknown < STUN_UNKNOWN_MAX)
            m->unknown[m->n_unknown++] = (uint16_t)type;
        return true;
    }
}

static bool fingerprint_ok(struct span in, size_t at, struct span v)
{
    uint64_t crc = 0;
    return at + ATTR_HEADER + 4 == in.len && get_uint(v, 4, &crc) &&
           crc == (hash_crc32(0, span_head(in, at)) ^ FINGERPRINT_XOR);
}

enum err stun_parse(struct span in, struct stun_msg *out)
{
    struct rd r = rd_from(in);
    struct stun_msg m = {0};
    if (in.len > LIMIT_UDP_BYTES) return E_PROTO;
    const unsigned type = rd_u16be(&r);
    const size_t len = rd_u16be(&r);
    const uint32_t magic = rd_u32be(&r);
    const struct span tid = rd_span(&r, STUN_TID_BYTES);
    if (r.underflow) return E_MORE;
    if (type > 0x3fff || magic != MAGIC || len % 4 != 0 || rd_left(&r) > len) return E_PROTO;
    if (rd_left(&r) < len) return E_MORE;
    m.kind = kind_of(type);
    m.method = method_of(type);
    memcpy(m.tid, tid.p, sizeof m.tid);
    while (rd_left(&r) > 0) {
        const size_t at = rd_used(&r);
        const unsigned attr = rd_u16be(&r);
        const size_t n = rd_u16be(&r);
        const struct span v = rd_span(&r, n);
        rd_skip(&r, (4 - n % 4) % 4);
        if (r.underflow) return E_PROTO;
        if (attr == STUN_FINGERPRINT) {
            if (!fingerprint_ok(in, at, v)) return E_PROTO;
            m.has_fingerprint = true;
        } else if (attr == STUN_MESSAGE_INTEGRITY && m.integrity_at == 0) {
            if (n != SHA1_LEN) return E_PROTO;
            m.integrity_at = at;
        } else if (m.integrity_at == 0 && !attribute(&m, attr, v)) {
            return E_PROTO;
        }
    }
    *out = m;
    return E_OK;
}

/* The HMAC is over all before it, with a length in the header as if it were the last attribute. */
static void integrity(struct span before, struct span key, uint8_t mac[SHA1_LEN])
{
    uint8_t copy[LIMIT_UDP_BYTES];
    const size_t len = before.len + ATTR_HEADER + SHA1_LEN - STUN_HEADER;
    memcpy(copy, before.p, before.len);
    copy[2] = (uint8_t)(len >> 8);
    copy[3] = (uint8_t)len;
    hash_hmac_sha1(key, span_of(copy, before.len), mac);
}

bool stun_integrity_ok(struct span in, const struct stun_msg *m, struct span key)
{
    uint8_t mac[SHA1_LEN];
    if (m->integrity_at == 0) return false;
    integrity(span_head(in, m->integrity_at), key, mac);
    return hash_equal(span_of(mac, sizeof mac),
                      span_of(in.p + m->integrity_at + ATTR_HEADER, SHA1_LEN));
}

void stun_begin(struct wr *w, enum stun_class kind, uint16_t method,
                const uint8_t tid[STUN_TID_BYTES])
{
    wr_u16be(w, (uint16_t)type_of(kind, method));
    wr_u16be(w, 0);
    wr_u32be(w, MAGIC);
    wr_bytes(w, tid, STUN_TID_BYTES);
}

void stun_put(struct wr *w, enum stun_attr type, struct span value)
{
    static const uint8_t zeros[4];
    wr_u16be(w, (uint16_t)type);
    wr_u16be(w, (uint16_t)value.len);
    wr_str(w, value);
    wr_bytes(w, zeros, (4 - value.len % 4) % 4);
}

void stun_put_u32(struct wr *w, enum stun_attr type, uint32_t v)
{
    wr_u16be(w, (uint16_t)type);
    wr_u16be(w, 4);
    wr_u32be(w, v);
}

void stun_put_u64(struct wr *w, enum stun_attr type, uint64_t v)
{
    wr_u16be(w, (uint16_t)type);
    wr_u16be(w, 8);
    wr_u64be(w, v);
}

void stun_put_mapped(struct wr *w, const struct net_addr *a)
{
    const bool v4 = net_addr_is_v4(a);
    const size_t n = v4 ? 4 : 16;
    const uint8_t *ip = v4 ? a->ip + 12 : a->ip;
    if (wr_used(w) < STUN_HEADER) return; /* it overflowed before */
    wr_u16be(w, STUN_XOR_MAPPED_ADDRESS);
    wr_u16be(w, (uint16_t)(4 + n));
    wr_u16be(w, v4 ? 1 : 2);
    wr_u16be(w, (uint16_t)(a->port ^ MAGIC >> 16));
    for (size_t i = 0; i < n; i++) wr_u8(w, ip[i] ^ w->start[4 + i]);
}

void stun_put_error(struct wr *w, uint16_t code, const char *reason)
{
    uint8_t v[4 + 64] = {0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
    const struct span text = span_head(span_str(reason), 64);
    memcpy(v + 4, text.p, text.len);
    stun_put(w, STUN_ERROR_CODE, span_of(v, 4 + text.len));
}

static void set_length(struct wr *w, size_t extra)
{
    const size_t len = wr_used(w) + extra - STUN_HEADER;
    w->start[2] = (uint8_t)(len >> 8);
    w->start[3] = (uint8_t)len;
}

void stun_end(struct wr *w, struct span key)
{
    uint8_t mac[SHA1_LEN];
    if (w->overflow || wr_used(w) > LIMIT_UDP_BYTES - 64) {
        w->overflow = true;
        return;
    }
    if (key.len) {
        integrity(wr_span(w), key, mac);
        stun_put(w, STUN_MESSAGE_INTEGRITY, span_of(mac, sizeof mac));
    }
    if (w->overflow) return;
    set_length(w, ATTR_HEADER + 4);
    stun_put_u32(w, STUN_FINGERPRINT, hash_crc32(0, wr_span(w)) ^ FINGERPRINT_XOR);
}
