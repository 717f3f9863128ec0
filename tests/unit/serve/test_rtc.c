/* SPDX-License-Identifier: MIT */
/* WHIP and WHEP with a client that keeps to no rule, over real sockets and two loops: whatever a
 * publisher or a viewer says once it has keys, the others go on. */
#include "../rtc_client.h"
#include "../two_loops.h"
#include "serve/rtc/rtc_service.h"

#define VIDEO                                                                                      \
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"      \
    "a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
#define SSRC 0x1000u
#define RTX  0x2000u

static struct two_loops loops;
static struct hub *hub;
static struct channel *channel;
static struct http_server *http;
static struct rtc_service *rtc;
static struct gate gate;

static void publish(void *self, const struct gate_publish *ask, gate_publish_answer *answer,
                    void *ctx)
{
    answer(ctx, E_OK, "", channel);
}

static void play(void *self, const char *id, const struct gate_viewer *who,
                 gate_play_answer *answer, void *ctx)
{
    answer(ctx, E_OK, "", channel);
}

static void start(void)
{
    char problem[256] = "";
    for (unsigned i = 0; i < 2; i++) loops.loops[i] = loop_new(i);
    hub = hub_new(loops.loops, 2);
    assert_int_equal(channel_open(hub, "c", &channel), E_OK);
    gate = (struct gate){.publish = publish, .play = play};
    const struct rtc_config rc = {
        .loops = loops.loops, .n_loops = 2, .gate = &gate, .host = "127.0.0.1"};
    if (rtc_service_open(&rc, &rtc, problem, sizeof problem) != E_OK) fail_msg("%s", problem);
    struct http_config hc = {.loops = loops.loops, .n_loops = 2, .host = "127.0.0.1"};
    hc.routes = rtc_routes(rtc, &hc.n_routes);
    if (http_server_open(&hc, &http, problem, sizeof problem) != E_OK) fail_msg("%s", problem);
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&loops.threads[i], NULL, two_loops_thread, loops.loops[i]);
}

static void end_http(void *arg)
{
    http_server_drain(http);
}

static void end_channel(void *arg)
{
    channel_close(channel, "over");
}

static void end_rtc(void *arg)
{
    rtc_service_drain_loop(rtc);
}

static void stop(void)
{
    on_loop(&loops, 0, end_http, NULL);
    on_loop(&loops, loop_id(channel_home(channel)), end_channel, NULL);
    for (unsigned i = 0; i < 2; i++) on_loop(&loops, i, end_rtc, NULL);
    for (unsigned i = 0; i < 2; i++) loop_stop(loops.loops[i]);
    for (unsigned i = 0; i < 2; i++) pthread_join(loops.threads[i], NULL);
    loops_settle(loops.loops, 2);
    http_server_free(http);
    rtc_service_free(rtc);
    loops_free(loops.loops, 2);
    channel_unref(channel);
    hub_free(hub);
}

static void open_publisher(struct rtc_client *c)
{
    rtc_client_certificate(c);
    assert_int_equal(
        rtc_client_post(c, http_server_port(http), "/whip/key", VIDEO "a=sendonly\r\n"), 201);
    rtc_client_open(c, rtc_service_port(rtc));
}

static void open_viewer(struct rtc_client *c)
{
    rtc_client_certificate(c);
    assert_int_equal(rtc_client_post(c, http_server_port(http), "/whep/id", VIDEO "a=recvonly\r\n"),
                     201);
    rtc_client_open(c, rtc_service_port(rtc));
}

/* --- the publisher's packets --- */

struct packet {
    uint8_t pt;
    uint16_t seq;
    uint32_t roc, ts, ssrc;
    struct span payload;
    bool marker;
};

static size_t seal(struct rtc_client *c, const struct packet *p, uint8_t room[2048])
{
    uint8_t header[64];
    struct wr w = wr_to(header, sizeof header);
    size_t n = 0;
    rtp_write(&w,
              &(struct rtp){
                  .marker = p->marker, .pt = p->pt, .seq = p->seq, .ts = p->ts, .ssrc = p->ssrc},
              false);
    srtpx_seal_rtp(c->out, wr_span(&w), p->payload, p->roc, room, &n);
    return n;
}

static void say(struct rtc_client *c, const struct packet *p)
{
    uint8_t room[2048];
    rtc_client_send(c, room, seal(c, p, room));
}

/* A whole key frame of VP8 in one packet, with a number in it to know it by. */
static struct packet picture(uint64_t number, uint32_t ts, uint8_t text[12])
{
    static const uint8_t KEY[] = {0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0, 0};
    memcpy(text, KEY, sizeof KEY);
    text[11] = (uint8_t)number;
    return (struct packet){.pt = 96,
                           .seq = (uint16_t)number,
                           .roc = (uint32_t)(number >> 16),
                           .ts = ts,
                           .ssrc = SSRC,
                           .payload = span_of(text, 12),
                           .marker = true};
}

/* --- the viewer's --- */

struct seen {
    unsigned n;
    uint8_t last;      /* the number of the newest picture */
    uint16_t last_seq; /* and its packet's */
    uint32_t last_ts;
};

/* Reads until the picture of that number has come; each may come once only. */
static void see(struct rtc_client *c, struct seen *s, uint8_t number)
{
    uint8_t room[2048];
    for (;;) {
        struct rtp p;
        size_t n = rtc_client_read(c, room, sizeof room, RTC_CLIENT_WAIT_MS);
        if (n == 0) fail_msg("picture %u did not come, the last was %u", number, s->last);
        if (!rtp_is(span_of(room, n)) || rtcp_is(span_of(room, n))) continue;
        if (srtpx_open_rtp(c->in, room, &n) != E_OK) fail_msg("sealed wrongly, or twice");
        assert_int_equal(rtp_parse(span_of(room, n), &p), E_OK);
        if (p.pt != 96 || p.payload.len != 12) continue;
        s->n++;
        s->last = p.payload.p[11];
        s->last_seq = p.seq;
        s->last_ts = p.ts;
        if (s->last == number) return;
    }
}

static void pictures_across_both_wraps(void **state)
{
    struct rtc_client from = {0}, to = {0};
    struct seen seen = {0};
    uint8_t text[12], room[2][2048];
    uint16_t before = 0;
    start();
    open_publisher(&from);
    open_viewer(&to);
    /* The first ones may come before the viewer is there. */
    for (uint64_t i = 0; i < 3; i++) {
        const struct packet p = picture(65500 + i, 0xffff0000u, text);
        say(&from, &p);
    }
    see(&to, &seen, (uint8_t)(65500 + 2));
    before = seen.last_seq;
    seen.n = 0;
    /* Every second pair changes places, and each is said twice. */
    for (uint64_t i = 0; i < 100; i += 2) {
        size_t n[2];
        for (uint64_t k = 0; k < 2; k++) {
            const struct packet p =
                picture(65503 + i + k, 0xffff0000u + (uint32_t)(i + k) * 3000, text);
            n[k] = seal(&from, &p, room[k]);
        }
        const int first = i % 4 == 0;
        for (int k = 0; k < 4; k++) {
            const int which = k % 2 ? !first : first;
            rtc_client_send(&from, room[which], n[which]);
        }
        see(&to, &seen, (uint8_t)(65503 + i + (first ? 0 : 1)));
    }
    assert_int_equal(seen.n, 100); /* each once */
    assert_int_equal((uint16_t)(seen.last_seq - before), 100);
    rtc_client_close(&to);
    rtc_client_close(&from);
    stop();
}

static void nonsense_from_a_publisher(void **state)
{
    static const uint8_t EDGE[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct rtc_client from = {0}, to = {0};
    struct seen seen = {0};
    uint8_t text[12], room[2048];
    uint16_t rtx_seq = 1, seq = 4000;
    start();
    open_publisher(&from);
    open_viewer(&to);
    struct packet p = {.pt = 97, .seq = rtx_seq++, .ssrc = RTX, .payload = span_of(EDGE, 8)};
    say(&from, &p); /* a repetition before anything was said */
    p = picture(1000, 90000, text);
    say(&from, &p);
    see(&to, &seen, (uint8_t)1000);
    for (size_t n = 0; n <= sizeof EDGE; n++) { /* RTX of 0, 1, 2 bytes and of numbers afar */
        p = (struct packet){.pt = 97, .seq = rtx_seq++, .ssrc = RTX, .payload = span_of(EDGE, n)};
        say(&from, &p);
    }
    for (unsigned byte = 0; byte < 256; byte++) /* descriptors that want more than there is */
        for (size_t n = 0; n <= 6; n += 2) {
            uint8_t payload[6] = {(uint8_t)byte, 0x80, 0xff, 0xff, 0xff, 0xff};
            p = (struct packet){.pt = 96, .seq = seq++, .ts = byte, .ssrc = SSRC + 1};
            p.payload = span_of(payload, n);
            say(&from, &p);
            if (seq % 64 == 0) rtc_client_check(&from); /* no more than the socket takes */
        }
    for (uint32_t i = 0; i < 3 * LIMIT_RTC_SOURCES; i++) { /* more sources than there may be */
        p = (struct packet){.pt = i % 3 ? 97 : 5, .seq = 1, .ssrc = 0x9000 + i};
        p.payload = span_of(EDGE, 8);
        say(&from, &p);
    }
    /* Reports and requests cut anywhere. */
    uint8_t compound[512];
    struct wr w = wr_to(compound, sizeof compound);
    const uint16_t lost[3] = {1, 17, 60000};
    const uint32_t media[2] = {SSRC, RTX};
    rtcp_put_sr(&w, SSRC, &(struct rtcp_sr){.ntp = UINT64_MAX, .rtp_ts = UINT32_MAX});
    rtcp_put_cname(&w, SSRC, SPAN_LIT("somebody"));
    rtcp_put_rrtr(&w, SSRC, INT64_MAX / 2);
    rtcp_put_nack(&w, SSRC, SSRC, lost, 3);
    rtcp_put_pli(&w, SSRC, SSRC);
    rtcp_put_remb(&w, SSRC, media, 2, UINT64_MAX);
    rtcp_put_bye(&w, SSRC);
    assert_false(w.overflow);
    for (int who = 0; who < 2; who++)
        for (size_t n = 8; n <= wr_used(&w); n++) {
            size_t len = n;
            memcpy(room, compound, n);
            srtpx_seal_rtcp(who ? to.out : from.out, room, &len);
            rtc_client_send(who ? &to : &from, room, len);
            if (n % 64 == 0) rtc_client_check(who ? &to : &from);
        }
    /* A viewer that asks for what never was. */
    for (uint32_t i = 0; i < 256; i++) {
        size_t len;
        const uint16_t wish[2] = {(uint16_t)(i * 257), (uint16_t)(i * 257 + 15)};
        w = wr_to(room, sizeof room - SRTPX_GROW);
        rtcp_put_nack(&w, 1, i * 0x01010101u, wish, 2);
        len = wr_used(&w);
        srtpx_seal_rtcp(to.out, room, &len);
        rtc_client_send(&to, room, len);
        if (i % 64 == 0) rtc_client_check(&to);
    }
    /* Both are alive, and what is said in order arrives. */
    rtc_client_check(&from);
    rtc_client_check(&to);
    struct rtc_client again = {0};
    open_viewer(&again);
    struct seen fresh = {0};
    for (uint64_t i = 0; i < 3;
         i++) { /* the source that took over goes on, the first one is over */
        p = picture(2001 + i, 93000, text);
        say(&from, &p);
        p = picture(seq + i, 93000 + 3000 * (uint32_t)i, text);
        p.ssrc = SSRC + 1;
        say(&from, &p);
    }
    see(&to, &seen, (uint8_t)(seq + 2));
    see(&again, &fresh, (uint8_t)(seq + 2));
    assert_in_range(fresh.n, 1, 3);
    rtc_client_close(&again);
    rtc_client_close(&to);
    rtc_client_close(&from);
    stop();
}

/* Each end comes at another moment of the handshake. */
static void sessions_deleted_in_the_middle(void **state)
{
    struct str reply = {0};
    uint8_t room[2048];
    start();
    for (int step = 0; step < 8; step++) {
        struct rtc_client c = {0};
        rtc_client_certificate(&c);
        assert_int_equal(
            rtc_client_post(&c, http_server_port(http), "/whip/key", VIDEO "a=sendonly\r\n"), 201);
        c.fd = rtc_client_connect(SOCK_DGRAM, rtc_service_port(rtc));
        if (step > 0) rtc_client_check(&c);
        for (int i = 1; i < step && SSL_do_handshake(c.ssl) != 1; i++) {
            rtc_client_flight(&c);
            const size_t n = rtc_client_read(&c, room, sizeof room, RTC_CLIENT_WAIT_MS);
            if (n) BIO_write(SSL_get_rbio(c.ssl), room, (int)n);
        }
        assert_int_equal(rtc_client_http(http_server_port(http), "DELETE", c.session, "", &reply),
                         200);
        (void)SSL_do_handshake(c.ssl);
        rtc_client_flight(&c); /* to nobody */
        assert_int_equal(rtc_client_http(http_server_port(http), "DELETE", c.session, "", &reply),
                         404);
        rtc_client_close(&c);
    }
    str_fini(&reply);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_across_both_wraps),
        cmocka_unit_test(nonsense_from_a_publisher),
        cmocka_unit_test(sessions_deleted_in_the_middle),
    };
    return RUN_TESTS(tests);
}
