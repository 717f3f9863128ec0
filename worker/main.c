/* SPDX-License-Identifier: MIT */
/* bspnode-worker live: started by the server, with a socket as descriptor 3. */
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

static _Noreturn void live(void)
{
    struct worker_msg m = {.type = WORKER_READY, .version = WORKER_VERSION};
    av_log_set_level(AV_LOG_QUIET); /* what libav says quotes hostile bytes */
    if (!sandbox_enter()) outbox_fail("this system cannot shut it in (seccomp)");
    outbox_send(&m);
    for (;;) {
        inbox_next(&m);
        dispatch(&m);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "live")) live();
    if (argc == 2 && !strcmp(argv[1], "self-test")) return sandbox_self_test();
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        printf("bspnode-worker %s\n", BSPNODE_VERSION);
        return 0;
    }
    fprintf(stderr, "bspnode-worker is started by bspnode. By hand: self-test, --version\n");
    return 2;
}
