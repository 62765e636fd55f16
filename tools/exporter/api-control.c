/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is passed on to QMP: changes, and the list of actions. The machine's own
 * thread does it; the request waits, and nothing else does.
 */
#include <string.h>

#include "api.h"
#include "client/json-text.h"

/* The body as an object; NULL: it is none, and that was answered. */
static JsonObject *read_body(VhRequest *r)
{
    g_autofree char *text = g_strndup(
        r->body->len ? (const char *)r->body->data : "", r->body->len);
    g_autoptr(JsonNode) node = NULL;

    if (strlen(text) == r->body->len) {
        node = vh_json_parse(text);
    }
    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        vh_request_fail(r, 400, "the body must be a JSON object");
        return NULL;
    }
    return json_node_dup_object(node);
}

static unsigned status_of(const GError *error)
{
    switch (error->code) {
    case VH_CLIENT_ERROR_QMP:
        return 422;
    case VH_CLIENT_ERROR_TIMEOUT:
        return 504;
    case VH_CLIENT_ERROR_CONNECT:
        return 503;
    default:
        return 502;
    }
}

static void done(void *opaque, JsonNode *reply, const GError *error)
{
    VhRequest *r = opaque;
    g_autofree char *text = NULL;

    if (!reply) {
        vh_request_fail(r, status_of(error), "%s", error->message);
        return;
    }
    text = json_to_string(reply, false);
    vh_request_answer(
        r, vh_response_new(200, "application/json", g_string_new(text)));
}

/* @arguments: taken; NULL: none */
static void pass(VhRequest *r, const char *command, JsonObject *arguments)
{
    g_autoptr(VhVm) vm = vh_request_vm(r);

    if (vm) {
        vh_vm_command(vm, command, arguments, done, r);
    } else {
        g_clear_pointer(&arguments, json_object_unref);
    }
}

void vh_get_actions(VhRequest *r)
{
    pass(r, "query-vmheat-actions", NULL);
}

/* Members are refused, so that one that was meant to do something is not lost.
 */
static void pass_nothing(VhRequest *r, const char *command)
{
    g_autoptr(JsonObject) body = read_body(r);

    if (!body) {
        return;
    }
    if (json_object_get_size(body)) {
        vh_request_fail(r, 400, "the body must be {}");
    } else {
        pass(r, command, NULL);
    }
}

void vh_post_pause(VhRequest *r)
{
    pass_nothing(r, "vmheat-pause");
}

void vh_post_resume(VhRequest *r)
{
    pass_nothing(r, "vmheat-resume");
}

void vh_post_attrs(VhRequest *r)
{
    JsonObject *body = read_body(r);

    if (body) {
        pass(r, "vmheat-set", body);
    }
}

void vh_put_schemes(VhRequest *r)
{
    JsonObject *body = read_body(r);

    if (!body) {
        return;
    }
    if (json_object_get_size(body) != 1 ||
        !json_object_has_member(body, "schemes")) {
        json_object_unref(body);
        vh_request_fail(r, 400, "the body must be {\"schemes\": [...]}");
        return;
    }
    pass(r, "vmheat-set-schemes", body);
}
