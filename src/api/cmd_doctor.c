/* SPDX-License-Identifier: MIT */
/* bspnode doctor [settings]: looks, before or beside a running server, at what usually goes wrong,
 * and says it in plain words. Changes nothing. Exit code 1 when something would stop the server. */
#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "bridge/transcoder.h"
#include "engine/tls.h"
#include "io/child.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

enum { OPEN_FILES_GOOD = 4096 };

struct doctor {
    const struct settings *s;
    bool running; /* a server uses the data folder: its ports are taken by it */
    int errors, warnings;
};

enum verdict { FINE, WARN, BAD };

static void say(struct doctor *d, enum verdict v, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct doctor *d, enum verdict v, const char *what, const char *fmt, ...)
{
    static const char *const MARK[] = {"ok  ", "warn", "FAIL"};
    va_list ap;
    va_start(ap, fmt);
    printf("%s  %-12s ", MARK[v], what);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
    d->errors += v == BAD;
    d->warnings += v == WARN;
}

/* --- the data folder ------------------------------------------------------------------------- */

static void path_in(const struct doctor *d, const char *name, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%s", d->s->data, name);
}

static void check_folder(struct doctor *d)
{
    char lock[4096];
    struct stat st;
    if (stat(d->s->data, &st) != 0) {
        if (errno == ENOENT)
            say(d, FINE, "data", "%s does not exist yet; it is made at the first start",
                d->s->data);
        else
            say(d, BAD, "data", "%s: %s", d->s->data, strerror(errno));
        return;
    }
    if (!S_ISDIR(st.st_mode)) {
        say(d, BAD, "data", "%s is not a folder", d->s->data);
        return;
    }
    if (access(d->s->data, R_OK | W_OK | X_OK) != 0) {
        say(d, BAD, "data",
            "%s cannot be written by this user: chown it, or start bspnode as its "
            "owner",
            d->s->data);
        return;
    }
    path_in(d, "lock", lock, sizeof lock);
    const int fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    d->running = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (fd >= 0) close(fd);
    say(d, FINE, "data", d->running ? "%s is in use by a running bspnode" : "%s can be written",
        d->s->data);
    if (st.st_mode & S_IRWXO)
        say(d, WARN, "data", "other users of this machine may look into %s: chmod o= it",
            d->s->data);
}

static void check_secret(struct doctor *d)
{
    char key[4096], db[4096];
    struct stat st;
    path_in(d, "secret.key", key, sizeof key);
    path_in(d, "bspnode.db", db, sizeof db);
    const bool has_db = access(db, F_OK) == 0;
    if (stat(key, &st) != 0) {
        if (has_db)
            say(d, BAD, "secret",
                "%s is missing beside an existing database: restore it from a "
                "backup, or every stream needs a new key",
                key);
        return;
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        say(d, WARN, "secret", "%s can be read by others: chmod 600 it", key);
    else
        say(d, FINE, "secret", "%s is private; keep a copy of it with your backups", key);
}

static void check_database(struct doctor *d)
{
    char problem[512];
    int have, newest;
    const enum err e = store_peek(d->s->data, &have, &newest, problem, sizeof problem);
    if (e == E_NOTFOUND) return;
    if (e != E_OK)
        say(d, BAD, "database", "%s", problem);
    else if (have > newest)
        say(d, BAD, "database", "was made by a newer bspnode (schema %d, this one knows %d)", have,
            newest);
    else if (have < newest)
        say(d, FINE, "database", "will be upgraded at the next start (schema %d to %d)", have,
            newest);
    else
        say(d, FINE, "database", "schema %d", have);
}

static void check_disk(struct doctor *d)
{
    struct statvfs v;
    const char *at = access(d->s->data, F_OK) == 0 ? d->s->data : ".";
    if (statvfs(at, &v) != 0) {
        say(d, WARN, "disk", "%s: %s", at, strerror(errno));
        return;
    }
    const double free_bytes = (double)v.f_bavail * (double)v.f_frsize, gb = 1e9;
    const double hours = free_bytes / (4e6 / 8 * 3600);
    if (free_bytes < (double)d->s->min_free_disk)
        say(d, BAD, "disk", "%.1f GB free, less than --min-free-disk: nothing will be recorded",
            free_bytes / gb);
    else
        say(d, hours < 10 ? WARN : FINE, "disk",
            "%.1f GB free: about %.0f hours of a 4 Mbit/s stream", free_bytes / gb, hours);
    if (v.f_files && v.f_favail < 10000)
        say(d, WARN, "disk", "only %llu files can still be made (inodes)",
            (unsigned long long)v.f_favail);
}

/* --- the network ----------------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

/* 0 or an errno; -1: the name is unknown. */
static int try_bind(const char *host, uint16_t port)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(*host ? host : NULL, service, &hints, &list) != 0) return -1;
    int result = 0;
    for (const struct addrinfo *ai = list; ai && result == 0; ai = ai->ai_next) {
        const int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
        if (fd < 0) continue; /* no IPv6 here */
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (ai->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, 1) != 0) result = errno;
        close(fd);
    }
    freeaddrinfo(list);
    return result;
}

static void check_port(struct doctor *d, const char *what, const char *addr)
{
    char host[256];
    uint16_t port;
    if (!*addr) return;
    if (settings_addr(addr, host, sizeof host, &port) != E_OK) {
        say(d, BAD, what, "%s is not an address such as 0.0.0.0:8080", addr);
        return;
    }
    const char *reach = is_loopback(host) ? "; from this machine only" : "";
    const int e = port ? try_bind(host, port) : 0;
    if (e == 0)
        say(d, FINE, what, "%s is free%s", addr, reach);
    else if (e == EADDRINUSE && d->running)
        say(d, FINE, what, "%s is in use, by the running bspnode it seems%s", addr, reach);
    else if (e == EADDRINUSE)
        say(d, BAD, what,
            "%s is in use by another program: stop it (see `ss -ltnp`), or choose "
            "another port with --%s",
            addr, what);
    else if (e == EACCES)
        say(d, BAD, what,
            "%s: ports below 1024 need a privilege (AmbientCapabilities="
            "CAP_NET_BIND_SERVICE in systemd), or a proxy in front",
            addr);
    else
        say(d, BAD, what, "%s: %s", addr, e < 0 ? "this name is not known" : strerror(e));
}

static void check_ports(struct doctor *d)
{
    check_port(d, "http", d->s->http);
    check_port(d, "rtmp", d->s->rtmp);
    check_port(d, "rtmps", d->s->rtmps);
    if (!*d->s->public_url)
        say(d, FINE, "public-url", "not set: links are made from the address a viewer uses");
    else if (strncmp(d->s->public_url, "https://", 8) != 0)
        say(d, WARN, "public-url",
            "%s is not https: browsers then give no camera to the page, and "
            "passwords travel in the clear",
            d->s->public_url);
    else
        say(d, FINE, "public-url", "%s", d->s->public_url);
}

static void check_tls(struct doctor *d)
{
    const bool cert = *d->s->tls_cert, key = *d->s->tls_key;
    if (!cert && !key) {
        if (*d->s->rtmps) say(d, BAD, "tls", "--rtmps needs --tls-cert and --tls-key");
        return;
    }
    if (cert != key) {
        say(d, BAD, "tls", "--tls-%s is given without --tls-%s", cert ? "cert" : "key",
            cert ? "key" : "cert");
        return;
    }
    struct tls_ctx *ctx;
    char problem[512];
    if (tls_ctx_new(d->s->tls_cert, d->s->tls_key, TLS_FOR_HTTP, &ctx, problem, sizeof problem) !=
        E_OK) {
        say(d, BAD, "tls", "%s", problem);
        return;
    }
    const int64_t left = tls_ctx_not_after(ctx) - clock_wall_us() / US_PER_SEC;
    tls_ctx_free(ctx);
    const long days = (long)(left / 86400);
    if (left <= 0)
        say(d, BAD, "tls", "the certificate has expired %ld days ago: renew it", -days);
    else
        say(d, days < 14 ? WARN : FINE, "tls", "the certificate and its key fit; %ld day%s left",
            days, days == 1 ? "" : "s");
}

/* --- the machine ----------------------------------------------------------------------------- */

static void check_clock(struct doctor *d)
{
    struct timex t = {0};
    char iso[CLOCK_ISO_LEN];
    const int64_t now = clock_wall_us(), y2025 = INT64_C(1735689600) * US_PER_SEC;
    clock_iso(now, iso);
    if (now < y2025)
        say(d, BAD, "clock", "says %s: set it, or sessions and certificates will not work", iso);
    else if (adjtimex(&t) == TIME_ERROR)
        say(d, WARN, "clock",
            "says %s, and nothing keeps it right: install chrony or "
            "systemd-timesyncd",
            iso);
    else
        say(d, FINE, "clock", "%s, kept right", iso);
}

static void check_files(struct doctor *d)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0) return;
    const unsigned long long n = r.rlim_max;
    if (r.rlim_max != RLIM_INFINITY && n < OPEN_FILES_GOOD)
        say(d, WARN, "open files",
            "at most %llu, so about as many viewers: raise LimitNOFILE or "
            "`ulimit -n`",
            n);
    else
        say(d, FINE, "open files", "enough");
}

static void check_worker(struct doctor *d)
{
    char path[4096];
    transcoder_set_program(d->s->worker);
    const char *const argv[] = {path, "self-test", NULL};
    if (transcoder_program(path, sizeof path) != E_OK)
        say(d, WARN, "worker",
            "%s is not there: RTMP streams have no sound by WebRTC, and browser streams in VP8 no "
            "HLS and no recording. Install it beside bspnode, or name it with --worker",
            path);
    else if (!child_run(argv))
        say(d, WARN, "worker",
            "%s cannot shut itself in here, and then converts nothing: see what `%s self-test` "
            "says; a container's seccomp profile may forbid it",
            path, path);
    else
        say(d, FINE, "worker", "%s converts sound and pictures of live streams, shut in", path);
}

static int examine(const struct settings *s)
{
    struct doctor d = {.s = s};
    printf("bspnode %s\n", BSPNODE_VERSION);
    check_folder(&d);
    check_secret(&d);
    check_database(&d);
    check_disk(&d);
    check_ports(&d);
    check_tls(&d);
    check_clock(&d);
    check_files(&d);
    check_worker(&d);
    if (d.errors)
        printf("\n%d problem%s to solve first.\n", d.errors, d.errors == 1 ? "" : "s");
    else if (d.warnings)
        printf("\nIt will run; look at the %s above.\n", d.warnings == 1 ? "warning" : "warnings");
    else
        printf("\nEverything looks good.\n");
    return d.errors ? 1 : 0;
}

int api_cmd_doctor(int argc, char **argv, char **env)
{
    struct settings s;
    struct str problem = {0};
    log_set_level(LOG_ERROR + 1); /* it is said here, in other words */
    const enum err e = settings_load(&s, argc, argv, env, &problem);
    if (e != E_OK) {
        printf("FAIL  %-12s %s\n", "settings", str_c(&problem));
        str_fini(&problem);
        return 1;
    }
    const int code = examine(&s);
    settings_fini(&s);
    str_fini(&problem);
    return code;
}
