/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "wire/sdp_answer.h"

static struct sdp sdp;

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

static const struct sdp_codec *codec(const struct sdp_media *m, uint8_t pt)
{
    for (unsigned i = 0; i < m->n_codecs; i++)
        if (m->codecs[i].pt == pt) return &m->codecs[i];
    return NULL;
}

static void simulcast_offer(void **state)
{
    assert_int_equal(sdp_parse(load("chromium-publish-simulcast-h264"), &sdp), E_OK);
    assert_true(sdp.bundle && !sdp.ice_lite && sdp.n_media == 2);
    const struct sdp_media *v = &sdp.media[0], *a = &sdp.media[1];
    assert_true(v->kind == SDP_VIDEO && a->kind == SDP_AUDIO);
    assert_true(span_is(v->mid, "0") && v->rtcp_mux && v->direction == SDP_SENDONLY);
    assert_true(v->transport.setup == SDP_ACTPASS && span_is(v->transport.ufrag, "IwGV"));
    assert_true(span_is(v->transport.fingerprint.algorithm, "sha-256"));
    assert_int_equal(v->transport.fingerprint.len, 32);
    assert_int_equal(v->transport.fingerprint.digest[31], 0xe7);
    assert_int_equal(v->n_codecs, 12);
    const struct sdp_codec *c = codec(v, 108);
    assert_true(c && span_is(c->name, "H264") && c->clock == 90000);
    assert_int_equal(c->fb, SDP_FB_NACK | SDP_FB_PLI | SDP_FB_FIR | SDP_FB_REMB | SDP_FB_TWCC);
    assert_true(span_is(sdp_fmtp(c->fmtp, "profile-level-id"), "42e01f"));
    assert_true(span_is(sdp_fmtp(c->fmtp, "Packetization-Mode"), "1"));
    assert_null(sdp_fmtp(c->fmtp, "packetization").p);
    assert_true(span_is(sdp_fmtp(codec(v, 109)->fmtp, "apt"), "108"));
    assert_true(v->ext[SDP_EXT_MID] == 9 && v->ext[SDP_EXT_RID] == 10);
    assert_true(v->ext[SDP_EXT_REPAIRED_RID] == 11 && v->ext[SDP_EXT_TWCC] == 4);
    assert_int_equal(v->n_rids, 3);
    assert_true(span_is(v->rids[0], "h") && span_is(v->rids[2], "l"));
    assert_true(v->ssrc == 0 && a->ssrc == 1329872663);
    assert_true(codec(a, 111)->channels == 2 && span_is(codec(a, 111)->name, "opus"));
    assert_true(span_is(a->msid_track, "202dede5-b45f-47f7-b8ad-1543a0c1ad08"));
}

static void plain_offer(void **state)
{
    assert_int_equal(sdp_parse(load("chromium-publish-nosimulcast-allcodecs"), &sdp), E_OK);
    assert_true(sdp.media[0].n_rids == 0 && sdp.media[0].ssrc != 0 && sdp.media[0].rtx_ssrc != 0);
    assert_int_equal(sdp_parse(load("chromium-viewer-recvonly"), &sdp), E_OK);
    assert_int_equal(sdp.media[0].direction, SDP_RECVONLY);
}

#define TOP   "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
#define AUDIO "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
#define CREDS "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"

static void session_level_attributes_are_for_all(void **state)
{
    assert_int_equal(
        sdp_parse(SPAN_LIT(TOP CREDS "a=setup:active\r\na=group:BUNDLE a\r\n"
                                     "a=fingerprint:sha-256 00:ff\r\n" AUDIO "a=mid:a\r\n"
                                     "a=rtcp-fb:* nack\r\na=sendonly"),
                  &sdp),
        E_OK);
    assert_true(sdp.bundle && span_is(sdp.media[0].transport.ufrag, "abcd"));
    assert_true(sdp.media[0].transport.setup == SDP_ACTIVE);
    assert_true(sdp.media[0].transport.fingerprint.len == 2);
    assert_true(sdp.media[0].codecs[0].fb == SDP_FB_NACK);
    assert_true(sdp.media[0].direction == SDP_SENDONLY);
}

static void bad_offers(void **state)
{
    static const struct {
        const char *text;
        enum err e;
    } T[] = {
        {"", E_PROTO},
        {"v=1\r\n", E_PROTO},
        {TOP "nonsense\r\n", E_PROTO},
        {TOP "m=audio\r\n", E_PROTO},
        {TOP "m=audio 9 UDP/TLS/RTP/SAVPF\r\n", E_PROTO},
        {TOP "m=audio 65536 UDP/TLS/RTP/SAVPF 1\r\n", E_PROTO},
        {TOP "m=audio 9 UDP/TLS/RTP/SAVPF 128\r\n", E_PROTO},
        {TOP "m=audio 9 UDP/TLS/RTP/SAVPF -1\r\n", E_PROTO},
        {TOP AUDIO "a=rtpmap:111 opus\r\n", E_PROTO},
        {TOP AUDIO "a=rtpmap:111 opus/48000/999\r\n", E_PROTO},
        {TOP AUDIO "a=rtpmap:x opus/48000\r\n", E_PROTO},
        {TOP AUDIO "a=extmap:0 urn:x\r\n", E_PROTO},
        {TOP AUDIO "a=fingerprint:sha-256 0:ff\r\n", E_PROTO},
        {TOP AUDIO "a=fingerprint:sha-256 gg\r\n", E_PROTO},
        {TOP AUDIO "a=ice-ufrag:abc\r\n", E_PROTO},
        {TOP AUDIO "a=ice-ufrag:ab cd\r\n", E_PROTO},
        {TOP AUDIO "a=ice-pwd:short\r\n", E_PROTO},
        {TOP AUDIO "a=mid:\r\n", E_PROTO},
        {TOP AUDIO "a=mid:a\rb\r\n", E_PROTO},
        {TOP AUDIO "a=fmtp:111 x\ra=y\r\n", E_PROTO},
        {TOP AUDIO "a=rid:a send\r\na=rid:a send\r\n", E_PROTO},
        {TOP AUDIO "a=rid:a send\r\na=rid:b send\r\na=rid:c send\r\na=rid:d send\r\na=rid:e send",
         E_LIMIT},
        {TOP AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO, E_OK},
        {TOP AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO, E_LIMIT},
        {TOP AUDIO "a=what:ever\r\na=rtpmap:5 x\r\nb=AS:1\r\n", E_OK},
        {TOP AUDIO "a=what:ever\r\nb=AS:1\r\n\r\n", E_OK},
    };
    for (size_t i = 0; i < sizeof T / sizeof *T; i++)
        if (sdp_parse(span_str(T[i].text), &sdp) != T[i].e) fail_msg("%zu: %s", i, T[i].text);
}

static void too_much(void **state)
{
    struct str s = {0};
    str_adds(&s, TOP);
    for (int i = 0; i < LIMIT_SDP_LINES; i++) str_adds(&s, "b=x\r\n");
    assert_int_equal(sdp_parse(str_span(&s), &sdp), E_LIMIT);
    while (s.len <= LIMIT_SDP_BYTES) str_adds(&s, "a=0123456789012345678901234567890123456789\r\n");
    assert_int_equal(sdp_parse(str_span(&s), &sdp), E_LIMIT);
    s.len = 0;
    str_adds(&s, TOP "m=video 9 UDP/TLS/RTP/SAVPF");
    for (int i = 0; i < 128; i++) str_addf(&s, " %d", i);
    assert_int_equal(sdp_parse(str_span(&s), &sdp), E_LIMIT);
    str_fini(&s);
}

static void answer_is_readable(void **state)
{
    struct net_addr at[2];
    struct str s = {0};
    static struct sdp back;
    assert_true(net_addr_parse(SPAN_LIT("192.0.2.7"), 8189, &at[0]));
    assert_true(net_addr_parse(SPAN_LIT("2001:db8::7"), 8189, &at[1]));
    assert_int_equal(sdp_parse(load("chromium-publish-simulcast-h264"), &sdp), E_OK);
    struct sdp_answer a = {.session = 42,
                           .ufrag = SPAN_LIT("abcd"),
                           .n_media = 2,
                           .pwd = SPAN_LIT("0123456789012345678901"),
                           .candidates = at,
                           .n_candidates = 2};
    const struct sdp_media *v = &sdp.media[0];
    a.media[0] = (struct sdp_answer_media){
        .offer = v, .accepted = true, .direction = SDP_RECVONLY, .n_codecs = 2, .n_rids = 3};
    a.media[0].codecs[0] = *codec(v, 108);
    a.media[0].codecs[1] = *codec(v, 109);
    memcpy(a.media[0].ext, v->ext, sizeof v->ext);
    memcpy(a.media[0].rids, v->rids, sizeof v->rids);
    a.media[1] = (struct sdp_answer_media){.offer = &sdp.media[1]};
    sdp_answer_write(&a, &s);
    assert_int_equal(sdp_parse(str_span(&s), &back), E_OK);
    assert_true(back.ice_lite && back.bundle && back.n_media == 2);
    assert_true(back.media[1].rejected && back.media[1].kind == SDP_AUDIO);
    assert_true(back.media[0].direction == SDP_RECVONLY && back.media[0].n_codecs == 2);
    assert_true(back.media[0].transport.setup == SDP_PASSIVE);
    assert_int_equal(back.media[0].transport.fingerprint.len, 32);
    assert_true(span_eq(back.media[0].codecs[0].fmtp, codec(v, 108)->fmtp));
    assert_memory_equal(back.media[0].ext, v->ext, sizeof v->ext);
    assert_non_null(strstr(str_c(&s), "a=simulcast:recv h;m;l\r\n"));
    assert_non_null(strstr(str_c(&s), "a=candidate:2 1 udp 2130706175 2001:db8::7 8189 typ host"));
    str_fini(&s);
}

static void fragments(void **state)
{
    struct sdp_frag f;
    assert_int_equal(sdp_frag_parse(SPAN_LIT(CREDS "m=audio 9 x 0\r\na=mid:0\r\n"
                                                   "a=candidate:1 1 udp 1 x.local 5 typ host\r\n"),
                                    &f),
                     E_OK);
    assert_true(span_is(f.ufrag, "abcd") && f.n_candidates == 1);
    assert_int_equal(sdp_frag_parse(SPAN_LIT("a=ice-ufrag:abcd\r\n"), &f), E_PROTO);
    assert_int_equal(sdp_frag_parse(SPAN_LIT("hello"), &f), E_PROTO);
    assert_int_equal(sdp_frag_parse(SPAN_NULL, &f), E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulcast_offer),
        cmocka_unit_test(plain_offer),
        cmocka_unit_test(session_level_attributes_are_for_all),
        cmocka_unit_test(bad_offers),
        cmocka_unit_test(too_much),
        cmocka_unit_test(answer_is_readable),
        cmocka_unit_test(fragments),
    };
    return RUN_TESTS(tests);
}
