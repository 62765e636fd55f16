/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP, by libmicrohttpd.
 *
 * Theory of operation
 * -------------------
 * One thread serves all connections with epoll(7). What is asked for most, and
 * must never wait (/metrics, lists), is made right there from views that are in
 * memory. What may take longer (a machine has to do something, a record has to
 * be read) is made elsewhere: the connection is suspended, and resumed by
 * vh_request_answer(), so it holds up nobody. Events: events.h.
 *
 * A request is checked when its headers are there, before any of its body is
 * read: rate, Host, path, method, token, size. So who may not send a body does
 * not get to.
 */
#ifndef VMHEAT_EXPORTER_HTTP_H
#define VMHEAT_EXPORTER_HTTP_H

#include <stdbool.h>
#include <microhttpd.h>
#include <json-glib/json-glib.h>

#include "exporter.h"

#define VH_BODY_MAX (256 * 1024)

typedef struct VhHttp VhHttp;
typedef struct VhRequest VhRequest;

/**
 * struct VhResponse - an answer
 * @status: such as 200
 * @type: Content-Type
 * @body: its bytes
 * @header: one more header, or NULL, and @value
 * @page: it is part of the live page: a browser may keep and show it
 * @events: instead of @body: a stream of events; see vh_events_open()
 */
typedef struct VhResponse {
    unsigned status;
    const char *type;
    GBytes *body;
    const char *header;
    char *value;
    bool page;
    struct MHD_Response *events;
} VhResponse;

/**
 * struct VhRequest - what is asked
 * @exporter: all there is
 * @connection: libmicrohttpd's
 * @path: the words of the path, NULL at the end
 * @body: as far as it came
 */
struct VhRequest {
    VhExporter *exporter;
    struct MHD_Connection *connection;
    char **path;
    GByteArray *body;
    /* http.c's: */
    VhHttp *http;
    const struct VhRoute *route;
    VhResponse *answer;
    bool suspended, checked, queued;
};

/**
 * struct VhRoute - what answers a request
 * @method: GET, POST, PUT
 * @path: words; "*" is any one
 * @flags: VH_ROUTE_...
 * @handle: has to call vh_request_answer() once, at once or, with
 *          VH_ROUTE_LATER, from anywhere
 */
typedef struct VhRoute {
    const char *method, *path;
    unsigned flags;
    void (*handle)(VhRequest *r);
} VhRoute;

#define VH_ROUTE_LATER 1 /* may answer later */
#define VH_ROUTE_CONTROL                                                    \
    2                     /* changes something; has a body, needs the token \
                           */
#define VH_ROUTE_SCRAPE 4 /* /metrics */

/**
 * vh_http_new() - serve
 * @exporter: all there is
 * @fd: a listening socket, which stays the caller's
 * @error: reason of failure
 */
VhHttp *vh_http_new(VhExporter *exporter, int fd, GError **error);

/** vh_http_sweep() - cut off who is too slow; call it each second */
void vh_http_sweep(VhHttp *http);

/** vh_http_quiesce() - take no new work */
void vh_http_quiesce(VhHttp *http);

/** vh_http_free() - end; no request may be suspended any more */
void vh_http_free(VhHttp *http);

/** vh_request_answer() - give an answer, which is taken */
void vh_request_answer(VhRequest *r, VhResponse *answer);

/** vh_request_fail() - answer with {"error": ...}, of one sentence */
void vh_request_fail(VhRequest *r, unsigned status, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/** vh_request_json() - answer with what a builder has */
void vh_request_json(VhRequest *r, JsonBuilder *b);

/** vh_request_header() - of the request; NULL: there is none */
const char *vh_request_header(const VhRequest *r, const char *name);

/** vh_request_argument() - of the query; NULL: there is none */
const char *vh_request_argument(const VhRequest *r, const char *name);

/** vh_response_new() - an answer; @text is taken, may hold any bytes */
VhResponse *vh_response_new(unsigned status, const char *type, GString *text);

/** vh_response_error() - {"error": ...}; @header: one more, or NULL; @value is
 *  taken */
VhResponse *vh_response_error(unsigned status, const char *sentence,
                              const char *header, char *value);

/** vh_response_free() - NULL is fine */
void vh_response_free(VhResponse *r);

#endif
