/* SPDX-License-Identifier: MIT */
/* The table of a build without pages (-Dpages=false). */
#include "api/web_assets.h"

const struct web_asset web_assets[] = {{0}};
const size_t web_assets_len = 0;
