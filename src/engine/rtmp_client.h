/* SPDX-License-Identifier: MIT */
/* engine/rtmp_client.h - the client's side of RTMP, without I/O: publishes or plays one stream.
 *
 * Small, for tests, load generators and restreaming: the simple handshake, one command at a time.
 *   send rtmp_client_output(); rtmp_client_feed(); while (rtmp_client_next()) ...; send again
 * Embedded; init/fini. Memory as engine/rtmp_dechunk.h. */
#pragma once
#include "base/str.h"
#include "engine/rtmp_dechunk.h"

enum rtmp_client_event_kind {
    RTMP_CLIENT_READY,  /* Publish.Start or Play.Start */
    RTMP_CLIENT_STATUS, /* any other onStatus: code and words; `is_error` says how it is meant */
    RTMP_CLIENT_VIDEO,
    RTMP_CLIENT_AUDIO,
    RTMP_CLIENT_DATA,
    RTMP_CLIENT_CLOSE, /* once, last: the server broke the protocol, `why` says how */
};

struct rtmp_client_event {
    enum rtmp_client_event_kind kind;
    uint32_t ts_ms;
    struct span body;        /* VIDEO, AUDIO, DATA: valid until the next call */
    struct span code, words; /* READY, STATUS: the same */
    bool is_error;
    const char *why;
};

enum rtmp_client_state {
    RTMP_CL_HANDSHAKE,
    RTMP_CL_CONNECT,
    RTMP_CL_CREATE,
    RTMP_CL_ASKED,
    RTMP_CL_READY,
    RTMP_CL_CLOSED
};

struct rtmp_client {
    enum rtmp_client_state state;
    bool is_play, close_told;
    struct rtmp_dechunk in;
    struct span input;
    struct str handshake; /* S0, S1 and S2 so far */
    struct str out;
    char *app, *tc_url, *stream;
    uint32_t bytes_in, bytes_acked, ack_window;
    const char *why;
};

/* The strings are copied. */
void rtmp_client_init(struct rtmp_client *c, bool play, const char *app, const char *tc_url,
                      const char *stream);
void rtmp_client_fini(struct rtmp_client *c);
void rtmp_client_feed(struct rtmp_client *c, struct span bytes); /* borrowed until next is false */
bool rtmp_client_next(struct rtmp_client *c, struct rtmp_client_event *ev);
/* After READY: a message, with the tag's header and the rest apart. */
void rtmp_client_send(struct rtmp_client *c, enum rtmp_type type, uint32_t ts_ms, struct span head,
                      struct span body);
void rtmp_client_unpublish(struct rtmp_client *c); /* FCUnpublish and deleteStream */
struct span rtmp_client_output(const struct rtmp_client *c);
void rtmp_client_sent(struct rtmp_client *c);
