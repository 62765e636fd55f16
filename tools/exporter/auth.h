/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may ask what. */
#ifndef VMHEAT_EXPORTER_AUTH_H
#define VMHEAT_EXPORTER_AUTH_H

#include <stdbool.h>
#include <glib.h>

#define VH_TOKEN_MIN 16
#define VH_TOKEN_MAX 1024

/**
 * vh_token_read() - the token of a file
 * @path: holds it, in a line
 * @error: it cannot be read, others can read it, or it is no token
 *
 * Returns: VH_TOKEN_MIN .. VH_TOKEN_MAX printing characters; g_free().
 */
char *vh_token_read(const char *path, GError **error);

/**
 * vh_token_is() - is it "Bearer TOKEN"?
 * @header: Authorization, or NULL
 * @token: the right one
 *
 * Takes as long for one wrong token as for another.
 */
bool vh_token_is(const char *header, const char *token);

/**
 * vh_host_is_ours() - may a request be for that Host?
 * @host: with a port or not; NULL: there was none
 * @names: allowed beside IP addresses and localhost; NULL: none
 *
 * A page of another site that made its name point here (DNS rebinding) has that
 * name in Host.
 */
bool vh_host_is_ours(const char *host, char *const *names);

/**
 * vh_origin_is_ours() - does a request come from our own page?
 * @origin: Origin, or NULL, as of programs
 * @site: Sec-Fetch-Site, or NULL
 * @host: Host
 */
bool vh_origin_is_ours(const char *origin, const char *site, const char *host);

/** vh_type_is_json() - is Content-Type application/json? */
bool vh_type_is_json(const char *type);

#endif
