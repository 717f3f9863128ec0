/* SPDX-License-Identifier: MIT */
/* api/app_auth.h - the work of the endpoints under /api/auth, /api/me and
 * /api/settings. Pool threads. */
#pragma once
#include "api/call.h"

void app_register(struct call *c);
void app_login(struct call *c);
void app_logout(struct call *c);
void app_me(struct call *c);
void app_settings(struct call *c);

/* Whoever has shown who they are is logged in: the session that the request came with goes, a new
 * one begins, its cookie is set. Otherwise the reply is made. */
bool auth_start_session(struct call *c, const struct user *u);
/* The same without a reply. E_AUTH: suspended, or being deleted. */
enum err auth_begin_session(struct call *c, const struct user *u, struct problem *p) WARN_UNUSED;
