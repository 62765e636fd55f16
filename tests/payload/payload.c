/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The payload guest: touches declared memory at declared rates and writes down
 * what it really did.  The truth that vmheat's picture is compared with.
 *
 * Everything here runs without privilege (ring 3, EL0, U mode) on one vCPU with
 * interrupts off, in an identity map; the only way out is the parameter page
 * (layout.h).  What depends on the machine is in arch-.../.
 *
 * What the record does not show: the payload's own image, stack, page tables
 * and parameter page (all in the first 4 MiB of RAM) are always hot, and so is
 * whatever firmware did before.  Ranges are therefore never in the first 16
 * MiB.
 */
#include "cmdline.h"
#include "logic.h"
#include "machine.h"

/* struct Run - the state of one range between go and stop */
typedef struct Run {
    VhpRange range;
    VhpWalk walk;
    VhpPacer pacer;
    volatile VhpRecord *record;
} Run;

typedef struct Payload {
    volatile VhpPage *page;
    VhpConfig config;
    VhpRng rng;
    unsigned int nr_runs;
    Run runs[VHP_MAX_RANGES];
} Payload;

void vhp_main(uint64_t boot);

static volatile uint64_t *memory(uint64_t address)
{
    return (volatile uint64_t *)(uintptr_t)address;
}

static void set_error(volatile VhpPage *page, const char *why)
{
    for (int i = 0; i < VHP_ERROR_SIZE - 1 && (i == 0 || why[i - 1]); i++) {
        page->error[i] = why[i];
    }
}

static void fill(Payload *p)
{
    uint64_t at;

    for (at = VHP_RAM_START; at < p->config.fill_end;
         at = vhp_config_next_page(&p->config, at)) {
        uint64_t line = vhp_line(at);

        vhp_fill_line(memory(line), line, p->config.seed);
    }
}

static void verify_if_asked(Payload *p)
{
    uint64_t asked = p->page->verify, writes = p->page->total_writes, at;
    VhpCheck check = { 0, 0, 0 };

    if (asked == p->page->verified) {
        return;
    }
    for (at = VHP_RAM_START; at < p->config.fill_end;
         at = vhp_config_next_page(&p->config, at)) {
        uint64_t line = vhp_line(at);

        vhp_check_line(memory(line), line, p->config.seed, writes, &check);
    }
    p->page->bad_words = check.bad_words;
    p->page->first_bad = check.first_bad;
    p->page->slot_sum = check.slot_sum;
    p->page->verified = asked;
}

static void touch(Payload *p, Run *run)
{
    uint64_t page = vhp_walk_next(&run->walk, &p->rng) * VHP_PAGE_SIZE;
    volatile uint64_t *slot = memory(vhp_line(run->range.start + page));

    if (vhp_rng_percent(&p->rng, run->range.write_percent)) {
        ++*slot;
        run->record->writes++;
        p->page->total_writes++;
    } else {
        (void)*slot;
        run->record->reads++;
    }
    run->record->touches++;
    p->page->total_touches++;
}

/* Does what is due. Returns whether anything was. */
static bool run_once(Payload *p)
{
    bool worked = false;

    for (unsigned int i = 0; i < p->nr_runs; i++) {
        Run *run = &p->runs[i];
        uint64_t due = vhp_pacer_due(&run->pacer, vhp_clock());

        worked = worked || due;
        while (due--) {
            touch(p, run);
        }
        run->record->passes = run->walk.passes;
        run->record->missed = run->pacer.missed;
    }
    return worked;
}

static void run_until_stop(Payload *p)
{
    while (!p->page->stop) {
        if (!run_once(p)) {
            vhp_relax();
        }
        p->page->tsc_now = vhp_clock();
        verify_if_asked(p);
    }
}

static void clear_record(volatile VhpRecord *r)
{
    r->touches = 0;
    r->reads = 0;
    r->writes = 0;
    r->passes = 0;
    r->missed = 0;
}

static void start_runs(Payload *p)
{
    uint64_t now = vhp_clock();

    p->nr_runs = 0;
    for (unsigned int i = 0; i < VHP_MAX_RANGES; i++) {
        const VhpRange *r = &p->config.ranges[i];
        Run *run = &p->runs[p->nr_runs];

        clear_record(&p->page->records[i]);
        if (!r->size) {
            continue;
        }
        run->range = *r;
        run->record = &p->page->records[i];
        vhp_walk_init(&run->walk, r->size / VHP_PAGE_SIZE, &p->rng);
        vhp_pacer_init(&run->pacer, r->rate, p->config.tsc_khz, now);
        p->nr_runs++;
    }
    p->page->tsc_start = now;
    p->page->runs++;
}

/* The page may change at any time: look at each word once. */
static void take_config(Payload *p)
{
    for (unsigned int i = 0; i < VHP_MAX_RANGES; i++) {
        volatile VhpRange *from = &p->page->ranges[i];

        p->config.ranges[i].start = from->start;
        p->config.ranges[i].size = from->size;
        p->config.ranges[i].rate = from->rate;
        p->config.ranges[i].write_percent = from->write_percent;
    }
    p->config.tsc_khz = p->page->tsc_khz;
    p->config.go = true;
}

/* go was asked for: run until stop, or say why not. */
static void obey_go(Payload *p)
{
    char why[VHP_ERROR_SIZE];
    bool good;

    take_config(p);
    good = vhp_config_check_run(&p->config, why, sizeof(why));
    set_error(p->page, why);
    if (!good) {
        p->page->go = 0;
        return;
    }
    start_runs(p);
    p->page->stopped = 0;
    p->page->go = 0;
    run_until_stop(p);
    p->page->tsc_now = vhp_clock();
}

static void show_config(Payload *p)
{
    p->page->ram = p->config.ram;
    p->page->hole = p->config.hole;
    p->page->fill_end = p->config.fill_end;
    p->page->seed = p->config.seed;
    p->page->tsc_khz = p->config.tsc_khz;
    for (unsigned int i = 0; i < VHP_MAX_RANGES; i++) {
        volatile VhpRange *to = &p->page->ranges[i];

        to->start = p->config.ranges[i].start;
        to->size = p->config.ranges[i].size;
        to->rate = p->config.ranges[i].rate;
        to->write_percent = p->config.ranges[i].write_percent;
    }
    p->page->go = p->config.go;
}

/* Reads the command line and fills memory. False: it must not run. */
static bool set_up(Payload *p, uint64_t boot)
{
    const char *cmdline = vhp_command_line(boot);
    char why[VHP_ERROR_SIZE];

    if (!vhp_config_parse(cmdline ? cmdline : "", &p->config, why,
                          sizeof(why)) ||
        !vhp_config_check_run(&p->config, why, sizeof(why))) {
        set_error(p->page, why);
        p->config.fill_end = 0; /* nothing to verify */
        return false;
    }
    vhp_rng_init(&p->rng, p->config.seed);
    p->page->phase = VHP_PHASE_FILLING;
    fill(p);
    show_config(p);
    return true;
}

static void start_page(volatile VhpPage *page)
{
    volatile uint64_t *word = (volatile uint64_t *)page;

    for (unsigned int i = 0; i < VHP_PAGE_SIZE / 8; i++) {
        word[i] = 0;
    }
    page->tsc_boot = vhp_clock();
    page->tsc_now = page->tsc_boot;
    page->ring = vhp_ring();
    page->version = VHP_VERSION;
    page->phase = VHP_PHASE_STARTING;
    page->magic = VHP_MAGIC;
}

/* At rest until go; failed: for ever. */
static void rest(Payload *p, bool failed)
{
    for (;;) {
        p->page->stop = 0;
        p->page->stopped = 1;
        while (failed || !p->page->go) {
            vhp_relax();
            p->page->tsc_now = vhp_clock();
            p->page->stop = 0;
            verify_if_asked(p);
        }
        obey_go(p);
    }
}

void vhp_main(uint64_t boot)
{
    static Payload payload; /* too big for the stack */
    Payload *p = &payload;
    bool good;

    p->page = (volatile VhpPage *)(uintptr_t)VHP_PAGE_ADDR;
    start_page(p->page);
    good = set_up(p, boot);
    p->page->phase = good ? VHP_PHASE_READY : VHP_PHASE_FAILED;
    rest(p, !good);
}
