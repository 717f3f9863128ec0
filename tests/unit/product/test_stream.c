/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "fixture.h"
#include "product/seal.h"

/* Stands where video/live.h stands, and notes what it is asked. */
struct runtime {
    int ends, kicks, removals;
    enum err end_answer;
};

static enum err rt_end(void *self, struct db *db, const char *id)
{
    struct runtime *r = self;
    r->ends++;
    if (r->end_answer != E_OK) return r->end_answer;
    return db_exec(db, "UPDATE streams SET status = 'ENDED', ended_reason = 'owner' WHERE id = ?1",
                   "s", id);
}

static void rt_kick(void *self, const char *id, const char *reason)
{
    (void)id;
    assert_non_null(reason);
    ((struct runtime *)self)->kicks++;
}

static enum err rt_remove(void *self, struct db *db, const char *id)
{
    (void)db, (void)id;
    ((struct runtime *)self)->removals++;
    return E_OK;
}

static struct stream_runtime runtime(struct runtime *r)
{
    return (struct stream_runtime){rt_end, rt_kick, rt_remove, r};
}

/* The id of a new stream of this user. */
static void add(struct fixture *f, const char *user_id, const char *title, char id[ID_CAP])
{
    const struct stream_fields in = {.has = STREAM_HAS_TITLE, .title = span_str(title)};
    struct stream s;
    if (stream_add(f->db, &f->secret, user_id, &in, &s, &f->p) != E_OK) fail_msg("%s", f->p.text);
    strcpy(id, s.id);
    stream_fini(&s);
}

static void set(struct fixture *f, const char *id, const char *sql_assignments)
{
    char sql[256];
    snprintf(sql, sizeof sql, "UPDATE streams SET %s WHERE id = ?1", sql_assignments);
    assert_int_equal(db_exec(f->db, sql, "s", id), E_OK);
}

static void key_of(struct fixture *f, const char *id, char key[INGEST_KEY_CAP])
{
    struct stream s;
    assert_int_equal(stream_get(f->db, id, &s, &f->p), E_OK);
    assert_int_equal(ingest_key(f->db, &f->secret, s.live_stream_id, key), E_OK);
    stream_fini(&s);
}

static void a_new_stream_has_what_was_given(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    const int64_t soon = clock_wall_us() + 3600 * US_PER_SEC;
    const struct stream_fields in = {
        .has = STREAM_HAS_TITLE | STREAM_HAS_DESCRIPTION | STREAM_HAS_TYPE | STREAM_HAS_SCHEDULE,
        .title = SPAN_LIT("  <script>alert('1')</script>'); DROP TABLE streams; --  "),
        .description = SPAN_LIT("line one\r\nline two\n"),
        .type = STREAM_BROWSER,
        .scheduled_at = soon};
    struct stream s;
    assert_int_equal(stream_add(f->db, &f->secret, ana.id, &in, &s, &f->p), E_OK);
    assert_string_equal(s.title, "<script>alert('1')</script>'); DROP TABLE streams; --");
    assert_string_equal(s.description, "line one\nline two");
    assert_int_equal(s.status, STREAM_CREATED);
    assert_int_equal(s.type, STREAM_BROWSER);
    assert_int_equal(s.recording, RECORDING_NONE);
    assert_int_equal(s.scheduled_at, soon);
    assert_int_equal(s.duration_s, -1);
    assert_string_equal(s.user_name, "Ana");
    assert_int_equal(strlen(s.live_playback_id), 32);
    assert_string_equal(s.recording_playback_id, "");
    stream_fini(&s);
}

static void bad_fields_are_named(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char long_title[LIMIT_TITLE_CHARS + 2], *long_text = malloc(LIMIT_DESCRIPTION_CHARS + 2);
    memset(long_title, 't', sizeof long_title - 1);
    long_title[sizeof long_title - 1] = 0;
    memset(long_text, 'd', LIMIT_DESCRIPTION_CHARS + 1);
    long_text[LIMIT_DESCRIPTION_CHARS + 1] = 0;
    const struct {
        struct stream_fields in;
        const char *field;
    } cases[] = {
        {{0}, "title"},
        {{.has = STREAM_HAS_TITLE, .title = SPAN_LIT("   ")}, "title"},
        {{.has = STREAM_HAS_TITLE, .title = span_str(long_title)}, "title"},
        {{.has = STREAM_HAS_TITLE, .title = SPAN_LIT("bell\a")}, "title"},
        {{.has = STREAM_HAS_TITLE, .title = SPAN_LIT("two\nlines")}, "title"},
        {{.has = STREAM_HAS_TITLE | STREAM_HAS_DESCRIPTION,
          .title = SPAN_LIT("t"),
          .description = span_str(long_text)},
         "description"},
        {{.has = STREAM_HAS_TITLE | STREAM_HAS_SCHEDULE,
          .title = SPAN_LIT("t"),
          .scheduled_at = 1000000},
         "scheduledAt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stream s;
        f->p = (struct problem){0};
        assert_int_equal(stream_add(f->db, &f->secret, ana.id, &cases[i].in, &s, &f->p), E_INVALID);
        assert_string_equal(f->p.field, cases[i].field);
    }
    free(long_text);
}

static void only_its_owner_changes_a_stream(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    const struct user bob = add_user(f, "Bob", "bob@example.org");
    struct runtime r = {.end_answer = E_OK};
    const struct stream_runtime rt = runtime(&r);
    const struct stream_fields in = {.has = STREAM_HAS_TITLE, .title = SPAN_LIT("mine now")};
    char id[ID_CAP], before[INGEST_KEY_CAP], after[INGEST_KEY_CAP];
    add(f, ana.id, "Ana's", id);
    key_of(f, id, before);
    assert_int_equal(stream_change(f->db, id, bob.id, &in, &f->p), E_AUTH);
    assert_int_equal(stream_end(f->db, &rt, id, bob.id, &f->p), E_AUTH);
    assert_int_equal(stream_reset_key(f->db, &f->secret, &rt, id, bob.id, &f->p), E_AUTH);
    assert_int_equal(stream_remove(f->db, &rt, id, bob.id, &f->p), E_AUTH);
    assert_int_equal(stream_remove(f->db, &rt, "nothing", bob.id, &f->p), E_NOTFOUND);
    assert_int_equal(r.ends + r.kicks + r.removals, 0);
    key_of(f, id, after);
    assert_string_equal(before, after);
    struct stream s;
    assert_int_equal(stream_get(f->db, id, &s, &f->p), E_OK);
    assert_string_equal(s.title, "Ana's");
    stream_fini(&s);
}

static void a_playback_id_leads_to_its_stream(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char id[ID_CAP];
    struct stream s, found;
    add(f, ana.id, "first", id);
    add(f, ana.id, "second", id);
    assert_int_equal(stream_get(f->db, id, &s, &f->p), E_OK);
    assert_int_equal(stream_get_played(f->db, s.live_playback_id, &found, &f->p), E_OK);
    assert_string_equal(found.id, id);
    stream_fini(&found);
    assert_int_equal(stream_get_played(f->db, "nothing", &found, &f->p), E_NOTFOUND);
    assert_int_equal(stream_get_played(f->db, id, &found, &f->p), E_NOTFOUND);
    assert_int_equal(db_exec(f->db, "UPDATE playback_ids SET policy = 'signed' WHERE id = ?1", "s",
                             s.live_playback_id),
                     E_OK);
    assert_int_equal(stream_get_played(f->db, s.live_playback_id, &found, &f->p), E_NOTFOUND);
    stream_fini(&s);
}

static void changing_leaves_the_rest(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char id[ID_CAP];
    struct stream s;
    add(f, ana.id, "first", id);
    const int64_t soon = clock_wall_us() + 3600 * US_PER_SEC;
    struct stream_fields in = {.has = STREAM_HAS_DESCRIPTION | STREAM_HAS_SCHEDULE,
                               .description = SPAN_LIT("more"),
                               .scheduled_at = soon};
    assert_int_equal(stream_change(f->db, id, ana.id, &in, &f->p), E_OK);
    in = (struct stream_fields){.has = STREAM_HAS_TITLE, .title = SPAN_LIT("second")};
    assert_int_equal(stream_change(f->db, id, ana.id, &in, &f->p), E_OK);
    assert_int_equal(stream_get(f->db, id, &s, &f->p), E_OK);
    assert_string_equal(s.title, "second");
    assert_string_equal(s.description, "more");
    assert_int_equal(s.scheduled_at, soon);
    stream_fini(&s);
    in = (struct stream_fields){.has = STREAM_HAS_SCHEDULE};
    assert_int_equal(stream_change(f->db, id, ana.id, &in, &f->p), E_OK);
    assert_int_equal(stream_get(f->db, id, &s, &f->p), E_OK);
    assert_int_equal(s.scheduled_at, 0);
    stream_fini(&s);
    set(f, id, "status = 'LIVE'");
    in = (struct stream_fields){.has = STREAM_HAS_TYPE, .type = STREAM_BROWSER};
    assert_int_equal(stream_change(f->db, id, ana.id, &in, &f->p), E_CONFLICT);
}

static void the_key_is_not_in_the_database(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char id[ID_CAP], key[INGEST_KEY_CAP], hash[STREAM_KEY_HASH_CAP];
    add(f, ana.id, "t", id);
    key_of(f, id, key);
    assert_int_equal(strlen(key), INGEST_KEY_CHARS);
    stream_key_hash(&f->secret, key, hash);
    struct db_rows *q =
        db_query(f->db, "SELECT id, stream_key_sealed FROM live_streams WHERE stream_key_hash = ?1",
                 "s", hash);
    assert_true(db_next(q));
    const struct span sealed = db_blob(q, 1);
    assert_null(memmem(sealed.p, sealed.len, key, 8));
    /* Neither another secret nor another row opens it. */
    char out[INGEST_KEY_CAP];
    const struct secret other = {.master = {1}};
    assert_int_equal(seal_open(&other, db_text(q, 0), sealed, out, sizeof out), E_AUTH);
    assert_int_equal(seal_open(&f->secret, "other-row", sealed, out, sizeof out), E_AUTH);
    assert_int_equal(seal_open(&f->secret, db_text(q, 0), sealed, out, sizeof out), E_OK);
    for (size_t n = 0; n < sealed.len; n++)
        assert_int_equal(
            seal_open(&f->secret, db_text(q, 0), span_head(sealed, n), out, sizeof out), E_AUTH);
    assert_int_equal(db_done(q), E_OK);
}

static void another_secret_is_noticed(void **state)
{
    struct fixture *f = *state;
    const struct secret other = {.master = {1}};
    assert_int_equal(ingest_check_secret(f->db, &f->secret), E_OK);
    assert_int_equal(ingest_check_secret(f->db, &f->secret), E_OK);
    assert_int_equal(ingest_check_secret(f->db, &other), E_AUTH);
}

static void a_reset_key_is_another_and_the_publisher_goes(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    struct runtime r = {0};
    const struct stream_runtime rt = runtime(&r);
    char id[ID_CAP], before[INGEST_KEY_CAP], after[INGEST_KEY_CAP], hash[STREAM_KEY_HASH_CAP];
    add(f, ana.id, "t", id);
    key_of(f, id, before);
    assert_int_equal(stream_reset_key(f->db, &f->secret, &rt, id, ana.id, &f->p), E_OK);
    assert_int_equal(r.kicks, 1);
    key_of(f, id, after);
    assert_string_not_equal(before, after);
    stream_key_hash(&f->secret, before, hash);
    struct db_rows *q =
        db_query(f->db, "SELECT 1 FROM live_streams WHERE stream_key_hash = ?1", "s", hash);
    assert_false(db_next(q));
    assert_int_equal(db_done(q), E_OK);
}

static void ending_works_in_every_state(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char id[ID_CAP];
    struct stream s;
    struct runtime r = {.end_answer = E_CONFLICT};
    const struct stream_runtime rt = runtime(&r);
    add(f, ana.id, "never live", id);
    for (int again = 0; again < 2; again++) {
        f->p = (struct problem){0};
        assert_int_equal(stream_end(f->db, &rt, id, ana.id, &f->p), E_OK);
        assert_int_equal(stream_get(f->db, id, &s, &f->p), E_OK);
        assert_int_equal(s.status, STREAM_ENDED);
        assert_string_equal(s.ended_reason, "owner");
        assert_true(s.ended_at > 0);
        stream_fini(&s);
    }
    r.end_answer = E_OK;
    add(f, ana.id, "live", id);
    set(f, id, "status = 'LIVE'");
    assert_int_equal(stream_end(f->db, &rt, id, ana.id, &f->p), E_OK);
    assert_int_equal(r.ends, 3);
}

static void deleting_leaves_no_rows(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    struct runtime r = {0};
    const struct stream_runtime rt = runtime(&r);
    char id[ID_CAP];
    add(f, ana.id, "t", id);
    assert_int_equal(stream_remove(f->db, &rt, id, ana.id, &f->p), E_OK);
    assert_int_equal(r.removals, 1);
    struct db_rows *q =
        db_query(f->db,
                 "SELECT (SELECT count(*) FROM streams) + (SELECT count(*) FROM live_streams) + "
                 "(SELECT count(*) FROM playback_ids)",
                 "");
    assert_true(db_next(q));
    assert_int_equal(db_int(q, 0), 0);
    assert_int_equal(db_done(q), E_OK);
}

/* Pages through with `limit`; writes the titles, one letter each. */
static void titles(struct fixture *f, struct stream_list ask, char *out)
{
    char next[STREAM_CURSOR_CAP] = "";
    size_t len = 0;
    do {
        struct stream rows[LIMIT_PAGE_ITEMS];
        size_t n = 0;
        char cursor[STREAM_CURSOR_CAP];
        strcpy(cursor, next);
        ask.cursor = cursor;
        f->p = (struct problem){0};
        if (stream_list(f->db, &ask, rows, &n, next, &f->p) != E_OK) fail_msg("%s", f->p.text);
        assert_true(n <= ask.limit);
        for (size_t i = 0; i < n; i++) {
            out[len++] = rows[i].title[0];
            stream_fini(&rows[i]);
        }
    } while (*next);
    out[len] = 0;
}

static void lists_show_what_each_may_see(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    const struct user bob = add_user(f, "Bob", "bob@example.org");
    static const struct {
        const char *title, *set;
        bool bobs;
    } STREAMS[] = {
        {"a", "created_at = 1", false}, /* not live yet */
        {"b", "created_at = 2, status = 'LIVE', started_at = 100", false},
        {"c", "created_at = 3, status = 'LIVE', started_at = 90", true},
        {"d", "created_at = 4, status = 'ENDED', started_at = 50, recording_status = 'READY'",
         false},
        {"e", "created_at = 5, status = 'ENDED', started_at = 60, recording_status = 'READY'",
         true},
        {"f", "created_at = 6, status = 'ENDED', started_at = 70", false}, /* no recording */
        {"g", "created_at = 7", true},
    };
    for (size_t i = 0; i < 7; i++) {
        char id[ID_CAP];
        add(f, STREAMS[i].bobs ? bob.id : ana.id, STREAMS[i].title, id);
        set(f, id, STREAMS[i].set);
    }
    /* Their recordings may be watched by anybody. */
    assert_int_equal(db_exec(f->db,
                             "UPDATE streams SET recording_id = 'r' || id"
                             " WHERE recording_status = 'READY'",
                             ""),
                     E_OK);
    assert_int_equal(db_exec(f->db,
                             "INSERT INTO playback_ids (id, kind, object_id, created_at)"
                             " SELECT 'p' || id, 'asset', recording_id, 1 FROM streams"
                             " WHERE recording_status = 'READY'",
                             ""),
                     E_OK);
    char got[16];
    for (unsigned limit = 1; limit <= 8; limit++) {
        titles(f, (struct stream_list){.status = -1, .limit = limit}, got);
        assert_string_equal(got, "bced");
        titles(f, (struct stream_list){.status = STREAM_LIVE, .limit = limit}, got);
        assert_string_equal(got, "bc");
        titles(f, (struct stream_list){.status = STREAM_ENDED, .limit = limit}, got);
        assert_string_equal(got, "ed");
        titles(f, (struct stream_list){.status = STREAM_CREATED, .limit = limit}, got);
        assert_string_equal(got, "");
        titles(f,
               (struct stream_list){.status = -1, .limit = limit, .user_id = ana.id, .mine = true},
               got);
        assert_string_equal(got, "fdba");
        titles(f,
               (struct stream_list){
                   .status = STREAM_ENDED, .limit = limit, .user_id = ana.id, .mine = true},
               got);
        assert_string_equal(got, "fd");
        titles(f, (struct stream_list){.status = STREAM_CREATED, .limit = limit, .user_id = bob.id},
               got);
        assert_string_equal(got, "g");
    }
}

static void a_page_of_many_with_the_same_time_loses_none(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char id[ID_CAP], got[64];
    for (int i = 0; i < 23; i++) {
        add(f, ana.id, "x", id);
        set(f, id, "created_at = 5");
    }
    titles(f, (struct stream_list){.status = -1, .limit = 4, .user_id = ana.id, .mine = true}, got);
    assert_int_equal(strlen(got), 23);
}

static void bad_cursors_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const BAD[] = {"x",       "1",       "1.2",
                                      "9.2.abc", "1.x.abc", "1.2.a'b",
                                      "1.2.",    "-1.2.a",  "1.99999999999999999999.a"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct stream rows[1];
        size_t n = 0;
        char next[STREAM_CURSOR_CAP];
        const struct stream_list ask = {.status = -1, .limit = 1, .cursor = BAD[i]};
        f->p = (struct problem){0};
        assert_int_equal(stream_list(f->db, &ask, rows, &n, next, &f->p), E_INVALID);
        assert_string_equal(f->p.field, "cursor");
    }
}

static void a_peak_only_rises(void **state)
{
    struct fixture *f = *state;
    const struct user ana = add_user(f, "Ana", "ana@example.org");
    char id[ID_CAP];
    struct stream s;
    add(f, ana.id, "t", id);
    assert_int_equal(stream_note_peak(f->db, id, 7), E_OK);
    assert_int_equal(stream_note_peak(f->db, id, 3), E_OK);
    assert_int_equal(stream_get(f->db, id, &s, &f->p), E_OK);
    assert_int_equal(s.peak_viewers, 7);
    stream_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_new_stream_has_what_was_given), T(bad_fields_are_named),
        T(only_its_owner_changes_a_stream), T(a_playback_id_leads_to_its_stream),
        T(changing_leaves_the_rest),        T(another_secret_is_noticed),
        T(the_key_is_not_in_the_database),  T(a_reset_key_is_another_and_the_publisher_goes),
        T(ending_works_in_every_state),     T(deleting_leaves_no_rows),
        T(lists_show_what_each_may_see),    T(a_page_of_many_with_the_same_time_loses_none),
        T(bad_cursors_are_refused),         T(a_peak_only_rises),
    };
    return RUN_TESTS(tests);
}
