/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recorder; theory of operation in recorder.h. */
#include <inttypes.h>

#include "reader.h"
#include "recorder.h"

#define LATE_US 2000 /* that long after it is due a snapshot is asked for */
#define TRIES 8      /* the first wait is that part of the interval */
#define FIRST_MOST_US 20000 /* so long at most */
#define AGAIN_MIN_US 1000   /* between two questions */
#define AGAIN_MOST_US 1000000
#define STILL_TRIES 64 /* in vain: nobody waits for a snapshot */
#define STILL_US 50000 /* between two questions from then on */

static JsonNode *ask(VhRecorder *r, const char *command, GError **error)
{
    return vh_client_command(r->client, command, NULL, error);
}

/* The string @member of an answer, or ""; another machine may not know it. */
static char *ask_string(VhRecorder *r, const char *command, const char *member)
{
    g_autoptr(JsonNode) node = ask(r, command, NULL);
    const char *text = vh_read_opt_string(vh_read_opt_object(node), member);

    return g_strdup(text ? text : "");
}

static char *take_json(JsonObject *o)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, o);
    return json_to_string(node, false);
}

static bool write_vm(VhRecorder *r, GError **error)
{
    g_autofree char *name = ask_string(r, "query-name", "name");
    g_autofree char *uuid = ask_string(r, "query-uuid", "UUID");
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *start = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    JsonObject *o = json_object_new();
    g_autofree char *text = NULL;
    int64_t monotonic = g_get_monotonic_time();

    r->connections = vh_client_connections(r->client);
    json_object_set_string_member(o, "name", name);
    json_object_set_string_member(o, "uuid", uuid);
    json_object_set_string_member(o, "start", start);
    json_object_set_int_member(o, "realtime", g_get_real_time() * 1000);
    json_object_set_int_member(o, "monotonic", monotonic * 1000);
    json_object_set_string_member(o, "qemu", vh_client_qemu_version(r->client));
    json_object_set_string_member(o, "vmheat", VMHEAT_VERSION);
    text = take_json(o);
    return vh_record_json(r->native, VH_RECORD_VM, monotonic * 1000, text,
                          error);
}

/* What a command says now, as a block of its own. */
static bool write_answer(VhRecorder *r, VhRecordType type, const char *command,
                         const char *member, GError **error)
{
    g_autoptr(JsonNode) node = ask(r, command, error);
    uint64_t now = g_get_monotonic_time() * 1000;
    g_autofree char *answer = NULL;
    g_autofree char *text = NULL;

    if (!node) {
        return false;
    }
    answer = json_to_string(node, false);
    text = g_strdup_printf("{\"time\":%" PRIu64 ",\"%s\":%s}", now, member,
                           answer);
    return vh_record_json(r->native, type, now, text, error);
}

static bool write_state(VhRecorder *r, GError **error)
{
    r->state_us = g_get_monotonic_time() + VH_RECORDER_STATE_US;
    return write_answer(r, VH_RECORD_STATE, "query-vmheat", "vmheat", error) &&
           write_answer(r, VH_RECORD_SCHEMES, "query-vmheat-schemes", "schemes",
                        error);
}

/* An error here ends the recording when the command or rest is over. */
static void take_event(void *opaque, const char *name, JsonObject *data)
{
    VhRecorder *r = opaque;
    uint64_t now = g_get_monotonic_time() * 1000;
    JsonObject *o;
    g_autofree char *text = NULL;

    if (!r->native || !g_str_has_prefix(name, "VMHEAT_")) {
        return;
    }
    o = json_object_new();
    json_object_set_int_member(o, "time", now);
    json_object_set_string_member(o, "event", name);
    if (data) {
        json_object_set_object_member(o, "data", json_object_ref(data));
    }
    text = take_json(o);
    vh_record_json(r->native, VH_RECORD_EVENT, now, text,
                   r->event_error ? NULL : &r->event_error);
}

static bool events_are_good(VhRecorder *r, GError **error)
{
    bool good = !r->event_error;

    if (!good) {
        g_propagate_error(error, g_steal_pointer(&r->event_error));
    }
    return good;
}

bool vh_recorder_begin(VhRecorder *r, GError **error)
{
    r->taken = vh_snap_codec_new();
    r->next_us = g_get_monotonic_time();
    r->state_us = INT64_MAX;
    vh_client_set_event(r->client, take_event, r);
    return !r->native || (write_vm(r, error) && write_state(r, error));
}

static bool write_snapshot(VhRecorder *r, GError **error)
{
    VhSnapshot s = { 0 };
    bool good;

    if (r->native) {
        return vh_record_coded(r->native, r->taken, error);
    }
    vh_packed_snapshot(r->taken, &s);
    good = vh_damo_snapshot(r->damo, &s, error);
    g_free(s.regions);
    return good;
}

/* Until the next question, when the last answer was nothing new. */
static int64_t wait_again(const VhRecorder *r, int64_t interval)
{
    int64_t first = MIN(interval / TRIES, FIRST_MOST_US);
    int64_t most = MIN(interval - interval / TRIES, AGAIN_MOST_US);

    if (r->in_vain >= STILL_TRIES) {
        most = MAX(most, STILL_US);
    }
    return MAX(MIN(first << MIN(r->in_vain, 16), most), AGAIN_MIN_US);
}

/* When to ask again; @fresh: the one taken is new. */
static int64_t next_time(const VhRecorder *r, int64_t now, bool fresh)
{
    const VhSnapHead *head = &r->taken->head;
    int64_t took = (int64_t)(head->end_ns - head->start_ns) / 1000, due;
    int64_t interval = MAX((int64_t)MIN(head->aggregation_us, G_MAXINT64 / 2),
                           MIN(took, G_MAXINT64 / 2));

    if (r->interval_us) {
        /* a fixed rhythm, but no catching up after a standstill */
        return MAX(r->next_us + r->interval_us, now);
    }
    due = (int64_t)(head->end_ns / 1000) + interval + LATE_US;
    /* later than that: the clock is another host's */
    if (!fresh || due <= now || due > now + interval + LATE_US) {
        due = now + wait_again(r, interval);
    }
    return MAX(due, now + AGAIN_MIN_US);
}

static void count(VhRecorder *r, uint64_t sequence)
{
    if (!r->interval_us && r->last && sequence > r->last) {
        r->missed += sequence - r->last - 1;
    }
    r->last = sequence;
    r->snapshots++;
}

/*
 * Reports leave out what is older than a record's first snapshot, and each
 * needs times in order; since the host was booted they begin anew.
 */
static bool follows(const VhRecorder *r, uint64_t old, GError **error)
{
    if (r->taken->head.end_ns < old) {
        g_set_error(error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE,
                    "'%s' is not appended to: it holds later snapshots, of "
                    "before the host was booted, or of another host; take "
                    "another file",
                    vh_record_path(r->native));
        return false;
    }
    return true;
}

/* Before the first snapshot of what may be another QEMU, at @sequence. */
static bool meet_again(VhRecorder *r, uint64_t sequence, GError **error)
{
    bool known = sequence >= r->last &&
                 r->connections == vh_client_connections(r->client);

    if (known || !r->native) {
        return true;
    }
    r->last = 0;
    return write_vm(r, error) && write_state(r, error);
}

static bool take_snapshot(VhRecorder *r, GError **error)
{
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) node = NULL;
    uint64_t sequence, old = r->native ? vh_record_appended_to(r->native) : 0;
    bool fresh;

    json_object_set_boolean_member(arguments, "packed", true);
    node =
        vh_client_command(r->client, "query-vmheat-regions", arguments, error);
    if (!node || !vh_packed_reply(node, r->taken, error)) {
        return false;
    }
    sequence = r->taken->head.sequence;
    fresh = sequence && sequence != r->last && r->taken->head.end_ns != old;
    if (fresh && !r->snapshots && !follows(r, old, error)) {
        return false;
    }
    if (fresh && !meet_again(r, sequence, error)) {
        return false;
    }
    if (fresh) {
        count(r, sequence);
    }
    r->in_vain = fresh ? 0 : r->in_vain + 1;
    r->next_us = next_time(r, g_get_monotonic_time(), fresh);
    return !fresh || write_snapshot(r, error);
}

/* What is written late is lost when the recorder is killed. */
static int64_t flush_time(const VhRecorder *r)
{
    return r->native ? vh_record_flush_time(r->native) : INT64_MAX;
}

bool vh_recorder_step(VhRecorder *r, int64_t until_us, GError **error)
{
    int64_t due = MIN(MIN(r->next_us, r->state_us), flush_time(r));
    int64_t now;

    if (!vh_client_rest(r->client, MIN(due, until_us), error)) {
        return false;
    }
    now = g_get_monotonic_time();
    if (now >= r->next_us && now < until_us && !take_snapshot(r, error)) {
        return false;
    }
    if (now >= r->state_us && !write_state(r, error)) {
        return false;
    }
    return events_are_good(r, error) &&
           (now < flush_time(r) || vh_record_flush(r->native, error));
}

bool vh_recorder_end(VhRecorder *r, bool ask_again, GError **error)
{
    bool good = true;

    vh_client_set_event(r->client, NULL, NULL);
    if (r->native && ask_again) {
        write_state(r, NULL); /* the file is as good without */
    }
    if (r->native) {
        good = vh_record_close(r->native, error);
    } else if (r->damo) {
        good = vh_damo_close(r->damo, error);
    }
    good = events_are_good(r, good ? error : NULL) && good;
    g_clear_pointer(&r->taken, vh_snap_codec_free);
    r->native = NULL;
    r->damo = NULL;
    return good;
}
