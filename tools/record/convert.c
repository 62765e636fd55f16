/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From vmheat's records to damo's. */
#include "damo.h"

bool vh_damo_convert(VhRecordReader *from, VhDamoWriter *to, GError **error)
{
    VhRecordItem item;

    while (vh_record_next(from, &item)) {
        if (item.type == VH_RECORD_SNAPSHOTS &&
            !vh_damo_snapshot(to, item.snapshot, error)) {
            return false;
        }
    }
    return true;
}
