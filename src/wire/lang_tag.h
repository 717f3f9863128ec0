/* SPDX-License-Identifier: MIT */
/* wire/lang_tag.h - names of languages: "en", "pt-BR", "zh-Hant-TW".
 *
 * Source: BCP 47 (RFC 5646, section 2.1), its form only: which subtags are registered is not looked
 * at, and the irregular old ones ("i-klingon") are none. Pure. */
#pragma once
#include "base/span.h"

#define LANG_TAG_MAX 35 /* characters; RFC 5646, 4.4.1 */

bool lang_tag_valid(struct span tag);
/* The part before the first '-'. */
struct span lang_tag_primary(struct span tag);
/* The language in its own words, "Deutsch"; NULL: not known here. */
const char *lang_tag_name(struct span tag);
