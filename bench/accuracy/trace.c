/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text format of traces; see trace.h. */
#include <glib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "number.h"
#include "trace.h"

#define FIELDS_MIN 4
#define FIELDS_MAX 5
#define WRITES_DEFAULT 0.5
#define NS_PER_S 1e9
#define GRAIN (2ULL << 20)

typedef struct Parser {
    const char *name;
    int line;
    uint64_t size; /* 0: whatever it takes */
    uint64_t last_ns;
    uint64_t end;
    char **why;
} Parser;

G_GNUC_PRINTF(2, 3)
static bool wrong(Parser *p, const char *fmt, ...)
{
    g_autofree char *what = NULL;
    va_list ap;

    va_start(ap, fmt);
    what = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    *p->why = g_strdup_printf("%s:%d: %s", p->name, p->line, what);
    return false;
}

static bool parse_time(Parser *p, const char *text, Line *out)
{
    double s;

    if (!parse_real(text, 0, TRACE_SECONDS_MAX, &s)) {
        return wrong(p, "time '%s' is not a number of seconds from 0 to %.0f",
                     text, TRACE_SECONDS_MAX);
    }
    out->from_ns = s * NS_PER_S;
    if (out->from_ns < p->last_ns) {
        return wrong(p,
                     "time '%s' is before that of the line above (%g); "
                     "times must not go back",
                     text, p->last_ns / NS_PER_S);
    }
    p->last_ns = out->from_ns;
    return true;
}

static bool parse_range(Parser *p, const char *start, const char *size,
                        Line *out)
{
    uint64_t most = p->size ?: TRACE_SIZE_MAX, bytes;

    if (!parse_bytes(start, &out->start) || out->start % VH_PAGE_SIZE) {
        return wrong(p,
                     "start '%s' is not a multiple of 4096, decimal or hex "
                     "(0x...), maybe with K, M, G or T",
                     start);
    }
    if (!parse_bytes(size, &bytes) || !bytes || bytes % VH_PAGE_SIZE) {
        return wrong(p,
                     "size '%s' is not a multiple of 4096 above 0, decimal or "
                     "hex (0x...), maybe with K, M, G or T",
                     size);
    }
    if (out->start > most || bytes > most - out->start) {
        return wrong(p, "start '%s' and size '%s' go beyond %s (%" PRIu64 ")",
                     start, size,
                     p->size ? "the guest's memory" : "what is possible", most);
    }
    out->end = out->start + bytes;
    p->end = MAX(p->end, out->end);
    return true;
}

static bool parse_rate(Parser *p, const char *rate, const char *writes,
                       Line *out)
{
    if (!parse_real(rate, 0, TRACE_RATE_MAX, &out->rate)) {
        return wrong(p,
                     "rate '%s' is not a number of accesses a second and page "
                     "from 0 to %.0f",
                     rate, TRACE_RATE_MAX);
    }
    out->writes = WRITES_DEFAULT;
    if (writes && !parse_real(writes, 0, 1, &out->writes)) {
        return wrong(p, "write share '%s' is not a number from 0 to 1", writes);
    }
    return true;
}

/* Cuts @text at blanks into @field; returns how many, at most one too many. */
static int split(char *text, char **field)
{
    char *rest = NULL;
    int n = 0;

    for (char *f = strtok_r(text, " \t\r", &rest); f && n <= FIELDS_MAX;
         f = strtok_r(NULL, " \t\r", &rest)) {
        field[n++] = f;
    }
    return n;
}

static bool parse_line(Parser *p, char *text, GArray *lines)
{
    char *field[FIELDS_MAX + 1] = { NULL }, *comment = strchr(text, '#');
    Line line = { 0 };
    int n;

    if (comment) {
        *comment = '\0';
    }
    n = split(text, field);
    if (!n) {
        return true;
    }
    if (n < FIELDS_MIN || n > FIELDS_MAX) {
        return wrong(p,
                     "%s%d fields ('%s'...) where TIME START SIZE RATE "
                     "[WRITES] are expected",
                     n > FIELDS_MAX ? "more than " : "", MIN(n, FIELDS_MAX),
                     field[0]);
    }
    if (!parse_time(p, field[0], &line) ||
        !parse_range(p, field[1], field[2], &line) ||
        !parse_rate(p, field[3], field[4], &line)) {
        return false;
    }
    g_array_append_val(lines, line);
    return true;
}

static bool parse_lines(Parser *p, const char *text, GArray *lines)
{
    g_auto(GStrv) v = g_strsplit(text, "\n", -1);

    for (size_t i = 0; v[i]; i++) {
        p->line = i + 1;
        if (!parse_line(p, v[i], lines)) {
            return false;
        }
    }
    return lines->len || wrong(p, "the trace has no line that says anything");
}

Workload *trace_parse(const char *name, const char *text, uint64_t size,
                      char **why)
{
    g_autoptr(GArray) lines = g_array_new(false, false, sizeof(Line));
    Parser p = { .name = name, .size = size, .why = why };

    if (!parse_lines(&p, text, lines)) {
        return NULL;
    }
    return workload_new(size ?: (p.end + GRAIN - 1) / GRAIN * GRAIN,
                        (const Line *)lines->data, lines->len, why);
}

Workload *trace_read(const char *path, uint64_t size, char **why)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) err = NULL;

    if (!g_file_get_contents(path, &text, NULL, &err)) {
        *why = g_strdup(err->message);
        return NULL;
    }
    return trace_parse(path, text, size, why);
}
