/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The balloon is moved as the command "balloon" does it (qmp_balloon()). Where
 * it should be and is, and whether the guest has a driver, is read from the
 * device; what the guest tells of itself, from the device's QOM properties.
 *
 * The device may be unplugged between two looks, so nobody keeps a pointer to
 * it: each look finds it again among the devices that users add, which are few.
 *
 * Statistics come as often as the property guest-stats-polling-interval says.
 * If nobody has set it we do, to a second, and reset it when we need them no
 * more; the interval of somebody else is left alone.
 */
#include "hw/balloon.h"

#define POLL_S 1
#define POLL_PROPERTY "guest-stats-polling-interval"
#define SECOND 1000000000ULL
#define STALE_S 10 /* no statistics for so long: there are none */

static int take_if_balloon(Object *child, void *opaque)
{
    VirtIOBalloon **found = opaque;
    Object *o = object_dynamic_cast(child, TYPE_VIRTIO_BALLOON);

    if (o && DEVICE(o)->realized) {
        *found = VIRTIO_BALLOON(o);
    }
    return *found != NULL;
}

/* The one balloon there may be, or NULL. */
static VirtIOBalloon *find(void)
{
    static const char *const where[] = { "peripheral", "peripheral-anon" };
    VirtIOBalloon *found = NULL;

    for (size_t i = 0; !found && i < ARRAY_SIZE(where); i++) {
        object_child_foreach_recursive(vh_machine_container(where[i]),
                                       take_if_balloon, &found);
    }
    return found;
}

/* Is there a driver, and did it agree to @feature? -1: any */
static bool has_driver(VirtIOBalloon *b, int feature)
{
    VirtIODevice *v = VIRTIO_DEVICE(b);

    return (v->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
           (feature < 0 || virtio_vdev_has_feature(v, feature));
}

bool vmheat_balloon_probe(char **why)
{
    const char *text = NULL;

    if (!find()) {
        text = "there is no balloon device: add -device virtio-balloon-pci"
               " (before the vmheat device)";
    } else if (ram_block_discard_is_disabled()) {
        text = "the balloon gives nothing back while a device pins guest memory"
               " (VFIO without an IOMMU, vDPA, RDMA): remove that device";
    } else if (migration_in_incoming_postcopy()) {
        text = "the balloon gives nothing back during postcopy migration: wait"
               " until it is over";
    }
    *why = g_strdup(text);
    return !text;
}

/* A value of the guest's, VH_BALLOON_UNKNOWN when it has not told. */
static uint64_t stat_of(QDict *stats, const char *name)
{
    uint64_t value;
    QNum *n = qobject_to(QNum, qdict_get(stats, name));

    return n && qnum_get_try_uint(n, &value) ? value : VH_BALLOON_UNKNOWN;
}

static void read_stats(QDict *all, VhBalloonSight *s)
{
    int64_t told = qdict_get_try_int(all, "last-update", 0);
    QDict *stats = qdict_get_qdict(all, "stats");

    if (!stats || told <= 0 ||
        g_get_real_time() / G_USEC_PER_SEC - told > STALE_S) {
        return;
    }
    s->stats_ns = told * SECOND;
    s->available = stat_of(stats, "stat-available-memory");
    s->free = stat_of(stats, "stat-free-memory");
    s->major_faults = stat_of(stats, "stat-major-faults");
    s->swap_in = stat_of(stats, "stat-swap-in");
}

static void look_at_stats(VirtIOBalloon *b, VhBalloonSight *s)
{
    QObject *o;

    s->available = s->free = s->major_faults = s->swap_in = VH_BALLOON_UNKNOWN;
    if (!has_driver(b, VIRTIO_BALLOON_F_STATS_VQ)) {
        return;
    }
    if (object_property_get_int(OBJECT(b), POLL_PROPERTY, NULL) == 0) {
        object_property_set_int(OBJECT(b), POLL_PROPERTY, POLL_S, NULL);
    }
    o = object_property_get_qobject(OBJECT(b), "guest-stats", NULL);
    if (qobject_to(QDict, o)) {
        read_stats(qobject_to(QDict, o), s);
    }
    qobject_unref(o);
}

static bool size_of(VirtIOBalloon *b, VhBalloonSight *s)
{
    BalloonInfo *info = b ? qmp_query_balloon(NULL) : NULL;

    if (!info) {
        return false;
    }
    s->actual = info->actual;
    s->ram = s->actual + ((uint64_t)b->actual << VIRTIO_BALLOON_PFN_SHIFT);
    s->target = s->ram - ((uint64_t)b->num_pages << VIRTIO_BALLOON_PFN_SHIFT);
    qapi_free_BalloonInfo(info);
    return true;
}

bool vmheat_balloon_size(uint64_t *actual, uint64_t *target)
{
    VhBalloonSight s;

    if (!size_of(find(), &s)) {
        return false;
    }
    *actual = s.actual;
    *target = s.target;
    return true;
}

bool vmheat_balloon_look(VhBalloonSight *s, bool *reporting)
{
    VirtIOBalloon *b = find();

    *s = (VhBalloonSight){ 0 };
    if (!size_of(b, s)) {
        return false;
    }
    s->driver = has_driver(b, -1);
    look_at_stats(b, s);
    if (reporting) {
        *reporting = has_driver(b, VIRTIO_BALLOON_F_REPORTING);
    }
    return true;
}

void vmheat_balloon_set(uint64_t target)
{
    qmp_balloon(MIN(target, INT64_MAX), NULL);
}

void vmheat_balloon_quiet(void)
{
    Object *b = OBJECT(find());

    if (b && object_property_get_int(b, POLL_PROPERTY, NULL) == POLL_S) {
        object_property_set_int(b, POLL_PROPERTY, 0, NULL);
    }
}

bool vmheat_balloon_take(VmheatActionHost *h, const void *who)
{
    if (!h->balloon_mover) {
        h->balloon_mover = who;
    }
    return h->balloon_mover == who;
}

void vmheat_balloon_give(VmheatActionHost *h, const void *who)
{
    if (h->balloon_mover == who) {
        h->balloon_mover = NULL;
    }
}
