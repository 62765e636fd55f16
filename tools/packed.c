/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "packed.h"
#include "reader.h"

VhSnapHead vh_packed_head(const VhSnapshot *s)
{
    return (VhSnapHead){ .sequence = s->sequence,
                         .start_ns = s->start_time,
                         .end_ns = s->end_time,
                         .sampling_us = s->sampling_interval,
                         .aggregation_us = s->aggregation_interval,
                         .max_nr_accesses = s->max_nr_accesses,
                         .working_set = s->working_set_size,
                         .total = s->total_size,
                         .nr_regions = s->nr_regions,
                         .truncated = s->truncated,
                         .has_writes = s->has_writes,
                         .has_rates = s->has_rates,
                         .has_write_rates = s->has_write_rates };
}

static VhCodedRegion code_region(const VhSnapCodec *c, const VhSnapshot *s,
                                 const VhRegion *r)
{
    VhCodedRegion out = { .start = r->start,
                          .end = r->end,
                          .nr_accesses = r->nr_accesses,
                          .nr_writes = s->has_writes ? r->nr_writes : 0,
                          .age = r->age };

    if (s->has_rates) {
        out.rates[VH_RATE] = vh_code_of(&c->codes, r->rate);
        out.rates[VH_RATE_LOW] = vh_code_of(&c->codes, r->rate_low);
        out.rates[VH_RATE_HIGH] = vh_code_of(&c->codes, r->rate_high);
        out.idle_ms = r->idle_us / 1000;
    }
    if (s->has_write_rates) {
        out.rates[VH_RATE_WRITE] = vh_code_of(&c->codes, r->write_rate);
    }
    return out;
}

const char *vh_packed_encode(VhSnapCodec *c, const VhSnapshot *s,
                             GByteArray *out)
{
    VhSnapHead head = vh_packed_head(s);
    g_autofree VhCodedRegion *regions = g_new(VhCodedRegion, s->nr);

    for (size_t i = 0; i < s->nr; i++) {
        const VhRegion *r = &s->regions[i];

        if (MAX(MAX(r->nr_accesses, r->nr_writes), r->age) > UINT32_MAX) {
            return "a region with numbers of more than 32 bits";
        }
        regions[i] = code_region(c, s, r);
    }
    return vh_snap_encode(c, &head, regions, s->nr, out);
}

static void set_head(VhSnapshot *s, const VhSnapHead *head)
{
    s->sequence = head->sequence;
    s->start_time = head->start_ns;
    s->end_time = head->end_ns;
    s->sampling_interval = head->sampling_us;
    s->aggregation_interval = head->aggregation_us;
    s->max_nr_accesses = head->max_nr_accesses;
    s->working_set_size = head->working_set;
    s->total_size = head->total;
    s->nr_regions = head->nr_regions;
    s->truncated = head->truncated;
    s->has_writes = head->has_writes;
    s->has_rates = head->has_rates;
    s->has_write_rates = head->has_write_rates;
}

static void set_region(const VhSnapCodec *c, const VhSnapshot *s,
                       const VhCodedRegion *r, VhRegion *out)
{
    const VhCodes *k = &c->codes;

    *out = (VhRegion){ .start = r->start,
                       .end = r->end,
                       .nr_accesses = r->nr_accesses,
                       .nr_writes = r->nr_writes,
                       .age = r->age,
                       .rate = vh_code_value(k, r->rates[VH_RATE]),
                       .rate_low = vh_code_value(k, r->rates[VH_RATE_LOW]),
                       .rate_high = vh_code_value(k, r->rates[VH_RATE_HIGH]),
                       .write_rate = vh_code_value(k, r->rates[VH_RATE_WRITE]),
                       .idle_us = r->idle_ms * 1000 };
    if (!s->has_rates) {
        out->idle_us = r->nr_accesses ? 0 : vh_snapshot_age_us(s, out);
    }
}

void vh_packed_snapshot(const VhSnapCodec *c, VhSnapshot *s)
{
    const VhCodedRegion *regions = (const VhCodedRegion *)c->regions->data;

    set_head(s, &c->head);
    s->nr = c->regions->len;
    s->regions = g_renew(VhRegion, s->regions, s->nr);
    for (size_t i = 0; i < s->nr; i++) {
        set_region(c, s, &regions[i], &s->regions[i]);
    }
}

bool vh_packed_reply(JsonNode *node, VhSnapCodec *c, GError **error)
{
    VhReader r = { .command = "query-vmheat-regions" };
    const char *text = vh_read_string(&r, vh_read_root(&r, node), "packed");
    gsize size = 0;
    g_autofree guchar *bytes = r.problem ? NULL : g_base64_decode(text, &size);
    VhBytes in = { bytes, bytes + size, false };

    vh_snap_codec_reset(c);
    if (!r.problem && (!vh_snap_decode(c, &in) || in.at != in.end)) {
        vh_read_problem(&r, "packed", "packed snapshot");
    }
    return !vh_read_end(&r, error);
}
