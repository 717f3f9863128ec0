/* SPDX-License-Identifier: MIT */
#include "base/err.h"

static const struct {
    const char *label, *text;
} ERRS[] = {
#define X(name, label, text) [name] = {label, text},
    ERR_TABLE(X)
#undef X
};

const char *err_label(enum err e)
{
    return (unsigned)e < ERR_COUNT ? ERRS[e].label : "unknown";
}

const char *err_text(enum err e)
{
    return (unsigned)e < ERR_COUNT ? ERRS[e].text : "unknown error";
}
