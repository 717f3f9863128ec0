/* SPDX-License-Identifier: MIT */
/* api/channel_json.h - people and channels as others see them. Pool threads. */
#pragma once
#include "product/channel.h"
#include "product/follow.h"
#include <jansson.h>

/* {id, name, handle, image}: whoever is named beside what they did. */
json_t *person_json(const char *id, const char *name, const char *handle, const char *image);
json_t *follow_json(const struct follow_choice *choice, int64_t at);
