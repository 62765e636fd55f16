/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records for damo when things go wrong: there is a whole file or none, and
 * nothing is left behind. What damo makes of them: tests/damo.
 */
#include <glib/gstdio.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "record/damo.h"

#define MIB (1ull << 20)
#define REGIONS 1000

typedef struct Case {
    char *dir;
    char *path;
    VhRegion regions[REGIONS];
    VhSnapshot s;
    GError *error;
} Case;

static void case_begin(Case *c)
{
    *c = (Case){ 0 };
    c->dir = g_dir_make_tmp("vmheat-damo-XXXXXX", NULL);
    g_assert_nonnull(c->dir);
    c->path = g_build_filename(c->dir, "a.damo", NULL);
    for (unsigned i = 0; i < REGIONS; i++) {
        c->regions[i] = (VhRegion){ .start = i * MIB,
                                    .end = (i + 1) * MIB,
                                    .nr_accesses = i % 21,
                                    .age = i * 7919 % 1000 };
    }
    c->s = (VhSnapshot){ .end_time = 100000000,
                         .sampling_interval = 5000,
                         .aggregation_interval = 100000,
                         .max_nr_accesses = 20,
                         .nr = REGIONS,
                         .nr_regions = REGIONS,
                         .regions = c->regions };
}

static unsigned files(const Case *c)
{
    g_autoptr(GDir) dir = g_dir_open(c->dir, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    return n;
}

static void case_end(Case *c)
{
    g_unlink(c->path);
    g_assert_cmpint(g_rmdir(c->dir), ==, 0);
    g_clear_error(&c->error);
    g_free(c->dir);
    g_free(c->path);
}

static VhDamoWriter *begin(Case *c)
{
    VhDamoWriter *w = vh_damo_create(c->path, false, &c->error);

    g_assert_no_error(c->error);
    g_assert_nonnull(w);
    return w;
}

static char *text(const Case *c)
{
    const uLong room = 16 * MIB;
    char *out = g_malloc(room + 1);
    g_autofree char *packed = NULL;
    uLongf size = room;
    gsize n;

    g_assert_true(g_file_get_contents(c->path, &packed, &n, NULL));
    g_assert_cmpint(uncompress((Bytef *)out, &size, (Bytef *)packed, n), ==,
                    Z_OK);
    out[size] = 0;
    return out;
}

static void test_whole(void)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autofree char *json = NULL;
    VhDamoWriter *w;
    JsonObject *o;
    JsonArray *a;
    Case c;

    case_begin(&c);
    w = begin(&c);
    for (int i = 0; i < 50; i++) {
        g_assert_true(vh_damo_snapshot(w, &c.s, &c.error));
    }
    g_assert_false(g_file_test(c.path, G_FILE_TEST_EXISTS));
    g_assert_true(vh_damo_close(w, &c.error));
    g_assert_no_error(c.error);
    g_assert_cmpuint(files(&c), ==, 1);
    json = text(&c);
    g_assert_true(json_parser_load_from_data(parser, json, -1, NULL));
    a = json_node_get_array(json_parser_get_root(parser));
    g_assert_cmpuint(json_array_get_length(a), ==, 1);
    o = json_array_get_object_element(a, 0);
    a = json_object_get_array_member(o, "snapshots");
    g_assert_cmpuint(json_array_get_length(a), ==, 50);
    o = json_array_get_object_element(a, 49);
    a = json_object_get_array_member(o, "regions");
    g_assert_cmpuint(json_array_get_length(a), ==, REGIONS);
    case_end(&c);
}

/* Where a comma stands for the point, JSON has a point all the same. */
static void test_locale(void)
{
    static const char *const commas[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE",
                                          "fr_FR" };
    g_autofree char *json = NULL;
    VhDamoWriter *w;
    size_t i = 0;
    Case c;

    while (i < G_N_ELEMENTS(commas) && !setlocale(LC_NUMERIC, commas[i])) {
        i++;
    }
    if (i == G_N_ELEMENTS(commas)) {
        g_test_skip("no German or French locale is installed");
        return;
    }
    case_begin(&c);
    w = begin(&c);
    g_assert_true(vh_damo_snapshot(w, &c.s, &c.error));
    g_assert_true(vh_damo_close(w, &c.error));
    json = text(&c);
    g_assert_nonnull(strstr(json, "\"percent\": 95.000}"));
    setlocale(LC_NUMERIC, "C");
    case_end(&c);
}

/* Nothing to tell, numbers that say nothing, the smallest memory there is. */
static void test_odd(void)
{
    g_autofree char *json = NULL;
    VhDamoWriter *w;
    Case c;

    case_begin(&c);
    w = begin(&c);
    c.s.nr = 0;
    g_assert_true(vh_damo_snapshot(w, &c.s, &c.error));
    c.s.nr = 1;
    c.regions[0] = (VhRegion){ .end = 4096 };
    g_assert_true(vh_damo_snapshot(w, &c.s, &c.error));
    c.s.sampling_interval = c.s.aggregation_interval = 0;
    c.s.max_nr_accesses = 0;
    c.regions[0] = (VhRegion){ .end = UINT64_MAX,
                               .nr_accesses = UINT32_MAX,
                               .age = UINT32_MAX };
    g_assert_true(vh_damo_snapshot(w, &c.s, &c.error));
    g_assert_true(vh_damo_close(w, &c.error));
    json = text(&c);
    g_assert_nonnull(strstr(json, "\"regions\": [], \"total_bytes\": 0}"));
    g_assert_null(strstr(json, "\"end\": 4096"));
    g_assert_nonnull(strstr(json, "\"end\": 18446744073709551615"));
    case_end(&c);
}

static void test_exists(void)
{
    g_autofree char *kept = NULL;
    Case c;

    case_begin(&c);
    g_assert_true(g_file_set_contents(c.path, "mine", -1, NULL));
    g_assert_null(vh_damo_create(c.path, false, &c.error));
    g_assert_error(c.error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE);
    g_assert_nonnull(strstr(c.error->message, "File exists"));
    g_assert_true(g_file_get_contents(c.path, &kept, NULL, NULL));
    g_assert_cmpstr(kept, ==, "mine");
    g_assert_cmpuint(files(&c), ==, 1);
    case_end(&c);
}

/* Someone else has taken the name meanwhile: that file is not replaced. */
static void test_appears(void)
{
    g_autofree char *kept = NULL;
    VhDamoWriter *w;
    Case c;

    case_begin(&c);
    w = begin(&c);
    g_assert_true(vh_damo_snapshot(w, &c.s, &c.error));
    g_assert_true(g_file_set_contents(c.path, "mine", -1, NULL));
    g_assert_false(vh_damo_close(w, &c.error));
    g_assert_error(c.error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE);
    g_assert_nonnull(strstr(c.error->message, "File exists"));
    g_assert_true(g_file_get_contents(c.path, &kept, NULL, NULL));
    g_assert_cmpstr(kept, ==, "mine");
    g_assert_cmpuint(files(&c), ==, 1);
    case_end(&c);
}

static void test_no_folder(void)
{
    g_autofree char *path = NULL;
    Case c;

    case_begin(&c);
    path = g_build_filename(c.dir, "none", "a.damo", NULL);
    g_assert_null(vh_damo_create(path, false, &c.error));
    g_assert_error(c.error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE);
    g_assert_nonnull(strstr(c.error->message, path));
    case_end(&c);
}

static void test_nothing(void)
{
    Case c;

    case_begin(&c);
    g_assert_false(vh_damo_close(begin(&c), &c.error));
    g_assert_error(c.error, VH_RECORD_ERROR, VH_RECORD_ERROR_SNAPSHOT);
    g_assert_cmpuint(files(&c), ==, 0);
    g_assert_true(vh_damo_close(NULL, NULL));
    case_end(&c);
}

static struct rlimit limit_files(rlim_t bytes)
{
    struct rlimit old, limit;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = bytes;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    return old;
}

/* The disk is full while there is more to write. */
static void test_full(void)
{
    VhDamoWriter *w;
    struct rlimit old;
    Case c;

    case_begin(&c);
    w = begin(&c);
    old = limit_files(20000);
    for (int i = 0; i < 1000 && !c.error; i++) {
        vh_damo_snapshot(w, &c.s, &c.error);
    }
    setrlimit(RLIMIT_FSIZE, &old);
    g_assert_error(c.error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE);
    g_assert_nonnull(strstr(c.error->message, c.path));
    for (int i = 0; i < 2; i++) { /* room again or not, a part is missing */
        g_clear_error(&c.error);
        g_assert_false(i ? vh_damo_close(w, &c.error)
                         : vh_damo_snapshot(w, &c.s, &c.error));
        g_assert_error(c.error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE);
    }
    g_assert_cmpuint(files(&c), ==, 0);
    case_end(&c);
}

/* It is full at the very end: only then the rest is packed. */
static void test_full_at_end(void)
{
    VhDamoWriter *w;
    struct rlimit old;
    Case c;

    case_begin(&c);
    w = begin(&c);
    old = limit_files(100);
    c.s.nr = 100;
    g_assert_true(vh_damo_snapshot(w, &c.s, &c.error));
    g_assert_false(vh_damo_close(w, &c.error));
    setrlimit(RLIMIT_FSIZE, &old);
    g_assert_error(c.error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE);
    g_assert_cmpuint(files(&c), ==, 0);
    case_end(&c);
}

/* The writer is killed: the name it would have taken stays free. */
static void test_killed(void)
{
    g_autoptr(GDir) dir = NULL;
    const char *name;
    pid_t child;
    int status;
    Case c;

    case_begin(&c);
    child = fork();
    if (!child) {
        VhDamoWriter *w = vh_damo_create(c.path, false, NULL);

        for (int i = 0; i < 50; i++) {
            vh_damo_snapshot(w, &c.s, NULL);
        }
        raise(SIGKILL);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    g_assert_false(g_file_test(c.path, G_FILE_TEST_EXISTS));
    dir = g_dir_open(c.dir, 0, NULL);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *rest = g_build_filename(c.dir, name, NULL);

        g_assert_true(g_str_has_prefix(name, "a.damo."));
        g_unlink(rest);
    }
    case_end(&c);
}

static void write_native(const char *path, const VhSnapshot *s, int n)
{
    g_autoptr(GError) error = NULL;
    VhRecordWriter *w = vh_record_create(path, false, &error);

    g_assert_no_error(error);
    vh_record_json(w, VH_RECORD_VM, 0, "{}", &error);
    for (int i = 0; i < n; i++) {
        vh_record_snapshot(w, s, &error);
        vh_record_json(w, VH_RECORD_EVENT, 0, "{}", &error);
    }
    vh_record_close(w, &error);
    g_assert_no_error(error);
}

static unsigned snapshots_in(const Case *c)
{
    g_autofree char *json = text(c);
    unsigned n = 0;

    for (char *at = json; (at = strstr(at, "\"start_time\"")); at++) {
        n++;
    }
    return n;
}

/* All snapshots of a record, and what of a damaged one is good. */
static void test_convert(void)
{
    g_autofree char *native = NULL, *bytes = NULL;
    gsize size;
    Case c;

    case_begin(&c);
    native = g_build_filename(c.dir, "a.vmheat", NULL);
    write_native(native, &c.s, 9);
    for (int damaged = 0; damaged < 2; damaged++) {
        g_autoptr(VhRecordReader) r = NULL;
        VhDamoWriter *w = begin(&c);

        if (damaged) {
            g_assert_true(g_file_get_contents(native, &bytes, &size, NULL));
            g_assert_true(g_file_set_contents(native, bytes, size / 2, NULL));
        }
        r = vh_record_open(native, &c.error);
        g_assert_no_error(c.error);
        g_assert_true(vh_damo_convert(r, w, &c.error));
        g_assert_true(vh_damo_close(w, &c.error));
        g_assert_cmpint(vh_record_damage(r) != NULL, ==, damaged);
        g_assert_cmpuint(snapshots_in(&c), >=, damaged ? 1 : 9);
        g_assert_cmpuint(snapshots_in(&c), <=, damaged ? 8 : 9);
        g_unlink(c.path);
    }
    g_unlink(native);
    case_end(&c);
}

static void test_convert_full(void)
{
    g_autoptr(VhRecordReader) r = NULL;
    g_autofree char *native = NULL;
    struct rlimit old;
    VhDamoWriter *w;
    Case c;

    case_begin(&c);
    native = g_build_filename(c.dir, "a.vmheat", NULL);
    write_native(native, &c.s, 200);
    r = vh_record_open(native, &c.error);
    w = begin(&c);
    old = limit_files(20000);
    g_assert_false(vh_damo_convert(r, w, &c.error));
    setrlimit(RLIMIT_FSIZE, &old);
    g_assert_error(c.error, VH_RECORD_ERROR, VH_RECORD_ERROR_WRITE);
    g_assert_false(vh_damo_close(w, NULL));
    g_unlink(native);
    g_assert_cmpuint(files(&c), ==, 0);
    case_end(&c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/damo-record/whole", test_whole);
    g_test_add_func("/damo-record/locale", test_locale);
    g_test_add_func("/damo-record/odd", test_odd);
    g_test_add_func("/damo-record/exists", test_exists);
    g_test_add_func("/damo-record/appears", test_appears);
    g_test_add_func("/damo-record/no-folder", test_no_folder);
    g_test_add_func("/damo-record/nothing", test_nothing);
    g_test_add_func("/damo-record/full", test_full);
    g_test_add_func("/damo-record/full-at-end", test_full_at_end);
    g_test_add_func("/damo-record/killed", test_killed);
    g_test_add_func("/damo-record/convert", test_convert);
    g_test_add_func("/damo-record/convert-full", test_convert_full);
    return g_test_run();
}
