/* SPDX-License-Identifier: MIT */
#include "../media_file.h"
#include "../test.h"
#include "../two_loops.h"
#include "bridge/outward.h"
#include "bridge/outward_plan.h"
#include "bridge/packer.h"
#include "wire/av1.h"
#include "wire/h264.h"
#include "wire/nal.h"
#include "wire/rtp_frame.h"

/* --- the packer --- */

static struct lane_burst *bursts[64];
static unsigned n_bursts;

static void collect(void *ctx, struct lane_burst *b)
{
    (void)ctx;
    assert_true(n_bursts < 64);
    bursts[n_bursts++] = b;
}

static void drop_bursts(void)
{
    while (n_bursts > 0) feed_msg_unref(&bursts[--n_bursts]->msg);
}

static struct frame *frame_of(const struct media_file *m, unsigned i)
{
    struct frame *f = frame_new(m->samples[i].data.len);
    memcpy(f->data, m->samples[i].data.p, f->len);
    f->codec = m->codec;
    f->track = codec_kind(m->codec) == MEDIA_AUDIO ? TRACK_ID_AUDIO : TRACK_ID_VIDEO;
    f->key = m->samples[i].key;
    f->dts_us = m->samples[i].dts_us;
    f->pts_us = m->samples[i].pts_us;
    return f;
}

static unsigned type_of(struct span payload)
{
    const unsigned t = payload.p[0] & 0x1f;
    return t == 28 ? payload.p[1] & 0x1f : t;
}

/* Numbers without gaps, markers at the ends of frames, parameter sets before key frames, and the
 * slices as they were. */
static void h264_into_bursts(void **state)
{
    struct media_file m;
    struct packer *p = xmalloc(sizeof *p);
    uint64_t seq = 0;
    media_file_open(&m, "h264-baseline.mp4");
    packer_init(p);
    packer_track(p, MEDIA_VIDEO, m.track);
    for (unsigned i = 0; i < m.n; i++) {
        struct frame *f = frame_of(&m, i);
        struct span payloads[512], rest = frame_span(f), nal = SPAN_NULL, out;
        unsigned n = 0;
        assert_int_equal(packer_frame(p, f, f->pts_us, 5, collect, NULL), E_OK);
        for (unsigned k = 0; k < n_bursts; k++)
            for (unsigned j = 0; j < bursts[k]->n; j++) {
                const struct lane_packet *q = &bursts[k]->packets[j];
                payloads[n++] = lane_payload(bursts[k], q);
                assert_true(!seq || q->seq == seq);
                seq = q->seq + 1;
                assert_int_equal(q->key, f->key && n == 1);
                assert_int_equal(q->marker, k + 1 == n_bursts && j + 1 == bursts[k]->n);
                assert_int_equal(q->ts, packer_ts(MEDIA_VIDEO, f->pts_us));
            }
        if (f->key) assert_int_equal(type_of(payloads[0]), 24); /* STAP-A of SPS and PPS */
        static uint8_t room[1 << 20];
        struct wr w = wr_to(room, sizeof room);
        assert_int_equal(rtp_join(RTP_H264, payloads, n, &w), E_OK);
        out = wr_span(&w);
        while (nal_next(&rest, 4, &nal) == E_OK) {
            struct span got = SPAN_NULL;
            if ((nal.p[0] & 0x1f) > H264_IDR) continue;
            do assert_int_equal(nal_next(&out, 4, &got), E_OK);
            while ((got.p[0] & 0x1f) > H264_IDR);
            assert_true(span_eq(got, nal));
        }
        frame_unref(f);
        drop_bursts();
    }
    packer_fini(p);
    free(p);
    media_file_close(&m);
}

/* A key frame whose sequence header is only in the configuration gets it. */
static void av1_has_its_header(void **state)
{
    struct media_file m;
    struct packer *p = xmalloc(sizeof *p);
    struct av1_obu obu;
    struct span rest, payloads[512];
    static uint8_t room[1 << 20];
    media_file_open(&m, "av1.mp4");
    packer_init(p);
    packer_track(p, MEDIA_VIDEO, m.track);
    rest = m.samples[0].data;
    assert_int_equal(av1_obu_next(&rest, &obu), E_OK);
    assert_int_equal(obu.type, AV1_SEQUENCE_HEADER);
    m.samples[0].data = rest;
    struct frame *f = frame_of(&m, 0);
    assert_int_equal(packer_frame(p, f, 0, 5, collect, NULL), E_OK);
    unsigned n = 0;
    for (unsigned k = 0; k < n_bursts; k++)
        for (unsigned j = 0; j < bursts[k]->n; j++)
            payloads[n++] = lane_payload(bursts[k], &bursts[k]->packets[j]);
    assert_true(bursts[0]->packets[0].key);
    struct wr w = wr_to(room, sizeof room);
    assert_int_equal(rtp_join(RTP_AV1, payloads, n, &w), E_OK);
    rest = wr_span(&w);
    assert_int_equal(av1_obu_next(&rest, &obu), E_OK);
    assert_int_equal(obu.type, AV1_SEQUENCE_HEADER);
    frame_unref(f);
    drop_bursts();
    packer_fini(p);
    free(p);
    media_file_close(&m);
}

/* Sound keeps its own step while a millisecond clock rounds, and follows a real jump. */
static void opus_keeps_step(void **state)
{
    static const int64_t AT[] = {0, 20000, 41000, 59000, 80000, 500000, 520000};
    static const uint32_t TS[] = {0, 960, 1920, 2880, 3840, 24000, 24960};
    struct media_file m;
    struct packer *p = xmalloc(sizeof *p);
    media_file_open(&m, "opus.mp4");
    packer_init(p);
    packer_track(p, MEDIA_AUDIO, m.track);
    for (unsigned i = 0; i < 7; i++) {
        struct frame *f = frame_of(&m, i);
        assert_int_equal(packer_frame(p, f, AT[i], 5, collect, NULL), E_OK);
        assert_int_equal(bursts[0]->packets[0].ts, TS[i]);
        assert_true(span_eq(lane_payload(bursts[0], bursts[0]->packets), frame_span(f)));
        frame_unref(f);
        drop_bursts();
    }
    packer_fini(p);
    free(p);
    media_file_close(&m);
}

static void ways(void **state)
{
    static const struct {
        const char *file;
        enum outward_way way;
    } T[] = {{"h264-baseline.mp4", OUTWARD_AS_IT_IS},
             {"h264-bframes.mp4", OUTWARD_LIKELY},
             {"h265.mp4", OUTWARD_TRANSCODED},
             {"aac-48000.mp4", OUTWARD_TRANSCODED},
             {"opus.mp4", OUTWARD_AS_IT_IS},
             {"av1.mp4", OUTWARD_AS_IT_IS},
             {"vp9.mp4", OUTWARD_AS_IT_IS}};
    assert_int_equal(outward_way_of(NULL), OUTWARD_LEFT_OUT);
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        struct media_file m;
        media_file_open(&m, T[i].file);
        if (outward_way_of(m.track) != T[i].way) fail_msg("%s", T[i].file);
        media_file_close(&m);
    }
}

/* --- the bridge, publisher and viewer on loops of their own --- */

static struct two_loops loops;
static struct hub *hub;
static struct channel *channel;
static struct publisher *publisher;
static struct feed_reader reader;
static sem_t said;

static struct {
    enum err e;
    char message[400];
} answered;

static struct {
    unsigned descriptions, bursts, clocks;
    struct lane_track tracks[2];
    uint32_t first_ts, last_ts;
    bool began_with_key;
    uint64_t id;
} seen;

static void on_ready(void *ctx, int64_t base_us)
{
    sem_post(&said);
}

static void on_kick(void *ctx, enum err why, const char *reason)
{
    publisher_close(publisher, false);
}

static const struct publisher_ops OPS = {on_ready, on_kick, NULL};

static void open_publisher(void *arg)
{
    publisher = publisher_open(channel, &OPS, NULL);
}

/* What is published: a file's frames from..to, `late_us` after where the file has them. */
struct run {
    const struct media_file *m;
    unsigned from, to;
    int64_t late_us, wall_us;
    bool tracks;
};

static void publish(void *arg)
{
    const struct run *r = arg;
    if (r->tracks) publisher_tracks(publisher, &(struct track *){r->m->track}, 1);
    for (unsigned i = r->from; i < r->to; i++) {
        struct frame *f = frame_of(r->m, i);
        f->dts_us += r->late_us;
        f->pts_us += r->late_us;
        f->wall_us = r->wall_us + f->pts_us;
        f->discontinuity = r->tracks && i == r->from;
        publisher_frame(publisher, f);
    }
}

static void leave(void *arg)
{
    publisher_close(publisher, true);
}

static void on_answer(void *ctx, enum err e, const char *message)
{
    answered.e = e;
    snprintf(answered.message, sizeof answered.message, "%s", message);
    sem_post(&said);
}

static void ask_here(void *arg)
{
    outward_ask(channel, on_answer, NULL);
}

static void ask(void)
{
    on_loop(&loops, 0, ask_here, NULL);
    sem_wait(&said);
}

static void on_message(struct feed_reader *r, struct feed_msg *m)
{
    if (m->kind == LANE_DESCRIPTION) {
        const struct lane_description *d = (const struct lane_description *)m;
        seen.descriptions++;
        seen.id = d->id;
        memcpy(seen.tracks, d->tracks, sizeof seen.tracks);
    } else if (m->kind == LANE_BURST) {
        const struct lane_burst *b = (const struct lane_burst *)m;
        if (seen.bursts++ == 0) {
            seen.first_ts = b->packets[0].ts;
            seen.began_with_key = b->packets[0].key;
        }
        seen.last_ts = b->packets[0].ts;
    } else {
        seen.clocks++;
    }
}

static void attach(void *arg)
{
    memset(&seen, 0, sizeof seen);
    feed_attach(channel_lane(channel), &reader, on_message, NULL);
}

static void detach(void *arg)
{
    feed_detach(&reader);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* What was sent before has arrived: it goes over the home loop and back. */
static void settle_all(void)
{
    for (unsigned i = 0; i < 8; i++) on_loop(&loops, i % 2, nothing, NULL);
}

static void close_channel(void *arg)
{
    channel_close(channel, "over");
}

static void start(void)
{
    sem_init(&said, 0, 0);
    two_loops_start(&loops);
    hub = hub_new(loops.loops, 2);
    assert_int_equal(channel_open(hub, "c", &channel), E_OK);
}

static void stop(void)
{
    on_loop(&loops, loop_id(channel_home(channel)), close_channel, NULL);
    settle_all();
    channel_unref(channel);
    two_loops_stop(&loops);
    hub_free(hub);
}

static void go_live(void)
{
    on_loop(&loops, 1, open_publisher, NULL);
    sem_wait(&said);
}

/* Asked in the middle of a GOP: the viewer gets it from its key frame on, its clock too; a
 * publisher that comes back is later on the viewers' clock by the time that it was away. */
static void a_viewer_from_the_key_frame_on(void **state)
{
    struct media_file m;
    char message[8];
    struct lane_track tracks[2];
    media_file_open(&m, "h264-baseline.mp4");
    start();
    ask();
    assert_int_equal(answered.e, E_CLOSED); /* nobody publishes */
    go_live();
    struct run r = {.m = &m, .to = 10, .wall_us = INT64_C(1767225600000000), .tracks = true};
    on_loop(&loops, 1, publish, &r);
    ask();
    assert_int_equal(answered.e, E_OK);
    assert_int_equal(outward_state(channel, message, sizeof message), OUTWARD_THROUGH);
    assert_int_equal(lane_describe(channel, tracks), E_OK);
    assert_true(tracks[0].codec == CODEC_H264 && tracks[0].layers == 1 && !tracks[0].makes_keys);
    assert_true(strstr(tracks[0].fmtp, "packetization-mode=1;profile-level-id=42") != NULL);
    on_loop(&loops, 0, attach, NULL);
    r = (struct run){.m = &m, .from = 10, .to = 12, .wall_us = r.wall_us};
    on_loop(&loops, 1, publish, &r);
    settle_all();
    assert_true(seen.began_with_key && seen.bursts >= 12 && seen.clocks == 1);
    assert_int_equal(seen.first_ts, packer_ts(MEDIA_VIDEO, m.samples[0].pts_us));
    assert_int_equal(seen.last_ts, packer_ts(MEDIA_VIDEO, m.samples[11].pts_us));
    const uint64_t id = seen.id;

    on_loop(&loops, 1, leave, NULL);
    settle_all();
    assert_int_equal(lane_describe(channel, tracks), E_NOTFOUND);
    assert_true(seen.tracks[0].codec == CODEC_NONE);
    go_live();
    /* on the stream clock it goes on after 12 frames; on the wall three seconds have passed */
    const int64_t end = m.samples[12].pts_us;
    r = (struct run){
        .m = &m, .to = 2, .late_us = end, .wall_us = r.wall_us + 3000000, .tracks = true};
    on_loop(&loops, 1, publish, &r);
    settle_all();
    assert_true(seen.tracks[0].codec == CODEC_H264 && seen.id != id);
    assert_int_equal(seen.last_ts, packer_ts(MEDIA_VIDEO, end + 3000000 + m.samples[1].pts_us));
    on_loop(&loops, 0, detach, NULL);
    on_loop(&loops, 1, leave, NULL);
    stop();
    media_file_close(&m);
}

/* A publisher of packets comes before the bridge, which keeps still and takes over again. */
static void packets_come_first(void **state)
{
    struct media_file m;
    struct lane_track tracks[2];
    media_file_open(&m, "h264-baseline.mp4");
    start();
    go_live();
    struct run r = {.m = &m, .to = 10, .wall_us = INT64_C(1767225600000000), .tracks = true};
    on_loop(&loops, 1, publish, &r);
    ask();
    assert_int_equal(answered.e, E_OK);
    on_loop(&loops, 1, leave, NULL);
    go_live();
    const struct lane_track vp8[2] = {{.codec = CODEC_VP8, .layers = 1}};
    lane_publish_description(publisher, vp8);
    r.from = 10, r.to = 20;
    on_loop(&loops, 1, publish, &r);
    settle_all();
    assert_int_equal(lane_describe(channel, tracks), E_OK);
    assert_int_equal(tracks[0].codec, CODEC_VP8);
    ask();
    assert_int_equal(answered.e, E_OK);
    on_loop(&loops, 1, leave, NULL);
    go_live();
    on_loop(&loops, 1, publish, &r);
    settle_all();
    assert_int_equal(lane_describe(channel, tracks), E_OK);
    assert_int_equal(tracks[0].codec, CODEC_H264);
    on_loop(&loops, 1, leave, NULL);
    stop();
    media_file_close(&m);
}

/* A Main profile SPS of 160x96 that says nothing about reordering. */
static struct track *silent_track(void)
{
    static const char BITS[] = "1"
                               "1"
                               "1"
                               "1"
                               "010"
                               "0"
                               "0001010"
                               "00110"
                               "1"
                               "1"
                               "0"
                               "0"
                               "1";
    static const uint8_t PPS[] = {0x68, 0xce, 0x3c, 0x80};
    uint8_t sps[16] = {0x67, 77, 0, 30}, config[64];
    unsigned n = 0;
    for (const char *b = BITS; *b; b++, n++)
        if (*b == '1') sps[4 + n / 8] |= (uint8_t)(0x80 >> n % 8);
    const struct h264_config c = {.profile = 77,
                                  .level = 30,
                                  .n_sps = 1,
                                  .n_pps = 1,
                                  .sps = {span_of(sps, 4 + (n + 7) / 8)},
                                  .pps = {span_of(PPS, sizeof PPS)}};
    struct wr w = wr_to(config, sizeof config);
    struct track *t = NULL;
    h264_avcc_build(&c, &w);
    assert_int_equal(track_from_config(TRACK_ID_VIDEO, CODEC_H264, wr_span(&w), &t), E_OK);
    assert_true(t->may_reorder && t->width == 160);
    assert_int_equal(outward_way_of(t), OUTWARD_UNSURE);
    return t;
}

struct pictures {
    struct track *track; /* NULL: it was told */
    unsigned from, to;
    bool b_frames;
};

static void publish_pictures(void *arg)
{
    const struct pictures *r = arg;
    if (r->track) publisher_tracks(publisher, &(struct track *){r->track}, 1);
    for (unsigned i = r->from; i < r->to; i++) {
        const bool key = i % 30 == 0;
        struct frame *f = frame_new(6);
        memcpy(f->data, key ? "\0\0\0\2\x65\x88" : "\0\0\0\2\x41\x9a", 6);
        f->codec = CODEC_H264;
        f->key = key;
        f->dts_us = f->pts_us = (int64_t)i * 40000;
        if (r->b_frames) f->pts_us += i % 2 ? 120000 : 20000;
        f->wall_us = INT64_C(1767225600000000) + f->dts_us;
        publisher_frame(publisher, f);
    }
}

/* Without a word from the encoder the pictures are watched; when they turn out of order later, and
 * there is no transcoder, viewers are told. */
static void order_is_watched(void **state)
{
    struct lane_track tracks[2];
    char message[400];
    struct track *t = silent_track();
    start();
    go_live();
    on_loop(&loops, 1, publish_pictures, &(struct pictures){t, 0, 10, false});
    on_loop(&loops, 0, ask_here, NULL);
    settle_all();
    assert_int_equal(lane_describe(channel, tracks), E_NOTFOUND); /* not known yet */
    on_loop(&loops, 1, publish_pictures, &(struct pictures){NULL, 10, 25, false});
    sem_wait(&said);
    assert_int_equal(answered.e, E_OK);
    assert_int_equal(lane_describe(channel, tracks), E_OK);
    on_loop(&loops, 1, publish_pictures, &(struct pictures){NULL, 25, 40, true});
    settle_all();
    assert_int_equal(lane_describe(channel, tracks), E_NOTFOUND);
    assert_int_equal(outward_state(channel, message, sizeof message), OUTWARD_REFUSED);
    assert_non_null(strstr(message, "bframes=0"));
    ask();
    assert_int_equal(answered.e, E_UNSUPPORTED);
    assert_non_null(strstr(answered.message, "bframes=0"));
    on_loop(&loops, 1, leave, NULL); /* its successor is another matter */
    settle_all();
    ask();
    assert_int_equal(answered.e, E_CLOSED);
    go_live();
    on_loop(&loops, 1, publish_pictures, &(struct pictures){t, 0, 25, false});
    ask();
    assert_int_equal(answered.e, E_OK);
    on_loop(&loops, 1, leave, NULL);
    stop();
    track_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h264_into_bursts),
        cmocka_unit_test(av1_has_its_header),
        cmocka_unit_test(opus_keeps_step),
        cmocka_unit_test(ways),
        cmocka_unit_test(a_viewer_from_the_key_frame_on),
        cmocka_unit_test(packets_come_first),
        cmocka_unit_test(order_is_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
