/* SPDX-License-Identifier: MIT */
/* base/fold.h - letters for comparing what people typed: lower case, without marks.
 *
 * Latin up to U+017F loses case and marks ("Łódź" -> "lodz"), Greek and Cyrillic their case;
 * everything else stays as it is. Pure, any thread. */
#pragma once
#include "base/str.h"

uint32_t fold_code(uint32_t code);
/* Valid UTF-8 in, UTF-8 out; bytes that are none stay. */
void fold_add(struct str *out, struct span utf8);
