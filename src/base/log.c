/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/clock.h"
#include "base/str.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Atomic int min_level = LOG_INFO;
static _Atomic bool as_json;

static const char *const NAMES[] = {"debug", "info", "warn", "error"};

void log_set_level(enum log_level min)
{
    atomic_store(&min_level, (int)min);
}

void log_set_json(bool json)
{
    atomic_store(&as_json, json);
}

static void add_clean(struct str *line, struct span text, bool json)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.p[i];
        if (c < 0x20 || c == 0x7f)
            str_addc(line, '?');
        else if (json && (c == '"' || c == '\\'))
            str_addf(line, "\\%c", c);
        else
            str_addc(line, (char)c);
    }
}

/* --- what is kept ----------------------------------------------------------------------------- */

static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the next two */
static struct log_kept kept[LIMIT_LOG_KEPT];
static size_t kept_total; /* ever */

static void keep(enum log_level level, int64_t at_us, const char *event, struct span clean)
{
    pthread_mutex_lock(&kept_lock);
    struct log_kept *k = &kept[kept_total++ % LIMIT_LOG_KEPT];
    size_t n = clean.len < LIMIT_LOG_KEPT_BYTES ? clean.len : LIMIT_LOG_KEPT_BYTES;
    while (n < clean.len && n > 0 && (clean.p[n] & 0xc0) == 0x80) n--;
    k->at_us = at_us;
    k->level = level;
    snprintf(k->event, sizeof k->event, "%s", event);
    memcpy(k->text, clean.p, n);
    k->text[n] = 0;
    pthread_mutex_unlock(&kept_lock);
}

void log_recent(struct log_kept *out, size_t *n)
{
    pthread_mutex_lock(&kept_lock);
    const size_t have = kept_total < LIMIT_LOG_KEPT ? kept_total : LIMIT_LOG_KEPT;
    if (*n > have) *n = have;
    for (size_t i = 0; i < *n; i++) out[i] = kept[(kept_total - *n + i) % LIMIT_LOG_KEPT];
    pthread_mutex_unlock(&kept_lock);
}

__attribute__((format(printf, 3, 0))) static void emit(enum log_level level, const char *event,
                                                       const char *fmt, va_list ap)
{
    char when[CLOCK_ISO_LEN];
    struct str text = {0}, line = {0};
    const bool json = atomic_load(&as_json);
    const int64_t now = clock_wall_us();
    clock_iso(now, when);
    str_vaddf(&text, fmt, ap);
    if (level >= LOG_WARN) {
        struct str clean = {0};
        add_clean(&clean, str_span(&text), false);
        keep(level, now, event, str_span(&clean));
        str_fini(&clean);
    }
    if (json)
        str_addf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"text\":\"", when,
                 NAMES[level], event);
    else
        str_addf(&line, "%s %s %s ", when, NAMES[level], event);
    add_clean(&line, str_span(&text), json);
    str_adds(&line, json ? "\"}\n" : "\n");
    /* One write a line, so that lines of different threads do not mix. */
    if (write(STDERR_FILENO, line.p, line.len) < 0) { /* nowhere left to say it */
    }
    str_fini(&text);
    str_fini(&line);
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
    if ((int)level < atomic_load_explicit(&min_level, memory_order_relaxed)) return;
    va_list ap;
    va_start(ap, fmt);
    emit(level, event, fmt, ap);
    va_end(ap);
}

void log_peer(const char *event, const char *fmt, ...)
{
    static _Atomic int64_t second;
    static _Atomic int count, left_out;
    const int64_t now = clock_mono_us() / US_PER_SEC;
    if (atomic_load_explicit(&min_level, memory_order_relaxed) > LOG_INFO) return;
    if (atomic_exchange(&second, now) != now) {
        const int missed = atomic_exchange(&left_out, 0);
        atomic_store(&count, 0);
        if (missed) log_write(LOG_INFO, "log-limit", "left_out=%d", missed);
    }
    if (atomic_fetch_add(&count, 1) >= LOG_PEER_PER_SEC) {
        atomic_fetch_add(&left_out, 1);
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    emit(LOG_INFO, event, fmt, ap);
    va_end(ap);
}
