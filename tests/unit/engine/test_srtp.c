/* SPDX-License-Identifier: MIT */
/* Our SRTP against libsrtp2: what one seals the other opens, byte for byte. */
#include "../test.h"
#include "base/wr.h"
#include "engine/srtp.h"
#include "wire/rtp.h"
#include <srtp2/srtp.h>

static const enum srtpx_profile PROFILES[] = {SRTPX_AES_CM_SHA1_80, SRTPX_AES_128_GCM,
                                              SRTPX_AES_256_GCM};
#define EACH_PROFILE(p) for (const enum srtpx_profile *p = PROFILES; p < PROFILES + 3; p++)

#define SSRC 0x11223344u

static uint8_t key[SRTPX_KEY_MAX + SRTPX_SALT_MAX];

static srtp_t oracle(enum srtpx_profile p, srtp_ssrc_type_t direction)
{
    srtp_policy_t policy = {.ssrc.type = direction, .key = key, .window_size = 128};
    srtp_t s = NULL;
    switch (p) {
    case SRTPX_AES_CM_SHA1_80:
        srtp_crypto_policy_set_rtp_default(&policy.rtp);
        srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
        break;
    case SRTPX_AES_128_GCM:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
        break;
    case SRTPX_AES_256_GCM:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
        break;
    }
    assert_int_equal(srtp_create(&s, &policy), srtp_err_status_ok);
    return s;
}

static struct srtpx *ours(enum srtpx_profile p)
{
    return srtpx_new(p, key, key + srtpx_key_len(p));
}

/* A packet with an extension; the payload says the number. */
static size_t packet(uint8_t *out, size_t cap, uint16_t seq, size_t *header_len)
{
    struct wr w = wr_to(out, cap);
    const struct rtp p = {.pt = 108, .seq = seq, .ts = 90000, .ssrc = SSRC};
    rtp_write(&w, &p, true);
    const size_t mark = rtp_ext_begin(&w);
    rtp_ext_put(&w, 3, SPAN_LIT("abc"));
    rtp_ext_end(&w, mark);
    *header_len = wr_used(&w);
    for (unsigned i = 0; i < 100u + seq % 7u; i++) wr_u8(&w, (uint8_t)(seq + i));
    return wr_used(&w);
}

static size_t seal(struct srtpx *s, uint32_t index, uint8_t *out)
{
    uint8_t plain[256];
    size_t header = 0, n = 0;
    const size_t len = packet(plain, sizeof plain, (uint16_t)index, &header);
    srtpx_seal_rtp(s, span_of(plain, header), span_of(plain + header, len - header), index >> 16,
                   out, &n);
    return n;
}

static void rtp_to_the_oracle(void **state)
{
    EACH_PROFILE(p)
    {
        struct srtpx *s = ours(*p);
        srtp_t o = oracle(*p, ssrc_any_inbound);
        for (uint32_t i = 65000; i < 132000; i += i % 1000 ? 1 : 7) { /* over the wrap, with gaps */
            uint8_t sealed[512], plain[512];
            size_t header = 0;
            int n = (int)seal(s, i, sealed);
            assert_int_equal(srtp_unprotect(o, sealed, &n), srtp_err_status_ok);
            assert_int_equal(n, packet(plain, sizeof plain, (uint16_t)i, &header));
            assert_memory_equal(sealed, plain, (size_t)n);
        }
        srtp_dealloc(o);
        srtpx_free(s);
    }
}

static void rtp_from_the_oracle(void **state)
{
    EACH_PROFILE(p)
    {
        struct srtpx *s = ours(*p);
        srtp_t o = oracle(*p, ssrc_any_outbound);
        for (uint32_t i = 65000; i < 132000; i++) {
            uint8_t sealed[512], plain[512];
            size_t header = 0, len = packet(plain, sizeof plain, (uint16_t)i, &header);
            int n = (int)packet(sealed, sizeof sealed, (uint16_t)i, &header);
            assert_int_equal(srtp_protect(o, sealed, &n), srtp_err_status_ok);
            size_t got = (size_t)n;
            assert_int_equal(srtpx_open_rtp(s, sealed, &got), E_OK);
            assert_int_equal(got, len);
            assert_memory_equal(sealed, plain, len);
        }
        srtp_dealloc(o);
        srtpx_free(s);
    }
}

static void rtcp_both_ways(void **state)
{
    static const uint8_t RR[] = {0x80, 201, 0, 1, 0x11, 0x22, 0x33, 0x44, 0x81, 206,
                                 0,    2,   0, 0, 0,    1,    0,    0,    0,    2};
    EACH_PROFILE(p)
    {
        struct srtpx *a = ours(*p), *b = ours(*p);
        srtp_t in = oracle(*p, ssrc_any_inbound), out = oracle(*p, ssrc_any_outbound);
        for (int i = 0; i < 100; i++) {
            uint8_t room[128];
            size_t n = sizeof RR;
            memcpy(room, RR, n);
            srtpx_seal_rtcp(a, room, &n);
            assert_true(n <= sizeof RR + SRTPX_GROW);
            int k = (int)n;
            assert_int_equal(srtp_unprotect_rtcp(in, room, &k), srtp_err_status_ok);
            assert_int_equal(k, sizeof RR);
            assert_memory_equal(room, RR, sizeof RR);
            assert_int_equal(srtp_protect_rtcp(out, room, &k), srtp_err_status_ok);
            n = (size_t)k;
            assert_int_equal(srtpx_open_rtcp(b, room, &n), E_OK);
            assert_int_equal(n, sizeof RR);
            assert_memory_equal(room, RR, sizeof RR);
        }
        srtp_dealloc(in);
        srtp_dealloc(out);
        srtpx_free(a);
        srtpx_free(b);
    }
}

static enum err open_index(struct srtpx *from, struct srtpx *to, uint32_t index)
{
    uint8_t sealed[512];
    size_t n = seal(from, index, sealed);
    return srtpx_open_rtp(to, sealed, &n);
}

static void replay_and_reordering(void **state)
{
    EACH_PROFILE(p)
    {
        struct srtpx *a = ours(*p), *b = ours(*p);
        assert_int_equal(open_index(a, b, 65530), E_OK);
        assert_int_equal(open_index(a, b, 65530), E_CONFLICT);
        assert_int_equal(open_index(a, b, 65540), E_OK); /* wrapped */
        assert_int_equal(open_index(a, b, 65535), E_OK); /* late, of the round before */
        assert_int_equal(open_index(a, b, 65535), E_CONFLICT);
        assert_int_equal(open_index(a, b, 65540 - 63), E_OK);
        assert_int_equal(open_index(a, b, 65540 - 64), E_CONFLICT); /* too old to tell */
        assert_int_equal(open_index(a, b, 65540 + 30000), E_OK);
        assert_int_equal(open_index(a, b, 65541), E_CONFLICT);
        srtpx_free(a);
        srtpx_free(b);
    }
}

static void any_bit_changed_is_noticed(void **state)
{
    EACH_PROFILE(p)
    {
        struct srtpx *a = ours(*p), *b = ours(*p);
        uint8_t sealed[512], bent[512];
        const size_t n = seal(a, 7, sealed);
        for (size_t bit = 0; bit < n * 8; bit++) {
            size_t len = n;
            memcpy(bent, sealed, n);
            bent[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_not_equal(srtpx_open_rtp(b, bent, &len), E_OK);
        }
        for (size_t cut = 0; cut < n; cut++) {
            size_t len = cut;
            memcpy(bent, sealed, n);
            assert_int_not_equal(srtpx_open_rtp(b, bent, &len), E_OK);
        }
        size_t len = n; /* and nothing of it has changed the state */
        assert_int_equal(srtpx_open_rtp(b, sealed, &len), E_OK);
        srtpx_free(a);
        srtpx_free(b);
    }
}

static int setup(void **state)
{
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)(i * 37 + 11);
    return srtp_init() == srtp_err_status_ok ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtp_to_the_oracle),
        cmocka_unit_test(rtp_from_the_oracle),
        cmocka_unit_test(rtcp_both_ways),
        cmocka_unit_test(replay_and_reordering),
        cmocka_unit_test(any_bit_changed_is_noticed),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
