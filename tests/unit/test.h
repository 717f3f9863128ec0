/* SPDX-License-Identifier: MIT */
/* tests/unit/test.h - what every unit test includes first. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four above. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_TESTS(tests) cmocka_run_group_tests(tests, NULL, NULL)
