/* SPDX-License-Identifier: MIT */
/* One job: what is wanted, segments, and the picture goes back. */
#include "image.h"
#include "base/xalloc.h"
#include "worker.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define FD 3

static struct {
    struct image_want want;
    struct image_canvas one, sheet;
    unsigned taken;
} job;

/* --- the socket --- */

static void put(struct span s)
{
    while (s.len) {
        const ssize_t n = send(FD, s.p, s.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _exit(0);
        s = span_skip(s, (size_t)n);
    }
}

static void say(enum image_msg_type type, struct span media)
{
    struct str head = {0};
    image_msg_head(type, media.len, &head);
    put(str_span(&head));
    put(media);
    str_fini(&head);
}

void image_fail(const char *fmt, ...)
{
    char text[LIMIT_WORKER_TEXT];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    say(IMAGE_MSG_FAILED, span_str(text));
    _exit(1);
}

static void get(uint8_t *p, size_t n)
{
    while (n) {
        const ssize_t got = recv(FD, p, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) _exit(0);
        p += got;
        n -= (size_t)got;
    }
}

/* The message is a view into *buf, which the caller frees. */
static void next(struct image_msg *m, uint8_t **buf)
{
    uint8_t head[4];
    get(head, sizeof head);
    const uint64_t len = image_msg_length(span_of(head, sizeof head));
    if (len > LIMIT_IMAGE_MSG_BYTES) image_fail("the server's message is too long");
    *buf = xmalloc((size_t)len);
    memcpy(*buf, head, sizeof head);
    get(*buf + sizeof head, (size_t)len - sizeof head);
    struct span in = span_of(*buf, (size_t)len);
    const enum err e = image_msg_next(&in, m);
    if (e != E_OK) image_fail("the server's message is broken (%s)", err_label(e));
}

/* --- the job --- */

static void take(const AVFrame *f)
{
    const struct image_want *w = &job.want;
    if (job.taken >= w->frames) return;
    image_scale(f, w, &job.one);
    if (w->fps) {
        image_anim_add(&job.one, w);
    } else if (w->columns) {
        const int i = (int)job.taken, columns = w->columns;
        if (!job.sheet.rgb)
            image_canvas_make(&job.sheet, w->width * columns, w->height * (w->frames / columns));
        image_blit(&job.one, &job.sheet, i % columns * w->width, i / columns * w->height);
    }
    job.taken++;
}

static void finish(void)
{
    uint8_t *p = NULL;
    int n = 0;
    if (!job.taken) image_fail("there is no picture");
    if (job.want.fps)
        image_anim_end(&p, &n);
    else
        image_write(job.want.columns ? &job.sheet : &job.one, &job.want, &p, &n);
    if (n <= 0 || n > (int)LIMIT_IMAGE_BYTES) image_fail("the image is too large");
    say(IMAGE_MSG_IMAGE, span_of(p, (size_t)n));
    _exit(0);
}

void image_run(int argc, char **argv)
{
    (void)argc, (void)argv;
    if (!sandbox_enter(&(struct sandbox){.files = 4, .cpu_s = LIMIT_IMAGE_CPU_S, .nice = 5}))
        image_fail("this system cannot shut it in (seccomp)");
    for (bool first = true;; first = false) {
        struct image_msg m;
        uint8_t *buf = NULL;
        next(&m, &buf);
        if (first != (m.type == IMAGE_MSG_WANT))
            image_fail("the server's messages are out of order");
        if (m.type == IMAGE_MSG_WANT) job.want = m.want;
        if (m.type == IMAGE_MSG_PIECE) image_read(&m, take);
        if (m.type == IMAGE_MSG_STILL) image_still(m.media, &job.want, take);
        if (m.type == IMAGE_MSG_END) finish();
        free(buf);
    }
}
