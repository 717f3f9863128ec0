/* SPDX-License-Identifier: MIT */
/* io/tcp_priv.h - between the listener and the connection. */
#pragma once
#include "io/tcp.h"

/* A connection over a connected (or connecting) non-blocking socket, which it owns from now on. */
struct tcp *tcp_adopt(struct loop *l, int fd, const char *peer);
