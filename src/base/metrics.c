/* SPDX-License-Identifier: MIT */
#include "base/metrics.h"
#include <stdio.h>
#include <unistd.h>

_Atomic int64_t metric_values[METRIC_COUNT];

enum kind { COUNTER, GAUGE };

static const struct {
    enum kind kind;
    const char *prom, *labels, *help;
} ROWS[] = {
#define X(name, kind, prom, labels, help) {kind, prom, labels, help},
#include "base/metrics.def"
#undef X
};

static long resident_pages(void)
{
    long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%ld %ld", &size, &resident) != 2) resident = 0;
    fclose(f);
    return resident;
}

void metrics_text(struct str *out)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (i == 0 || strcmp(ROWS[i].prom, ROWS[i - 1].prom) != 0)
            str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", ROWS[i].prom, ROWS[i].help, ROWS[i].prom,
                     ROWS[i].kind == COUNTER ? "counter" : "gauge");
        str_adds(out, ROWS[i].prom);
        if (ROWS[i].labels[0]) str_addf(out, "{%s}", ROWS[i].labels);
        str_addf(out, " %lld\n", (long long)metric_get((enum metric)i));
    }
    str_addf(out,
             "# HELP process_resident_memory_bytes Resident memory.\n"
             "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %lld\n",
             (long long)resident_pages() * sysconf(_SC_PAGESIZE));
}
