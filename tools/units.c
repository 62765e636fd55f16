/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "units.h"

char *vh_size_str(uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
    double v = bytes / 1024.0;
    size_t u = 0;

    if (bytes < 1024) {
        return g_strdup_printf("%u B", (unsigned)bytes);
    }
    while (v >= 1023.5 && u + 1 < G_N_ELEMENTS(units)) {
        v /= 1024;
        u++;
    }
    if (v >= 99.95 || v == floor(v)) {
        return g_strdup_printf("%.0f %s", v, units[u]);
    }
    return g_strdup_printf("%.1f %s", v, units[u]);
}

static char *two_units(uint64_t value, uint64_t per, const char *big,
                       const char *small)
{
    if (value % per) {
        return g_strdup_printf("%" PRIu64 "%s %" PRIu64 "%s", value / per, big,
                               value % per, small);
    }
    return g_strdup_printf("%" PRIu64 "%s", value / per, big);
}

/* Without a fraction that is zero or that nobody needs. */
static char *one_unit(double v, const char *unit)
{
    return g_strdup_printf(v >= 9.95 || v == floor(v) ? "%.0f %s" : "%.1f %s",
                           v, unit);
}

char *vh_duration_str(uint64_t us)
{
    uint64_t s = us / 1000000;

    if (us < 1000) {
        return us ? g_strdup_printf("%" PRIu64 " us", us) : g_strdup("0 s");
    }
    if (us < 999500) {
        return one_unit(us / 1e3, "ms");
    }
    if (s < 60) {
        return one_unit(us / 1e6, "s");
    }
    if (s < 3600) {
        return two_units(s, 60, "m", "s");
    }
    if (s < 86400) {
        return two_units(s / 60, 60, "h", "m");
    }
    return two_units(s / 3600, 24, "d", "h");
}

char *vh_percent_str(double part, double whole)
{
    double v = whole > 0 ? part / whole * 100 : 0;

    if (v > 0 && v < 0.1) {
        return g_strdup("<0.1 %");
    }
    return one_unit(v, "%");
}

/* As "%.3g", but never with an exponent in front of what people think in. */
static const char *rate_format(double hz)
{
    if (hz >= 99999.5) {
        return "%.3g/s";
    }
    if (hz >= 99.95) {
        return "%.0f/s";
    }
    if (hz >= 9.995) {
        return "%.1f/s";
    }
    if (hz >= 0.9995) {
        return "%.2f/s";
    }
    return hz >= 0.0095 ? "%.2g/s" : "%.1g/s";
}

char *vh_rate_str(double hz)
{
    if (hz > 0 && hz < 0.00095) {
        return g_strdup("<0.001/s");
    }
    return hz > 0 ? g_strdup_printf(rate_format(hz), hz) : g_strdup("0/s");
}

static char *two_digits(double hz)
{
    if (hz < 0.000095) {
        return g_strdup("0");
    }
    return g_strdup_printf(hz >= 99.5 && hz < 99999.5 ? "%.0f" : "%.2g", hz);
}

char *vh_rate_range_str(double low, double high)
{
    g_autofree char *from = two_digits(low);
    g_autofree char *to = two_digits(high);

    return g_strdup_printf("%s..%s", from, to);
}

static bool parse_number(const char *text, uint64_t *out, char **rest)
{
    bool hex = g_str_has_prefix(text, "0x") || g_str_has_prefix(text, "0X");
    const char *digits = hex ? text + 2 : text;

    if (!(hex ? g_ascii_isxdigit(*digits) : g_ascii_isdigit(*digits))) {
        return false; /* nor sign nor blank */
    }
    *out = g_ascii_strtoull(digits, rest, hex ? 16 : 10);
    return *out <= INT64_MAX;
}

bool vh_parse_size(const char *text, uint64_t *out)
{
    static const char suffixes[] = "KMGT";
    unsigned shift = 0;
    uint64_t v;
    char *rest;

    if (!parse_number(text, &v, &rest)) {
        return false;
    }
    if (*rest) {
        const char *s = strchr(suffixes, g_ascii_toupper(*rest));

        if (!s) {
            return false;
        }
        shift = (s - suffixes + 1) * 10;
        rest++;
        rest += g_str_equal(rest, "iB") || g_str_equal(rest, "B") ? strlen(rest)
                                                                  : 0;
    }
    if (*rest || v > (uint64_t)INT64_MAX >> shift) {
        return false;
    }
    *out = v << shift;
    return true;
}

bool vh_parse_seconds(const char *text, int64_t *us)
{
    char *rest;
    double v;

    if (!g_ascii_isdigit(*text) && *text != '.') {
        return false;
    }
    v = g_ascii_strtod(text, &rest);
    if (rest == text || *rest || !(v >= 0.01 && v <= 86400)) {
        return false;
    }
    *us = v * 1e6;
    return true;
}

/* A decimal number; no sign, blank, exponent, infinity or hexadecimal. */
static bool parse_decimal(const char *text, double *out, const char **rest)
{
    size_t n = strspn(text, "0123456789.");
    g_autofree char *digits = g_strndup(text, n);
    char *end;

    *out = g_ascii_strtod(digits, &end);
    *rest = text + n;
    return end != digits && !*end;
}

bool vh_parse_duration(const char *text, uint64_t *us)
{
    static const struct {
        const char *name;
        double us;
    } units[] = {
        { "us", 1 },     { "ms", 1e3 },   { "s", 1e6 },     { "m", 60e6 },
        { "min", 60e6 }, { "h", 3600e6 }, { "d", 86400e6 },
    };
    const char *unit;
    double v;

    if (!parse_decimal(text, &v, &unit)) {
        return false;
    }
    if (v == 0 && !*unit) {
        *us = 0;
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (g_str_equal(unit, units[i].name) &&
            v * units[i].us <= 36500 * 86400e6) {
            *us = llround(v * units[i].us);
            return true;
        }
    }
    return false;
}

bool vh_parse_rate(const char *text, double *out)
{
    const char *rest;

    return parse_decimal(text, out, &rest) &&
           (!*rest || g_str_equal(rest, "/s"));
}

bool vh_parse_percent(const char *text, double *out)
{
    const char *rest;

    return parse_decimal(text, out, &rest) &&
           (!*rest || g_str_equal(rest, "%"));
}
