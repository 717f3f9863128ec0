/* SPDX-License-Identifier: MIT */
/* api/cmd_args.h - what the subcommands share: their options and the database they work on, beside
 * a running server or before there is one. The main thread. */
#pragma once
#include "base/settings.h"
#include "product/admin.h"
#include "store/store.h"
#include <jansson.h>

enum { CMD_USAGE = 2 };

struct cmd_line;
/* A subcommand with a verb: "bspnode user suspend WHO --reason TEXT". */
struct cmd_verb {
    const char *name;
    unsigned least, most;   /* words without a dash after the verb */
    const char *options[6]; /* with a value: "--name"; NULL ends */
    const char *flags[4];   /* without: "--admin"; "--json" is everybody's */
    int (*run)(const struct cmd_line *l);
};

#define CMD_WORDS 2

struct cmd_line {
    const struct cmd_verb *verb;
    const struct settings *settings;
    struct db *db;
    const char *words[CMD_WORDS];
    const char *values[6]; /* of the verb's options, in their order; NULL: not given */
    bool on[4];            /* of its flags */
    bool json;
};
/* Reads the command line (the rest of it is settings), opens the database, runs the verb. Returns
 * the exit code; 2 with the usage on standard error when it cannot be read. */
int cmd_run(const char *usage, const struct cmd_verb *verbs, size_t n, int argc, char **argv,
            char **env);
/* What was given for "--name", or NULL; whether the flag was. */
const char *cmd_value(const struct cmd_line *l, const char *option);
bool cmd_flag(const struct cmd_line *l, const char *flag);
int cmd_fail(const char *text); /* 1, always */
/* One line on standard output; takes the reference over. */
void cmd_print_json(json_t *j);
/* "2026-01-31T20:00:00.000Z", or JSON null for 0. */
json_t *cmd_time(int64_t us);
/* The first line of standard input; at a terminal asked for, and not shown. Its length. */
size_t cmd_read_password(char *out, size_t cap);
/* Waits until the running server has carried the order out; says so when there is none. Exit code.
 */
int cmd_await_order(const struct cmd_line *l, const char *order, const char *done);

/* "--name VALUE" or "--name=VALUE" at argv[*i], which moves on to the value; NULL: not that, or no
 * value. */
const char *cmd_option(const char *name, int argc, char **argv, int *i);
/* Makes the data folder, with the secret and the database in it, where there is none; the caller's
 * to close. NULL: standard error says why. */
struct store *cmd_store(const struct settings *s);
