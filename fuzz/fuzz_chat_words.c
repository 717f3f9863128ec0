/* SPDX-License-Identifier: MIT */
/* The first line is a message, the others are patterns. */
#include "base/xalloc.h"
#include "product/chat_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char words[CHAT_WORDS_CAP];
    struct problem p = {0};
    struct span rest = span_of(data, size);
    char *text = xmalloc(size + 1);
    if (!span_cstr(span_cut(&rest, '\n'), text, size + 1)) text[0] = 0;
    words[0] = 0;
    while (rest.len) {
        const struct span one = span_cut(&rest, '\n');
        const size_t before = strlen(words);
        if (chat_words_add(words, one, &p) != E_OK) CHECK(p.code && strlen(words) == before);
        CHECK(strlen(words) < CHAT_WORDS_CAP);
    }
    const bool found = chat_words_find(words, text);
    CHECK(!found || words[0]);
    free(text);
    return 0;
}
