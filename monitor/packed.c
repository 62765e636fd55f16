/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of query-vmheat-regions as bytes. */
#include "compat/qemu.h"
#include "monitor/query.h"
#include "vmheat/snap-codec.h"

static VhCodedRegion code_region(const VhCodes *k, const VhSnapshot *s,
                                 const VhSnapRegion *r)
{
    VhCodedRegion out = { .start = r->start,
                          .end = r->end,
                          .nr_accesses = r->nr_accesses,
                          .nr_writes = s->has_writes ? r->nr_writes : 0,
                          .age = r->age };

    if (s->has_rates) {
        out.rates[VH_RATE] = vh_code_of(k, vh_snapshot_rate(r->rate));
        out.rates[VH_RATE_LOW] = vh_code_of(k, vh_snapshot_rate(r->rate_low));
        out.rates[VH_RATE_HIGH] = vh_code_of(k, vh_snapshot_rate(r->rate_high));
        out.idle_ms = r->idle_ms;
    }
    if (s->has_rates && s->has_writes) {
        out.rates[VH_RATE_WRITE] =
            vh_code_of(k, vh_snapshot_rate(r->write_rate));
    }
    return out;
}

/* Returns whether there were more than the filter's limit. */
static bool code_regions(GArray *coded, const VhCodes *k, const VhSnapshot *s,
                         const VmheatRegionFilter *f)
{
    for (size_t i = 0; i < s->nr_regions; i++) {
        VhCodedRegion r;

        if (!vmheat_region_passes(&s->regions[i], f)) {
            continue;
        }
        if (coded->len == f->limit) {
            return true;
        }
        r = code_region(k, s, &s->regions[i]);
        g_array_append_val(coded, r);
    }
    return false;
}

static VhSnapHead code_head(const VmheatSnapshot *out)
{
    return (VhSnapHead){ .sequence = out->sequence,
                         .start_ns = out->start_time,
                         .end_ns = out->end_time,
                         .sampling_us = out->sampling_interval,
                         .aggregation_us = out->aggregation_interval,
                         .max_nr_accesses = out->max_nr_accesses,
                         .working_set = out->working_set_size,
                         .total = out->total_size,
                         .nr_regions = out->nr_regions };
}

void vmheat_pack_regions(VmheatSnapshot *out, const VhSnapshot *s,
                         const VmheatRegionFilter *f)
{
    g_autoptr(VhSnapCodec) codec = vh_snap_codec_new();
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GArray) coded = g_array_new(false, false, sizeof(VhCodedRegion));
    VhSnapHead head = code_head(out);
    const char *why;

    if (s) {
        out->truncated = code_regions(coded, &codec->codes, s, f);
        head.truncated = out->truncated;
        head.has_writes = s->has_writes;
        head.has_rates = s->has_rates;
        head.has_write_rates = s->has_rates && s->has_writes;
    }
    why = vh_snap_encode(codec, &head, (const VhCodedRegion *)coded->data,
                         coded->len, bytes);
    if (why) { /* never: regions of a snapshot are in order */
        warn_report("vmheat: snapshot %" PRIu64 " has %s", out->sequence, why);
    }
    out->packed = why ? NULL : g_base64_encode(bytes->data, bytes->len);
    vh_opt_set(out, packed);
}
