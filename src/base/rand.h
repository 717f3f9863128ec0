/* SPDX-License-Identifier: MIT */
/* base/rand.h - random bytes from the kernel, and the identifiers made of them. Any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *p, size_t n); /* never fails: aborts when the kernel has none */
uint64_t rand_u64(void);
/* n characters of 0-9A-Za-z plus a final zero (5.95 bits each): ids, keys, session names. */
void rand_id(char *out, size_t n);
/* A version 4 UUID (RFC 9562, 5.4), in lower case. */
#define RAND_UUID_CAP 37
void rand_uuid(char out[RAND_UUID_CAP]);
