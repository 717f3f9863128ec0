/* SPDX-License-Identifier: MIT */
#include "worker.h"
void video_want(const struct worker_msg *m)
{
    (void)m;
    outbox_fail("not yet");
}
void video_track(const struct worker_msg *m)
{
    (void)m;
    outbox_fail("not yet");
}
void video_frame(const struct worker_msg *m)
{
    (void)m;
    outbox_fail("not yet");
}
void video_key(void)
{
    outbox_fail("not yet");
}
