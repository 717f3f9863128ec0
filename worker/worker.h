/* SPDX-License-Identifier: MIT */
/* worker/worker.h - bspnode-worker: codecs in a process of their own, shut in.
 *
 * One thread, one task, named by the first argument (main.c). `live`: messages (wire/worker_msg.h)
 * come in on descriptor 3, are decoded, converted, encoded, and go out the same way; it ends when
 * the socket does. `import`: a file on descriptor 4 goes out as such messages (import.h). */
#pragma once
#include "media/codec.h"
#include "wire/worker_msg.h"
#include <libavcodec/avcodec.h>

/* --- shutting in: sandbox.c --- */

struct sandbox {
    unsigned files; /* descriptors that are open, from 0 */
    unsigned cpu_s; /* seconds of computing; 0: as long as it lives */
    int nice;       /* 0: as important as the server */
};
/* From now on no file can be opened, no socket made, no process started, no memory made executable;
 * memory is bounded. False: the kernel would not, and nothing may be decoded here. */
bool sandbox_enter(const struct sandbox *s);
/* Tries what must not work any more and prints what happened. 0: all of it was refused. */
int sandbox_self_test(void);

/* --- what comes in: inbox.c --- */

/* Waits for the next message; its data is valid until the next call. Ends the process when the
 * other side is gone or talks nonsense. */
void inbox_next(struct worker_msg *out);
/* The newest pts of a picture that has arrived, processed or not. */
int64_t inbox_newest_video_us(void);

/* --- what goes out: outbox.c --- */

void outbox_send(const struct worker_msg *m);
/* What the codecs send goes to `to` from now on; failures do not. */
void outbox_divert(void (*to)(const struct worker_msg *m));
/* Everything was sent: says so and ends the process. */
_Noreturn void outbox_end(void);
/* Says why and ends the process. */
_Noreturn void outbox_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- codecs --- */

/* A decoder of ours for the codec, with the configuration of the track; `what` is for people. */
AVCodecContext *decoder_open(const struct worker_msg *track);

void audio_want(const struct worker_msg *m);
void audio_track(const struct worker_msg *m);
void audio_frame(const struct worker_msg *m);
/* Decoded samples, pts in microseconds; after audio_want(). */
void audio_pcm(AVFrame *f);
/* The last samples, with silence up to a whole frame. */
void audio_finish(void);

void video_want(const struct worker_msg *m);
void video_track(const struct worker_msg *m);
void video_frame(const struct worker_msg *m);
void video_key(void);

/* --- a whole file: import.c --- */

void import_run(int argc, char **argv); /* does not return */
