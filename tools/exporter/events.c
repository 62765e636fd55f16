/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Server-sent events; theory of operation in events.h. */
#include <string.h>

#include "events.h"
#include "history/history-json.h"

#define BLOCK 16384

typedef struct Client {
    VhEvents *events;
    struct MHD_Connection *connection;
    char *id; /* NULL: the list */
    VhWindow window;
    VhRaster *column; /* that it was told last */
    GQueue queue;     /* of GBytes */
    size_t bytes;     /* in it */
    size_t taken;     /* of the first one */
    bool suspended, dropped;
} Client;

struct VhEvents {
    VhCounters *counters;
    GMutex lock;
    GPtrArray *clients;
    bool stopped;
    gint64 beat;
    uint64_t serial; /* of the last client */
};

VhEvents *vh_events_new(VhCounters *counters)
{
    VhEvents *e = g_new0(VhEvents, 1);

    e->counters = counters;
    e->clients = g_ptr_array_new();
    g_mutex_init(&e->lock);
    return e;
}

void vh_events_free(VhEvents *e)
{
    g_ptr_array_unref(e->clients);
    g_mutex_clear(&e->lock);
    g_free(e);
}

static void wake(Client *c)
{
    if (c->suspended) {
        c->suspended = false;
        MHD_resume_connection(c->connection);
    }
}

void vh_events_stop(VhEvents *e)
{
    g_mutex_lock(&e->lock);
    e->stopped = true;
    for (guint i = 0; i < e->clients->len; i++) {
        wake(g_ptr_array_index(e->clients, i));
    }
    g_mutex_unlock(&e->lock);
}

/* ---- what libmicrohttpd calls ---- */

static ssize_t take(Client *c, char *out, size_t max)
{
    GBytes *first = g_queue_peek_head(&c->queue);
    gsize n;
    const char *data = g_bytes_get_data(first, &n);
    size_t part = MIN(n - c->taken, max);

    memcpy(out, data + c->taken, part);
    c->taken += part;
    if (c->taken == n) {
        c->bytes -= n;
        c->taken = 0;
        g_bytes_unref(g_queue_pop_head(&c->queue));
    }
    return part;
}

static ssize_t read_some(void *opaque, uint64_t at, char *out, size_t max)
{
    Client *c = opaque;
    ssize_t n = 0;

    g_mutex_lock(&c->events->lock);
    if (c->dropped || c->events->stopped) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else if (c->queue.length) {
        n = take(c, out, max);
    } else {
        c->suspended = true;
        MHD_suspend_connection(c->connection);
    }
    g_mutex_unlock(&c->events->lock);
    return n;
}

static void free_client(void *opaque)
{
    Client *c = opaque;
    VhEvents *e = c->events;

    g_mutex_lock(&e->lock);
    g_ptr_array_remove_fast(e->clients, c);
    g_mutex_unlock(&e->lock);
    vh_counters_add(e->counters, &e->counters->stats.event_clients, -1);
    g_queue_clear_full(&c->queue, (GDestroyNotify)g_bytes_unref);
    vh_raster_free(c->column);
    g_free(c->id);
    g_free(c);
}

static Client *new_client(VhEvents *e, struct MHD_Connection *connection,
                          const char *id, const VhWindow *window, GBytes *first)
{
    Client *c = g_new0(Client, 1);

    *c = (Client){ .events = e,
                   .connection = connection,
                   .id = g_strdup(id),
                   .window = *window,
                   .bytes = g_bytes_get_size(first) };
    c->window.client = ++e->serial;
    g_queue_push_tail(&c->queue, first);
    return c;
}

struct MHD_Response *vh_events_open(VhEvents *e,
                                    struct MHD_Connection *connection,
                                    const char *id, const VhWindow *window,
                                    GBytes *first)
{
    Client *c = NULL;

    g_mutex_lock(&e->lock);
    if (e->clients->len < VH_EVENTS_CLIENTS) {
        c = new_client(e, connection, id, window, first);
        g_ptr_array_add(e->clients, c);
    }
    g_mutex_unlock(&e->lock);
    if (!c) {
        g_bytes_unref(first);
        return NULL;
    }
    vh_counters_add(e->counters, &e->counters->stats.event_clients, 1);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_some,
                                             c, free_client);
}

/* ---- who has news ---- */

GBytes *vh_events_message(const char *name, const char *data)
{
    GString *text = g_string_new("event: ");

    g_string_append_printf(text, "%s\ndata: %s\n\n", name, data);
    return g_string_free_to_bytes(text);
}

static void put(Client *c, GBytes *message)
{
    size_t n = g_bytes_get_size(message);

    if (c->dropped) {
        return;
    }
    if (c->queue.length >= VH_EVENTS_QUEUE || c->bytes + n > VH_EVENTS_BYTES) {
        c->dropped = true;
        vh_counters_add(c->events->counters,
                        &c->events->counters->stats.dropped, 1);
    } else {
        c->bytes += n;
        g_queue_push_tail(&c->queue, g_bytes_ref(message));
    }
    wake(c);
}

bool vh_events_wanted(VhEvents *e, const char *id)
{
    bool wanted = false;

    g_mutex_lock(&e->lock);
    for (guint i = 0; i < e->clients->len && !wanted; i++) {
        Client *c = g_ptr_array_index(e->clients, i);

        wanted = !c->dropped && !g_strcmp0(c->id, id);
    }
    g_mutex_unlock(&e->lock);
    return wanted;
}

void vh_events_put(VhEvents *e, const char *id, GBytes *message)
{
    g_mutex_lock(&e->lock);
    for (guint i = 0; i < e->clients->len && !e->stopped; i++) {
        Client *c = g_ptr_array_index(e->clients, i);

        if (!g_strcmp0(c->id, id)) {
            put(c, message);
        }
    }
    g_mutex_unlock(&e->lock);
    g_bytes_unref(message);
}

GArray *vh_events_windows(VhEvents *e, const char *id)
{
    GArray *out = g_array_new(false, false, sizeof(VhWindow));

    g_mutex_lock(&e->lock);
    for (guint i = 0; i < e->clients->len; i++) {
        Client *c = g_ptr_array_index(e->clients, i);

        if (!c->dropped && c->window.rows && !g_strcmp0(c->id, id)) {
            g_array_append_val(out, c->window);
        }
    }
    g_mutex_unlock(&e->lock);
    return out;
}

static void put_column(Client *c, VhRaster *column)
{
    g_autofree char *text = vh_raster_column_json(column, c->column);
    g_autoptr(GBytes) message = vh_events_message("column", text);

    put(c, message);
    vh_raster_free(c->column);
    c->column = column;
}

void vh_events_put_column(VhEvents *e, const VhWindow *w, VhRaster *column)
{
    bool put = false;

    g_mutex_lock(&e->lock);
    for (guint i = 0; i < e->clients->len && !put && !e->stopped; i++) {
        Client *c = g_ptr_array_index(e->clients, i);

        if (c->window.client == w->client) {
            put_column(c, column);
            put = true;
        }
    }
    g_mutex_unlock(&e->lock);
    if (!put) {
        vh_raster_free(column);
    }
}

void vh_events_beat(VhEvents *e, gint64 now)
{
    g_autoptr(GBytes) comment = g_bytes_new_static(":\n\n", 3);

    if (now - e->beat < VH_EVENTS_BEAT_US) {
        return;
    }
    e->beat = now;
    g_mutex_lock(&e->lock);
    for (guint i = 0; i < e->clients->len && !e->stopped; i++) {
        put(g_ptr_array_index(e->clients, i), comment);
    }
    g_mutex_unlock(&e->lock);
}
