/* SPDX-License-Identifier: MIT */
/* product/page.h - the place between two pages of a list that is sorted by time and id, newest
 * first: "time.id" of the last row. Pure functions. */
#pragma once
#include "product/account.h"

#define PAGE_CURSOR_CAP 80

struct page_at {
    int64_t time;
    char id[ID_CAP];
};

/* NULL or "": before the newest. False: this is no such cursor. */
bool page_at_read(const char *cursor, struct page_at *out);
void page_at_write(int64_t time, const char *id, char out[PAGE_CURSOR_CAP]);
