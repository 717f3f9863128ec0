/* SPDX-License-Identifier: MIT */
/* The embedded pages are complete and keep what web_assets.h promises. */
#include "../test.h"
#include "api/web_assets.h"

static const struct web_asset *find(const char *path)
{
    for (size_t i = 0; i < web_assets_len; i++)
        if (strcmp(web_assets[i].path, path) == 0) return &web_assets[i];
    return NULL;
}

static void every_row_is_servable(void **state)
{
    (void)state;
    for (size_t i = 0; i < web_assets_len; i++) {
        const struct web_asset *a = &web_assets[i];
        assert_int_equal(a->path[0], '/');
        assert_null(strstr(a->path, ".."));
        assert_non_null(strchr(a->type, '/'));
        assert_int_equal(a->etag[0], '"');
        assert_int_equal(a->etag[strlen(a->etag) - 1], '"');
        assert_true(a->len > 0);
        assert_int_equal(a->data[a->len], 0);
        assert_int_equal(a->immutable, strncmp(a->path, "/assets/", 8) == 0);
        if (a->gz) {
            assert_true(a->gz_len > 18 && a->gz_len < a->len);
            assert_memory_equal(a->gz, "\x1f\x8b\x08", 3);
            const uint8_t *t = a->gz + a->gz_len - 4; /* RFC 1952: the plain size ends the file */
            assert_int_equal(t[0] | t[1] << 8 | t[2] << 16 | (uint32_t)t[3] << 24, a->len);
        } else {
            assert_int_equal(a->gz_len, 0);
        }
    }
}

static void the_pages_refer_only_to_files_in_the_table(void **state)
{
    (void)state;
    if (web_assets_len == 0) skip(); /* a build without pages */
    const char *pages[] = {"/index.html", "/embed.html"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const struct web_asset *page = find(pages[i]);
        assert_non_null(page);
        assert_false(page->immutable);
        int refs = 0;
        for (const char *p = (const char *)page->data; (p = strstr(p, "\"/assets/")); refs++) {
            char path[256] = {0};
            size_t len = strcspn(++p, "\"");
            assert_true(len < sizeof path);
            memcpy(path, p, len);
            assert_non_null(find(path));
        }
        assert_true(refs >= 3); /* icon, style, script */
    }
}

/* A strict Content-Security-Policy would stop these. */
static void the_pages_have_no_inline_script_or_style(void **state)
{
    (void)state;
    for (size_t i = 0; i < web_assets_len; i++) {
        if (!strstr(web_assets[i].type, "html")) continue;
        const char *text = (const char *)web_assets[i].data;
        assert_null(strstr(text, "<style"));
        assert_null(strstr(text, " style="));
        for (const char *p = text; (p = strstr(p, "<script")); p++) {
            const char *end = strchr(p, '>');
            assert_non_null(end);
            assert_int_equal(strncmp(end, "></script>", 10), 0);
            const char *src = strstr(p, " src=\"/assets/");
            assert_true(src && src < end);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_servable),
        cmocka_unit_test(the_pages_refer_only_to_files_in_the_table),
        cmocka_unit_test(the_pages_have_no_inline_script_or_style),
    };
    return RUN_TESTS(tests);
}
