/* SPDX-License-Identifier: MIT */
/* Who did what. */
#include "fixture.h"
#include "product/audit.h"

static size_t lines(struct fixture *f, struct audit_ask ask, struct audit_line *out)
{
    size_t n;
    char next[AUDIT_CURSOR_CAP];
    if (!ask.limit) ask.limit = LIMIT_PAGE_ITEMS;
    assert_int_equal(audit_list(f->db, &ask, out, &n, next), E_OK);
    return n;
}

static void a_line_keeps_its_actor_s_name(void **state)
{
    struct fixture *f = *state;
    struct audit_line l[LIMIT_PAGE_ITEMS];
    const struct user u = add_user(f, "Ada", "ada@example.org");
    assert_int_equal(audit_add(f->db, u.id, "user.suspend", "user", "x", "spam"), E_OK);
    assert_int_equal(audit_add(f->db, NULL, "stream.end", "stream", NULL, NULL), E_OK);
    assert_int_equal(db_exec(f->db, "DELETE FROM users", ""), E_OK);
    assert_int_equal(lines(f, (struct audit_ask){0}, l), 2);
    assert_int_equal(lines(f, (struct audit_ask){.actor = u.id}, l), 1);
    assert_string_equal(l[0].actor_name, "Ada");
    assert_string_equal(l[0].detail, "spam");
    assert_int_equal(lines(f, (struct audit_ask){.actor = "-"}, l), 1);
    assert_string_equal(l[0].action, "stream.end");
    assert_int_equal(lines(f, (struct audit_ask){.action = "user"}, l), 1);
    assert_int_equal(lines(f, (struct audit_ask){.action = "use"}, l), 0);
    assert_int_equal(lines(f, (struct audit_ask){.action = "user.suspend", .object = "x"}, l), 1);
    assert_int_equal(lines(f, (struct audit_ask){.until = l[0].at}, l), 0);
}

static void a_long_detail_is_cut_between_characters(void **state)
{
    struct fixture *f = *state;
    struct audit_line l[LIMIT_PAGE_ITEMS];
    char text[2 * LIMIT_AUDIT_DETAIL + 2] = "x";
    for (size_t i = 0; i < LIMIT_AUDIT_DETAIL; i++) strcat(text, "é");
    assert_int_equal(audit_add(f->db, NULL, "a.b", "user", "x", text), E_OK);
    assert_int_equal(lines(f, (struct audit_ask){0}, l), 1);
    assert_int_equal(strlen(l[0].detail), LIMIT_AUDIT_DETAIL - 1);
}

static void pages_have_every_line_once(void **state)
{
    struct fixture *f = *state;
    struct audit_line l[4];
    char next[AUDIT_CURSOR_CAP] = "", seen[11] = "";
    size_t n, pages = 0;
    for (int i = 0; i < 10; i++) {
        const char name[2] = {(char)('a' + i), 0};
        assert_int_equal(audit_add(f->db, NULL, "a.b", "user", name, NULL), E_OK);
    }
    do {
        char cursor[AUDIT_CURSOR_CAP];
        memcpy(cursor, next, sizeof cursor);
        const struct audit_ask ask = {.limit = 4, .cursor = cursor};
        assert_int_equal(audit_list(f->db, &ask, l, &n, next), E_OK);
        for (size_t i = 0; i < n; i++) {
            assert_null(strchr(seen, l[i].object_id[0]));
            strncat(seen, l[i].object_id, 1);
        }
        pages++;
    } while (next[0]);
    assert_int_equal(pages, 3);
    assert_int_equal(strlen(seen), 10);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const BAD[] = {"x", "1.", "1.'; DROP TABLE users"};
        const struct audit_ask ask = {.limit = 4, .cursor = BAD[i]};
        assert_int_equal(audit_list(f->db, &ask, l, &n, next), E_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(a_line_keeps_its_actor_s_name),
                                       T(a_long_detail_is_cut_between_characters),
                                       T(pages_have_every_line_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
