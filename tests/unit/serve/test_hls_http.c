/* SPDX-License-Identifier: MIT */
/* HLS over real HTTP connections: a segment log that is written by hand, a gate that is a table. */
#include "../record/log_rig.h"
#include "../two_loops.h"
#include "serve/hls/hls_service.h"
#include <arpa/inet.h>
#include <sys/socket.h>

struct world {
    struct two_loops loops;
    struct pool *pool;
    struct gate gate;
    struct hls_service *hls;
    struct http_server *http;
    uint16_t port;
    struct rig rig;
    sem_t closed;
    /* What the gate says, under its lock. */
    pthread_mutex_t lock;
    bool live, ready, draining;
    unsigned asked;
};

#define LIVE  "livelivelive"
#define ASSET "assetassetasset"

/* --- the gate --- */

static void media(void *self, const char *id, gate_media_fn *answer, void *ctx)
{
    struct world *w = self;
    struct gate_media_answer m = {.stream_id = "stream1"};
    pthread_mutex_lock(&w->lock);
    w->asked++;
    const bool asset = !strcmp(id, ASSET), known = asset || !strcmp(id, LIVE);
    enum err e = known ? E_CLOSED : E_NOTFOUND;
    m.kind = asset ? GATE_MEDIA_ASSET : GATE_MEDIA_LIVE;
    if (known && w->live) {
        m.log = w->rig.log;
        e = E_OK;
    } else if (asset && w->ready) {
        m.dir = w->rig.dir;
        e = E_OK;
    }
    pthread_mutex_unlock(&w->lock);
    answer(ctx, e, e == E_OK ? &m : NULL);
}

static void gate_set(struct world *w, bool live, bool ready)
{
    pthread_mutex_lock(&w->lock);
    w->live = live;
    w->ready = ready;
    pthread_mutex_unlock(&w->lock);
}

/* --- a client --- */

struct reply {
    int status;
    char *text; /* all of it, zero-terminated */
    const char *body;
    size_t body_len;
};

static int ask(const struct world *w, const char *method, const char *path, const char *headers)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(w->port)};
    char req[1024];
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    const int n = snprintf(req, sizeof req,
                           "%s %s HTTP/1.1\r\nHost: x\r\nUser-Agent: test\r\nConnection: close\r\n"
                           "%s\r\n",
                           method, path, headers);
    assert_int_equal(write(fd, req, (size_t)n), n);
    return fd;
}

static struct reply take(int fd)
{
    struct str s = {0};
    char b[4096];
    ssize_t n;
    struct reply r = {0};
    while ((n = read(fd, b, sizeof b)) > 0) str_add(&s, span_of(b, (size_t)n));
    close(fd);
    const size_t len = s.len;
    r.text = str_take_c(&s);
    const char *end = strstr(r.text, "\r\n\r\n");
    if (!end) fail_msg("no reply: %s", r.text);
    r.status = atoi(r.text + 9);
    r.body = end + 4;
    r.body_len = len - (size_t)(r.body - r.text);
    return r;
}

static struct reply get(const struct world *w, const char *path)
{
    return take(ask(w, "GET", path, ""));
}

static void expect(const struct world *w, const char *path, int status, const char *contains)
{
    struct reply r = get(w, path);
    if (r.status != status || (contains && !strstr(r.text, contains)))
        fail_msg("%s: %d instead of %d, or not \"%s\" in\n%.2000s", path, r.status, status,
                 contains ? contains : "", r.text);
    if (!strstr(r.text, "access-control-allow-origin: *") &&
        !strstr(r.text, "Access-Control-Allow-Origin: *"))
        fail_msg("%s: no CORS in\n%s", path, r.text);
    free(r.text);
}

static bool waits(int fd)
{
    char b;
    usleep(50000);
    return recv(fd, &b, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

static void path_in(const struct world *w, const char *id, const char *rest, char out[256])
{
    snprintf(out, 256, "/%s/%s/%s", id, record_log_run(w->rig.log), rest);
}

static void expect_in(const struct world *w, const char *id, const char *rest, int status,
                      const char *contains)
{
    char path[256];
    path_in(w, id, rest, path);
    expect(w, path, status, contains);
}

static int ask_in(const struct world *w, const char *id, const char *rest)
{
    char path[256];
    path_in(w, id, rest, path);
    return ask(w, "GET", path, "");
}

static void expect_reply(int fd, int status, const char *contains)
{
    struct reply r = take(fd);
    if (r.status != status || (contains && !strstr(r.text, contains)))
        fail_msg("%d instead of %d, or not \"%s\" in\n%s", r.status, status,
                 contains ? contains : "", r.text);
    free(r.text);
}

/* --- the world --- */

static void on_log_closed(void *ctx)
{
    struct rig *r = ctx;
    struct world *w = CONTAINER_OF(r, struct world, rig);
    sem_post(&w->closed);
}

static void open_server(void *arg)
{
    struct world *w = arg;
    char problem[256];
    struct http_config hc = {.loops = w->loops.loops, .n_loops = 2, .host = "127.0.0.1"};
    hc.routes = hls_routes(w->hls, &hc.n_routes);
    if (http_server_open(&hc, &w->http, problem, sizeof problem) != E_OK) fail_msg("%s", problem);
}

static void world_init(struct world *w, bool on_disk, int64_t target_s)
{
    *w = (struct world){.gate = {.self = w, .media = media}};
    pthread_mutex_init(&w->lock, NULL);
    sem_init(&w->closed, 0, 0);
    two_loops_start(&w->loops);
    w->pool = pool_new(2);
    w->hls = hls_service_new(&(struct hls_config){
        .loops = w->loops.loops, .n_loops = 2, .pool = w->pool, .gate = &w->gate});
    on_loop(&w->loops, 0, open_server, w);
    w->port = http_server_port(w->http);

    struct rig *r = &w->rig;
    snprintf(r->dir, sizeof r->dir, "/tmp/bsp-log-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    strcat(r->dir, "/a/b");
    r->cfg = (struct log_cfg){.home = w->loops.loops[0],
                              .loops = w->loops.loops,
                              .n_loops = 2,
                              .pool = w->pool,
                              .dir = on_disk ? r->dir : NULL,
                              .target_s = target_s,
                              .on_disk_failure = rig_on_failure,
                              .on_closed = on_log_closed,
                              .ctx = r};
    r->log = record_log_new(&r->cfg);
}

static void drain(void *arg)
{
    struct world *w = arg;
    hls_service_drain_loop(w->hls);
    if (loop_id(loop_current()) == 0 && !w->draining) http_server_drain(w->http);
    w->draining = true;
}

static void end_log(void *arg)
{
    rig_end(arg);
}

static void world_end(struct world *w)
{
    on_loop(&w->loops, 0, end_log, &w->rig);
    sem_wait(&w->closed);
}

static void world_fini(struct world *w)
{
    struct rig *r = &w->rig;
    for (unsigned i = 0; i < 2; i++) on_loop(&w->loops, i, drain, w);
    for (unsigned i = 0; i < 2; i++) loop_stop(w->loops.loops[i]);
    for (unsigned i = 0; i < 2; i++) pthread_join(w->loops.threads[i], NULL);
    loops_settle(w->loops.loops, 2);
    pool_free(w->pool);
    loops_settle(w->loops.loops, 2);
    http_server_free(w->http);
    record_log_unref(r->log);
    loops_free(w->loops.loops, 2);
    hls_service_free(w->hls);
    for (unsigned i = 0; i < 2; i++) str_fini(&r->data[i]);
    rig_remove(r);
}

/* What the log does, on its home loop. */
static void begin(void *arg)
{
    rig_init(arg, true);
}
static void segment(void *arg)
{
    rig_segment(arg, true, 2000);
}
static void many(void *arg)
{
    for (unsigned i = 0; i < 40; i++) rig_segment(arg, true, 2000);
}
static void first_parts(void *arg)
{
    rig_part(arg, 'v', 0, 2000);
    rig_part(arg, 'a', 0, 300);
    rig_publish(arg);
}
static void second_part(void *arg)
{
    rig_part(arg, 'v', 1, 2001);
    rig_publish(arg);
}
/* The rest of the segment that the two above have begun. */
static void finish(void *arg)
{
    struct rig *r = arg;
    for (unsigned p = 1; p < PARTS; p++) {
        if (p > 1) rig_part(r, 'v', p, 2000 + p);
        rig_part(r, 'a', p, 300);
    }
    rig_segment_end(r, 'v', false);
    rig_segment_end(r, 'a', false);
    rig_publish(r);
    r->msn++;
    r->media_us += (PARTS - 1) * PART_US + LAST_US;
}

#define HOME(w, fn) on_loop(&(w)->loops, 0, fn, &(w)->rig)

#define SEGMENT_BYTES (2000 * PARTS + 15)

/* --- tests --- */

static void test_errors(void **state)
{
    struct world w;
    world_init(&w, false, TARGET_S);
    expect(&w, "/nobodynobody.m3u8", 404, "\"not_found\"");
    expect(&w, "/" LIVE ".m3u8?redundant_streams=true", 412, "\"not_live\"");
    expect(&w, "/" ASSET ".m3u8", 412, "\"not_live\"");
    expect(&w, "/" LIVE "/run/v0.m3u8", 412, NULL);
    expect(&w, "/nobodynobody/run/v0/1.m4s", 404, NULL);
    static const char *const bad[] = {
        "/a%2e.m3u8",
        "/%2e%2e/run/v0.m3u8",
        "/" LIVE "/..%2f/v0.m3u8",
        "/" LIVE "/run/v0.1.m3u8",
        "/" LIVE "/run/v0/..m4s",
        "/" LIVE "/run/v0/init-1.m4s",
        "/" LIVE "/run/v0/1.mp4",
        "/" LIVE "/run/v0/-1.m4s",
        "/" LIVE "/run/%76%30x/1.m4s",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct reply r = get(&w, bad[i]);
        if (r.status != 404 && r.status != 400) fail_msg("%s: %d", bad[i], r.status);
        free(r.text);
    }
    expect(&w, "/" LIVE "/run/v0.m3u8?_HLS_part=1", 400, "\"bad_request\"");
    struct reply r = take(ask(&w, "OPTIONS", "/" LIVE ".m3u8", "Origin: http://a\r\n"));
    assert_int_equal(r.status, 204);
    free(r.text);
    world_end(&w);
    world_fini(&w);
}

static void test_live(void **state)
{
    struct world w;
    world_init(&w, true, TARGET_S);
    HOME(&w, begin);
    gate_set(&w, true, false);
    /* Between going live and the first part: waits shortly. */
    const int early = ask(&w, "GET", "/" LIVE ".m3u8", "");
    assert_true(waits(early));
    HOME(&w, first_parts);
    expect_reply(early, 200, "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720");
    /* A playlist waits for the first complete segment. */
    const int parts_alone = ask_in(&w, LIVE, "v0.m3u8");
    expect_in(&w, LIVE, "v1.m3u8", 404, NULL);
    assert_true(waits(parts_alone));
    HOME(&w, second_part);
    HOME(&w, finish);
    expect_reply(parts_alone, 200, "#EXTINF");
    HOME(&w, first_parts);
    expect_in(&w, LIVE, "v0.m3u8", 200, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v0/1.1.m4s\"");
    expect_in(&w, LIVE, "v0.m3u8", 200, "#EXT-X-RENDITION-REPORT:URI=\"a0.m3u8\",LAST-MSN=1");

    /* Blocking: the part, the segment, the hinted part itself. */
    const int part = ask_in(&w, LIVE, "v0.m3u8?_HLS_msn=1&_HLS_part=1");
    const int whole = ask_in(&w, LIVE, "v0.m3u8?_HLS_msn=1");
    const int hinted = ask_in(&w, LIVE, "v0/1.1.m4s");
    const int gone = ask_in(&w, LIVE, "v0.m3u8?_HLS_msn=1&_HLS_part=1");
    assert_true(waits(part));
    close(gone);
    expect_in(&w, LIVE, "v0.m3u8?_HLS_msn=9", 400, NULL);
    expect_in(&w, LIVE, "v0/1.2.m4s", 404, NULL);
    HOME(&w, second_part);
    expect_reply(part, 200, "v0/1.1.m4s");
    struct reply r = take(hinted);
    assert_int_equal(r.status, 200);
    assert_int_equal(r.body_len, 2001);
    assert_memory_equal(r.body, w.rig.data[0].p + 700 + SEGMENT_BYTES + 2000, 2001);
    free(r.text);
    assert_true(waits(whole));
    HOME(&w, finish);
    expect_reply(whole, 200, "#EXTINF");
    assert_int_equal(hls_viewers(w.hls, "stream1"), 1);
    assert_int_equal(hls_viewers(w.hls, "other"), 0);
    gate_set(&w, false, false);
    world_end(&w);
    world_fini(&w);
}

static void expect_bytes(const struct world *w, const char *id, const char *rest, struct span want)
{
    char path[256];
    path_in(w, id, rest, path);
    struct reply r = get(w, path);
    if (r.status != 200 || !span_eq(span_of(r.body, r.body_len), want))
        fail_msg("%s: status %d, %zu bytes instead of %zu", path, r.status, r.body_len, want.len);
    if (!strstr(r.text, "immutable")) fail_msg("%s may not be kept for long", path);
    free(r.text);
}

static struct span segment_data(const struct world *w, unsigned msn)
{
    return span_of(w->rig.data[0].p + 700 + (size_t)msn * SEGMENT_BYTES, SEGMENT_BYTES);
}

/* Old segments from the file, young ones from memory, parts, ranges, deltas, rewinding. */
static void test_media(void **state)
{
    struct world w;
    char path[256];
    world_init(&w, true, TARGET_S);
    gate_set(&w, true, false);
    HOME(&w, begin);
    HOME(&w, many);
    HOME(&w, segment);
    expect_bytes(&w, LIVE, "v0/init-1.mp4", span_of(w.rig.data[0].p, 700));
    expect_bytes(&w, LIVE, "v0/40.m4s",
                 span_of(w.rig.data[0].p + 700 + 40 * SEGMENT_BYTES, SEGMENT_BYTES));
    expect_bytes(&w, LIVE, "v0/39.m4s", segment_data(&w, 39));
    expect_bytes(&w, LIVE, "v0/39.5.m4s", span_skip(segment_data(&w, 39), 5 * 2000 + 10));
    expect_bytes(&w, LIVE, "v0/20.m4s", segment_data(&w, 20));
    expect_bytes(&w, LIVE, "v0/0.m4s", segment_data(&w, 0));
    expect_in(&w, LIVE, "v0/41.m4s", 404, NULL);
    expect_in(&w, LIVE, "v0/39.6.m4s", 404, NULL);
    expect_in(&w, LIVE, "v0/init-20.mp4", 404, NULL);
    path_in(&w, LIVE, "v0/0.m4s", path);
    struct reply r = take(ask(&w, "GET", path, "Range: bytes=10-19\r\n"));
    assert_int_equal(r.status, 206);
    assert_int_equal(r.body_len, 10);
    assert_memory_equal(r.body, segment_data(&w, 0).p + 10, 10);
    free(r.text);
    expect_in(&w, LIVE, "v0.m3u8?_HLS_skip=YES", 200, "#EXT-X-SKIP:SKIPPED-SEGMENTS=");
    expect_in(&w, LIVE, "v0.m3u8", 200, "#EXT-X-MEDIA-SEQUENCE:6");
    expect_in(&w, ASSET, "v0.m3u8", 200, "#EXT-X-PLAYLIST-TYPE:EVENT");
    expect_in(&w, ASSET, "v0.m3u8", 200, "#EXT-X-MEDIA-SEQUENCE:0");
    expect_in(&w, ASSET, "v0.m3u8", 200, "\nv0/0.m4s\n");
    expect_in(&w, ASSET, "v0.m3u8?_HLS_skip=YES", 200, "#EXT-X-SKIP:SKIPPED-SEGMENTS=1");
    expect_in(&w, ASSET, "a0.m3u8", 200, "\na0/40.m4s\n");
    /* One that the other loop's playlist may have named already is waited for. */
    const int coming = ask_in(&w, LIVE, "v0/init-2.mp4");
    assert_true(waits(coming));
    HOME(&w, begin);
    HOME(&w, segment);
    expect_reply(coming, 200, NULL);
    gate_set(&w, false, false);
    world_end(&w);
    world_fini(&w);
}

/* Who is watching sees the end; who comes later gets the recording, or hears that it is over. */
static void test_end(void **state)
{
    struct world w;
    char path[256], own[256];
    world_init(&w, true, TARGET_S);
    gate_set(&w, true, false);
    HOME(&w, begin);
    HOME(&w, many);
    expect(&w, "/" LIVE ".m3u8", 200, NULL);
    expect_in(&w, ASSET, "v0.m3u8", 200, "EVENT");
    const int live = ask_in(&w, LIVE, "v0.m3u8?_HLS_msn=40&_HLS_part=0");
    const int event = ask_in(&w, ASSET, "v0.m3u8?_HLS_msn=40");
    assert_true(waits(live));
    assert_true(waits(event));
    gate_set(&w, false, false);
    world_end(&w);
    expect_reply(live, 200, "#EXT-X-ENDLIST");
    expect_reply(event, 200, "#EXT-X-ENDLIST");
    gate_set(&w, false, true);
    snprintf(own, sizeof own, ASSET "/%s/v0-vod.m3u8", record_log_run(w.rig.log));
    /* The loop that served the stream still has its end; every loop has the recording. */
    for (int i = 0; i < 6; i++) {
        expect(&w, "/" LIVE ".m3u8", 412, "\"not_live\"");
        expect(&w, "/" ASSET ".m3u8", 200, own);
    }
    expect_in(&w, ASSET, "v0-vod.m3u8", 200, "#EXT-X-TARGETDURATION:2\n");
    expect_in(&w, ASSET, "v0-vod.m3u8", 200, "#EXT-X-PLAYLIST-TYPE:VOD");
    expect_in(&w, ASSET, "v0.m3u8", 200, "#EXT-X-TARGETDURATION:10\n");
    expect_in(&w, ASSET, "v0.m3u8", 200, "#EXT-X-ENDLIST");
    expect_bytes(&w, ASSET, "v0/7.m4s", segment_data(&w, 7));
    expect_bytes(&w, ASSET, "v0/init-1.mp4", span_of(w.rig.data[0].p, 700));
    expect_in(&w, ASSET, "v0/40.m4s", 404, NULL);
    expect(&w, "/" ASSET "/otherrun/v0-vod.m3u8", 404, NULL);
    path_in(&w, ASSET, "v0-vod.m3u8", path);
    struct reply r = take(ask(&w, "GET", path, "Accept-Encoding: gzip\r\n"));
    assert_int_equal(r.status, 200);
    assert_true(r.body_len > 10 && (uint8_t)r.body[0] == 0x1f && (uint8_t)r.body[1] == 0x8b);
    free(r.text);
    world_fini(&w);
}

/* The server ends: so do the streams, and viewers see that. */
static void test_drain(void **state)
{
    struct world w;
    world_init(&w, true, TARGET_S);
    gate_set(&w, true, false);
    HOME(&w, begin);
    HOME(&w, many);
    const int video = ask_in(&w, LIVE, "v0.m3u8?_HLS_msn=40&_HLS_part=0");
    const int audio = ask_in(&w, LIVE, "a0.m3u8?_HLS_msn=40&_HLS_part=0");
    assert_true(waits(video) && waits(audio));
    for (unsigned i = 0; i < 2; i++) on_loop(&w.loops, i, drain, &w);
    assert_true(waits(video) && waits(audio));
    world_end(&w);
    expect_reply(video, 200, "#EXT-X-ENDLIST");
    expect_reply(audio, 200, "#EXT-X-ENDLIST");
    world_fini(&w);
}

/* The encoder stalls: blocked requests are given up after three target durations. */
static void test_stall(void **state)
{
    struct world w;
    world_init(&w, false, 1);
    gate_set(&w, true, false);
    HOME(&w, begin);
    HOME(&w, first_parts);
    expect(&w, "/" LIVE ".m3u8", 200, NULL);
    const int playlist = ask_in(&w, LIVE, "v0.m3u8?_HLS_msn=0&_HLS_part=1");
    const int part = ask_in(&w, LIVE, "v0/0.1.m4s");
    expect_reply(playlist, 503, "\"timeout\"");
    expect_reply(part, 404, NULL);
    HOME(&w, finish);
    gate_set(&w, false, false);
    world_end(&w);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors), cmocka_unit_test(test_live),  cmocka_unit_test(test_media),
        cmocka_unit_test(test_end),    cmocka_unit_test(test_stall), cmocka_unit_test(test_drain),
    };
    return RUN_TESTS(tests);
}
