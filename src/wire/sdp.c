/* SPDX-License-Identifier: MIT */
#include "wire/sdp.h"
#include "base/hash.h"

const char *const SDP_EXT_URI[SDP_EXT_COUNT] = {
    [SDP_EXT_MID] = "urn:ietf:params:rtp-hdrext:sdes:mid",
    [SDP_EXT_RID] = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    [SDP_EXT_REPAIRED_RID] = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    [SDP_EXT_TWCC] = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    [SDP_EXT_PLAYOUT_DELAY] = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    [SDP_EXT_LEVEL] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
};

/* What is being parsed: attributes before the first m-line are the session's. */
struct scan {
    struct sdp *sdp;
    struct sdp_media *media; /* NULL: the session */
    struct sdp_transport session;
    struct span bundle; /* "0 1" */
    bool has_bundle;
};

static struct span word(struct span *rest)
{
    *rest = span_trim(*rest);
    return span_cut(rest, ' ');
}

/* A token of ICE, a mid, a rid: no space, no control character, not empty. */
static bool token(struct span s, size_t max)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~') return false;
    return s.len > 0 && s.len <= max;
}

static bool payload_type(struct span s, uint8_t *pt)
{
    uint64_t v = 0;
    if (!span_u64(s, 127, &v)) return false;
    *pt = (uint8_t)v;
    return true;
}

static struct sdp_codec *codec_of(struct sdp_media *m, uint8_t pt)
{
    for (unsigned i = 0; i < m->n_codecs; i++)
        if (m->codecs[i].pt == pt) return &m->codecs[i];
    return NULL;
}

static enum err formats(struct sdp_media *m)
{
    struct span rest = m->formats;
    while (span_trim(rest).len) {
        uint8_t pt = 0;
        if (!payload_type(word(&rest), &pt)) return E_PROTO;
        if (m->n_codecs == LIMIT_SDP_CODECS) return E_LIMIT;
        if (!codec_of(m, pt)) m->codecs[m->n_codecs++] = (struct sdp_codec){.pt = pt};
    }
    return m->n_codecs ? E_OK : E_PROTO;
}

/* m=video 9 UDP/TLS/RTP/SAVPF 96 97 */
static enum err on_media(struct scan *s, struct span v)
{
    uint64_t port = 0;
    if (s->sdp->n_media == LIMIT_SDP_MEDIA) return E_LIMIT;
    struct sdp_media *m = s->media = &s->sdp->media[s->sdp->n_media++];
    m->name = word(&v);
    struct span where = word(&v);
    m->proto = word(&v);
    m->formats = span_trim(v);
    m->kind = span_is(m->name, "video")   ? SDP_VIDEO
              : span_is(m->name, "audio") ? SDP_AUDIO
                                          : SDP_OTHER;
    if (!token(m->name, 32) || !token(m->proto, 32) || m->formats.len == 0) return E_PROTO;
    if (!span_u64(span_cut(&where, '/'), 65535, &port)) return E_PROTO;
    m->rejected = port == 0;
    return m->kind == SDP_OTHER ? E_OK : formats(m);
}

/* rtpmap:111 opus/48000/2 */
static enum err on_rtpmap(struct sdp_media *m, struct span v)
{
    uint8_t pt = 0;
    uint64_t clock = 0, channels = 0;
    if (!payload_type(word(&v), &pt)) return E_PROTO;
    v = span_trim(v);
    struct sdp_codec *c = codec_of(m, pt);
    if (!c) return E_OK; /* not in the m-line */
    const struct span name = span_cut(&v, '/');
    if (!token(name, 32) || !span_u64(span_cut(&v, '/'), 1000000, &clock)) return E_PROTO;
    if (v.len && !span_u64(v, 255, &channels)) return E_PROTO;
    c->name = name;
    c->clock = (uint32_t)clock;
    c->channels = (uint8_t)channels;
    return E_OK;
}

static enum err on_fmtp(struct sdp_media *m, struct span v)
{
    uint8_t pt = 0;
    if (!payload_type(word(&v), &pt)) return E_PROTO;
    struct sdp_codec *c = codec_of(m, pt);
    if (c) c->fmtp = span_trim(v);
    return E_OK;
}

/* rtcp-fb:96 nack pli, or * for all */
static enum err on_rtcp_fb(struct sdp_media *m, struct span v)
{
    static const struct {
        const char *text;
        uint8_t bit;
    } FB[] = {{"nack", SDP_FB_NACK},
              {"nack pli", SDP_FB_PLI},
              {"ccm fir", SDP_FB_FIR},
              {"goog-remb", SDP_FB_REMB},
              {"transport-cc", SDP_FB_TWCC}};
    uint8_t pt = 0, bit = 0;
    const struct span which = word(&v);
    const bool all = span_is(which, "*");
    if (!all && !payload_type(which, &pt)) return E_PROTO;
    v = span_trim(v);
    for (size_t i = 0; i < sizeof FB / sizeof *FB; i++)
        if (span_is(v, FB[i].text)) bit = FB[i].bit;
    for (unsigned i = 0; i < m->n_codecs; i++)
        if (all || m->codecs[i].pt == pt) m->codecs[i].fb |= bit;
    return E_OK;
}

/* extmap:4/sendonly urn:... */
static enum err on_extmap(struct sdp_media *m, struct span v)
{
    uint64_t id = 0;
    struct span which = word(&v);
    if (!span_u64(span_cut(&which, '/'), 4351, &id) || id == 0) return E_PROTO;
    const struct span uri = word(&v);
    if (id > 255) return E_OK; /* provisional: to be chosen by us, which we do not */
    for (unsigned i = 0; i < SDP_EXT_COUNT; i++)
        if (span_is(uri, SDP_EXT_URI[i])) m->ext[i] = (uint8_t)id;
    return E_OK;
}

/* rid:h send pt=96;max-width=1280 */
static enum err on_rid(struct sdp_media *m, struct span v)
{
    const struct span rid = word(&v);
    if (!token(rid, 16)) return E_PROTO;
    if (!span_is(word(&v), "send")) return E_OK;
    if (m->n_rids == LIMIT_SDP_RIDS) return E_LIMIT;
    for (unsigned i = 0; i < m->n_rids; i++)
        if (span_eq(m->rids[i], rid)) return E_PROTO;
    m->rids[m->n_rids++] = rid;
    return E_OK;
}

/* ssrc:1234 cname:..., and ssrc-group:FID media rtx */
static enum err on_ssrc(struct sdp_media *m, struct span v)
{
    uint64_t ssrc = 0;
    if (!span_u64(word(&v), UINT32_MAX, &ssrc)) return E_PROTO;
    if (m->ssrc == 0) m->ssrc = (uint32_t)ssrc;
    return E_OK;
}

static enum err on_ssrc_group(struct sdp_media *m, struct span v)
{
    uint64_t media = 0, rtx = 0;
    if (!span_is(word(&v), "FID")) return E_OK;
    if (!span_u64(word(&v), UINT32_MAX, &media) || !span_u64(word(&v), UINT32_MAX, &rtx))
        return E_PROTO;
    m->ssrc = (uint32_t)media;
    m->rtx_ssrc = (uint32_t)rtx;
    return E_OK;
}

static enum err on_msid(struct sdp_media *m, struct span v)
{
    m->msid_stream = word(&v);
    m->msid_track = word(&v);
    return E_OK;
}

static enum err on_mid(struct sdp_media *m, struct span v)
{
    if (!token(v, 16)) return E_PROTO;
    m->mid = v;
    return E_OK;
}

static const struct {
    const char *name;
    enum err (*fn)(struct sdp_media *m, struct span v);
} MEDIA_ATTRS[] = {
    {"rtpmap", on_rtpmap}, {"fmtp", on_fmtp}, {"rtcp-fb", on_rtcp_fb},
    {"extmap", on_extmap}, {"rid", on_rid},   {"ssrc", on_ssrc},
    {"msid", on_msid},     {"mid", on_mid},   {"ssrc-group", on_ssrc_group},
};

/* fingerprint:sha-256 CB:F3:... */
static enum err on_fingerprint(struct sdp_transport *t, struct span v)
{
    struct sdp_fingerprint f = {.algorithm = word(&v)};
    v = span_trim(v);
    if (!token(f.algorithm, 16)) return E_PROTO;
    while (v.p) {
        const struct span two = span_cut(&v, ':');
        char hex[3];
        if (f.len == sizeof f.digest || two.len != 2 || !span_cstr(two, hex, sizeof hex))
            return E_PROTO;
        if (!hash_unhex(two, &f.digest[f.len], 1)) return E_PROTO;
        f.len++;
    }
    /* Several may be offered (RFC 8122, 5): SHA-256 is what everybody has. */
    if (t->fingerprint.len == 0 || span_ieq(f.algorithm, SPAN_LIT("sha-256"))) t->fingerprint = f;
    return E_OK;
}

static enum err on_transport(struct scan *s, struct span name, struct span v, bool *mine)
{
    struct sdp_transport *t = s->media ? &s->media->transport : &s->session;
    *mine = true;
    if (span_is(name, "ice-ufrag")) {
        t->ufrag = v;
        return token(v, LIMIT_ICE_CRED_BYTES) && v.len >= 4 ? E_OK : E_PROTO;
    }
    if (span_is(name, "ice-pwd")) {
        t->pwd = v;
        return token(v, LIMIT_ICE_CRED_BYTES) && v.len >= 22 ? E_OK : E_PROTO;
    }
    if (span_is(name, "fingerprint")) return on_fingerprint(t, v);
    if (span_is(name, "setup")) {
        t->setup = span_is(v, "actpass")   ? SDP_ACTPASS
                   : span_is(v, "active")  ? SDP_ACTIVE
                   : span_is(v, "passive") ? SDP_PASSIVE
                                           : SDP_SETUP_NONE;
        return E_OK;
    }
    *mine = false;
    return E_OK;
}

static enum err on_attribute(struct scan *s, struct span line)
{
    static const char *const DIRECTIONS[] = {"sendrecv", "sendonly", "recvonly", "inactive"};
    struct span v = line;
    const struct span name = span_cut(&v, ':');
    bool mine = false;
    const enum err e = on_transport(s, name, v, &mine);
    if (mine) return e;
    if (!s->media) {
        if (span_is(name, "ice-lite")) s->sdp->ice_lite = true;
        if (span_is(name, "group") && span_is(word(&v), "BUNDLE")) {
            s->bundle = v;
            s->has_bundle = true;
        }
        return E_OK;
    }
    for (unsigned i = 0; i < 4; i++)
        if (span_is(name, DIRECTIONS[i])) s->media->direction = (enum sdp_direction)i;
    if (span_is(name, "rtcp-mux")) s->media->rtcp_mux = true;
    if (span_is(name, "bundle-only")) s->media->rejected = false;
    if (s->media->kind == SDP_OTHER && !span_is(name, "mid")) return E_OK;
    for (size_t i = 0; i < sizeof MEDIA_ATTRS / sizeof *MEDIA_ATTRS; i++)
        if (span_is(name, MEDIA_ATTRS[i].name)) return MEDIA_ATTRS[i].fn(s->media, v);
    return E_OK;
}

static bool in_bundle(struct span group, struct span mid)
{
    while (span_trim(group).len)
        if (span_eq(word(&group), mid)) return true;
    return false;
}

/* What the session said for everybody, and the BUNDLE group. */
static void finish(struct scan *s)
{
    s->sdp->bundle = s->has_bundle;
    for (unsigned i = 0; i < s->sdp->n_media; i++) {
        struct sdp_media *m = &s->sdp->media[i];
        struct sdp_transport *t = &m->transport;
        if (!t->ufrag.len) t->ufrag = s->session.ufrag;
        if (!t->pwd.len) t->pwd = s->session.pwd;
        if (!t->fingerprint.len) t->fingerprint = s->session.fingerprint;
        if (!t->setup) t->setup = s->session.setup;
        if (!m->rejected && (m->mid.len == 0 || !in_bundle(s->bundle, m->mid)))
            s->sdp->bundle = false;
    }
}

/* The next line without its end. E_NOTFOUND: no more. E_PROTO: no "x=", or a control character,
 * which an answer that repeats a value would hand on. */
static enum err line_next(struct span *rest, unsigned *n, struct span *line)
{
    while (rest->len) {
        *line = span_cut(rest, '\n');
        if (line->len && line->p[line->len - 1] == '\r') line->len--;
        if (++*n > LIMIT_SDP_LINES) return E_LIMIT;
        if (line->len == 0) continue;
        for (size_t i = 0; i < line->len; i++)
            if ((line->p[i] < ' ' && line->p[i] != '\t') || line->p[i] == 0x7f) return E_PROTO;
        return line->len >= 2 && line->p[1] == '=' ? E_OK : E_PROTO;
    }
    return E_NOTFOUND;
}

enum err sdp_parse(struct span text, struct sdp *out)
{
    struct sdp sdp = {0};
    struct scan s = {.sdp = &sdp};
    struct span line = SPAN_NULL;
    unsigned n = 0;
    if (text.len > LIMIT_SDP_BYTES) return E_LIMIT;
    if (!span_starts(text, "v=0")) return E_PROTO;
    enum err e;
    while ((e = line_next(&text, &n, &line)) == E_OK) {
        const struct span v = span_skip(line, 2);
        if (line.p[0] == 'm') e = on_media(&s, v);
        if (line.p[0] == 'a') e = on_attribute(&s, v);
        if (e != E_OK) return e;
    }
    if (e != E_NOTFOUND) return e;
    finish(&s);
    *out = sdp;
    return E_OK;
}

struct span sdp_fmtp(struct span fmtp, const char *key)
{
    while (fmtp.len) {
        struct span v = span_trim(span_cut(&fmtp, ';'));
        const struct span k = span_cut(&v, '=');
        if (span_ieq(k, span_str(key))) return v.p ? v : span_head(k, 0);
    }
    return SPAN_NULL;
}

enum err sdp_frag_parse(struct span text, struct sdp_frag *out)
{
    struct sdp_frag f = {0};
    struct span line = SPAN_NULL;
    unsigned n = 0;
    if (text.len > LIMIT_SDP_BYTES) return E_LIMIT;
    enum err e;
    while ((e = line_next(&text, &n, &line)) == E_OK) {
        if (line.p[0] != 'a') continue;
        struct span v = span_skip(line, 2);
        const struct span name = span_cut(&v, ':');
        if (span_is(name, "ice-ufrag")) f.ufrag = v;
        if (span_is(name, "ice-pwd")) f.pwd = v;
        if (span_is(name, "candidate")) f.n_candidates++;
    }
    if (e != E_NOTFOUND) return e;
    const bool has = f.ufrag.len > 0;
    if (has != (f.pwd.len > 0)) return E_PROTO;
    if (has && (!token(f.ufrag, LIMIT_ICE_CRED_BYTES) || !token(f.pwd, LIMIT_ICE_CRED_BYTES) ||
                f.ufrag.len < 4 || f.pwd.len < 22))
        return E_PROTO;
    *out = f;
    return E_OK;
}
