/* SPDX-License-Identifier: MIT */
/* The API's table of endpoints as lines "METHOD PATTERN mux|user|open", for tests that go through
 * all of them: nothing new is forgotten there. */
#include "api/api_priv.h"
#include <stdio.h>

int main(void)
{
    struct api a = {.n_routes = 0};
    size_t n;
    api_routes_make(&a);
    const struct http_route *r = api_routes(&a, &n);
    for (size_t i = 0; i < n; i++) {
        const struct bound *b = r[i].ctx;
        if (r[i].ctx == &a) continue; /* no endpoint: pages, metrics */
        const unsigned f = b->ep->flags;
        printf("%s %s %s\n", http_method_name(b->ep->method), b->ep->pattern,
               f & CALL_MUX    ? "mux"
               : f & CALL_USER ? "user"
                               : "open");
    }
    free(a.routes);
    free(a.bound);
    return 0;
}
