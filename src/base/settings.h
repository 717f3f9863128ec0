/* SPDX-License-Identifier: MIT */
/* base/settings.h - the one table of settings (settings.def): flag beats environment beats file
 * beats default. Read once at start, constant afterwards, so any thread may read it. */
#pragma once
#include "base/err.h"
#include "base/str.h"

struct settings {
#define SETTING_C_ADDR                                  const char *
#define SETTING_C_TEXT                                  const char *
#define SETTING_C_PATH                                  const char *
#define SETTING_C_URL                                   const char *
#define SETTING_C_ONE_OF                                const char *
#define SETTING_C_INT                                   int64_t
#define SETTING_C_SIZE                                  int64_t
#define SETTING_C_DURATION                              int64_t
#define SETTING_C_BOOL                                  int64_t
#define X(field, type, flag, def, min, max, unit, text) SETTING_C_##type field;
#include "base/settings.def"
#undef X
    char **owned; /* strings freed by settings_fini */
    size_t n_owned;
};

#define SETTINGS_FILE_BYTES_MAX 65536

/* argv without the program and subcommand names. `env` is environ (NULL: none). On failure
 * `problem` says in words which setting is unknown or bad, and where it was given. */
enum err settings_load(struct settings *s, int argc, char **argv, char **env,
                       struct str *problem) WARN_UNUSED;
void settings_fini(struct settings *s);
void settings_help(struct str *out);     /* for --help */
void settings_markdown(struct str *out); /* docs/settings.md */

/* "host:port", "[v6]:port" or ":port" (every address). E_INVALID otherwise. `host` gets at most
 * host_cap - 1 characters, without brackets, "" for every address. */
enum err settings_addr(const char *addr, char *host, size_t host_cap, uint16_t *port) WARN_UNUSED;
