/* SPDX-License-Identifier: MIT */
/* Who a token is, and paths that there are not. An environment is an account. */
#include "api/api_priv.h"
#include "api/mux_call.h"

static void whoami(struct call *c)
{
    mux_data(c, 200,
             json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[s, s, s, s]}", "access_token_name",
                       c->token_row.name, "environment_id", c->user.id, "environment_name",
                       "Production", "environment_type", "production", "organization_id",
                       c->user.id, "organization_name", c->user.name, "permissions", "video:read",
                       "video:write", "system:read", "system:write"));
}

static void nothing_here(struct call *c)
{
    mux_error(c, 404, MUX_NOT_FOUND, "There is nothing at this path, or not with this method.");
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/system/v1/whoami", whoami, CALL_MUX, {0}},
    {HTTP_GET, "/system/v1/*", nothing_here, CALL_MUX, {0}},
    {HTTP_POST, "/system/v1/*", nothing_here, CALL_MUX, {0}},
    {HTTP_PUT, "/system/v1/*", nothing_here, CALL_MUX, {0}},
    {HTTP_PATCH, "/system/v1/*", nothing_here, CALL_MUX, {0}},
    {HTTP_DELETE, "/system/v1/*", nothing_here, CALL_MUX, {0}},
    {HTTP_GET, "/video/v1/*", nothing_here, CALL_MUX, {0}},
    {HTTP_POST, "/video/v1/*", nothing_here, CALL_MUX, {0}},
    {HTTP_PUT, "/video/v1/*", nothing_here, CALL_MUX, {0}},
    {HTTP_PATCH, "/video/v1/*", nothing_here, CALL_MUX, {0}},
    {HTTP_DELETE, "/video/v1/*", nothing_here, CALL_MUX, {0}},
};
const struct endpoint_table mux_system = ENDPOINT_TABLE(ENDPOINTS);
