/* SPDX-License-Identifier: MIT */
/* worker/import.h - a whole file: found out what it is, and sent as the frames of a stream.
 *
 * Streams that browsers take as they are go out as they are; others are decoded, made upright, even
 * and square, and encoded to H.264 and AAC. One picture and one sound at most, in order of decoding
 * time, which begins at 0. What is broken is left out; a file of which nothing is left has failed,
 * in words. */
#pragma once
#include "worker.h"
#include <libavformat/avformat.h>

#define IMPORT_FILES_MAX 2

/* What the server wishes of pictures. */
extern struct import_wish {
    int lines;    /* of the shorter side, at most; 0: any */
    bool convert; /* whatever they are */
} import_wish;

/* --- what comes in: import_input.c --- */

struct input {
    AVFormatContext *fmt;
    int fd;
    int64_t at, size; /* bytes */
    int64_t last_us;  /* dts of the last packet read */
    int64_t shift_us; /* added to times since a jump backwards */
    bool ended;
};

/* Opens the file behind a descriptor; ends the process with words when it is nothing. */
void input_open(struct input *in, int fd);
/* E_NOTFOUND: the end, or what cannot be read any more. */
enum err input_next(struct input *in, AVPacket *out);
/* The stream that is the picture (or the sound) of this file; NULL: none. */
AVStream *input_best(const struct input *in, enum media_kind kind);

/* --- one track --- */

struct line {
    struct input *in;
    AVStream *st; /* NULL: there is none */
    enum media_kind kind;
    bool begun, copy, given_up;
    enum codec codec;  /* of what goes out */
    unsigned nal_size; /* of what comes in, when copied; 0: start codes */
    bool adts;
    int64_t last_dts;         /* INT64_MIN: none yet */
    int64_t start_us, end_us; /* of a clip, on the file's clock; INT64_MIN and INT64_MAX: all */
    uint64_t frames;          /* that went out */
};

/* Times of a packet in microseconds, in order: every dts after the last one, no pts before its dts.
 */
void line_times(struct line *l, const AVPacket *p, int64_t *dts, int64_t *pts);

/* import_copy.c: whether this stream can be taken as it is; tells the track when it can. `first` is
 * its first packet (of pictures: a key frame). */
bool copy_begin(struct line *l, const AVPacket *first);
void copy_packet(struct line *l, AVPacket *p);

/* import_encode.c: pictures. False: no decoder. */
bool import_is_turned(const AVStream *s);
AVCodecContext *import_decoder(struct line *l); /* NULL: there is none */
bool encode_begin(struct line *l);
void encode_packet(struct line *l, const AVPacket *p); /* NULL: the end */

/* import_facts.c: every packet of a line; and at the end a line of words about them. */
void facts_packet(const struct line *l, const AVPacket *p);
size_t facts_text(const struct line *l, char *out, size_t cap);

/* --- what goes out: import_out.c --- */

/* One that frames are expected of, or none any more. */
void out_expect(enum media_kind kind, bool more);
void out_track(const struct worker_msg *m);
/* Copies the data, or keeps a reference to `ref` that has it. */
void out_frame(const struct worker_msg *m, AVBufferRef *ref);
void out_message(const struct worker_msg *m);
void out_finish(void); /* everything that is waiting */
