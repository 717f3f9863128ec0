/* SPDX-License-Identifier: MIT */
#include "engine/rtc_offer.h"

static const struct {
    const char *name;
    enum codec codec;
    enum rtp_format format;
    uint32_t clock;
} CODECS[] = {/* in the order we like them */
              {"H264", CODEC_H264, RTP_H264, 90000},
              {"VP8", CODEC_VP8, RTP_VP8, 90000},
              {"VP9", CODEC_VP9, RTP_VP9, 90000},
              {"AV1", CODEC_AV1, RTP_AV1, 90000},
              {"opus", CODEC_OPUS, RTP_OPUS, 48000}};
#define N_CODECS (sizeof CODECS / sizeof *CODECS)

static enum err refuse(const char **why, enum err e, const char *text)
{
    *why = text;
    return e;
}

/* What must hold whoever asks. */
static enum err check_transport(const struct sdp *o, struct rtc_agreed *out, const char **why)
{
    if (o->n_media == 0) return refuse(why, E_INVALID, "The offer has no media.");
    if (!o->bundle) return refuse(why, E_INVALID, "The offer does not bundle its media.");
    for (unsigned i = 0; i < o->n_media && !out->transport; i++)
        if (!o->media[i].rejected) out->transport = &o->media[i].transport;
    const struct sdp_transport *t = out->transport;
    if (!t) return refuse(why, E_INVALID, "All media of the offer are rejected.");
    if (!t->ufrag.len || !t->pwd.len)
        return refuse(why, E_INVALID, "The offer has no ICE credentials.");
    if (!t->fingerprint.len)
        return refuse(why, E_INVALID, "The offer has no certificate fingerprint.");
    if (t->setup != SDP_ACTPASS && t->setup != SDP_ACTIVE)
        return refuse(why, E_INVALID, "The offer must let its side be active in DTLS.");
    return E_OK;
}

static bool h264_profile(struct span fmtp, unsigned *profile)
{
    const struct span v = sdp_fmtp(fmtp, "profile-level-id");
    unsigned n = 0;
    for (size_t i = 0; i < 2 && v.len == 6; i++) {
        const uint8_t c = v.p[i] | 0x20;
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return false;
        n = n << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *profile = v.len == 6 ? n : 0x42; /* absent: Baseline (RFC 6184, 8.1) */
    return v.len == 6 || v.p == NULL;
}

static bool mode_one(struct span fmtp)
{
    return span_is(sdp_fmtp(fmtp, "packetization-mode"), "1");
}

/* How well a payload type fits what is wanted; 0: not at all. `want` NULL: anything will do. */
static unsigned fit(const struct sdp_codec *c, enum codec codec, const struct rtc_wanted *want)
{
    unsigned profile = 0, wanted = 0x42;
    if (codec == CODEC_VP9) { /* profile 0 is what everybody decodes */
        const struct span p = sdp_fmtp(c->fmtp, "profile-id");
        return !p.p || span_is(p, "0");
    }
    if (codec != CODEC_H264) return 1;
    if (!h264_profile(c->fmtp, &profile)) return 0;
    if (!want) /* the simplest profile, in the mode that lets frames be large */
        return mode_one(c->fmtp) ? profile == 0x42 ? 4 : 3 : 1;
    if (mode_one(want->fmtp) && !mode_one(c->fmtp)) return 0;
    (void)h264_profile(want->fmtp, &wanted);
    if (profile == wanted) return 4;
    return profile == 0x42 ? 3 : 2; /* decoders take more than they say; there, all do */
}

static const struct sdp_codec *rtx_of(const struct sdp_media *m, uint8_t pt)
{
    for (unsigned i = 0; i < m->n_codecs; i++) {
        uint64_t apt = 0;
        if (span_ieq(m->codecs[i].name, SPAN_LIT("rtx")) &&
            span_u64(sdp_fmtp(m->codecs[i].fmtp, "apt"), 127, &apt) && apt == pt)
            return &m->codecs[i];
    }
    return NULL;
}

/* The best payload type of a codec in this section. */
static bool choose(const struct sdp_media *m, size_t i, const struct rtc_wanted *want,
                   struct rtc_track *t)
{
    unsigned best = 0;
    for (unsigned k = 0; k < m->n_codecs; k++) {
        const struct sdp_codec *c = &m->codecs[k];
        if (!span_ieq(c->name, span_str(CODECS[i].name)) || c->clock != CODECS[i].clock) continue;
        const unsigned f = fit(c, CODECS[i].codec, want);
        if (f <= best) continue;
        best = f;
        t->media = c;
    }
    if (!best) return false;
    t->codec = CODECS[i].codec;
    t->format = CODECS[i].format;
    t->rtx = rtx_of(m, t->media->pt);
    t->fb = t->media->fb;
    return true;
}

static bool agree_track(const struct sdp *o, unsigned section, const struct rtc_wanted *want,
                        struct rtc_track *t)
{
    const struct sdp_media *m = &o->media[section];
    const enum media_kind kind = m->kind == SDP_AUDIO ? MEDIA_AUDIO : MEDIA_VIDEO;
    for (size_t i = 0; i < N_CODECS && !t->is; i++) {
        if (codec_kind(CODECS[i].codec) != kind) continue;
        if (want && CODECS[i].codec != want->codec) continue;
        t->is = choose(m, i, want, t);
    }
    t->section = section;
    memcpy(t->ext, m->ext, sizeof t->ext);
    return t->is;
}

/* The section of that kind; false: there are several. *section is n_media when there is none. */
static bool only_one(const struct sdp *o, enum sdp_kind kind, unsigned *section)
{
    unsigned n = 0;
    *section = o->n_media;
    for (unsigned i = 0; i < o->n_media; i++) {
        if (o->media[i].kind != kind || o->media[i].rejected) continue;
        if (o->media[i].direction == SDP_INACTIVE) continue;
        *section = i;
        n++;
    }
    return n <= 1;
}

static enum err check_section(const struct sdp_media *m, bool publisher, const char **why)
{
    const enum sdp_direction d = m->direction;
    if (!m->rtcp_mux) return refuse(why, E_INVALID, "The offer does not multiplex RTCP.");
    if (!span_is(m->proto, "UDP/TLS/RTP/SAVPF"))
        return refuse(why, E_UNSUPPORTED, "Only UDP/TLS/RTP/SAVPF is spoken here.");
    if (d == (publisher ? SDP_RECVONLY : SDP_SENDONLY))
        return refuse(why, E_INVALID,
                      publisher ? "A publisher must offer to send."
                                : "A viewer must offer to receive.");
    return E_OK;
}

static enum err agree(const struct sdp *o, const struct rtc_wanted *want, struct rtc_agreed *out,
                      const char **why)
{
    static const enum sdp_kind KINDS[2] = {[MEDIA_VIDEO] = SDP_VIDEO, [MEDIA_AUDIO] = SDP_AUDIO};
    struct rtc_agreed g = {0};
    enum err e = check_transport(o, &g, why);
    for (unsigned k = 0; k < 2 && e == E_OK; k++) {
        unsigned section = 0;
        if (!only_one(o, KINDS[k], &section))
            return refuse(why, E_INVALID, "At most one audio and one video track are taken.");
        if (section == o->n_media) continue;
        e = check_section(&o->media[section], !want, why);
        if (e == E_OK && !agree_track(o, section, want ? &want[k] : NULL, &g.tracks[k]) && !want)
            return refuse(why, E_UNSUPPORTED,
                          "H.264, VP8, VP9 and AV1 with Opus are taken; the offer has others.");
    }
    if (e != E_OK) return e;
    if (!g.tracks[0].is && !g.tracks[1].is)
        return refuse(why, E_UNSUPPORTED, "The stream's codecs are not among those offered.");
    *out = g;
    return E_OK;
}

enum err rtc_agree_publisher(const struct sdp *offer, struct rtc_agreed *out, const char **why)
{
    struct rtc_agreed g;
    const enum err e = agree(offer, NULL, &g, why);
    if (e != E_OK) return e;
    for (unsigned k = 0; k < 2; k++) {
        struct rtc_track *t = &g.tracks[k];
        const struct sdp_media *m = &offer->media[t->section];
        t->n_rids = t->is ? m->n_rids : 0;
        if (t->n_rids && (!t->ext[SDP_EXT_RID] || !t->ext[SDP_EXT_MID]))
            return refuse(why, E_INVALID, "Simulcast needs the MID and RID header extensions.");
        memcpy(t->rids, m->rids, sizeof t->rids);
        t->ext[SDP_EXT_PLAYOUT_DELAY] = 0; /* a wish of the sender's to its player */
    }
    *out = g;
    return E_OK;
}

enum err rtc_agree_viewer(const struct sdp *offer, const struct rtc_wanted want[2],
                          struct rtc_agreed *out, const char **why)
{
    struct rtc_agreed g;
    const enum err e = agree(offer, want, &g, why);
    if (e != E_OK) return e;
    /* A packet sent again on its own source must be the same to the bit, and its transport-wide
     * number would not be: so that goes with RTX only. */
    const struct rtc_track *v = &g.tracks[MEDIA_VIDEO];
    const bool twcc = v->is && v->rtx && (v->fb & SDP_FB_TWCC) && v->ext[SDP_EXT_TWCC] &&
                      v->ext[SDP_EXT_TWCC] < 15;
    for (unsigned k = 0; k < 2; k++) {
        struct rtc_track *t = &g.tracks[k];
        uint8_t fb = SDP_FB_NACK | SDP_FB_PLI | SDP_FB_FIR;
        if (twcc) fb |= SDP_FB_TWCC;
        if (!twcc && k == MEDIA_VIDEO) fb |= SDP_FB_REMB;
        if (twcc && !t->rtx) fb &= (uint8_t)~SDP_FB_NACK;
        t->fb &= fb;
        if (!twcc) t->ext[SDP_EXT_TWCC] = 0;
        if (k == MEDIA_AUDIO) t->ext[SDP_EXT_PLAYOUT_DELAY] = 0;
        t->ext[SDP_EXT_RID] = t->ext[SDP_EXT_REPAIRED_RID] = 0;
        for (unsigned i = 0; i < SDP_EXT_COUNT; i++)
            if (t->ext[i] > 14) t->ext[i] = 0; /* headers of one byte are written */
    }
    *out = g;
    return E_OK;
}

/* What a viewer asked for and does not get stays, inactive: Chromium takes no answer that rejects
 * the section on which all of the bundle is (RFC 9143, 7.3.3 would have another one stand in). */
static void keep_inactive(const struct sdp_media *o, struct sdp_answer_media *m)
{
    if (o->rejected || !o->rtcp_mux || o->n_codecs == 0 || o->kind == SDP_OTHER) return;
    m->accepted = true;
    m->direction = SDP_INACTIVE;
    m->codecs[m->n_codecs++] = o->codecs[0];
}

void rtc_answer(const struct sdp *offer, const struct rtc_agreed *g, enum sdp_direction direction,
                struct sdp_answer *a)
{
    a->n_media = offer->n_media;
    for (unsigned i = 0; i < offer->n_media; i++)
        a->media[i] = (struct sdp_answer_media){.offer = &offer->media[i]};
    for (unsigned k = 0; k < 2; k++) {
        const struct rtc_track *t = &g->tracks[k];
        if (!t->is) continue;
        struct sdp_answer_media *m = &a->media[t->section];
        m->accepted = true;
        m->direction = direction;
        m->codecs[m->n_codecs] = *t->media;
        m->codecs[m->n_codecs++].fb = t->fb;
        if (t->rtx) m->codecs[m->n_codecs++] = *t->rtx;
        memcpy(m->ext, t->ext, sizeof m->ext);
        memcpy(m->rids, t->rids, sizeof m->rids);
        m->n_rids = t->n_rids;
    }
    for (unsigned i = 0; i < offer->n_media; i++)
        if (direction == SDP_SENDONLY && !a->media[i].accepted)
            keep_inactive(&offer->media[i], &a->media[i]);
}
