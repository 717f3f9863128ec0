/* SPDX-License-Identifier: MIT */
/* product/encoder.h - which encoder it is, by what it calls itself: advice speaks the words of its
 * menus. Pure. */
#pragma once
#include <stdbool.h>

enum encoder_kind { ENCODER_OTHER, ENCODER_OBS, ENCODER_FFMPEG, ENCODER_BROWSER };
#define ENCODER_KINDS    4
#define ENCODER_NAME_CAP 96

/* `raw` is flashVer, onMetaData's encoder, or a User-Agent. `name` gets what a person would call it
 * ("OBS 30.2.3", "Chrome 128"); "" when it does not say. */
enum encoder_kind encoder_identify(const char *raw, char name[ENCODER_NAME_CAP]);

/* "avc1.64001f" -> "High 3.1", "mp4a.40.5" -> "HE-AAC"; "" when there is nothing to say. */
void encoder_profile(const char *codecs, char name[ENCODER_NAME_CAP]);
