/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The payload's decisions, compiled natively: no guest, no clock. */
#include <glib.h>
#include <string.h>

#include "cmdline.h"
#include "logic.h"

#define KHZ 1000000ULL /* 1 GHz */
#define MS KHZ
#define S (1000 * MS)

static void test_rng(void)
{
    VhpRng a, b, zero, unlucky;
    unsigned int hits = 0, different = 0;

    vhp_rng_init(&a, 1);
    vhp_rng_init(&b, 2);
    vhp_rng_init(&zero, 0);
    vhp_rng_init(&unlucky, UINT64_MAX); /* its product is 0 */
    g_assert_cmpuint(zero.state, !=, 0);
    g_assert_cmpuint(unlucky.state, !=, 0);
    for (int i = 0; i < 10000; i++) {
        different += vhp_rng_next(&a) != vhp_rng_next(&b);
        hits += vhp_rng_percent(&zero, 30);
    }
    g_assert_cmpuint(different, ==, 10000);
    g_assert_cmpuint(hits, >, 2800);
    g_assert_cmpuint(hits, <, 3200);
}

static void test_rng_percent_edges(void)
{
    VhpRng rng;

    vhp_rng_init(&rng, 3);
    for (int i = 0; i < 1000; i++) {
        g_assert_false(vhp_rng_percent(&rng, 0));
        g_assert_true(vhp_rng_percent(&rng, 100));
    }
}

static void check_passes(uint64_t pages)
{
    g_autofree unsigned int *seen = g_new0(unsigned int, pages);
    VhpWalk walk;
    VhpRng rng;

    vhp_rng_init(&rng, pages);
    vhp_walk_init(&walk, pages, &rng);
    for (unsigned int pass = 1; pass <= 3; pass++) {
        for (uint64_t i = 0; i < pages; i++) {
            uint64_t page = vhp_walk_next(&walk, &rng);

            g_assert_cmpuint(walk.passes, ==, i + 1 < pages ? pass - 1 : pass);
            g_assert_cmpuint(page, <, pages);
            g_assert_cmpuint(seen[page]++, ==, pass - 1);
        }
    }
}

static void test_walk_visits_each_page_once(void)
{
    static const uint64_t sizes[] = { 1,  2,  3,   4,    5,    7,    8,    9,
                                      63, 64, 100, 1000, 1024, 1025, 70000 };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        check_passes(sizes[i]);
    }
}

/* Neither sequential, nor one stride, nor twice the same. */
static void test_walk_is_random(void)
{
    enum { PAGES = 4096 };
    uint64_t first[PAGES], page;
    unsigned int same = 0, sequel = 0, stride = 0;
    VhpWalk walk;
    VhpRng rng;

    vhp_rng_init(&rng, 11);
    vhp_walk_init(&walk, PAGES, &rng);
    for (int i = 0; i < PAGES; i++) {
        first[i] = vhp_walk_next(&walk, &rng);
    }
    for (int i = 0; i < PAGES; i++) {
        page = vhp_walk_next(&walk, &rng);
        same += page == first[i];
        sequel += i && first[i] == first[i - 1] + 1;
        stride += i > 1 && first[i] - first[i - 1] == first[1] - first[0];
    }
    g_assert_cmpuint(same, <, 50);
    g_assert_cmpuint(sequel, <, 50);
    g_assert_cmpuint(stride, <, 400);
}

/* Polls every @step ticks for @length ticks; returns the touches due. */
static uint64_t poll(VhpPacer *pacer, uint64_t from, uint64_t length,
                     uint64_t step)
{
    uint64_t due = 0;

    for (uint64_t now = from; now < from + length; now += step) {
        due += vhp_pacer_due(pacer, now);
    }
    return due;
}

static void test_pacer_rate(void)
{
    static const uint64_t rates[] = { 1, 10, 999, 1000, 12345, 1000000 };

    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++) {
        VhpPacer pacer;
        uint64_t due;

        vhp_pacer_init(&pacer, rates[i], KHZ, 77);
        due = poll(&pacer, 77, 10 * S, 10000);
        g_assert_cmpuint(due, >=, 10 * rates[i] * 999 / 1000);
        g_assert_cmpuint(due, <=, 10 * rates[i] * 1001 / 1000 + 1);
        g_assert_cmpuint(pacer.missed, ==, 0);
    }
}

static void test_pacer_fraction(void)
{
    VhpPacer pacer;
    uint64_t due;

    /* 23.5 ticks a touch: rounding to 23 would be 2 % too fast */
    vhp_pacer_init(&pacer, 97872340, 2300000, 0);
    due = poll(&pacer, 0, 23500000, 400);
    g_assert_cmpuint(due, >=, 999000);
    g_assert_cmpuint(due, <=, 1001000);
}

static void test_pacer_first_and_early(void)
{
    VhpPacer pacer;

    vhp_pacer_init(&pacer, 1000, KHZ, 5 * S);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 5 * S), ==, 1);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 5 * S + MS - 1), ==, 0);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 5 * S + MS), ==, 1);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 5 * S + 4 * MS), ==, 3);
}

static void test_pacer_backlog(void)
{
    VhpPacer pacer;

    vhp_pacer_init(&pacer, 1000, KHZ, 0);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 0), ==, 1);
    /* 10 s without running: 251 touches are owed, the rest is missed */
    g_assert_cmpuint(poll(&pacer, 10 * S, MS / 2, MS / 100), ==, 251);
    g_assert_cmpuint(pacer.missed, ==, 10000 - 251);
    g_assert_cmpuint(poll(&pacer, 10 * S + MS, S, MS / 10), ==, 1000);
    /* 201 late touches are caught up in full */
    g_assert_cmpuint(poll(&pacer, 11200 * MS + MS, MS / 2, MS / 100), ==, 201);
    g_assert_cmpuint(pacer.missed, ==, 10000 - 251);
    poll(&pacer, 11201 * MS + 300 * MS, MS / 2, MS / 100);
    g_assert_cmpuint(pacer.missed, ==, 10000 - 251 + 49);
}

static void test_pacer_backlog_of_less_than_a_batch(void)
{
    VhpPacer pacer;

    vhp_pacer_init(&pacer, 100, KHZ, 0);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 10 * S), ==, 26);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 10 * S + 9 * MS), ==, 0);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 10 * S + 10 * MS), ==, 1);
}

static void test_pacer_clock_set_back(void)
{
    VhpPacer pacer;

    vhp_pacer_init(&pacer, 1000, KHZ, 50 * S);
    poll(&pacer, 50 * S, S, MS);
    g_assert_cmpuint(poll(&pacer, S, S, MS), ==, 1000);
}

static void test_pacer_unpaced(void)
{
    VhpPacer pacer;

    vhp_pacer_init(&pacer, 0, 0, 0);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 0), ==, VHP_BATCH);
    g_assert_cmpuint(vhp_pacer_due(&pacer, 0), ==, VHP_BATCH);
}

static void test_line_is_in_its_page(void)
{
    GHashTable *offsets = g_hash_table_new(NULL, NULL);

    for (uint64_t page = VHP_RAM_START; page < VHP_RAM_START + 64 * 4096;
         page += 4096) {
        uint64_t offset = vhp_line(page) - page;

        g_assert_cmpuint(offset, <=, 4096 - 64);
        g_assert_cmpuint(offset % 64, ==, 0);
        g_hash_table_add(offsets, GSIZE_TO_POINTER(offset));
    }
    g_assert_cmpuint(g_hash_table_size(offsets), ==, 64);
    g_hash_table_unref(offsets);
}

static VhpCheck check(const uint64_t *line, uint64_t most)
{
    VhpCheck c = { 0 };

    vhp_check_line(line, 0x1000000, 5, most, &c);
    return c;
}

static void test_pattern_intact(void)
{
    uint64_t line[VHP_LINE_WORDS] = { 0 };
    VhpCheck c;

    vhp_fill_line(line, 0x1000000, 5);
    c = check(line, 0);
    g_assert_cmpuint(c.bad_words, ==, 0);
    g_assert_cmpuint(c.slot_sum, ==, 0);
    line[0] += 3; /* three writes */
    c = check(line, 3);
    g_assert_cmpuint(c.bad_words, ==, 0);
    g_assert_cmpuint(c.slot_sum, ==, 3);
}

static void test_pattern_corrupt(void)
{
    uint64_t line[VHP_LINE_WORDS], zeroes[VHP_LINE_WORDS] = { 0 };

    for (int word = 0; word < VHP_LINE_WORDS; word++) {
        for (int bit = 0; bit < 64; bit++) {
            VhpCheck c;

            vhp_fill_line(line, 0x1000000, 5);
            line[word] ^= 1ULL << bit;
            c = check(line, 0);
            g_assert_cmpuint(c.bad_words, ==, 1);
            g_assert_cmpuint(c.first_bad, ==, 0x1000000 + word * 8);
        }
    }
    g_assert_cmpuint(check(zeroes, 1000).bad_words, ==, 8);
    vhp_fill_line(line, 0x1000000 + 4096, 5); /* the line of another page */
    g_assert_cmpuint(check(line, 1000).bad_words, ==, 8);
}

static void test_parse_good(void)
{
    char why[VHP_ERROR_SIZE];
    VhpConfig c;

    g_assert_true(vhp_config_parse(
        "  ram=0x10000000\tfill=64M seed=9 virtio_mmio.device=512@0xfeb00000:5 "
        "range=16M+4K:1K:100 tsc_khz=2300000 range=0x2000000+0x10K:0:0 go\n",
        &c, why, sizeof(why)));
    g_assert_cmpuint(c.ram, ==, 256 << 20);
    g_assert_cmpuint(c.fill_end, ==, 64 << 20);
    g_assert_cmpuint(c.seed, ==, 9);
    g_assert_cmpuint(c.tsc_khz, ==, 2300000);
    g_assert_true(c.go);
    g_assert_cmpuint(c.nr_ranges, ==, 2);
    g_assert_cmpuint(c.ranges[0].start, ==, 16 << 20);
    g_assert_cmpuint(c.ranges[0].size, ==, 4096);
    g_assert_cmpuint(c.ranges[0].rate, ==, 1024);
    g_assert_cmpuint(c.ranges[0].write_percent, ==, 100);
    g_assert_cmpuint(c.ranges[1].size, ==, 16 << 10);
    g_assert_true(vhp_config_check_run(&c, why, sizeof(why)));
    g_assert_cmpstr(why, ==, "");
}

static void test_parse_defaults(void)
{
    char why[VHP_ERROR_SIZE];
    VhpConfig c;

    g_assert_true(vhp_config_parse("ram=8G", &c, why, sizeof(why)));
    g_assert_cmpuint(c.fill_end, ==, VHP_RAM_MAX);
    g_assert_cmpuint(c.nr_ranges, ==, 0);
    g_assert_false(c.go);
}

static void assert_refused(const char *cmdline, const char *sentence)
{
    char why[VHP_ERROR_SIZE];
    VhpConfig c;

    g_assert_false(vhp_config_parse(cmdline, &c, why, sizeof(why)) &&
                   vhp_config_check_run(&c, why, sizeof(why)));
    g_assert_cmpstr(why, ==, sentence);
}

#define NUMBER ": allowed is a decimal or 0x number with K, M or G"
#define RANGE                                                               \
    ": allowed is range=START+SIZE:RATE:WRITEPCT, numbers with K, M or G, " \
    "SIZE at least 4K"

static void test_parse_bad_words(void)
{
    static const char *const ranges[] = {
        "range=",           "range=16M",           "range=16M+1M",
        "range=16M+1M:0",   "range=16M-1M:0:0",    "range=16M+1M:0:0:0",
        "range=16M+1M::0",  "range=16M+1M:0:0x",   "range=16M+0:0:0",
        "range=16T+1M:0:0", "range=16M+1M:-1:100", "range=16M+1M:0:50%",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        g_autofree char *line = g_strdup_printf("ram=1G %s go", ranges[i]);
        g_autofree char *why =
            g_strdup_printf("bad word \"%s\"" RANGE, ranges[i]);

        assert_refused(line, why);
    }
    assert_refused(
        "ram=1G banana",
        "bad word \"banana\": allowed is range=, fill=, ram=, hole=, "
        "tsc_khz=, seed=, go");
    assert_refused("ram=1G gone",
                   "bad word \"gone\": allowed is range=, fill=, ram=, hole=, "
                   "tsc_khz=, seed=, go");
    assert_refused("ram=", "bad word \"ram=\"" NUMBER);
    assert_refused("seed=12x", "bad word \"seed=12x\"" NUMBER);
    assert_refused("seed=18446744073709551616",
                   "bad word \"seed=18446744073709551616\"" NUMBER);
    assert_refused("ram=17179869184G", "bad word \"ram=17179869184G\"" NUMBER);
}

static void test_parse_too_many_ranges(void)
{
    GString *line = g_string_new("ram=1G");

    for (int i = 0; i < VHP_MAX_RANGES + 1; i++) {
        g_string_append(line, " range=16M+4K:0:0");
    }
    assert_refused(line->str, "bad word \"range=16M+4K:0:0\": allowed is at "
                              "most 8 ranges");
    g_string_free(line, TRUE);
}

static void test_bad_memory(void)
{
    assert_refused("", "ram= is missing: it must say where guest RAM "
                       "ends");
    assert_refused("ram=16M", "ram=0x1000000 is out of range or no multiple "
                              "of 4 KiB: allowed is 0x1001000 .. 0x200000000");
    assert_refused("ram=9G", "ram=0x240000000 is out of range or no multiple "
                             "of 4 KiB: allowed is 0x1001000 .. 0x200000000");
    assert_refused("ram=32M fill=33M",
                   "fill=0x2100000 is out of range or no multiple of 4 KiB: "
                   "allowed is 0x1000000 .. 0x2000000");
}

static void test_bad_ranges(void)
{
    assert_refused("ram=32M range=15M+2M:0:0",
                   "range 0: 0xf00000+0x200000 is not all in RAM: allowed is "
                   "0x1000000 .. 0x2000000");
    assert_refused("ram=32M range=16M+4K:0:0 range=31M+1028K:0:0",
                   "range 1: 0x1f00000+0x101000 is not all in RAM: allowed is "
                   "0x1000000 .. 0x2000000");
    assert_refused("ram=32M range=16M+0xfffffffffffff000:0:0",
                   "range 0: 0x1000000+0xfffffffffffff000 is not all in RAM: "
                   "allowed is 0x1000000 .. 0x2000000");
    assert_refused("ram=32M fill=20M range=20M+4K:0:0",
                   "range 0: 0x1400000+0x1000 is not all in the filled part "
                   "of RAM (fill=): allowed is 0x1000000 .. 0x1400000");
    assert_refused("ram=32M range=16M+5000:0:0",
                   "range 0: start or size is no multiple of 4 KiB: "
                   "0x1000000+0x1388");
    assert_refused("ram=32M range=16M+4K:100000001:0",
                   "range 0: rate 100000001 is too high: allowed is 0 .. "
                   "100000000");
    assert_refused("ram=32M range=16M+4K:0:101",
                   "range 0: write percentage 101 is too high: allowed is 0 "
                   ".. 100");
}

static void test_hole(void)
{
    char why[VHP_ERROR_SIZE];
    VhpConfig c;

    g_assert_true(vhp_config_parse("ram=0x108000000 hole=128M "
                                   "range=127M+1M:0:0 range=4G+128M:0:0",
                                   &c, why, sizeof(why)));
    g_assert_true(vhp_config_check_run(&c, why, sizeof(why)));
    g_assert_cmpuint(vhp_config_next_page(&c, (127 << 20)), ==,
                     (127 << 20) + 4096);
    g_assert_cmpuint(vhp_config_next_page(&c, (128 << 20) - 4096), ==,
                     VHP_HIGH_START);
    assert_refused("ram=5G hole=128M range=127M+1028K:0:0",
                   "range 0: 0x7f00000+0x101000 reaches into the hole "
                   "0x8000000 .. 0x100000000");
    assert_refused("ram=5G hole=128M range=128M+4K:0:0",
                   "range 0: 0x8000000+0x1000 reaches into the hole "
                   "0x8000000 .. 0x100000000");
    assert_refused("ram=4G hole=128M",
                   "hole=0x8000000 is out of range or no multiple of 4 KiB, "
                   "or ram= does not reach above 4 GiB: allowed is 0x1001000 "
                   ".. 0xfffff000");
    assert_refused("ram=5G hole=4G",
                   "hole=0x100000000 is out of range or no multiple of 4 KiB, "
                   "or ram= does not reach above 4 GiB: allowed is 0x1001000 "
                   ".. 0xfffff000");
}

static void test_clock_needed_only_to_go(void)
{
    char why[VHP_ERROR_SIZE];
    VhpConfig c;

    assert_refused("ram=32M range=16M+4K:1:0 go",
                   "range 0: a rate needs tsc_khz, and tsc_khz=0 is out of "
                   "range: allowed is 1000 .. 100000000");
    g_assert_true(
        vhp_config_parse("ram=32M range=16M+4K:1:0", &c, why, sizeof(why)));
    g_assert_true(vhp_config_check_run(&c, why, sizeof(why)));
    c.go = true;
    g_assert_false(vhp_config_check_run(&c, why, sizeof(why)));
}

static void test_error_is_cut_off(void)
{
    struct {
        char why[20];
        char guard[4];
    } s;
    VhpConfig c;

    memcpy(s.guard, "abc", 4);
    g_assert_false(vhp_config_parse("ram=1G banana", &c, s.why, 20));
    g_assert_cmpstr(s.why, ==, "bad word \"banana\": ");
    g_assert_cmpstr(s.guard, ==, "abc");
}

static void test_long_word_is_cut_off(void)
{
    g_autofree char *word = g_strnfill(3000, 'x');
    g_autofree char *shown = g_strnfill(64, 'x');
    g_autofree char *why =
        g_strdup_printf("bad word \"%s...\": allowed is range=, fill=, ram=, "
                        "hole=, tsc_khz=, seed=, "
                        "go",
                        shown);

    assert_refused(word, why);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add_func("/payload/" path, function)
    ADD("rng", test_rng);
    ADD("rng/percent-edges", test_rng_percent_edges);
    ADD("walk/each-page-once", test_walk_visits_each_page_once);
    ADD("walk/random", test_walk_is_random);
    ADD("pacer/rate", test_pacer_rate);
    ADD("pacer/fraction", test_pacer_fraction);
    ADD("pacer/first-and-early", test_pacer_first_and_early);
    ADD("pacer/backlog", test_pacer_backlog);
    ADD("pacer/small-backlog", test_pacer_backlog_of_less_than_a_batch);
    ADD("pacer/clock-set-back", test_pacer_clock_set_back);
    ADD("pacer/unpaced", test_pacer_unpaced);
    ADD("pattern/line", test_line_is_in_its_page);
    ADD("pattern/intact", test_pattern_intact);
    ADD("pattern/corrupt", test_pattern_corrupt);
    ADD("cmdline/good", test_parse_good);
    ADD("cmdline/defaults", test_parse_defaults);
    ADD("cmdline/bad-words", test_parse_bad_words);
    ADD("cmdline/too-many-ranges", test_parse_too_many_ranges);
    ADD("cmdline/bad-memory", test_bad_memory);
    ADD("cmdline/bad-ranges", test_bad_ranges);
    ADD("cmdline/hole", test_hole);
    ADD("cmdline/clock", test_clock_needed_only_to_go);
    ADD("cmdline/error-cut-off", test_error_is_cut_off);
    ADD("cmdline/long-word", test_long_word_is_cut_off);
    return g_test_run();
}
