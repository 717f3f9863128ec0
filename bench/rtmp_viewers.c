/* SPDX-License-Identifier: MIT */
/* Many RTMP viewers in one thread, to measure a server with: rtmp_viewers HOST PORT APP NAME
 *   VIEWERS SECONDS [PID]
 *
 * Connects the viewers, waits until each of them gets video, lets the server settle, then watches
 * for SECONDS. Every viewer's video and audio timestamps are followed: a frame that does not come
 * is counted as lost. With PID the server's CPU (all its threads) is read over that window, and its
 * memory at the end. Prints one JSON object.
 *
 * Payloads are counted and skipped, not kept, so that this program is cheaper than any server.
 * Deliberately not built on the server's own protocol code: it is a second implementation. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HANDSHAKE   1536
#define CSIDS       64
#define HEAD        512 /* of each message, for commands */
#define SETTLE_US   3000000
#define CONNECT_US  2000 /* between two connections: a crowd, not a burst */
#define JOIN_MAX_US 30000000
#define VIDEO_MS    (1000.0 / 30) /* the source's frames (bench/run.mjs) */
#define AUDIO_MS    (1024 * 1000.0 / 48000)

struct chunk_stream {
    uint32_t len, got, ts, delta;
    uint8_t type;
    bool ext;
    uint8_t head[HEAD];
};

struct track {
    uint64_t frames, lost;
    uint32_t last_ts;
    bool seen;
};

enum stage { S_HANDSHAKE, S_CONNECT, S_CREATE, S_PLAY };

struct viewer {
    int fd;
    enum stage stage;
    uint32_t handshake_got, chunk_size, chunk_left;
    uint8_t hdr[20];
    unsigned hdr_len;
    struct chunk_stream *cs; /* CSIDS of them */
    struct chunk_stream *now;
    uint64_t bytes, acked, video_bytes;
    uint32_t ack_window;
    struct track video, audio;
    int64_t asked_us, first_key_us;
    bool dead;
};

static struct viewer *viewers;
static unsigned n_viewers, n_dead, n_playing;
static bool measuring;
static const char *app, *name;
static char tc_url[256];

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
    fprintf(stderr, "rtmp_viewers: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- what is sent: few small messages, so a short write is an error --- */

struct out {
    uint8_t p[1024];
    size_t n;
};

static void put(struct out *o, const void *p, size_t n)
{
    if (o->n + n > sizeof o->p) die("message too long");
    memcpy(o->p + o->n, p, n);
    o->n += n;
}

static void put_be(struct out *o, uint64_t v, int bytes)
{
    while (bytes--) put(o, &(uint8_t){(uint8_t)(v >> (8 * bytes))}, 1);
}

static void amf_text(struct out *o, const char *s, bool key)
{
    if (!key) put_be(o, 2, 1);
    put_be(o, strlen(s), 2);
    put(o, s, strlen(s));
}

static void amf_number(struct out *o, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, 8);
    put_be(o, 0, 1);
    put_be(o, bits, 8);
}

static void viewer_send(struct viewer *v, const uint8_t *p, size_t n)
{
    if (send(v->fd, p, n, MSG_NOSIGNAL) != (ssize_t)n) v->dead = true;
}

/* One message on chunk stream 3 (2 for control), cut into chunks of 128, the protocol's default. */
static void send_message(struct viewer *v, uint8_t type, uint32_t stream, const struct out *body)
{
    const uint8_t csid = type < 8 ? 2 : 3;
    struct out o = {0};
    put_be(&o, csid, 1);
    put_be(&o, 0, 3);
    put_be(&o, body->n, 3);
    put_be(&o, type, 1);
    for (int i = 0; i < 4; i++) put_be(&o, (stream >> (8 * i)) & 0xff, 1);
    for (size_t at = 0; at < body->n; at += 128) {
        if (at) put_be(&o, 0xc0 | csid, 1);
        put(&o, body->p + at, body->n - at < 128 ? body->n - at : 128);
    }
    viewer_send(v, o.p, o.n);
}

static void send_connect(struct viewer *v)
{
    struct out o = {0};
    amf_text(&o, "connect", false);
    amf_number(&o, 1);
    put_be(&o, 3, 1);
    amf_text(&o, "app", true);
    amf_text(&o, app, false);
    amf_text(&o, "tcUrl", true);
    amf_text(&o, tc_url, false);
    amf_text(&o, "flashVer", true);
    amf_text(&o, "bspnode-bench", false);
    put_be(&o, 9, 3);
    send_message(v, 20, 0, &o);
}

static void send_create(struct viewer *v)
{
    struct out o = {0};
    amf_text(&o, "createStream", false);
    amf_number(&o, 2);
    put_be(&o, 5, 1);
    send_message(v, 20, 0, &o);
}

static void send_play(struct viewer *v, uint32_t stream)
{
    struct out o = {0};
    amf_text(&o, "play", false);
    amf_number(&o, 3);
    put_be(&o, 5, 1);
    amf_text(&o, name, false);
    amf_number(&o, -1000); /* live */
    send_message(v, 20, stream, &o);
    struct out buffer = {0};
    put_be(&buffer, 3, 2); /* SetBufferLength */
    put_be(&buffer, stream, 4);
    put_be(&buffer, 100, 4);
    send_message(v, 4, 0, &buffer);
}

/* --- what comes --- */

static void track_frame(struct track *t, uint32_t ts, double interval_ms)
{
    if (t->seen && measuring) {
        const double frames = (double)(int32_t)(ts - t->last_ts) / interval_ms;
        t->frames++;
        if (frames > 1.5) t->lost += (uint64_t)(frames - 0.5);
    }
    t->seen = true;
    t->last_ts = ts;
}

static void on_command(struct viewer *v, const uint8_t *p, uint32_t n)
{
    const bool result = n > 10 && memcmp(p, "\2\0\7_result", 10) == 0;
    if (v->stage == S_CONNECT && result) {
        v->stage = S_CREATE;
        send_create(v);
    } else if (v->stage == S_CREATE && result && n >= 29) {
        uint64_t bits = 0;
        for (int i = 0; i < 8; i++) bits = bits << 8 | p[21 + i];
        double id;
        memcpy(&id, &bits, 8);
        v->stage = S_PLAY;
        v->asked_us = now_us();
        send_play(v, (uint32_t)id);
    } else if (n > 8 && memcmp(p, "\2\0\6_error", 9) == 0) {
        v->dead = true;
    }
}

static void on_message(struct viewer *v, struct chunk_stream *cs)
{
    const uint32_t n = cs->len < HEAD ? cs->len : HEAD;
    const uint8_t *p = cs->head;
    if (cs->type == 1 && n >= 4)
        v->chunk_size = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    else if (cs->type == 5 && n >= 4)
        v->ack_window = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    else if (cs->type == 20)
        on_command(v, p, n);
    else if (cs->type == 8 && n > 1 && p[1] != 0) /* not the AAC configuration */
        track_frame(&v->audio, cs->ts, AUDIO_MS);
    else if (cs->type == 9 && n > 1 && p[1] == 1) {
        if (!v->first_key_us && p[0] >> 4 == 1) {
            v->first_key_us = now_us();
            n_playing++;
        }
        if (measuring) v->video_bytes += cs->len;
        track_frame(&v->video, cs->ts, VIDEO_MS);
    }
}

/* How long the chunk header is whose first `n` bytes are there; 0: not known yet. */
static unsigned header_need(const struct viewer *v)
{
    static const unsigned message[] = {11, 7, 3, 0};
    const uint8_t *h = v->hdr;
    const unsigned n = v->hdr_len;
    if (n < 1) return 0;
    const unsigned basic = (h[0] & 63) == 0 ? 2 : (h[0] & 63) == 1 ? 3 : 1;
    const unsigned fmt = h[0] >> 6;
    unsigned need = basic + message[fmt];
    if (n < need) return 0;
    const unsigned csid = basic == 1 ? h[0] & 63 : 64 + h[1];
    if (csid >= CSIDS) return need;
    bool ext = v->cs[csid].ext;
    if (fmt < 3) ext = h[basic] == 0xff && h[basic + 1] == 0xff && h[basic + 2] == 0xff;
    return need + (ext ? 4 : 0);
}

static void on_header(struct viewer *v)
{
    const uint8_t *h = v->hdr;
    const unsigned fmt = h[0] >> 6;
    const unsigned basic = (h[0] & 63) == 0 ? 2 : (h[0] & 63) == 1 ? 3 : 1;
    const unsigned csid = basic == 1 ? h[0] & 63 : 64 + h[1];
    if (csid >= CSIDS || v->chunk_size == 0) {
        v->dead = true;
        return;
    }
    struct chunk_stream *cs = &v->cs[csid];
    h += basic;
    uint32_t ts = fmt < 3 ? (uint32_t)h[0] << 16 | (uint32_t)h[1] << 8 | h[2] : cs->delta;
    if (fmt < 3) cs->ext = ts == 0xffffff;
    if (fmt < 2) {
        cs->len = (uint32_t)h[3] << 16 | (uint32_t)h[4] << 8 | h[5];
        cs->type = h[6];
    }
    if (cs->ext) {
        const uint8_t *e = v->hdr + v->hdr_len - 4;
        ts = (uint32_t)e[0] << 24 | (uint32_t)e[1] << 16 | (uint32_t)e[2] << 8 | e[3];
    }
    if (cs->got == 0) { /* the first chunk of a message */
        cs->ts = fmt == 0 ? ts : cs->ts + ts;
        cs->delta = ts;
    }
    v->now = cs;
    const uint32_t left = cs->len - cs->got;
    v->chunk_left = left < v->chunk_size ? left : v->chunk_size;
}

static void on_bytes(struct viewer *v, const uint8_t *p, size_t n)
{
    while (n && !v->dead) {
        if (v->chunk_left) {
            struct chunk_stream *cs = v->now;
            const uint32_t k = n < v->chunk_left ? (uint32_t)n : v->chunk_left;
            if (cs->got < HEAD)
                memcpy(cs->head + cs->got, p, k < HEAD - cs->got ? k : HEAD - cs->got);
            cs->got += k, v->chunk_left -= k, p += k, n -= k;
            if (cs->got == cs->len) {
                on_message(v, cs);
                cs->got = 0;
            }
            continue;
        }
        v->hdr[v->hdr_len++] = *p++, n--;
        if (header_need(v) == v->hdr_len) {
            on_header(v);
            v->hdr_len = 0;
        } else if (v->hdr_len == sizeof v->hdr) {
            v->dead = true;
        }
    }
}

static void acknowledge(struct viewer *v)
{
    if (!v->ack_window || v->bytes - v->acked < v->ack_window / 2) return;
    v->acked = v->bytes;
    struct out o = {0};
    put_be(&o, v->bytes & 0xffffffff, 4);
    send_message(v, 3, 0, &o);
}

static void viewer_read(struct viewer *v)
{
    static uint8_t buf[256 << 10];
    const ssize_t n = recv(v->fd, buf, sizeof buf, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        v->dead = true;
        return;
    }
    const uint8_t *p = buf;
    size_t left = (size_t)n;
    v->bytes += left;
    if (v->stage == S_HANDSHAKE) { /* S0, S1 (answered by C2, its copy), S2 */
        const uint32_t want = 1 + 2 * HANDSHAKE - v->handshake_got;
        const size_t k = left < want ? left : want;
        const bool had_s1 = v->handshake_got >= 1 + HANDSHAKE;
        v->handshake_got += (uint32_t)k, p += k, left -= k;
        if (!had_s1 && v->handshake_got >= 1 + HANDSHAKE) {
            static const uint8_t c2[HANDSHAKE]; /* nobody checks it */
            viewer_send(v, c2, sizeof c2);
        }
        if (v->handshake_got < 1 + 2 * HANDSHAKE) return;
        v->stage = S_CONNECT;
        send_connect(v);
    }
    on_bytes(v, p, left);
    acknowledge(v);
}

static void viewer_open(struct viewer *v, const struct sockaddr_in *to, int epoll)
{
    v->chunk_size = 128;
    v->cs = calloc(CSIDS, sizeof *v->cs);
    v->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!v->cs || v->fd < 0) die("socket");
    if (connect(v->fd, (const struct sockaddr *)to, sizeof *to) != 0) die("connect");
    setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    fcntl(v->fd, F_SETFL, O_NONBLOCK);
    uint8_t c0c1[1 + HANDSHAKE] = {3};
    viewer_send(v, c0c1, sizeof c0c1);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = v};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, v->fd, &ev) != 0) die("epoll_ctl");
}

static void wait_until(int epoll, int64_t end_us, bool all_playing)
{
    struct epoll_event ev[256];
    for (int64_t now = now_us(); now < end_us; now = now_us()) {
        if (all_playing && n_playing + n_dead >= n_viewers) return;
        const int n = epoll_wait(epoll, ev, 256, (int)((end_us - now) / 1000) + 1);
        for (int i = 0; i < n; i++) {
            struct viewer *v = ev[i].data.ptr;
            viewer_read(v);
            if (v->dead && v->fd >= 0) {
                close(v->fd);
                v->fd = -1;
                n_dead++;
            }
        }
    }
}

/* --- the server --- */

/* Nanoseconds on a CPU, of all threads. */
static uint64_t cpu_ns(int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    uint64_t sum = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        char file[400];
        unsigned long long ns = 0;
        if (e->d_name[0] == '.') continue;
        snprintf(file, sizeof file, "%s/%s/schedstat", path, e->d_name);
        FILE *f = fopen(file, "r");
        if (f && fscanf(f, "%llu", &ns) == 1) sum += ns;
        if (f) fclose(f);
    }
    if (d) closedir(d);
    return sum;
}

static long pss_kb(int pid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *f = fopen(path, "r");
    long kb = -1;
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Pss: %ld", &kb) == 1) break;
    if (f) fclose(f);
    return kb;
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median_join_us(void)
{
    if (!n_viewers) return 0;
    int64_t *join = calloc(n_viewers, sizeof *join);
    unsigned n = 0;
    for (unsigned i = 0; join && i < n_viewers; i++)
        if (viewers[i].first_key_us) join[n++] = viewers[i].first_key_us - viewers[i].asked_us;
    if (!join || !n) {
        free(join);
        return -1;
    }
    qsort(join, n, sizeof *join, by_value);
    const int64_t median = join[n / 2];
    free(join);
    return median;
}

static void print_result(int pid, double seconds, uint64_t cpu)
{
    uint64_t video = 0, audio = 0, lost = 0, bytes = 0, least = UINT64_MAX, most = 0;
    for (unsigned i = 0; i < n_viewers; i++) {
        const struct viewer *v = &viewers[i];
        video += v->video.frames, audio += v->audio.frames, bytes += v->video_bytes;
        lost += v->video.lost + v->audio.lost;
        if (v->video.frames < least) least = v->video.frames;
        if (v->video.frames > most) most = v->video.frames;
    }
    printf("{\"viewers\":%u,\"playing\":%u,\"dead\":%u,\"seconds\":%.3f,\"cpu_percent\":%.4f,"
           "\"pss_kb\":%ld,\"video_frames\":%llu,\"audio_frames\":%llu,\"lost\":%llu,"
           "\"least\":%llu,\"most\":%llu,\"video_mbit\":%.3f,\"join_ms\":%.1f}\n",
           n_viewers, n_playing, n_dead, seconds, (double)cpu / seconds / 1e7,
           pid ? pss_kb(pid) : -1, (unsigned long long)video, (unsigned long long)audio,
           (unsigned long long)lost, (unsigned long long)(n_viewers ? least : 0),
           (unsigned long long)most, n_viewers ? (double)bytes * 8 / 1e6 / seconds / n_viewers : 0,
           (double)median_join_us() / 1000);
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "usage: rtmp_viewers HOST PORT APP NAME VIEWERS SECONDS [PID]\n");
        return 2;
    }
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10))};
    if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) die("address");
    app = argv[3], name = argv[4];
    n_viewers = (unsigned)strtoul(argv[5], NULL, 10);
    const double seconds = strtod(argv[6], NULL);
    const int pid = argc > 7 ? (int)strtol(argv[7], NULL, 10) : 0;
    snprintf(tc_url, sizeof tc_url, "rtmp://%s:%s/%s", argv[1], argv[2], app);

    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    viewers = calloc(n_viewers + 1, sizeof *viewers);
    if (epoll < 0 || !viewers) die("start");
    for (unsigned i = 0; i < n_viewers; i++) {
        viewer_open(&viewers[i], &to, epoll);
        wait_until(epoll, now_us() + CONNECT_US, false);
    }
    if (n_viewers) wait_until(epoll, now_us() + JOIN_MAX_US, true);
    wait_until(epoll, now_us() + SETTLE_US, false);

    measuring = true;
    const int64_t began = now_us();
    const uint64_t cpu = pid ? cpu_ns(pid) : 0;
    wait_until(epoll, began + (int64_t)(seconds * 1e6), false);
    print_result(pid, (double)(now_us() - began) / 1e6, pid ? cpu_ns(pid) - cpu : 0);
    return n_dead ? 1 : 0;
}
