/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The kernel has one DAMON interface for all of the host: a number written to
 * kdamonds/nr_kdamonds makes so many folders, in which one writes what to watch,
 * and throws away all that were there before. A second user would wreck
 * the first one's work, so: it is ours only if we found it at 0.
 *
 * Our folder bears a mark: a random number in a file that has no meaning for us
 * (the interval of watermarks that are not used). The same number is in the
 * owner record (damon-owner.c). Before anything else is written there, and
 * before it is taken down, the mark is looked at: somebody else may have
 * stopped our DAMON and begun his own. A helper that was killed leaves the record
 * and the mark, by which the next one recognises what it may take down.
 * Only in the moment between the first write and the mark there is none; what
 * a helper leaves behind that is killed then is not touched: in doubt it is
 * another's.
 *
 * Looking and then writing is a race with owners that do not know the record;
 * the kernel offers no better.
 *
 * Regions are told through a scheme whose action is to do nothing ("stat")
 * and whose pattern all regions match: "update_schemes_tried_regions" makes a
 * folder for each.
 *
 * Source: Linux Documentation/admin-guide/mm/damon/usage.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "damon-owner.h"
#include "damon-sysfs.h"

#define CONTEXT "kdamonds/0/contexts/0/"
#define SCHEME CONTEXT "schemes/0/"
#define TARGET CONTEXT "targets/0/"
#define MARK SCHEME "watermarks/interval_us"
#define COUNT "kdamonds/nr_kdamonds"
#define STATE "kdamonds/0/state"
#define U64_MAX_TEXT "18446744073709551615"
#define U32_MAX_TEXT "4294967295"
/* The kernel refuses a second writer instead of letting it wait. */
#define BUSY_TRIES 200
#define BUSY_WAIT_US 10000

struct VhDamonSysfs {
    const VhDamonFiles *files;
    VhDamonRecord record;
    int owner;   /* descriptor of the record; -1: DAMON is not ours */
    bool made;   /* the folder is there */
    bool marked; /* the mark is written */
    uint32_t max_nr_accesses;
};

static char *path_of(const VhDamonSysfs *s, const char *name)
{
    return g_build_filename(s->files->root, name, NULL);
}

/* O_TRUNC is for folders of tests; sysfs ignores it. */
static int plain_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), err = 0;

    if (fd < 0) {
        return errno;
    }
    if (write(fd, text, strlen(text)) < 0) {
        err = errno;
    }
    close(fd);
    return err;
}

static int put(const VhDamonSysfs *s, const char *name, const char *text)
{
    g_autofree char *path = path_of(s, name);

    return s->files->write ? s->files->write(s->files->opaque, path, text)
                           : plain_write(path, text);
}

/* The kernel says EBUSY to who comes while another one writes. */
static int put_patiently(const VhDamonSysfs *s, const char *name,
                         const char *text)
{
    int err = EBUSY;

    for (int i = 0; i < BUSY_TRIES && err == EBUSY; i++) {
        if (i) {
            g_usleep(BUSY_WAIT_US);
        }
        err = put(s, name, text);
    }
    return err;
}

/* The first line of a file, or NULL and errno. */
static char *get(const VhDamonSysfs *s, const char *name)
{
    g_autofree char *path = path_of(s, name);
    char text[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    int err = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = err;
    if (n < 0) {
        return NULL;
    }
    text[n] = 0;
    return g_strchomp(g_strdup(text));
}

static bool get_number(const VhDamonSysfs *s, const char *name, uint64_t *out)
{
    g_autofree char *text = get(s, name);
    guint64 v;

    if (!text ||
        !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &v, NULL)) {
        return false;
    }
    *out = v;
    return true;
}

static bool is_on(const VhDamonSysfs *s)
{
    g_autofree char *state = get(s, STATE);

    return !g_strcmp0(state, "on");
}

/* Does the kernel's one folder bear this mark? */
static bool bears(const VhDamonSysfs *s, uint64_t mark)
{
    uint64_t count, there;

    return mark && get_number(s, COUNT, &count) && count == 1 &&
           get_number(s, MARK, &there) && there == mark;
}

static char *no_files(const VhDamonSysfs *s, int err)
{
    g_autofree char *path = path_of(s, COUNT);

    if (err == EACCES || err == EPERM) {
        return g_strdup_printf("cannot open %s: %s; run 'vmheat grant' as root",
                               path, g_strerror(err));
    }
    if (err == ENOENT) {
        return g_strdup_printf("this host's kernel has no DAMON (%s is missing): "
                               "it needs Linux 6.2 or later with "
                               "CONFIG_DAMON_SYSFS=y and CONFIG_DAMON_VADDR=y",
                               path);
    }
    return g_strdup_printf("cannot read %s: %s", path, g_strerror(err));
}

static char *held(const VhDamonSysfs *s, uint64_t count,
                  const VhDamonRecord *old)
{
    g_autofree char *path = path_of(s, COUNT);
    g_autofree char *state = get(s, STATE);
    g_autofree char *kdamond = get(s, "kdamonds/0/pid");

    return g_strdup_printf(
        "another owner holds DAMON: %s is %" G_GUINT64_FORMAT " (kdamond %s is "
        "%s); stop that one first, for example with 'damo stop'%s",
        path, count, kdamond ? kdamond : "?", state ? state : "unknown",
        old->mark ? "; if it was a 'vmheat grant' that was killed, and nobody "
                    "else uses DAMON, write off to kdamonds/0/state and 0 to "
                    "that file"
                  : "");
}

/* Takes our folder down; 0, or why the kernel keeps it. */
static int take_down(const VhDamonSysfs *s)
{
    put_patiently(s, STATE, "off"); /* fails when it is off already */
    return put_patiently(s, COUNT, "0");
}

/* DAMON is nobody's, or was of a helper that was killed: then it is now. */
static bool is_free(const VhDamonSysfs *s, const VhDamonRecord *old, char **why)
{
    uint64_t count;
    int err;

    errno = EINVAL;
    if (!get_number(s, COUNT, &count)) {
        *why = no_files(s, errno);
        return false;
    }
    if (count && !bears(s, old->mark)) {
        *why = held(s, count, old);
        return false;
    }
    err = count ? take_down(s) : 0;
    if (err) {
        *why = g_strdup_printf("cannot clean up what an earlier 'vmheat grant' "
                               "left behind: %s", g_strerror(err));
    }
    return !err;
}

static void let_go(VhDamonSysfs *s)
{
    close(s->owner);
    s->owner = -1;
    s->made = s->marked = false;
}

/* With the record locked, DAMON free, and nothing in the record. */
static bool hold(VhDamonSysfs *s, char **why)
{
    VhDamonRecord old;

    s->owner = vh_damon_owner_open(s->files->owner, &old, why);
    if (s->owner < 0) {
        return false;
    }
    if (!is_free(s, &old, why)) {
        let_go(s);
        return false;
    }
    vh_damon_owner_write(s->owner, NULL);
    return true;
}

bool vh_damon_sysfs_check(VhDamonSysfs *s, char **why)
{
    if (!hold(s, why)) {
        return false;
    }
    let_go(s);
    return true;
}

static char *cannot_put(const VhDamonSysfs *s, const char *name,
                        const char *text, int err)
{
    g_autofree char *path = path_of(s, name);

    return g_strdup_printf("cannot set up DAMON: writing '%s' to %s: %s", text,
                           path, g_strerror(err));
}

static bool set(VhDamonSysfs *s, const char *name, const char *text, char **why)
{
    int err = put_patiently(s, name, text);

    if (err) {
        *why = cannot_put(s, name, text, err);
    }
    return !err;
}

static bool set_number(VhDamonSysfs *s, const char *name, uint64_t v,
                       char **why)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, v);

    return set(s, name, text, why);
}

static bool save_record(const VhDamonSysfs *s, char **why)
{
    if (!vh_damon_owner_write(s->owner, &s->record)) {
        *why = g_strdup_printf("cannot write %s: %s", s->files->owner,
                               g_strerror(errno));
        return false;
    }
    return true;
}

/* One kdamond, one context, one scheme; marked as ours. */
static bool make_folder(VhDamonSysfs *s, char **why)
{
    s->record.helper = getpid();
    s->record.kdamond = 0;
    s->record.mark = 1 + ((uint64_t)g_random_int() << 30 | g_random_int() >> 2);
    if (!save_record(s, why) || !set(s, COUNT, "1", why)) {
        return false;
    }
    s->made = true;
    if (!set(s, "kdamonds/0/contexts/nr_contexts", "1", why) ||
        !set(s, CONTEXT "schemes/nr_schemes", "1", why) ||
        !set_number(s, MARK, s->record.mark, why)) {
        return false;
    }
    s->marked = true;
    return true;
}

/* What watches ranges that are given; else what finds its ranges itself. */
static const char *choose_operations(const VhDamonSysfs *s)
{
    g_autofree char *path = path_of(s, CONTEXT "avail_operations");
    g_autofree char *text = NULL;
    g_auto(GStrv) names = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return "vaddr"; /* Linux 5.18 does not tell; nor has it fvaddr */
    }
    names = g_strsplit_set(text, " \n", -1);
    return g_strv_contains((const char *const *)names, "fvaddr") ? "fvaddr"
                                                                  : "vaddr";
}

static bool set_attrs(VhDamonSysfs *s, const VhDamonWatch *w, char **why)
{
    static const char attrs[] = CONTEXT "monitoring_attrs/";
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        { "intervals/sample_us", w->sampling_us },
        { "intervals/aggr_us", w->aggregation_us },
        { "intervals/update_us", w->update_us },
        { "nr_regions/min", w->min_regions },
        { "nr_regions/max", w->max_regions },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autofree char *name = g_strconcat(attrs, all[i].name, NULL);

        if (!set_number(s, name, all[i].value, why)) {
            return false;
        }
    }
    s->max_nr_accesses = MAX(w->aggregation_us / w->sampling_us, 1);
    return true;
}

static bool set_ranges(VhDamonSysfs *s, const VhDamonWatch *w, char **why)
{
    if (!set_number(s, TARGET "regions/nr_regions", w->nr, why)) {
        return false;
    }
    for (uint32_t i = 0; i < w->nr; i++) {
        g_autofree char *start =
            g_strdup_printf(TARGET "regions/%u/start", i);
        g_autofree char *end = g_strdup_printf(TARGET "regions/%u/end", i);

        if (!set_number(s, start, w->ranges[i].start, why) ||
            !set_number(s, end, w->ranges[i].end, why)) {
            return false;
        }
    }
    return true;
}

static bool set_target(VhDamonSysfs *s, const VhDamonWatch *w, char **why)
{
    const char *operations = choose_operations(s);

    return set(s, CONTEXT "operations", operations, why) &&
           set(s, CONTEXT "targets/nr_targets", "1", why) &&
           set_number(s, TARGET "pid_target", s->record.target, why) &&
           (g_str_equal(operations, "vaddr") || set_ranges(s, w, why));
}

static bool set_scheme(VhDamonSysfs *s, char **why)
{
    static const char *const all[][2] = {
        { SCHEME "action", "stat" },
        { SCHEME "access_pattern/sz/min", "0" },
        { SCHEME "access_pattern/sz/max", U64_MAX_TEXT },
        { SCHEME "access_pattern/nr_accesses/min", "0" },
        { SCHEME "access_pattern/nr_accesses/max", U32_MAX_TEXT },
        { SCHEME "access_pattern/age/min", "0" },
        { SCHEME "access_pattern/age/max", U32_MAX_TEXT },
    };
    g_autofree char *regions = path_of(s, SCHEME "tried_regions");

    if (!g_file_test(regions, G_FILE_TEST_IS_DIR)) {
        *why = g_strdup("this host's kernel does not tell DAMON's regions: it "
                        "needs Linux 6.2 or later");
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        if (!set(s, all[i][0], all[i][1], why)) {
            return false;
        }
    }
    return true;
}

static bool turn_on(VhDamonSysfs *s, char **why)
{
    uint64_t kdamond = 0;

    if (!set(s, STATE, "on", why)) {
        return false;
    }
    if (!is_on(s)) {
        *why = g_strdup("cannot set up DAMON: the kernel started it, but it is "
                        "off already: has QEMU ended?");
        return false;
    }
    get_number(s, "kdamonds/0/pid", &kdamond);
    s->record.kdamond = kdamond;
    return save_record(s, why);
}

bool vh_damon_sysfs_start(VhDamonSysfs *s, const VhDamonWatch *w, char **why)
{
    if (!hold(s, why)) {
        return false;
    }
    if (make_folder(s, why) && set_attrs(s, w, why) && set_target(s, w, why) &&
        set_scheme(s, why) && turn_on(s, why)) {
        return true;
    }
    vh_damon_sysfs_stop(s);
    return false;
}

/* Nobody has taken DAMON over. Before it is marked one can only guess. */
static bool is_ours(const VhDamonSysfs *s)
{
    uint64_t count;

    if (s->marked) {
        return bears(s, s->record.mark);
    }
    return s->made && get_number(s, COUNT, &count) && count == 1 && !is_on(s);
}

bool vh_damon_sysfs_stop(VhDamonSysfs *s)
{
    bool down;

    if (s->owner < 0) {
        return true;
    }
    down = !is_ours(s) || !take_down(s);
    if (down) {
        vh_damon_owner_write(s->owner, NULL);
    }
    let_go(s);
    return down;
}

static bool read_region(const VhDamonSysfs *s, const char *number,
                        VhDamonRegion *r)
{
    g_autofree char *folder =
        g_strconcat(SCHEME "tried_regions/", number, "/", NULL);
    static const char *const names[] = { "start", "end", "nr_accesses", "age" };
    uint64_t v[G_N_ELEMENTS(names)];

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_strconcat(folder, names[i], NULL);

        if (!get_number(s, name, &v[i])) {
            return false;
        }
    }
    *r = (VhDamonRegion){ v[0], v[1], MIN(v[2], s->max_nr_accesses),
                          MIN(v[3], G_MAXUINT32) };
    return r->start < r->end && r->start % VH_PAGE_SIZE == 0 &&
           r->end % VH_PAGE_SIZE == 0;
}

static int by_start(gconstpointer a, gconstpointer b)
{
    uint64_t x = ((const VhDamonRegion *)a)->start;
    uint64_t y = ((const VhDamonRegion *)b)->start;

    return (x > y) - (x < y);
}

/* The kernel has a target's regions sorted and apart; should it not: */
static void drop_overlaps(GArray *regions)
{
    guint kept = 0;

    for (guint i = 0; i < regions->len; i++) {
        VhDamonRegion r = g_array_index(regions, VhDamonRegion, i);

        if (!kept ||
            g_array_index(regions, VhDamonRegion, kept - 1).end <= r.start) {
            g_array_index(regions, VhDamonRegion, kept++) = r;
        }
    }
    g_array_set_size(regions, kept);
}

static GArray *read_regions(const VhDamonSysfs *s)
{
    GArray *out = g_array_new(false, false, sizeof(VhDamonRegion));
    g_autofree char *path = path_of(s, SCHEME "tried_regions");
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    VhDamonRegion r;

    while (dir && out->len < VH_DAMON_REGIONS_MAX &&
           (name = g_dir_read_name(dir))) {
        if (g_ascii_isdigit(name[0]) && read_region(s, name, &r)) {
            g_array_append_val(out, r);
        }
    }
    g_array_sort(out, by_start);
    drop_overlaps(out);
    return out;
}

GArray *vh_damon_sysfs_read(VhDamonSysfs *s, char **why)
{
    int err;

    if (!bears(s, s->record.mark)) {
        *why = g_strdup("another owner has taken the kernel's DAMON over");
        return NULL;
    }
    err = put(s, STATE, "update_schemes_tried_regions");
    if (!err) {
        return read_regions(s);
    }
    if (err != EBUSY) {
        *why = is_on(s) ? cannot_put(s, STATE, "update_schemes_tried_regions", err)
                        : g_strdup("the kernel's DAMON has stopped: somebody "
                                   "switched it off, or QEMU has ended");
    }
    return NULL;
}

VhDamonSysfs *vh_damon_sysfs_new(const VhDamonFiles *files, pid_t target)
{
    VhDamonSysfs *s = g_new0(VhDamonSysfs, 1);

    s->files = files;
    s->owner = -1;
    s->record.target = target;
    return s;
}

void vh_damon_sysfs_free(VhDamonSysfs *s)
{
    if (s) {
        vh_damon_sysfs_stop(s);
        g_free(s);
    }
}
