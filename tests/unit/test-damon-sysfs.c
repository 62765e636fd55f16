/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the kernel's DAMON is driven, and by the helper's loop, in a folder that
 * behaves like sysfs as far as is asked of it. Never the kernel's own.
 */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "damon-helper.h"
#include "damon-owner.h"
#include "damon-sysfs.h"

#define SCHEME "kdamonds/0/contexts/0/schemes/0/"
#define TARGET "kdamonds/0/contexts/0/targets/0/"

/* A folder in the place of /sys/kernel/mm/damon/admin. */
typedef struct Tree {
    char *dir;
    char *root;
    char *owner;
    bool no_fvaddr;
    const char *refuse; /* a file that cannot be written */
    VhDamonFiles files;
} Tree;

static void put(const Tree *t, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(t->root, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *get(const Tree *t, const char *name)
{
    g_autofree char *path = g_build_filename(t->root, name, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void assert_file(const Tree *t, const char *name, const char *text)
{
    g_autofree char *is = get(t, name);

    g_assert_cmpstr(is, ==, text);
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *one = g_build_filename(path, name, NULL);

        remove_tree(one);
    }
    g_remove(path);
}

/* What the kernel makes when nr_kdamonds becomes 1. */
static void make_kdamond(const Tree *t)
{
    static const char *const names[] = {
        "kdamonds/0/state", "kdamonds/0/pid",
        "kdamonds/0/contexts/nr_contexts",
        "kdamonds/0/contexts/0/schemes/nr_schemes",
        "kdamonds/0/contexts/0/operations",
        "kdamonds/0/contexts/0/monitoring_attrs/intervals/sample_us",
        "kdamonds/0/contexts/0/monitoring_attrs/intervals/aggr_us",
        "kdamonds/0/contexts/0/monitoring_attrs/intervals/update_us",
        "kdamonds/0/contexts/0/monitoring_attrs/nr_regions/min",
        "kdamonds/0/contexts/0/monitoring_attrs/nr_regions/max",
        "kdamonds/0/contexts/0/targets/nr_targets", TARGET "pid_target",
        TARGET "regions/nr_regions", TARGET "regions/0/start",
        TARGET "regions/0/end", SCHEME "action", SCHEME "tried_regions/total",
        SCHEME "watermarks/interval_us", SCHEME "access_pattern/sz/min",
        SCHEME "access_pattern/sz/max",
        SCHEME "access_pattern/nr_accesses/min",
        SCHEME "access_pattern/nr_accesses/max",
        SCHEME "access_pattern/age/min", SCHEME "access_pattern/age/max",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        put(t, names[i], "0");
    }
    put(t, "kdamonds/0/state", "off");
    put(t, "kdamonds/0/contexts/0/avail_operations",
        t->no_fvaddr ? "vaddr\npaddr\n" : "vaddr\nfvaddr\npaddr\n");
}

static void make_regions(const Tree *t)
{
    put(t, SCHEME "tried_regions/1/start", "8192");
    put(t, SCHEME "tried_regions/1/end", "16384");
    put(t, SCHEME "tried_regions/1/nr_accesses", "99");
    put(t, SCHEME "tried_regions/1/age", "3");
    put(t, SCHEME "tried_regions/0/start", "4096");
    put(t, SCHEME "tried_regions/0/end", "8192");
    put(t, SCHEME "tried_regions/0/nr_accesses", "0");
    put(t, SCHEME "tried_regions/0/age", "7");
}

static int set_state(Tree *t, const char *text)
{
    g_autofree char *state = get(t, "kdamonds/0/state");
    bool on = !g_strcmp0(state, "on");

    if (g_str_equal(text, "update_schemes_tried_regions")) {
        if (on) {
            make_regions(t);
        }
        return on ? 0 : EINVAL;
    }
    put(t, "kdamonds/0/state", text);
    put(t, "kdamonds/0/pid", g_str_equal(text, "on") ? "4242" : "-1");
    return 0;
}

static int set_count(Tree *t, const char *text)
{
    g_autofree char *state = get(t, "kdamonds/0/state");
    g_autofree char *kdamond = g_build_filename(t->root, "kdamonds/0", NULL);

    if (!g_strcmp0(state, "on")) {
        return EBUSY;
    }
    remove_tree(kdamond);
    if (g_str_equal(text, "1")) {
        make_kdamond(t);
    }
    put(t, "kdamonds/nr_kdamonds", text);
    return 0;
}

/* The kernel does not start what is set up by halves, nor look later. */
static bool is_ready(const Tree *t, const char *text)
{
    g_autofree char *pid = get(t, TARGET "pid_target");
    g_autofree char *end = get(t, TARGET "regions/0/end");
    g_autofree char *age = get(t, SCHEME "access_pattern/age/max");

    return !g_str_equal(text, "on") ||
           (!g_str_equal(pid, "0") && !g_str_equal(age, "0") &&
            (t->no_fvaddr || !g_str_equal(end, "0")));
}

static int tree_write(void *opaque, const char *path, const char *text)
{
    Tree *t = opaque;
    const char *name = path + strlen(t->root) + 1;

    if (t->refuse && g_str_has_suffix(name, t->refuse)) {
        return EINVAL;
    }
    if (g_str_equal(name, "kdamonds/nr_kdamonds")) {
        return set_count(t, text);
    }
    if (g_str_equal(name, "kdamonds/0/state")) {
        return is_ready(t, text) ? set_state(t, text) : EINVAL;
    }
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    put(t, name, text);
    return 0;
}

static void init(Tree *t)
{
    *t = (Tree){ .dir = g_dir_make_tmp("vmheat-damon-XXXXXX", NULL) };
    t->root = g_build_filename(t->dir, "admin", NULL);
    t->owner = g_build_filename(t->dir, "run", "owner", NULL);
    t->files = (VhDamonFiles){ t->root, t->owner, tree_write, t };
    put(t, "kdamonds/nr_kdamonds", "0");
}

static void clear(Tree *t)
{
    remove_tree(t->dir);
    g_free(t->dir);
    g_free(t->root);
    g_free(t->owner);
}

static VhDamonMessage watch(void)
{
    VhDamonMessage m = { .header = vh_damon_header(VH_DAMON_WATCH) };

    m.watch.id = 7;
    m.watch.sampling_us = 5000;
    m.watch.aggregation_us = 100000;
    m.watch.update_us = 1000000;
    m.watch.min_regions = 10;
    m.watch.max_regions = 1000;
    m.watch.nr = 1;
    m.watch.ranges[0] = (VhRange){ 4096, 16384 };
    return m;
}

static void test_life(void)
{
    g_autoptr(VhDamonSysfs) s = NULL;
    g_autofree char *why = NULL;
    g_autoptr(GArray) regions = NULL;
    VhDamonMessage m = watch();
    Tree t;

    init(&t);
    s = vh_damon_sysfs_new(&t.files, 1234);
    g_assert_true(vh_damon_sysfs_check(s, &why));
    assert_file(&t, "kdamonds/nr_kdamonds", "0");
    g_assert_true(vh_damon_sysfs_start(s, &m.watch, &why));
    assert_file(&t, "kdamonds/0/state", "on");
    assert_file(&t, "kdamonds/0/contexts/0/operations", "fvaddr");
    assert_file(&t, TARGET "pid_target", "1234");
    assert_file(&t, TARGET "regions/0/start", "4096");
    assert_file(&t, TARGET "regions/0/end", "16384");
    assert_file(&t, SCHEME "action", "stat");
    assert_file(&t, SCHEME "access_pattern/sz/max", "18446744073709551615");
    assert_file(&t,
                "kdamonds/0/contexts/0/monitoring_attrs/intervals/sample_us",
                "5000");
    regions = vh_damon_sysfs_read(s, &why);
    g_assert_cmpuint(regions->len, ==, 2);
    g_assert_cmpuint(g_array_index(regions, VhDamonRegion, 0).start, ==, 4096);
    g_assert_cmpuint(g_array_index(regions, VhDamonRegion, 0).age, ==, 7);
    /* never more than there can be */
    g_assert_cmpuint(g_array_index(regions, VhDamonRegion, 1).nr_accesses, ==,
                     20);
    g_assert_true(vh_damon_sysfs_stop(s));
    assert_file(&t, "kdamonds/nr_kdamonds", "0");
    clear(&t);
}

static void test_vaddr(void)
{
    g_autoptr(VhDamonSysfs) s = NULL;
    g_autofree char *why = NULL;
    VhDamonMessage m = watch();
    Tree t;

    init(&t);
    t.no_fvaddr = true;
    s = vh_damon_sysfs_new(&t.files, 1234);
    g_assert_true(vh_damon_sysfs_start(s, &m.watch, &why));
    assert_file(&t, "kdamonds/0/contexts/0/operations", "vaddr");
    assert_file(&t, TARGET "regions/nr_regions", "0");
    g_assert_true(vh_damon_sysfs_stop(s));
    clear(&t);
}

static void assert_refused(Tree *t, const char *says)
{
    g_autoptr(VhDamonSysfs) s = vh_damon_sysfs_new(&t->files, 1234);
    g_autofree char *why = NULL, *later = NULL;
    VhDamonMessage m = watch();

    g_assert_false(vh_damon_sysfs_check(s, &why));
    if (!strstr(why, says)) {
        g_error("'%s' does not say '%s'", why, says);
    }
    g_assert_false(vh_damon_sysfs_start(s, &m.watch, &later));
}

/* Somebody else's is left as it is. */
static void test_foreign(void)
{
    Tree t;

    init(&t);
    set_count(&t, "1");
    put(&t, SCHEME "action", "pageout");
    set_state(&t, "on");
    assert_refused(&t, "another owner holds DAMON");
    assert_file(&t, "kdamonds/nr_kdamonds", "1");
    assert_file(&t, "kdamonds/0/state", "on");
    assert_file(&t, SCHEME "action", "pageout");
    clear(&t);
}

static void test_none(void)
{
    g_autofree char *path = NULL;
    Tree t;

    init(&t);
    path = g_build_filename(t.root, "kdamonds/nr_kdamonds", NULL);
    g_remove(path);
    assert_refused(&t, "has no DAMON");
    clear(&t);
}

/* A set-up that fails leaves nothing behind. */
static void test_half_way(void)
{
    static const char *const files[] = { "schemes/0/action", "pid_target",
                                         "aggr_us", "nr_contexts" };

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(VhDamonSysfs) s = NULL;
        g_autofree char *why = NULL;
        VhDamonMessage m = watch();
        Tree t;

        init(&t);
        t.refuse = files[i];
        s = vh_damon_sysfs_new(&t.files, 1234);
        g_assert_false(vh_damon_sysfs_start(s, &m.watch, &why));
        g_assert_nonnull(strstr(why, files[i]));
        assert_file(&t, "kdamonds/nr_kdamonds", "0");
        clear(&t);
    }
}

/* A helper that starts DAMON and is killed. */
static void killed_helper(Tree *t)
{
    pid_t child = fork();
    int status;

    if (!child) {
        VhDamonSysfs *s = vh_damon_sysfs_new(&t->files, 1234);
        VhDamonMessage m = watch();
        char *why;

        _exit(!vh_damon_sysfs_start(s, &m.watch, &why));
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
    assert_file(t, "kdamonds/0/state", "on");
}

static void test_stale(void)
{
    g_autoptr(VhDamonSysfs) s = NULL;
    g_autofree char *why = NULL;
    Tree t;

    init(&t);
    killed_helper(&t);
    s = vh_damon_sysfs_new(&t.files, 1234);
    g_assert_true(vh_damon_sysfs_check(s, &why));
    assert_file(&t, "kdamonds/nr_kdamonds", "0");
    clear(&t);
}

/* Ours was killed, and then somebody else began. */
static void test_stale_and_foreign(void)
{
    Tree t;

    init(&t);
    killed_helper(&t);
    set_state(&t, "off");
    set_count(&t, "0");
    set_count(&t, "1");
    set_state(&t, "on");
    assert_refused(&t, "another owner holds DAMON");
    assert_file(&t, "kdamonds/0/state", "on");
    clear(&t);
}

static void test_taken_over(void)
{
    g_autoptr(VhDamonSysfs) s = NULL;
    g_autofree char *why = NULL;
    VhDamonMessage m = watch();
    Tree t;

    init(&t);
    s = vh_damon_sysfs_new(&t.files, 1234);
    g_assert_true(vh_damon_sysfs_start(s, &m.watch, &why));
    put(&t, SCHEME "watermarks/interval_us", "5000000");
    g_assert_null(vh_damon_sysfs_read(s, &why));
    g_assert_nonnull(strstr(why, "another owner has taken"));
    g_assert_true(vh_damon_sysfs_stop(s));
    assert_file(&t, "kdamonds/0/state", "on");
    clear(&t);
}

static void test_one_at_a_time(void)
{
    g_autoptr(VhDamonSysfs) s = NULL;
    g_autofree char *why = NULL;
    g_autofree char *process = g_strdup_printf("process %d", getpid());
    VhDamonMessage m = watch();
    Tree t;

    init(&t);
    s = vh_damon_sysfs_new(&t.files, 1234);
    g_assert_true(vh_damon_sysfs_start(s, &m.watch, &why));
    assert_refused(&t, process);
    assert_file(&t, "kdamonds/0/state", "on");
    g_assert_true(vh_damon_sysfs_stop(s));
    clear(&t);
}

/* The helper's loop in a thread, and what it waits for. */
typedef struct Helper {
    VhDamonHelper h;
    int socket; /* QEMU's end */
    int pipes[2][2];
    GThread *thread;
    bool good;
    char *why;
} Helper;

static void *run_helper(void *opaque)
{
    Helper *x = opaque;

    x->good = vh_damon_helper_run(&x->h, &x->why);
    return NULL;
}

static void start_helper(Helper *x, Tree *t)
{
    int fds[2];

    *x = (Helper){ 0 };
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), ==, 0);
    g_assert_cmpint(pipe(x->pipes[0]), ==, 0);
    g_assert_cmpint(pipe(x->pipes[1]), ==, 0);
    x->socket = fds[1];
    x->h = (VhDamonHelper){ .sysfs = vh_damon_sysfs_new(&t->files, 1234),
                            .socket = fds[0],
                            .signals = x->pipes[0][0],
                            .process = x->pipes[1][0],
                            .percent = 50 };
    x->thread = g_thread_new("helper", run_helper, x);
}

static void end_helper(Helper *x, const char *says)
{
    g_thread_join(x->thread);
    g_assert_nonnull(x->why);
    if (!strstr(x->why, says)) {
        g_error("'%s' does not say '%s'", x->why, says);
    }
    g_free(x->why);
    vh_damon_sysfs_free(x->h.sysfs);
    close(x->h.socket);
    if (x->socket >= 0) {
        close(x->socket);
    }
    for (int i = 0; i < 4; i++) {
        close(x->pipes[i / 2][i % 2]);
    }
}

/* Has it watch, and waits for its first snapshot. */
static void have_it_watch(Helper *x)
{
    VhDamonMessage m = watch();

    g_assert_cmpint(vh_damon_send(x->socket, &m, vh_damon_length(&m)), ==, 0);
    g_assert_cmpint(recv(x->socket, &m, sizeof(m), 0), >, 0);
    g_assert_cmpint(m.header.type, ==, VH_DAMON_REGIONS);
    g_assert_cmpuint(m.regions.id, ==, 7);
    g_assert_cmpuint(m.regions.nr, ==, 2);
}

static void test_helper_and_qemus_end(void)
{
    Helper x;
    Tree t;

    init(&t);
    start_helper(&x, &t);
    have_it_watch(&x);
    close(x.socket);
    x.socket = -1;
    end_helper(&x, "QEMU has ended");
    g_assert_true(x.good);
    assert_file(&t, "kdamonds/nr_kdamonds", "0");
    clear(&t);
}

static void test_helper_and_signal(void)
{
    Helper x;
    Tree t;

    init(&t);
    start_helper(&x, &t);
    have_it_watch(&x);
    g_assert_cmpint(write(x.pipes[0][1], "", 1), ==, 1);
    end_helper(&x, "signal");
    assert_file(&t, "kdamonds/nr_kdamonds", "0");
    clear(&t);
}

/* QEMU's process ends; somebody else has its end of the socket. */
static void test_helper_and_process(void)
{
    Helper x;
    Tree t;

    init(&t);
    start_helper(&x, &t);
    have_it_watch(&x);
    close(x.pipes[1][1]);
    x.pipes[1][1] = dup(0);
    end_helper(&x, "QEMU has ended");
    g_assert_true(x.good);
    assert_file(&t, "kdamonds/nr_kdamonds", "0");
    clear(&t);
}

/* The kernel's DAMON is switched off by somebody: QEMU is told. */
static void test_helper_and_end_of_damon(void)
{
    VhDamonMessage m;
    Helper x;
    Tree t;

    init(&t);
    start_helper(&x, &t);
    have_it_watch(&x);
    put(&t, "kdamonds/0/state", "off");
    do {
        g_assert_cmpint(recv(x.socket, &m, sizeof(m), 0), >, 0);
    } while (m.header.type == VH_DAMON_REGIONS);
    g_assert_cmpint(m.header.type, ==, VH_DAMON_ERROR);
    end_helper(&x, "has stopped");
    g_assert_false(x.good);
    assert_file(&t, "kdamonds/nr_kdamonds", "0");
    clear(&t);
}

static void test_helper_and_nonsense(void)
{
    VhDamonMessage m;
    Helper x;
    Tree t;

    init(&t);
    start_helper(&x, &t);
    have_it_watch(&x);
    g_assert_cmpint(send(x.socket, "what?", 5, 0), ==, 5);
    do {
        g_assert_cmpint(recv(x.socket, &m, sizeof(m), 0), >, 0);
    } while (m.header.type == VH_DAMON_REGIONS);
    g_assert_cmpint(m.header.type, ==, VH_DAMON_ERROR);
    end_helper(&x, "");
    g_assert_false(x.good);
    assert_file(&t, "kdamonds/nr_kdamonds", "0");
    clear(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/damon-sysfs/life", test_life);
    g_test_add_func("/damon-sysfs/vaddr", test_vaddr);
    g_test_add_func("/damon-sysfs/foreign", test_foreign);
    g_test_add_func("/damon-sysfs/none", test_none);
    g_test_add_func("/damon-sysfs/half-way", test_half_way);
    g_test_add_func("/damon-sysfs/stale", test_stale);
    g_test_add_func("/damon-sysfs/stale-and-foreign", test_stale_and_foreign);
    g_test_add_func("/damon-sysfs/taken-over", test_taken_over);
    g_test_add_func("/damon-sysfs/one-at-a-time", test_one_at_a_time);
    g_test_add_func("/damon-helper/qemus-end", test_helper_and_qemus_end);
    g_test_add_func("/damon-helper/signal", test_helper_and_signal);
    g_test_add_func("/damon-helper/process", test_helper_and_process);
    g_test_add_func("/damon-helper/end-of-damon", test_helper_and_end_of_damon);
    g_test_add_func("/damon-helper/nonsense", test_helper_and_nonsense);
    return g_test_run();
}
