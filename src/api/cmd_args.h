/* SPDX-License-Identifier: MIT */
/* api/cmd_args.h - what the subcommands share: their options and the database they work on, beside
 * a running server or before there is one. The main thread. */
#pragma once
#include "base/settings.h"
#include "store/store.h"

/* "--name VALUE" or "--name=VALUE" at argv[*i], which moves on to the value; NULL: not that, or no
 * value. */
const char *cmd_option(const char *name, int argc, char **argv, int *i);
/* Makes the data folder, with the secret and the database in it, where there is none; the caller's
 * to close. NULL: standard error says why. */
struct store *cmd_store(const struct settings *s);
