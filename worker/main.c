/* SPDX-License-Identifier: MIT */
/* What the worker is asked to be: its first argument. Descriptor 3 is the socket to the server. */
#include "image.h"
#include "worker.h"
#include <libavutil/log.h>
#include <stdio.h>
#include <string.h>

static void dispatch(const struct worker_msg *m)
{
    const bool audio = m->kind == MEDIA_AUDIO;
    switch (m->type) {
    case WORKER_WANT:
        audio ? audio_want(m) : video_want(m);
        break;
    case WORKER_TRACK:
        audio ? audio_track(m) : video_track(m);
        break;
    case WORKER_FRAME:
        audio ? audio_frame(m) : video_frame(m);
        break;
    case WORKER_KEY:
        video_key();
        break;
    case WORKER_PING:
        outbox_send(m);
        break;
    default:
        outbox_fail("a message that is not for a worker");
    }
}

static _Noreturn void live(int argc, char **argv)
{
    (void)argc, (void)argv;
    struct worker_msg m = {.type = WORKER_READY, .version = WORKER_VERSION};
    if (!sandbox_enter(&(struct sandbox){.files = 4}))
        outbox_fail("this system cannot shut it in (seccomp)");
    outbox_send(&m);
    for (;;) {
        inbox_next(&m);
        dispatch(&m);
    }
}

/* Each shuts itself in before it looks at a byte of its input, and never returns. Arguments are the
 * server's own: numbers, never names of files. */
static const struct {
    const char *name;
    void (*run)(int argc, char **argv); /* without the program and the mode */
} MODES[] = {
    {"live", live},
    {"import", import_run},
    {"image", image_run},
};

int main(int argc, char **argv)
{
    av_log_set_level(AV_LOG_QUIET); /* what libav says quotes hostile bytes */
    for (size_t i = 0; argc >= 2 && i < sizeof MODES / sizeof *MODES; i++)
        if (!strcmp(argv[1], MODES[i].name)) MODES[i].run(argc - 2, argv + 2);
    if (argc == 2 && !strcmp(argv[1], "self-test")) return sandbox_self_test();
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        printf("bspnode-worker %s\n", BSPNODE_VERSION);
        return 0;
    }
    fprintf(stderr, "bspnode-worker is started by bspnode. By hand: self-test, --version\n");
    return 2;
}
