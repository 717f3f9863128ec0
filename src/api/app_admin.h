/* SPDX-License-Identifier: MIT */
/* api/app_admin.h - what the files of /api/admin share, and what others ask of them. Pool threads,
 * but for app_orders_tick(). */
#pragma once
#include "api/call.h"
#include "product/admin.h"
#include "product/tuning.h"

/* Whether who asks is an administrator now, with a session and not a token. False: the reply is
 * made. The role is read with each request, so who has lost it has lost it at once. */
bool admin_call(struct call *c);
/* The object's id, from the path; false: the reply is made. */
bool admin_id(struct call *c, const char *what);
/* "cursor" and "limit" of the query, by name. False: the reply is made. */
bool admin_page(struct call *c, const char **cursor, unsigned *limit);
/* A query parameter that the endpoint names, "" when it is not given. */
const char *admin_query(const struct call *c, const char *name);
/* False, and the reply is made, when it is not E_OK. */
bool admin_well(struct call *c, enum err e);

/* Carries out what waits in admin_orders, now; pool thread. */
void app_orders_now(struct api *a);
/* Once a second, on loops[0]: the same on the pool, unless one is on its way. */
void app_orders_tick(struct api *a);

/* The same of what users keep here (video/quota.h), each few seconds. */
void app_quota_tick(struct api *a);

/* Registration as it is now. */
enum registration app_registration(struct call *c);
/* Whether a new account may be made, with this invitation (or SPAN_NULL). False: the reply is made.
 * When the making fails afterwards, app_registration_failed() gives the invitation back. */
bool app_registration_admits(struct call *c, struct span invite);
void app_registration_failed(struct call *c, struct span invite);
