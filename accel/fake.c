/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scripted primitive, for tests.
 *
 * The script says which addresses are accessed. Lines:
 *   START END PROBABILITY   a check in [START, END) fires with this probability
 *   at SECONDS              lines below hold from this time after open on
 *   refuse TEXT             every map is refused, with TEXT
 *   # ...                   comment
 * A ';' ends a line too. Numbers are decimal or 0x hex, with an optional suffix
 * K, M or G. Where lines of the same time overlap, the last one wins. No
 * script: nothing is ever accessed. It touches no guest memory.
 */
#include <glib.h>
#include <string.h>

#include "accel/registry.h"

#define SECONDS_MAX 1e9

typedef struct Line {
    uint64_t at_ns;
    uint64_t start;
    uint64_t end;
    double probability;
} Line;

typedef struct Fake {
    const VhHost *host;
    uint64_t opened_ns;
    GArray *lines;
    char *refusal;
    VhRng rng;
    VhPrimitiveStats stats;
} Fake;

static bool parse_size(const char *text, uint64_t *out)
{
    char *end;
    guint64 v = g_ascii_strtoull(text, &end, 0);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;

    *out = v << shift;
    return g_ascii_isdigit(*text) && !*(shift ? end + 1 : end) &&
           v < G_MAXUINT64 && *out >> shift == v;
}

static bool parse_double(const char *text, double *out)
{
    char *end;

    *out = g_ascii_strtod(text, &end);
    return end != text && !*end;
}

static bool parse_range(char **words, uint64_t at_ns, GArray *lines)
{
    Line l = { .at_ns = at_ns };

    if (g_strv_length(words) != 3 || !parse_size(words[0], &l.start) ||
        !parse_size(words[1], &l.end) ||
        !parse_double(words[2], &l.probability) || l.start >= l.end ||
        !(l.probability >= 0 && l.probability <= 1)) {
        return false;
    }
    g_array_append_val(lines, l);
    return true;
}

/* Words, however many blanks are between them. */
static char **split(const char *text)
{
    char **words = g_strsplit_set(text, " \t", -1);
    size_t n = 0;

    for (char **w = words; *w; w++) {
        if (**w) {
            words[n++] = *w;
        } else {
            g_free(*w);
        }
    }
    words[n] = NULL;
    return words;
}

/* One line that is neither empty nor a comment. */
static bool parse_line(Fake *f, const char *text, uint64_t *at_ns)
{
    g_auto(GStrv) words = split(text);
    double seconds;

    if (g_str_equal(words[0], "refuse")) {
        g_free(f->refusal);
        f->refusal = g_strstrip(g_strdup(text + strlen("refuse")));
        return *f->refusal;
    }
    if (g_str_equal(words[0], "at")) {
        if (g_strv_length(words) != 2 || !parse_double(words[1], &seconds) ||
            !(seconds >= 0 && seconds <= SECONDS_MAX)) {
            return false;
        }
        *at_ns = seconds * 1e9;
        return true;
    }
    return parse_range(words, *at_ns, f->lines);
}

static bool parse(Fake *f, const char *script, char **why)
{
    g_auto(GStrv) lines = g_strsplit_set(script, "\n;", -1);
    uint64_t at_ns = 0;

    for (unsigned i = 0; lines[i]; i++) {
        char *text = g_strstrip(lines[i]);

        if (*text && *text != '#' && !parse_line(f, text, &at_ns)) {
            *why = g_strdup_printf(
                "fake script line %u: '%s' is none of START END "
                "PROBABILITY(0..1), at SECONDS, refuse TEXT",
                i + 1, text);
            return false;
        }
    }
    return true;
}

static void fake_release(void *p)
{
    Fake *f = p;

    g_array_free(f->lines, true);
    g_free(f->refusal);
    g_free(f);
}

static void *fake_open(const VhHost *host, char **why)
{
    Fake *f = g_new0(Fake, 1);

    f->host = host;
    f->opened_ns = vh_clock_now(&host->clock);
    f->lines = g_array_new(false, false, sizeof(Line));
    vh_rng_seed(&f->rng, 1);
    f->stats.detail = "scripted";
    if (!parse(f, host->script ? host->script : "", why)) {
        fake_release(f);
        return NULL;
    }
    return f;
}

static bool fake_probe(const VhMap *map, const VhHost *host, VhCaps *caps,
                       char **why)
{
    void *f = fake_open(host, why);

    *caps = (VhCaps){ .sees = VH_SEES_READS | VH_SEES_WRITES,
                      .granule = VH_PAGE_SIZE,
                      .persistent = false,
                      .blind = "everything: it only follows its script" };
    if (f) {
        fake_release(f);
    }
    return f != NULL;
}

static bool fake_set_map(void *p, VhMap *map, char **why)
{
    Fake *f = p;

    if (f->refusal) {
        *why = g_strdup(f->refusal);
    }
    return !f->refusal;
}

static void fake_arm(void *p, VhCheck *checks, size_t n)
{
    Fake *f = p;

    for (size_t i = 0; i < n; i++) {
        checks[i].state = VH_CHECK_ARMED;
        checks[i].present = true;
        checks[i].granule = VH_PAGE_SIZE;
    }
    f->stats.arms += n;
}

static double probability(const Fake *f, uint64_t gpa)
{
    uint64_t age = vh_clock_now(&f->host->clock) - f->opened_ns;
    uint64_t newest = 0;
    double p = 0;

    for (guint i = 0; i < f->lines->len; i++) {
        const Line *l = &g_array_index(f->lines, Line, i);

        if (l->at_ns > age) {
            continue;
        }
        if (l->at_ns > newest) {
            newest = l->at_ns;
            p = 0;
        }
        if (l->at_ns == newest && gpa >= l->start && gpa < l->end) {
            p = l->probability;
        }
    }
    return p;
}

static void fake_collect(void *p, VhCheck *checks, size_t n)
{
    Fake *f = p;

    for (size_t i = 0; i < n; i++) {
        double u = vh_rng_unit(&f->rng);

        if (checks[i].state != VH_CHECK_ARMED) {
            continue;
        }
        checks[i].state = u < probability(f, checks[i].gpa) ? VH_CHECK_FIRED
                                                            : VH_CHECK_SILENT;
        f->stats.fires += checks[i].state == VH_CHECK_FIRED;
    }
}

static void fake_stats(void *p, VhPrimitiveStats *out)
{
    *out = ((Fake *)p)->stats;
}

const VhPrimitiveOps vh_primitive_fake = {
    .size = sizeof(VhPrimitiveOps),
    .version = VH_PRIMITIVE_VERSION,
    .name = "fake",
    .summary = "follows a script instead of looking at memory (tests)",
    .hidden = true,
    .probe = fake_probe,
    .open = fake_open,
    .set_map = fake_set_map,
    .arm = fake_arm,
    .collect = fake_collect,
    .release = fake_release,
    .stats = fake_stats,
};
