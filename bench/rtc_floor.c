/* SPDX-License-Identifier: MIT */
/* What sending a stream to many WebRTC viewers costs when nothing else is done: each viewer's
 * packets are sealed with AES-128-GCM under a header of their own and leave with one UDP_SEGMENT
 * call a picture, one a sound packet, at the speed of life. The same packets that the servers
 * compared with it send.
 *
 *   rtc_floor VIDEO.h264 VIEWERS SECONDS        one line of JSON: CPU of the sending thread
 *
 * VIDEO.h264 has an access unit delimiter before each picture. A second thread reads what comes, so
 * that sockets do not fill up; it is not counted. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    FPS = 30,
    PAYLOAD = 1188,
    HEADER = 12,
    TAG = 16,
    SOUND = 240,
    SOUND_RATE = 50,
    RUN_BYTES = 65000,
    RUN_PACKETS = 64,
    MAX_PICTURE = 1 << 20,
};

struct viewer {
    int fd; /* the receiving end */
    struct sockaddr_in to;
    EVP_CIPHER_CTX *cipher;
    uint32_t number;
};

static uint8_t media[MAX_PICTURE], out[RUN_BYTES + 2000];
static long long packets, calls;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int number(const char *text)
{
    char *end = NULL;
    const long n = strtol(text, &end, 10);
    if (*end || n < 0 || n > 100000) {
        fprintf(stderr, "rtc_floor: '%s' is no number that can be used\n", text);
        exit(2);
    }
    return (int)n;
}

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- the source --- */

static size_t *load(const char *path, size_t *n)
{
    static const uint8_t AUD[] = {0, 0, 0, 1, 9};
    FILE *f = fopen(path, "rb");
    if (!f) die(path);
    fseek(f, 0, SEEK_END);
    const size_t len = (size_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(len);
    size_t *sizes = calloc(len / 32 + 1, sizeof *sizes);
    if (!data || !sizes || fread(data, 1, len, f) != len) die("read");
    fclose(f);
    const uint8_t *p = memmem(data, len, AUD, sizeof AUD), *end = data + len;
    for (*n = 0; p;) {
        const uint8_t *next = memmem(p + 5, (size_t)(end - p - 5), AUD, sizeof AUD);
        sizes[(*n)++] = (size_t)((next ? next : end) - p) - 6;
        p = next;
    }
    free(data);
    if (*n == 0) {
        fprintf(stderr, "rtc_floor: no pictures in %s\n", path);
        exit(1);
    }
    return sizes;
}

/* --- the receiving end --- */

static void *drain(void *arg)
{
    static uint8_t sink[1 << 16];
    struct epoll_event ev[64];
    const int ep = *(int *)arg;
    for (;;) {
        const int n = epoll_wait(ep, ev, 64, -1);
        for (int i = 0; i < n; i++)
            while (recv(ev[i].data.fd, sink, sizeof sink, MSG_DONTWAIT) > 0) {
            }
    }
    return NULL;
}

static struct viewer *make_viewers(int n, int *ep)
{
    static const uint8_t KEY[16] = {1, 2, 3};
    struct viewer *v = calloc((size_t)n + 1, sizeof *v);
    *ep = epoll_create1(0);
    for (int i = 0; i < n; i++) {
        socklen_t len = sizeof v[i].to;
        struct epoll_event ev = {.events = EPOLLIN};
        v[i].fd = ev.data.fd = socket(AF_INET, SOCK_DGRAM, 0);
        v[i].to = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        if (v[i].fd < 0 || bind(v[i].fd, (struct sockaddr *)&v[i].to, len) != 0) die("socket");
        getsockname(v[i].fd, (struct sockaddr *)&v[i].to, &len);
        epoll_ctl(*ep, EPOLL_CTL_ADD, v[i].fd, &ev);
        v[i].cipher = EVP_CIPHER_CTX_new();
        EVP_EncryptInit_ex(v[i].cipher, EVP_aes_128_gcm(), NULL, KEY, NULL);
    }
    return v;
}

/* --- sending --- */

static void seal(struct viewer *v, uint8_t *at, const uint8_t *payload, size_t len)
{
    uint8_t iv[12] = {0};
    int n = 0;
    memset(at, 0, HEADER);
    at[0] = 0x80;
    memcpy(at + 4, &v->number, sizeof v->number);
    memcpy(iv + 8, &v->number, sizeof v->number);
    v->number++;
    EVP_EncryptInit_ex(v->cipher, NULL, NULL, NULL, iv);
    EVP_EncryptUpdate(v->cipher, NULL, &n, at, HEADER);
    EVP_EncryptUpdate(v->cipher, at + HEADER, &n, payload, (int)len);
    EVP_EncryptFinal_ex(v->cipher, at + HEADER + len, &n);
    EVP_CIPHER_CTX_ctrl(v->cipher, EVP_CTRL_GCM_GET_TAG, TAG, at + HEADER + len);
    packets++;
}

static void send_run(int fd, const struct viewer *v, size_t len, uint16_t size)
{
    union {
        struct cmsghdr h;
        char room[CMSG_SPACE(sizeof(uint16_t))];
    } control = {0};
    struct iovec iov = {out, len};
    struct msghdr m = {
        .msg_name = (void *)&v->to, .msg_namelen = sizeof v->to, .msg_iov = &iov, .msg_iovlen = 1};
    if (len > size) {
        m.msg_control = &control;
        m.msg_controllen = sizeof control;
        control.h = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof size), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
        memcpy(CMSG_DATA(&control.h), &size, sizeof size);
    }
    if (sendmsg(fd, &m, 0) < 0 && errno != EAGAIN && errno != ENOBUFS) die("sendmsg");
    calls++;
}

static void send_media(int fd, struct viewer *v, size_t len)
{
    const size_t whole = PAYLOAD + HEADER + TAG;
    size_t used = 0, run = 0;
    for (size_t done = 0; done < len;) {
        const size_t take = len - done < PAYLOAD ? len - done : PAYLOAD;
        seal(v, out + used, media + done, take);
        used += take + HEADER + TAG;
        done += take;
        if (++run < RUN_PACKETS && used + whole < RUN_BYTES && done < len) continue;
        send_run(fd, v, used, (uint16_t)(used > whole ? whole : used));
        used = run = 0;
    }
}

static void wait_until(double t)
{
    const struct timespec at = {(time_t)t, (long)((t - (double)(time_t)t) * 1e9)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

int main(int argc, char **argv)
{
    size_t n_pictures = 0;
    int ep = -1;
    pthread_t thread;
    if (argc != 4) {
        fprintf(stderr, "usage: rtc_floor VIDEO.h264 VIEWERS SECONDS\n");
        return 2;
    }
    const int viewers = number(argv[2]), seconds = number(argv[3]);
    const size_t *sizes = load(argv[1], &n_pictures);
    struct viewer *v = make_viewers(viewers, &ep);
    const int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 8 << 20;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    pthread_create(&thread, NULL, drain, &ep);
    const double began = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0, sound = 0; i < seconds * FPS; i++) {
        wait_until(began + (double)i / FPS);
        const size_t size = sizes[(size_t)i % n_pictures];
        for (int k = 0; k < viewers; k++) send_media(fd, &v[k], size);
        for (; sound * FPS < i * SOUND_RATE; sound++)
            for (int k = 0; k < viewers; k++) send_media(fd, &v[k], SOUND);
    }
    const double used = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    const double took = now(CLOCK_MONOTONIC) - began;
    printf("{\"viewers\":%d,\"cpu_percent\":%.4f,\"packets_s\":%.1f,\"calls_s\":%.1f}\n", viewers,
           100 * used / took, (double)packets / took / viewers, (double)calls / took / viewers);
    return 0;
}
