/* SPDX-License-Identifier: MIT */
#include "wire/sdp_answer.h"
#include <inttypes.h>

#define S(s) (int)(s).len, (const char *)(s).p

static const char *const DIRECTIONS[] = {"sendrecv", "sendonly", "recvonly", "inactive"};

/* RFC 8445, 5.1.2.1: type preference, local preference, 256 - component. A host's TCP comes after
 * all UDP; what is first of RFC 6544's local preference, 4.2, is 4 for passive. */
static uint32_t priority(bool tcp, unsigned i)
{
    return tcp ? 90u << 24 | (4u << 13 | (8191u - i)) << 8 | 255u
               : 126u << 24 | (65535u - i) << 8 | 255u;
}

static void write_candidates(const struct sdp_answer *a, struct str *out)
{
    for (unsigned k = 0; k < (a->tcp ? 2 * a->n_candidates : a->n_candidates); k++) {
        const bool tcp = k >= a->n_candidates;
        const unsigned i = tcp ? k - a->n_candidates : k;
        char ip[NET_ADDR_LEN];
        net_addr_text(&a->candidates[i], ip);
        str_addf(out, "a=candidate:%u 1 %s %" PRIu32 " %s %u typ host%s\r\n", k + 1,
                 tcp ? "tcp" : "udp", priority(tcp, i), ip, a->candidates[i].port,
                 tcp ? " tcptype passive" : "");
    }
    str_adds(out, "a=end-of-candidates\r\n");
}

static void write_rtpmap(const struct sdp_codec *c, struct str *out)
{
    str_addf(out, "a=rtpmap:%u %.*s/%" PRIu32, c->pt, S(c->name), c->clock);
    if (c->channels) str_addf(out, "/%u", c->channels);
    str_adds(out, "\r\n");
}

static void write_codec(const struct sdp_codec *c, struct str *out)
{
    static const struct {
        uint8_t bit;
        const char *text;
    } FB[] = {{SDP_FB_REMB, "goog-remb"},
              {SDP_FB_TWCC, "transport-cc"},
              {SDP_FB_FIR, "ccm fir"},
              {SDP_FB_NACK, "nack"},
              {SDP_FB_PLI, "nack pli"}};
    write_rtpmap(c, out);
    for (size_t i = 0; i < sizeof FB / sizeof *FB; i++)
        if (c->fb & FB[i].bit) str_addf(out, "a=rtcp-fb:%u %s\r\n", c->pt, FB[i].text);
    if (c->fmtp.len) str_addf(out, "a=fmtp:%u %.*s\r\n", c->pt, S(c->fmtp));
}

static void write_layers(const struct sdp_answer_media *m, struct str *out)
{
    if (m->n_rids == 0) return;
    for (unsigned i = 0; i < m->n_rids; i++) str_addf(out, "a=rid:%.*s recv\r\n", S(m->rids[i]));
    str_adds(out, "a=simulcast:recv ");
    for (unsigned i = 0; i < m->n_rids; i++) str_addf(out, "%s%.*s", i ? ";" : "", S(m->rids[i]));
    str_adds(out, "\r\n");
}

static void write_sources(const struct sdp_answer_media *m, struct str *out)
{
    if (m->ssrc == 0) return;
    str_addf(out, "a=msid:%.*s %.*s\r\n", S(m->cname), S(m->track));
    if (m->rtx_ssrc)
        str_addf(out, "a=ssrc-group:FID %" PRIu32 " %" PRIu32 "\r\n", m->ssrc, m->rtx_ssrc);
    str_addf(out, "a=ssrc:%" PRIu32 " cname:%.*s\r\n", m->ssrc, S(m->cname));
    if (m->rtx_ssrc) str_addf(out, "a=ssrc:%" PRIu32 " cname:%.*s\r\n", m->rtx_ssrc, S(m->cname));
}

static void write_media(const struct sdp_answer *a, const struct sdp_answer_media *m, bool first,
                        struct str *out)
{
    const struct sdp_media *o = m->offer;
    str_addf(out, "m=%.*s %d %.*s", S(o->name), m->accepted ? 9 : 0, S(o->proto));
    if (!m->accepted) {
        str_addf(out, " %.*s\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n", S(o->formats));
        if (o->mid.len) str_addf(out, "a=mid:%.*s\r\n", S(o->mid));
        /* pion looks for the formats of a rejected section too */
        for (unsigned i = 0; i < o->n_codecs; i++)
            if (o->codecs[i].name.len) write_rtpmap(&o->codecs[i], out);
        return;
    }
    for (unsigned i = 0; i < m->n_codecs; i++) str_addf(out, " %u", m->codecs[i].pt);
    str_adds(out, "\r\nc=IN IP4 0.0.0.0\r\n");
    str_addf(out, "a=mid:%.*s\r\na=ice-ufrag:%.*s\r\na=ice-pwd:%.*s\r\n", S(o->mid), S(a->ufrag),
             S(a->pwd));
    str_adds(out, "a=fingerprint:sha-256 ");
    for (unsigned i = 0; i < sizeof a->fingerprint; i++)
        str_addf(out, "%s%02X", i ? ":" : "", a->fingerprint[i]);
    str_addf(out, "\r\na=setup:passive\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=%s\r\n",
             DIRECTIONS[m->direction]);
    for (unsigned i = 0; i < SDP_EXT_COUNT; i++)
        if (m->ext[i]) str_addf(out, "a=extmap:%u %s\r\n", m->ext[i], SDP_EXT_URI[i]);
    for (unsigned i = 0; i < m->n_codecs; i++) write_codec(&m->codecs[i], out);
    write_layers(m, out);
    write_sources(m, out);
    if (first) write_candidates(a, out);
}

void sdp_answer_write(const struct sdp_answer *a, struct str *out)
{
    str_addf(out, "v=0\r\no=- %" PRIu64 " 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE",
             a->session);
    for (unsigned i = 0; i < a->n_media; i++)
        if (a->media[i].accepted) str_addf(out, " %.*s", S(a->media[i].offer->mid));
    str_adds(out, "\r\na=ice-lite\r\na=ice-options:trickle\r\na=extmap-allow-mixed\r\n"
                  "a=msid-semantic: WMS *\r\n");
    bool first = true; /* candidates stand in the bundle's first section */
    for (unsigned i = 0; i < a->n_media; i++) {
        write_media(a, &a->media[i], first, out);
        if (a->media[i].accepted) first = false;
    }
}

void sdp_frag_write(const struct sdp_answer *a, struct span media_line, struct span mid,
                    struct str *out)
{
    str_addf(out, "a=ice-lite\r\na=ice-options:trickle\r\na=ice-ufrag:%.*s\r\na=ice-pwd:%.*s\r\n",
             S(a->ufrag), S(a->pwd));
    str_addf(out, "m=%.*s\r\na=mid:%.*s\r\n", S(media_line), S(mid));
    write_candidates(a, out);
}
