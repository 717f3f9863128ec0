/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "video/provider_priv.h"
#include <stdio.h>

struct asking {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool over;
    struct http_answer answer;
    struct str body;
};

static void on_answer(void *arg, const struct http_answer *a) /* the client's thread */
{
    struct asking *w = arg;
    pthread_mutex_lock(&w->lock);
    w->answer = *a;
    str_add(&w->body, a->body);
    w->over = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

static void ask(struct provider *p, const struct http_want *want, struct asking *w)
{
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->cond, NULL);
    http_client_start(p->cfg.client, want, on_answer, w);
    pthread_mutex_lock(&w->lock);
    while (!w->over) pthread_cond_wait(&w->cond, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_cond_destroy(&w->cond);
    pthread_mutex_destroy(&w->lock);
}

static enum err judge(struct provider *p, const struct http_answer *a)
{
    /* E_LIMIT and E_INVALID would say that nothing was done there: of a broken answer nobody knows.
     */
    if (a->err != E_OK) return a->err == E_LIMIT || a->err == E_INVALID ? E_IO : a->err;
    if (a->retry_after_s > 0 && (a->status == 429 || a->status == 503)) {
        const int64_t s = a->retry_after_s > 3600 ? 3600 : a->retry_after_s;
        p->quiet_until_us = clock_mono_us() + s * US_PER_SEC;
    }
    if (a->status >= 200 && a->status < 300) return E_OK;
    if (a->status == 404) return E_NOTFOUND;
    if (a->status == 429) return E_LIMIT;
    return a->status >= 400 && a->status < 500 && a->status != 408 ? E_INVALID : E_IO;
}

enum err provider_ask(struct provider *p, const char *method, const char *path, const char *body,
                      struct str *out)
{
    struct asking w = {.over = false};
    struct str url = {0};
    str_addf(&url, "%s%s", p->cfg.settings->mux_base_url, path);
    const bool get = !strcmp(method, "GET");
    const struct http_want want = {.url = str_c(&url),
                                   .post = !get,
                                   .once = !strcmp(method, "POST"),
                                   .method = get ? NULL : method,
                                   .body = body ? span_str(body) : SPAN_NULL,
                                   .headers = {p->authorization, "Content-Type: application/json"},
                                   .allow_private = true, /* the operator's own word */
                                   .total_ms = LIMIT_PROVIDER_MS,
                                   .max_bytes = LIMIT_PROVIDER_ANSWER_BYTES,
                                   .cancel = &p->ending};
    ask(p, &want, &w);
    const enum err e = judge(p, &w.answer);
    if (e != E_OK && e != E_NOTFOUND && e != E_CLOSED)
        log_warn("provider", "%s %s status=%d %s", method, path, w.answer.status, w.answer.why);
    if (e == E_OK && out) str_add(out, str_span(&w.body));
    str_fini(&w.body);
    str_fini(&url);
    return e;
}
