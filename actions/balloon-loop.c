/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <inttypes.h>

#include "actions/balloon-loop.h"

#define SECOND 1000000000ULL
#define MIB ((uint64_t)1 << 20)
#define HOLD_MIN_NS (10 * SECOND)
#define HOLD_MAX_NS (300 * SECOND)
/* quiet for so many holds: the next one is short again */
#define FORGET_HOLDS 4
#define STUCK_NS (10 * SECOND)
#define GAP_NS SECOND
#define BEGIN_NS (5 * SECOND) /* until statistics come, if any */
#define RESERVE_MIN (32 * MIB)
#define AHEAD_S 3            /* pressure: nothing would be available by then */
#define SLACK MIB            /* the balloon is as large as it was asked to be */
#define FAULTS_PER_S 200     /* major faults that are pressure */
#define SWAP_PER_S (1 * MIB) /* bytes swapped in that are pressure */
#define PRESSES_MAX 16
#define NOISE 16 /* so much of the working set is the monitor's noise */

void vh_balloon_loop_init(VhBalloonLoop *l)
{
    *l = (VhBalloonLoop){ .hold_ns = HOLD_MIN_NS };
}

uint64_t vh_balloon_reserve(uint64_t has, uint64_t floor)
{
    return MAX(MAX(has / 20, floor / 4), RESERVE_MIN);
}

static uint64_t most(const VhBalloonArgs *args, const VhBalloonSight *s)
{
    return args->ceiling ? MIN(args->ceiling, s->ram) : s->ram;
}

/* What a guest with this working set should have. */
static uint64_t wanted(const VhBalloonArgs *args, const VhBalloonSight *s,
                       uint64_t working_set)
{
    uint64_t head = working_set / 1000 * args->headroom_permille;
    uint64_t w = MAX(working_set + head, args->floor);

    return MIN(w, most(args, s)) / VH_PAGE_SIZE * VH_PAGE_SIZE;
}

/* Smaller changes of @size are not made. */
static uint64_t least_change(const VhBalloonArgs *args, uint64_t size)
{
    return MAX(MAX(args->hysteresis, size / NOISE), VH_PAGE_SIZE);
}

static bool followed(const VhBalloonSight *s)
{
    return s->actual <= s->target + SLACK;
}

/* The working set that would explain the balloon as it is found. */
static uint64_t guess(const VhBalloonArgs *args, const VhBalloonSight *s)
{
    if (s->target + SLACK >= s->ram) {
        return UINT64_MAX;
    }
    return s->target / (1000 + args->headroom_permille) * 1000;
}

static void begin(VhBalloonLoop *l, const VhBalloonArgs *args,
                  const VhBalloonSight *s, uint64_t now_ns)
{
    vh_working_set_init(&l->set, guess(args, s));
    l->seen = *s;
    l->rates = *s;
    l->best = s->actual;
    l->began_ns = now_ns;
    l->progress_ns = now_ns;
    l->settled_stats_ns = UINT64_MAX;
}

/* Is the guest giving what was taken? */
static void watch_progress(VhBalloonLoop *l, const VhBalloonSight *s,
                           uint64_t now_ns)
{
    if (s->actual < l->best || followed(s)) {
        l->best = s->actual;
        l->progress_ns = now_ns;
    }
    if (followed(s) && !l->settled_stats_ns) {
        l->settled_stats_ns = s->stats_ns ? s->stats_ns : UINT64_MAX;
    }
}

/* Has a counter of @old and @s grown by more than @per_s each second? */
static bool grew(uint64_t old, uint64_t now, uint64_t ns, uint64_t per_s)
{
    return old != VH_BALLOON_UNKNOWN && now != VH_BALLOON_UNKNOWN &&
           now > old && (double)(now - old) * SECOND > (double)per_s * ns;
}

/* Most that the guest had since it told the statistics before @l->rates. */
static uint64_t had(const VhBalloonLoop *l)
{
    return MAX(l->high[0], l->high[1]);
}

static void watch_size(VhBalloonLoop *l, const VhBalloonSight *s)
{
    bool told = s->stats_ns != l->seen.stats_ns;

    l->high[1] = told ? l->high[0] : l->high[1];
    l->high[0] = told ? s->actual : MAX(l->high[0], s->actual);
}

/*
 * Bytes by which available memory fell, more than was taken. The guest gathers
 * what it tells before it is seen here, so it may be of the size it had before.
 */
static uint64_t fell(const VhBalloonSight *old, const VhBalloonSight *s,
                     uint64_t had)
{
    uint64_t taken = had - MIN(had, s->actual);
    uint64_t less = old->available - MIN(s->available, old->available);

    return old->available == VH_BALLOON_UNKNOWN ? 0 : less - MIN(less, taken);
}

/* Is little available, or will be soon if it goes on like this? */
static bool runs_short(const VhBalloonSight *old, const VhBalloonSight *s,
                       uint64_t had, uint64_t reserve)
{
    uint64_t ns = MAX(s->stats_ns - old->stats_ns, SECOND);
    double ahead = (double)fell(old, s, had) * AHEAD_S * SECOND / ns;

    return s->available < reserve / 2 ||
           (old->stats_ns && s->available < reserve / 2 + ahead);
}

/* What new statistics say. */
static VhPressure look_at_stats(VhBalloonLoop *l, const VhBalloonArgs *args,
                                const VhBalloonSight *s)
{
    VhBalloonSight old = l->rates;
    uint64_t reserve = vh_balloon_reserve(s->actual, args->floor);
    uint64_t ns = s->stats_ns - old.stats_ns;

    l->rates = *s;
    if (runs_short(&old, s, had(l), reserve)) {
        return VH_PRESSURE_AVAILABLE;
    }
    if (!old.stats_ns || s->target >= most(args, s)) {
        return VH_PRESSURE_NONE; /* not of our making */
    }
    if (grew(old.swap_in, s->swap_in, ns, SWAP_PER_S)) {
        return VH_PRESSURE_SWAP;
    }
    return grew(old.major_faults, s->major_faults, ns, FAULTS_PER_S)
               ? VH_PRESSURE_FAULTS
               : VH_PRESSURE_NONE;
}

/* Nobody asked it to, and it was not on its way. */
static bool took_back(const VhBalloonLoop *l, const VhBalloonSight *s)
{
    return s->target == l->seen.target && l->seen.actual >= s->target &&
           s->actual > l->seen.actual + SLACK;
}

/* Is it time to give because of the working set? */
static bool too_little(const VhBalloonLoop *l, const VhBalloonArgs *args,
                       const VhBalloonSight *s)
{
    return s->target < MIN(args->floor, most(args, s)) ||
           (l->wanted > s->target &&
            l->wanted - s->target >= least_change(args, l->wanted));
}

static VhPressure pressure(VhBalloonLoop *l, const VhBalloonArgs *args,
                           const VhBalloonSight *s, uint64_t set_before)
{
    if (s->stats_ns && s->stats_ns != l->rates.stats_ns) {
        VhPressure p = look_at_stats(l, args, s);

        if (p) {
            return p;
        }
        l->presses = 0;
    }
    if (took_back(l, s)) {
        return VH_PRESSURE_TOOK_BACK;
    }
    if (set_before && l->set.now > set_before + set_before / 4 &&
        l->set.now - set_before > args->hysteresis && too_little(l, args, s)) {
        return VH_PRESSURE_GROWTH;
    }
    return VH_PRESSURE_NONE;
}

/* No memory is taken for a while; longer than last time if that was lately. */
static void hold(VhBalloonLoop *l, uint64_t now_ns)
{
    if (now_ns >= l->hold_until_ns) {
        uint64_t quiet = now_ns - l->hold_until_ns;
        bool again = l->hold_until_ns && quiet < FORGET_HOLDS * l->hold_ns;

        l->hold_ns = again ? MIN(2 * l->hold_ns, HOLD_MAX_NS) : HOLD_MIN_NS;
    }
    l->hold_until_ns = now_ns + l->hold_ns;
}

static uint64_t give_for_pressure(VhBalloonLoop *l, const VhBalloonArgs *args,
                                  const VhBalloonSight *s, uint64_t now_ns)
{
    uint64_t more = MIN(args->step, s->ram) << MIN(l->presses, PRESSES_MAX);
    uint64_t grown = s->actual + MIN(more, s->ram);

    l->why = VH_BALLOON_PRESSURE;
    l->presses++;
    hold(l, now_ns);
    return MIN(MAX(MAX(grown, l->wanted), s->target), most(args, s));
}

/* Has what was taken last shown its effect? If not, why. */
static bool may_take(VhBalloonLoop *l, const VhBalloonSight *s, uint64_t now_ns)
{
    bool known = l->rates.stats_ns != 0;

    l->why = VH_BALLOON_FOLLOWS;
    if (now_ns - l->began_ns < BEGIN_NS) {
        l->why = VH_BALLOON_BEGINS;
        return false;
    }
    if (!s->stats_ns && known) {
        l->why = VH_BALLOON_STALE;
        return false;
    }
    if (!followed(s)) {
        return false;
    }
    return known ? l->settled_stats_ns != s->stats_ns
                 : now_ns - l->took_ns >= GAP_NS;
}

/* Bytes beyond the reserve. */
static uint64_t to_spare(const VhBalloonArgs *args, const VhBalloonSight *s)
{
    if (!s->stats_ns || s->available == VH_BALLOON_UNKNOWN) {
        return UINT64_MAX;
    }
    return s->available -
           MIN(s->available, vh_balloon_reserve(s->actual, args->floor));
}

/* How much of @surplus to take now. Leaves nothing that is too little for a
 * step of its own, if that can be helped. */
static uint64_t one_step(const VhBalloonArgs *args, uint64_t surplus,
                         uint64_t least)
{
    uint64_t much = MIN(surplus, args->step);

    if (surplus > much && surplus - much < least && much / 2 >= least) {
        much = surplus - least;
    }
    return much / VH_PAGE_SIZE * VH_PAGE_SIZE;
}

static void note_taken(VhBalloonLoop *l, const VhBalloonSight *s,
                       uint64_t now_ns)
{
    l->why = VH_BALLOON_TAKES;
    l->took_ns = now_ns;
    l->progress_ns = now_ns;
    l->best = s->actual;
    l->settled_stats_ns = 0;
}

/* Is more than @size there, by as much as is worth a change? */
static bool too_much(const VhBalloonArgs *args, const VhBalloonSight *s,
                     uint64_t size)
{
    return s->target >= size && s->target - size >= least_change(args, size);
}

static uint64_t take(VhBalloonLoop *l, const VhBalloonArgs *args,
                     const VhBalloonSight *s, uint64_t now_ns)
{
    uint64_t low = wanted(args, s, l->set.peak);
    uint64_t least = least_change(args, low);
    uint64_t spare = to_spare(args, s), much;

    if (!too_much(args, s, low)) {
        l->why =
            too_much(args, s, l->wanted) ? VH_BALLOON_PEAK : VH_BALLOON_SETTLED;
        return s->target;
    }
    if (!may_take(l, s, now_ns)) {
        return s->target;
    }
    much = one_step(args, MIN(spare, s->target - low), least);
    if (much < MIN(least, args->step)) {
        l->why = VH_BALLOON_RESERVE;
        return s->target;
    }
    note_taken(l, s, now_ns);
    return s->target - much;
}

static bool stuck(const VhBalloonLoop *l, const VhBalloonSight *s,
                  uint64_t now_ns)
{
    return !followed(s) && now_ns - l->progress_ns >= STUCK_NS;
}

static uint64_t decide(VhBalloonLoop *l, const VhBalloonArgs *args,
                       const VhBalloonSight *s, uint64_t set_before,
                       uint64_t now_ns)
{
    VhPressure p = pressure(l, args, s, set_before);

    if (p) {
        l->pressure = p;
        return give_for_pressure(l, args, s, now_ns);
    }
    if (too_little(l, args, s)) {
        l->why = VH_BALLOON_GREW;
        return l->wanted;
    }
    if (stuck(l, s, now_ns)) {
        l->why = VH_BALLOON_STUCK;
        hold(l, now_ns);
        return MIN(s->actual, s->ram);
    }
    if (now_ns < l->hold_until_ns) {
        return s->target; /* why: as when it began */
    }
    return take(l, args, s, now_ns);
}

uint64_t vh_balloon_loop_step(VhBalloonLoop *l, const VhBalloonArgs *args,
                              const VhPass *pass, const VhBalloonSight *s,
                              uint64_t now_ns)
{
    uint64_t target = s->target, before;

    if (!l->seen.ram) {
        begin(l, args, s, now_ns);
    }
    before = l->set.now;
    watch_progress(l, s, now_ns);
    vh_working_set_update(&l->set, pass,
                          l->seen.actual - MIN(l->seen.actual, s->actual),
                          s->stats_ns != 0, args->hysteresis, now_ns);
    l->wanted = wanted(args, s, l->set.now);
    if (s->driver) {
        target = decide(l, args, s, before, now_ns);
    } else {
        l->why = VH_BALLOON_NO_DRIVER;
        l->progress_ns = now_ns;
    }
    watch_size(l, s);
    l->seen = *s;
    l->seen.target = target;
    return target;
}

static const char *pressure_text(VhPressure p)
{
    switch (p) {
    case VH_PRESSURE_AVAILABLE:
        return "the guest ran short of available memory";
    case VH_PRESSURE_FAULTS:
        return "the guest had many major faults";
    case VH_PRESSURE_SWAP:
        return "the guest swapped in";
    case VH_PRESSURE_TOOK_BACK:
        return "the guest took memory back by itself";
    case VH_PRESSURE_GROWTH:
        return "the working set grew fast";
    default:
        return "there was no pressure";
    }
}

/* Why nothing is taken until the hold is over. */
static char *why_hold(const char *what, uint64_t ns)
{
    return ns ? g_strdup_printf("%s, memory is not taken for %u s", what,
                                (unsigned)((ns + SECOND - 1) / SECOND))
              : g_strdup(what);
}

static char *why_text(const VhBalloonLoop *l, uint64_t now_ns)
{
    uint64_t left = l->hold_until_ns > now_ns ? l->hold_until_ns - now_ns : 0;

    switch (l->why) {
    case VH_BALLOON_BEGINS:
        return g_strdup("looking at the guest first");
    case VH_BALLOON_PEAK:
        return g_strdup_printf("the working set was %" PRIu64 " MiB lately",
                               l->set.peak / MIB);
    case VH_BALLOON_TAKES:
        return g_strdup("taking memory that is not needed");
    case VH_BALLOON_FOLLOWS:
        return g_strdup("waiting for the guest to follow");
    case VH_BALLOON_RESERVE:
        return g_strdup_printf("the guest has only %" PRIu64 " MiB available",
                               l->seen.available / MIB);
    case VH_BALLOON_STALE:
        return g_strdup("the guest does not tell its statistics any more");
    case VH_BALLOON_GREW:
        return g_strdup("gave memory back for the working set");
    case VH_BALLOON_PRESSURE:
        return why_hold(pressure_text(l->pressure), left);
    case VH_BALLOON_STUCK:
        return why_hold("the guest did not follow", left);
    case VH_BALLOON_NO_DRIVER:
        return g_strdup("the guest has no driver for the balloon");
    default:
        return g_strdup("nothing to do");
    }
}

char *vh_balloon_loop_describe(const VhBalloonLoop *l, uint64_t now_ns)
{
    g_autofree char *why = why_text(l, now_ns);

    return g_strdup_printf(
        "target %" PRIu64 " MiB, the guest has %" PRIu64 " of %" PRIu64
        " MiB, working set %" PRIu64 " MiB%s%s: %s",
        l->seen.target / MIB, l->seen.actual / MIB, l->seen.ram / MIB,
        l->set.now / MIB, l->set.lost ? " (before the monitor began anew)" : "",
        l->seen.stats_ns ? "" : ", no statistics of the guest", why);
}
