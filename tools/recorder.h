/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recorder: takes snapshots from a virtual machine and hands them to a file.
 *
 * Theory of operation
 * -------------------
 * Each snapshot is wanted once. One is due an aggregation interval after the
 * end of the one before, or as much later as that took, when the monitor is
 * throttled; so that is when the next is asked for, a little later. When it is
 * not there yet, it is asked for again after an eighth of the interval, then
 * after twice as long and so on, up to seven eighths: so none is missed, and a
 * monitor that is paused for hours is not asked all the time. Intervals of a
 * few milliseconds would still be short then; so after many questions in vain
 * it is asked 20 times a second, and what comes first may be missed. With an
 * interval of the user's, the latest snapshot is taken at fixed times.
 *
 * Snapshots tell their time by the clock of QEMU's host. Where that is another
 * one, with libvirt's remote URIs, it does not tell when the next is due; then
 * it is asked for as one that is not there yet.
 *
 * Answers are packed, and go into the file without being unpacked further than
 * needed to compare them with the one before.
 *
 * What the monitor does (query-vmheat), and the schemes, are kept at the begin,
 * at the end and every VH_RECORDER_STATE_US; events when they come.
 *
 * Who the machine is is written again when it may be another QEMU: when the
 * connection to libvirt was made anew, or when snapshots are counted anew.
 */
#ifndef VMHEAT_TOOLS_RECORDER_H
#define VMHEAT_TOOLS_RECORDER_H

#include "client/client.h"
#include "record/damo.h"

#define VH_RECORDER_STATE_US 10000000

/**
 * struct VhRecorder - a recording
 * @client: of the virtual machine
 * @native: where to, or NULL
 * @damo: where to, or NULL
 * @interval_us: between snapshots; 0: take each
 * @snapshots: how many there are by now
 * @missed: how many were not asked for in time, with @interval_us 0
 * @last: the last one
 * @connections: of the client, when the machine was last written
 * @in_vain: questions since, without a new one
 * @next_us: when to ask for the next
 * @state_us: when to ask for the state
 * @taken: what was last decoded
 * @event_error: why an event was not written
 */
typedef struct VhRecorder {
    VhClient *client;
    VhRecordWriter *native;
    VhDamoWriter *damo;
    int64_t interval_us;
    uint64_t snapshots;
    uint64_t missed;
    uint64_t last;
    unsigned connections;
    uint64_t in_vain;
    int64_t next_us;
    int64_t state_us;
    VhSnapCodec *taken;
    GError *event_error;
} VhRecorder;

/**
 * vh_recorder_begin() - write what is known before the first snapshot
 * @r: client, native or damo and interval_us are set, all else is 0
 * @error: reason of failure; of the client's domain, or of records'
 */
bool vh_recorder_begin(VhRecorder *r, GError **error);

/**
 * vh_recorder_step() - wait until something is due, and do it
 * @r: the recording
 * @until_us: g_get_monotonic_time() to return at
 * @error: reason of failure
 */
bool vh_recorder_step(VhRecorder *r, int64_t until_us, GError **error);

/**
 * vh_recorder_end() - close the file
 * @r: the recording; what it holds is freed
 * @ask_again: the machine is there: write its last state
 * @error: reason why the file is not whole
 */
bool vh_recorder_end(VhRecorder *r, bool ask_again, GError **error);

#endif
