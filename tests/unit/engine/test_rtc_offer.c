/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "engine/rtc_offer.h"

static struct sdp sdp;
static struct rtc_agreed g;
static const char *why;

static struct span load(const char *name)
{
    static uint8_t room[16384];
    char path[512];
    snprintf(path, sizeof path, GOLDEN_DIR "/sdp/%s.sdp", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(room, 1, sizeof room, f);
    fclose(f);
    return span_of(room, n);
}

static void publisher_gets_the_simplest_h264(void **state)
{
    assert_int_equal(sdp_parse(load("chromium-publish-simulcast-allcodecs"), &sdp), E_OK);
    assert_int_equal(rtc_agree_publisher(&sdp, &g, &why), E_OK);
    const struct rtc_track *v = &g.tracks[MEDIA_VIDEO], *a = &g.tracks[MEDIA_AUDIO];
    assert_true(v->is && v->codec == CODEC_H264 && v->format == RTP_H264 && v->n_rids == 3);
    assert_non_null(v->rtx);
    assert_true(span_is(sdp_fmtp(v->media->fmtp, "packetization-mode"), "1"));
    assert_true(a->is && a->codec == CODEC_OPUS && a->media->pt == 111);
}

static void viewer_gets_what_is_published(void **state)
{
    static const struct {
        enum codec codec;
        const char *fmtp;
        uint8_t pt;
    } T[] = {{CODEC_H264, "packetization-mode=1;profile-level-id=42e01f", 0},
             {CODEC_VP8, "", 96},
             {CODEC_VP9, "profile-id=0", 98}};
    assert_int_equal(sdp_parse(load("chromium-viewer-recvonly"), &sdp), E_OK);
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        const struct rtc_wanted want[2] = {{T[i].codec, span_str(T[i].fmtp)}, {CODEC_OPUS}};
        assert_int_equal(rtc_agree_viewer(&sdp, want, &g, &why), E_OK);
        assert_int_equal(g.tracks[0].codec, T[i].codec);
        if (T[i].pt) assert_int_equal(g.tracks[0].media->pt, T[i].pt);
        assert_true(g.tracks[0].rtx && g.tracks[1].is);
        assert_true(g.tracks[0].ext[SDP_EXT_TWCC] && (g.tracks[0].fb & SDP_FB_TWCC));
        assert_true(g.tracks[1].ext[SDP_EXT_TWCC] && g.tracks[0].ext[SDP_EXT_PLAYOUT_DELAY]);
        assert_false((g.tracks[0].fb & SDP_FB_REMB) || (g.tracks[1].fb & SDP_FB_NACK));
    }
    const struct rtc_wanted none[2] = {{CODEC_H265}, {CODEC_NONE}};
    assert_int_equal(rtc_agree_viewer(&sdp, none, &g, &why), E_UNSUPPORTED);
    const struct rtc_wanted sound[2] = {{CODEC_NONE}, {CODEC_OPUS}};
    assert_int_equal(rtc_agree_viewer(&sdp, sound, &g, &why), E_OK);
    struct sdp_answer answer = {0};
    struct str text = {0};
    static struct sdp back;
    answer.ufrag = SPAN_LIT("abcd");
    answer.pwd = SPAN_LIT("0123456789012345678901");
    rtc_answer(&sdp, &g, SDP_SENDONLY, &answer);
    sdp_answer_write(&answer, &text);
    assert_int_equal(sdp_parse(str_span(&text), &back), E_OK);
    assert_true(back.media[0].direction == SDP_INACTIVE && !back.media[0].rejected);
    assert_true(back.media[1].direction == SDP_SENDONLY && !back.media[1].rejected);
    str_fini(&text);
}

/* A packet sent again on its own source is the same to the bit; a transport-wide number is not. */
static void without_rtx_there_is_remb(void **state)
{
    static const char TEXT[] =
        "v=0\r\na=group:BUNDLE 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
        "a=fingerprint:sha-256 00:11\r\na=setup:actpass\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n"
        "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 goog-remb\r\n"
        "a=rtcp-fb:96 transport-cc\r\na=extmap:20 "
        "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\na=extmap:3 "
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n";
    const struct rtc_wanted want[2] = {{CODEC_VP8}, {CODEC_OPUS}};
    assert_int_equal(sdp_parse(span_str(TEXT), &sdp), E_OK);
    assert_int_equal(rtc_agree_viewer(&sdp, want, &g, &why), E_OK);
    assert_int_equal(g.tracks[0].fb, SDP_FB_NACK | SDP_FB_REMB);
    assert_int_equal(g.tracks[0].ext[SDP_EXT_TWCC], 0);
    assert_int_equal(g.tracks[0].ext[SDP_EXT_PLAYOUT_DELAY], 0); /* its id needs two bytes */
}

#define TOP   "v=0\r\na=group:BUNDLE 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
#define FP    "a=fingerprint:sha-256 00:11\r\n"
#define SETUP "a=setup:actpass\r\n"
#define V     "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\n"
#define MUX   "a=rtcp-mux\r\n"

static void incomplete_offers_are_refused_whole(void **state)
{
    static const struct {
        const char *text;
        enum err e;
    } T[] = {
        {TOP FP SETUP V MUX, E_OK},
        {TOP FP SETUP, E_INVALID},
        {TOP SETUP V MUX, E_INVALID},
        {TOP FP V MUX, E_INVALID},
        {TOP FP "a=setup:passive\r\n" V MUX, E_INVALID},
        {TOP FP SETUP V, E_INVALID},
        {TOP FP SETUP V MUX "a=recvonly\r\n", E_INVALID},
        {"v=0\r\n" FP SETUP V MUX, E_INVALID},
        {"v=0\r\na=group:BUNDLE 0\r\n" FP SETUP V MUX, E_INVALID},
        {TOP FP SETUP "m=video 9 RTP/AVP 96\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\n" MUX,
         E_UNSUPPORTED},
        {TOP FP SETUP "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=rtpmap:96 H265/90000\r\n" MUX,
         E_UNSUPPORTED},
        {TOP FP SETUP V MUX "a=rid:a send\r\n", E_INVALID},
        {"v=0\r\na=group:BUNDLE 0 1\r\n" FP SETUP V MUX
         "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n",
         E_INVALID},
        {TOP FP SETUP "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n", E_INVALID},
    };
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        why = NULL;
        assert_int_equal(sdp_parse(span_str(T[i].text), &sdp), E_OK);
        if (rtc_agree_publisher(&sdp, &g, &why) != T[i].e) fail_msg("%zu: %s", i, why);
        assert_true(T[i].e == E_OK || (why && strlen(why) > 10));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publisher_gets_the_simplest_h264),
        cmocka_unit_test(viewer_gets_what_is_published),
        cmocka_unit_test(without_rtx_there_is_remb),
        cmocka_unit_test(incomplete_offers_are_refused_whole),
    };
    return RUN_TESTS(tests);
}
