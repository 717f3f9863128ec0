/* SPDX-License-Identifier: MIT */
#include "../test.h"
#include "wire/zip.h"
#include <unistd.h>

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void another_program_reads_it(void **state)
{
    (void)state;
    struct zip z;
    struct str out = {0};
    char path[] = "/tmp/bsp-zip-XXXXXX", command[256];
    zip_init(&z, INT64_C(1700000000) * 1000000);
    assert_int_equal(zip_begin(&z, &out, "a.json"), E_OK);
    assert_int_equal(zip_data(&z, &out, SPAN_LIT("[1,")), E_OK);
    assert_int_equal(zip_data(&z, &out, SPAN_LIT("2]\n")), E_OK);
    zip_end(&z, &out);
    assert_int_equal(zip_begin(&z, &out, "empty.json"), E_OK);
    zip_end(&z, &out);
    zip_finish(&z, &out);
    /* The directory is where its end says. */
    const uint8_t *end = out.p + out.len - 22;
    assert_int_equal(le32(end), 0x06054b50);
    assert_int_equal(le32(out.p + le32(end + 16)), 0x02014b50);

    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, out.p, out.len), (ssize_t)out.len);
    close(fd);
    snprintf(
        command, sizeof command,
        "python3 -c \"import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]);"
        " assert z.testzip() is None and z.namelist() == ['a.json', 'empty.json'];"
        " assert z.read('a.json') == b'[1,2]\\n' and z.infolist()[0].date_time[0] == 2023\" %s",
        path);
    assert_int_equal(system(command), 0);
    unlink(path);
    str_fini(&out);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct zip z;
    struct str out = {0};
    char name[ZIP_NAME + 1];
    memset(name, 'a', ZIP_NAME);
    name[ZIP_NAME] = 0;
    zip_init(&z, 0);
    assert_int_equal(zip_begin(&z, &out, name), E_LIMIT);
    for (unsigned i = 0; i < ZIP_FILES; i++) {
        assert_int_equal(zip_begin(&z, &out, "x"), E_OK);
        zip_end(&z, &out);
    }
    assert_int_equal(zip_begin(&z, &out, "x"), E_LIMIT);
    z.off = ZIP_BYTES - 1;
    assert_int_equal(zip_data(&z, &out, SPAN_LIT("xy")), E_LIMIT);
    str_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_program_reads_it),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return RUN_TESTS(tests);
}
