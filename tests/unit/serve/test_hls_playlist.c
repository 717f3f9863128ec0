/* SPDX-License-Identifier: MIT */
/* When a rendition has stopped and the others go on. */
#include "../test.h"
#include "base/xalloc.h"
#include "serve/hls/playlist.h"

#define N 2

struct world {
    struct archive *archive;
    struct log_segment *last[N], *open[N];
    struct log_snapshot snap[N], *all[N];
};

static struct world *world_new(void)
{
    struct world *w = NEW(struct world);
    w->archive = archive_new();
    w->archive->n_renditions = N;
    for (unsigned i = 0; i < N; i++) {
        w->archive->r[i].kind = MEDIA_VIDEO;
        w->last[i] = NEW(struct log_segment);
        w->open[i] = NEW(struct log_segment);
        w->snap[i] = (struct log_snapshot){.archive = w->archive,
                                           .rendition = i,
                                           .segs = &w->last[i],
                                           .n_segs = 1,
                                           .edge = {.open_msn = 5}};
        w->all[i] = &w->snap[i];
    }
    return w;
}

static void world_free(struct world *w)
{
    for (unsigned i = 0; i < N; i++) {
        free(w->last[i]);
        free(w->open[i]);
    }
    archive_unref(w->archive);
    free(w);
}

static void open_parts(struct world *w, unsigned i, unsigned parts)
{
    w->snap[i].open = parts ? w->open[i] : NULL;
    w->snap[i].edge.open_parts = parts;
}

static void stopped(void **state)
{
    struct world *w = world_new();
    assert_false(playlist_stopped(w->all, N, 0)); /* between two segments */
    open_parts(w, 1, 1);
    assert_false(playlist_stopped(w->all, N, 0)); /* a little late */
    open_parts(w, 1, 3);
    assert_true(playlist_stopped(w->all, N, 0));
    assert_false(playlist_stopped(w->all, N, 1));

    w->last[0]->s.gap = true; /* and so on, segment after segment */
    open_parts(w, 1, 1);
    assert_true(playlist_stopped(w->all, N, 0));
    open_parts(w, 1, 0);
    assert_true(playlist_stopped(w->all, N, 0)); /* also between two segments */
    assert_false(playlist_stopped(w->all, N, 1));
    w->last[1]->s.gap = true;
    assert_false(playlist_stopped(w->all, N, 0)); /* nobody goes on */

    w->last[1]->s.gap = false;
    open_parts(w, 0, 1);
    assert_false(playlist_stopped(w->all, N, 0)); /* it has come back */
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stopped)};
    return RUN_TESTS(tests);
}
