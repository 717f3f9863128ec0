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
