/* SPDX-License-Identifier: MIT */
/* PUT /video/v1/assets/{id}/master-access: an address of the whole, for 24 hours. */
#include "api/api_priv.h"
#include "api/mux_call.h"
#include "api/mux_json.h"
#include "video/master.h"

static void apply(struct call *c, const struct asset *a, bool temporary)
{
    if (temporary && !strcmp(a->status, "errored")) {
        mux_error(c, 400, MUX_INVALID, "There is no media in this asset.");
        return;
    }
    const enum err e =
        temporary ? master_want(c->db, a, c->origin) : master_drop(c->api->cfg.live, c->db, a);
    if (e != E_OK) {
        mux_fail(c, e);
        return;
    }
    json_t *j = mux_asset_json(c->db, a->id, MUX_REPLY, c->origin);
    if (j)
        mux_data(c, 200, j);
    else
        mux_missing(c, "asset");
}

static void set_access(struct call *c)
{
    static const char *const ACCESS[] = {"none", "temporary", NULL};
    struct asset a;
    int which = -1;
    json_t *in = mux_body(c);
    const char *id = mux_id(c, 0, "asset");
    if (!in || !id || !mux_word(c, in, "master_access", ACCESS, &which)) return;
    if (which < 0) {
        mux_invalid(c, "master_access", "This must be temporary or none.");
        return;
    }
    const enum err e = asset_get(c->db, id, c->user.id, &a);
    if (e == E_NOTFOUND)
        mux_missing(c, "asset");
    else if (e != E_OK)
        mux_fail(c, e);
    if (e != E_OK) return;
    apply(c, &a, which == 1);
    asset_fini(&a);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_PUT, "/video/v1/assets/{}/master-access", set_access, CALL_MUX | CALL_BODY, {0}},
};
const struct endpoint_table mux_master = ENDPOINT_TABLE(ENDPOINTS);
