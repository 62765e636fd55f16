/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "arguments.h"

#define SECONDS_MAX 1e11

bool vh_argument_uint(VhRequest *r, const char *name, uint64_t min,
                      uint64_t max, uint64_t *out)
{
    const char *text = vh_request_argument(r, name);
    guint64 value = *out;

    if (text && !g_ascii_string_to_unsigned(text, 10, min, max, &value, NULL)) {
        vh_request_fail(r, 400,
                        "%s '%s' is not valid: must be %" PRIu64 " .. %" PRIu64,
                        name, text, min, max);
        return false;
    }
    *out = value;
    return true;
}

bool vh_argument_time(VhRequest *r, const char *name, int64_t *out)
{
    const char *text = vh_request_argument(r, name);
    char *end = NULL;
    double value;

    if (!text) {
        return true;
    }
    value = g_ascii_strtod(text, &end);
    if (end == text || *end || !(value >= 0 && value <= SECONDS_MAX)) {
        vh_request_fail(r, 400, "%s '%s' is not valid: must be Unix seconds",
                        name, text);
        return false;
    }
    *out = value * 1e6;
    return true;
}

bool vh_argument_range(VhRequest *r, uint64_t *start, uint64_t *end)
{
    *start = *end = 0;
    if (!vh_argument_uint(r, "start", 0, INT64_MAX, start) ||
        !vh_argument_uint(r, "end", 0, INT64_MAX, end)) {
        return false;
    }
    if (*end && *end <= *start) {
        vh_request_fail(r, 400, "end must be above start");
        return false;
    }
    return true;
}
