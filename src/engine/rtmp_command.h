/* SPDX-License-Identifier: MIT */
/* engine/rtmp_command.h - inside engine/rtmp: what the client commands, and our replies. */
#pragma once
#include "engine/rtmp.h"

/* A command message, without the leading byte of AMF3. True: *ev is set. May end the connection. */
bool rtmp_command(struct rtmp *x, const struct rtmp_msg *m, int64_t now_us, struct rtmp_event *ev);
/* onStatus for the message stream. */
void rtmp_status(struct rtmp *x, const char *level, const char *code, const char *words);
/* onFCPublish, for old Flash encoders that wait for it. */
void rtmp_on_fc_publish(struct rtmp *x);
/* Ends the connection: RTMP_EV_CLOSE follows. The first reason stays. */
void rtmp_fail(struct rtmp *x, enum err e, const char *why);
void rtmp_enter(struct rtmp *x, enum rtmp_state st, int64_t now_us);
